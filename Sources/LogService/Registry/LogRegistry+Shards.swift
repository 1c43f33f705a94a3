// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Metadata

/// The shards of a logstore.
extension LogRegistry {
    /// Those of a new logstore.
    public static func initialShards(count: Int, at now: Int64) throws(LogServiceError) -> [Shard] {
        try [Shard].initial(count: count, at: now)
    }

    /// - Parameter key: 32 hexadecimal digits; the middle of the shard's range if nil.
    /// - Returns: the old shard and the two new ones.
    public func splitShard(_ id: Int, at key: String?, logstore: String, project: String) throws -> [Shard] {
        try change(logstore, project) { logstore, _ in
            try Self.checkUnused(logstore)
            return try logstore.shards.split(id, key: key, at: seconds)
        }.result
    }

    /// Merges a shard with the one whose range follows.
    ///
    /// - Returns: the new shard and the two old ones.
    public func mergeShards(_ id: Int, logstore: String, project: String) throws -> [Shard] {
        try change(logstore, project) { logstore, _ in
            try Self.checkUnused(logstore)
            return try logstore.shards.merge(id, at: seconds)
        }.result
    }

    /// Forgets a shard that can only be read, and how far it was.
    ///
    /// - Returns: the shards that are left.
    public func deleteShard(_ id: Int, logstore: String, project: String) throws -> [Shard] {
        try change(logstore, project) { logstore, transaction in
            try Self.checkUnused(logstore)
            try logstore.shards.delete(id)
            for group in try transaction.values(ConsumerGroup.self, prefix: Path.groups(logstore)) {
                try transaction.delete(Path.checkpoint(id, group.name, logstore))
            }
        }.logstore.shards
    }
}
