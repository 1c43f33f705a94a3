// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Which target a bucket name of a trail stands for: a configured remote bucket of that name, else the embedded one.
public struct DeliveryTargets: Sendable {
    private let remote: [String: any DeliveryTarget]
    private let embedded: @Sendable (_ bucket: String) -> any DeliveryTarget

    /// - Parameter remote: by the name that trails use.
    public init(
        remote: [String: any DeliveryTarget] = [:], embedded: @escaping @Sendable (_ bucket: String) -> any DeliveryTarget
    ) {
        self.remote = remote
        self.embedded = embedded
    }

    public func isRemote(_ bucket: String) -> Bool { remote[bucket] != nil }

    public func target(_ bucket: String) -> any DeliveryTarget { remote[bucket] ?? embedded(bucket) }
}
