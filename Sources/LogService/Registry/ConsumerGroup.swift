// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Consumers that read a logstore together, each shard by one of them; source: sls.md section 8.
public struct ConsumerGroup: Codable, Sendable, Equatable {
    public var name: String
    /// Seconds after which a consumer that was not heard of is gone.
    public var timeout: Int
    /// A shard is read after those it was split from or merged of.
    public var order: Bool

    public init(name: String, timeout: Int, order: Bool) {
        self.name = name
        self.timeout = timeout
        self.order = order
    }

    func check() throws(LogServiceError) {
        guard RegistryName.isObject(name) else {
            throw .parameter("consumer group name \(RegistryName.quoted(name)) is invalid")
        }
        guard (1...86400).contains(timeout) else { throw .parameter("timeout must be between 1 and 86400") }
    }
}

/// How far a consumer group has read a shard.
public struct ConsumerCheckpoint: Codable, Sendable, Equatable {
    public var shard: Int
    /// A cursor; empty if there is none.
    public var checkpoint: String
    /// Microseconds since 1970.
    public var updateTime: Int64
    /// Who wrote it; may be empty.
    public var consumer: String

    public init(shard: Int, checkpoint: String = "", updateTime: Int64 = 0, consumer: String = "") {
        self.shard = shard
        self.checkpoint = checkpoint
        self.updateTime = updateTime
        self.consumer = consumer
    }
}
