// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where a log service is, and which names its requests go to.
package struct SLSEndpoint: Sendable, Equatable {
    let scheme: String
    /// Lower case, an IPv6 address without brackets.
    let host: String
    /// With a colon before it; empty for the scheme's own.
    let port: String

    /// Nil for anything but `http(s)://host[:port]`.
    package init?(_ text: String) {
        guard let url = URLComponents(string: text), let scheme = url.scheme?.lowercased(), ["http", "https"].contains(scheme),
            let host = url.host?.lowercased().trimmingCharacters(in: CharacterSet(charactersIn: "[]")), !host.isEmpty,
            url.user == nil, url.password == nil, ["", "/"].contains(url.path), url.query == nil, url.fragment == nil,
            host.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x3A).contains($0) || $0 == 0x2D || $0 == 0x2E }),
            (1...65_535).contains(url.port ?? 1)
        else { return nil }
        self.scheme = scheme
        self.host = host
        port = url.port.map { $0 == (scheme == "https" ? 443 : 80) ? "" : ":\($0)" } ?? ""
    }

    /// Nothing that a project's name can stand before and be found: an IP address, or `localhost`.
    private var isAddress: Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return host == "localhost" || host.contains(":") || (parts.count == 4 && parts.allSatisfy { UInt8($0) != nil })
    }

    /// Value of the `Host` header: it tells the service which project is meant.
    package func authority(_ project: String?) -> String {
        (project.map { $0 + "." } ?? "") + (host.contains(":") ? "[\(host)]" : host) + port
    }

    /// Scheme and authority to connect to.
    package func base(_ project: String?) -> String { "\(scheme)://\(authority(isAddress ? nil : project))" }
}
