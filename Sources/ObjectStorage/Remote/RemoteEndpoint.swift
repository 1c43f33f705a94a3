// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Scheme, host and port of a service: `https://oss-cn-hangzhou.aliyuncs.com`, `http://127.0.0.1:9000`.
public struct RemoteEndpoint: Sendable, Equatable, CustomStringConvertible {
    public let isTLS: Bool
    /// Lower case, an IPv6 address without brackets.
    public let host: String
    /// nil for the scheme's own.
    public let port: Int?

    /// nil for anything but `http(s)://host[:port]`: user names, paths and queries have no place here.
    public init?(_ text: String) {
        guard let url = URLComponents(string: text), let scheme = url.scheme?.lowercased(), ["http", "https"].contains(scheme),
            let host = url.host?.lowercased().trimmingCharacters(in: CharacterSet(charactersIn: "[]")), !host.isEmpty,
            url.user == nil, url.password == nil, ["", "/"].contains(url.path), url.query == nil, url.fragment == nil,
            host.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x3A).contains($0) || $0 == 0x2D || $0 == 0x2E }),
            (1...65_535).contains(url.port ?? 1)
        else { return nil }
        isTLS = scheme == "https"
        self.host = host
        port = url.port == (isTLS ? 443 : 80) ? nil : url.port
    }

    /// An IP address or `localhost`: nothing that a bucket name can stand before.
    public var isAddress: Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return host == "localhost" || host.contains(":") || (parts.count == 4 && parts.allSatisfy { UInt8($0) != nil })
    }

    public var isLoopback: Bool { host == "localhost" || host == "::1" || (isAddress && host.hasPrefix("127.")) }

    /// Value of the `Host` header, with `label` before the host.
    func authority(_ label: String? = nil) -> String {
        let name = (label.map { $0 + "." } ?? "") + (host.contains(":") ? "[\(host)]" : host)
        return port.map { "\(name):\($0)" } ?? name
    }

    func url(_ label: String? = nil) -> String { "\(isTLS ? "https" : "http")://\(authority(label))" }

    public var description: String { url() }
}
