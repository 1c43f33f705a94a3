// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A part of a logstore: logs whose hash lies in a range of the 128-bit key space.
public struct Shard: Codable, Sendable, Equatable {
    /// Never used again in its logstore.
    public var id: Int
    public var isWritable: Bool
    /// 32 lower-case hexadecimal digits.
    public var beginKey: String
    /// Not included, except that the greatest key belongs to the range that ends with it.
    public var endKey: String
    /// Seconds since 1970.
    public var createdAt: Int64
    /// The shards it was split from or merged of; they are read before it where order counts.
    public var parents: [Int]

    public init(id: Int, isWritable: Bool = true, beginKey: String, endKey: String, createdAt: Int64, parents: [Int] = []) {
        self.id = id
        self.isWritable = isWritable
        self.beginKey = beginKey
        self.endKey = endKey
        self.createdAt = createdAt
        self.parents = parents
    }

    /// Hexadecimal texts of one length compare as their numbers do.
    func contains(_ key: String) -> Bool { beginKey <= key && (key < endKey || endKey == ShardKey.greatest) }
}
