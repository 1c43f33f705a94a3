// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A project of a log service as trails name it: `acs:log:<region>:<account>:project/<name>`.
public struct LogProject: Sendable, Hashable {
    public var region: String
    public var account: String
    public var name: String

    public init(region: String, account: String, name: String) {
        self.region = region
        self.account = account
        self.name = name
    }

    /// Nil for anything but such an ARN with a name that a project can have: 3 to 63 of `a-z`, `0-9` and `-`, a letter or
    /// digit first and last.
    public init?(arn: String) {
        guard arn.utf8.count <= 256 else { return nil }
        let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0] == "acs", parts[1] == "log", !parts[2].isEmpty, !parts[3].isEmpty,
            parts[2].utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }),
            parts[3].utf8.allSatisfy({ (0x30...0x39).contains($0) }), parts[4].hasPrefix("project/")
        else { return nil }
        let name = String(parts[4].dropFirst("project/".count))
        guard Self.isName(name) else { return nil }
        self.init(region: String(parts[2]), account: String(parts[3]), name: name)
    }

    public var arn: String { "acs:log:\(region):\(account):project/\(name)" }

    public static func isName(_ text: String) -> Bool {
        func isInner(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) }
        guard (3...63).contains(text.utf8.count), let first = text.utf8.first, let last = text.utf8.last else { return false }
        return isInner(first) && isInner(last) && text.utf8.allSatisfy { isInner($0) || $0 == 0x2D }
    }
}

extension Trail {
    /// Nil if the trail delivers to no log service.
    public var logProject: LogProject? { slsProjectArn.isEmpty ? nil : LogProject(arn: slsProjectArn) }
}
