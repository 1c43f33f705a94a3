// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ObjectStorage

/// The objects of a target, for verification.
public struct TargetObjects: DeliveredObjects {
    /// There was such an object when the bucket was listed.
    public struct Gone: Error, CustomStringConvertible {
        public var key: String
        public var description: String { "`\(key)` was in the list but cannot be found: it was deleted meanwhile" }
    }

    private let target: any DeliveryTarget
    private let prefix: String

    /// - Parameter prefix: only keys that begin with it are listed.
    public init(_ target: any DeliveryTarget, prefix: String = "") {
        self.target = target
        self.prefix = prefix
    }

    public func keys() async throws -> [String] {
        var keys: [String] = []
        while true {
            let page = try await target.list(prefix: prefix, after: keys.last ?? "")
            guard !page.isEmpty else { return keys }
            keys += page.map(\.key)
        }
    }

    public func content(_ key: String) async throws -> [UInt8] {
        guard let content = try await target.read(key) else { throw Gone(key: key) }
        return content
    }
}
