// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// Reading in order of arrival.
extension LogService {
    public func cursor(_ cursor: LogCursor, shard: Int, in logstore: Logstore) async throws -> UInt64 {
        try check(shard, of: logstore)
        return try await read(logstore) { store in try await LongWork.read { try store.sequence(of: cursor) } }
    }

    /// Seconds since 1970.
    public func receiveTime(ofCursor cursor: UInt64, in logstore: Logstore) async throws -> Int64 {
        try await read(logstore) { store in try await LongWork.read { try store.receiveTime(of: cursor) / 1000 } }
    }

    /// - Parameter query: a search; only what it finds is answered.
    public func pull(
        shard: Int, from: UInt64, to: UInt64?, count: Int, query: String?, in logstore: Logstore
    ) async throws -> PulledLogs {
        try check(shard, of: logstore)
        return try await read(logstore) { store in
            try await LongWork.read {
                try store.pull(shard: shard, from: from, to: to, count: count, matches: try query.map { try store.matcher($0) })
            }
        }
    }

    /// Whether a shard that nothing is written to any more has no log at this cursor or after it. May open the logstore, and
    /// look through all of it: not for the threads that all share.
    public func isRead(shard: Int, upTo cursor: UInt64, in logstore: Logstore) throws -> Bool {
        guard logstore.shards.contains(where: { $0.id == shard && !$0.isWritable }) else { return false }
        return try readNow(logstore) { try $0.isRead(shard: shard, upTo: cursor) }
    }

    private func check(_ shard: Int, of logstore: Logstore) throws {
        guard logstore.shards.contains(where: { $0.id == shard }) else {
            throw LogServiceError(400, "ShardNotExist", "logstore \(logstore.name) has no shard \(shard)")
        }
    }

    public func context(
        packId: String, packMeta: String, back: Int, forward: Int, in logstore: Logstore
    ) async throws -> LogContext {
        try await read(logstore) { store in
            try await LongWork.read { try store.context(packId: packId, packMeta: packMeta, back: back, forward: forward) }
        }
    }
}
