// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Which target a bucket name of a trail stands for: a configured remote bucket of that name, else the embedded one.
///
/// Remote buckets are the installation's: trails of other accounts than its own do not see them.
public struct DeliveryTargets: Sendable {
    private let remote: [String: any DeliveryTarget]
    private let owner: String
    private let embedded: @Sendable (_ bucket: String, _ account: String) -> any DeliveryTarget

    /// - Parameters:
    ///   - remote: by the name that trails use.
    ///   - owner: account of the installation.
    public init(
        remote: [String: any DeliveryTarget] = [:], owner: String,
        embedded: @escaping @Sendable (_ bucket: String, _ account: String) -> any DeliveryTarget
    ) {
        self.remote = remote
        self.owner = owner
        self.embedded = embedded
    }

    /// - Parameter account: of the trail.
    public func isRemote(_ bucket: String, account: String) -> Bool { account == owner && remote[bucket] != nil }

    /// - Parameter account: of the trail.
    public func target(_ bucket: String, account: String) -> any DeliveryTarget {
        (account == owner ? remote[bucket] : nil) ?? embedded(bucket, account)
    }
}
