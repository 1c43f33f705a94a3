// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The names under which the log service is reached, which decide what of a host is a project.
///
/// Source: sls.md section 2. Clients put the project before whatever endpoint they are given, an address included.
public struct SLSAddressing: Sendable {
    /// Names `b` such that `<project>.b` is a project's host. `localhost`, every IPv4 address and the hosts of the cloud
    /// always are.
    public var baseDomains: [String]

    public init(baseDomains: [String] = []) {
        self.baseDomains = baseDomains
    }

    /// Of names that belong to none of the known ones, three parts or more begin with a project: a client behind a proxy
    /// may be configured with any endpoint.
    ///
    /// - Parameter host: the `Host` header, port and all.
    /// - Returns: nil for the service itself.
    public func project(host: String) -> String? {
        if host.utf8.first == UInt8(ascii: "[") { return nil }
        let name = host.splitAtFirst(Ascii.colon).head.asciiLowercased()
        for base in baseDomains + ["localhost"] {
            let base = base.asciiLowercased()
            if name.hasSameBytes(as: base) { return nil }
            if let project = Self.project(of: name, before: base) { return project }
        }
        let parts = name.split(at: UInt8(ascii: "."))
        guard parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        if parts.suffix(4).count == 4, parts.suffix(4).allSatisfy({ UInt8($0) != nil }) {
            return parts.count == 4 ? nil : parts.dropLast(4).joined(separator: ".")
        }
        if parts.suffix(2).elementsEqual(["aliyuncs", "com"]) {
            // `<region>.log.aliyuncs.com`, `<region>.sls.aliyuncs.com`; `log-global.aliyuncs.com` has no region.
            let project = parts.dropLast(parts.dropLast(2).last == "log-global" ? 3 : 4).joined(separator: ".")
            return project.nonEmpty
        }
        return parts.count > 2 ? parts[0] : nil
    }

    private static func project(of name: String, before base: String) -> String? {
        let suffix = "." + base
        guard name.utf8.count > suffix.utf8.count, name.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) else {
            return nil
        }
        return String(decoding: name.utf8.dropLast(suffix.utf8.count), as: UTF8.self)
    }
}
