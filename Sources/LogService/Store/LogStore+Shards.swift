// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// Where the logs of a shard end that nothing is written to any more.
extension LogStore {
    /// To be called before it is looked whether the shard can still be written, which ends what reads it from taking it for read.
    func beginWriting(to shard: Int) { shards.withLock { $0.writers[shard, default: 0] += 1 } }

    func endWriting(to shard: Int) {
        shards.withLock { shards in
            let left = (shards.writers[shard] ?? 1) - 1
            shards.writers[shard] = left > 0 ? left : nil
        }
    }

    /// Whether there is no log of the shard at a cursor or after it; false while that is not certain.
    ///
    /// - Parameter shard: one that could not be written any more when this is called.
    func isRead(shard: Int, upTo cursor: UInt64) throws -> Bool {
        let (known, isWritten) = shards.withLock { ($0.lastLogs[shard], $0.writers[shard] != nil) }
        if let known { return known.map { $0 < cursor } ?? true }
        // Of a writer who came before the shard was split.
        guard !isWritten else { return false }
        let last = try lastLog(ofShard: shard)
        shards.withLock { $0.lastLogs[shard] = .some(last) }
        return last.map { $0 < cursor } ?? true
    }

    private func lastLog(ofShard shard: Int) throws -> UInt64? {
        var last: UInt64?
        let query = RowQuery(account: account, condition: .term(FieldTable.shard(shard, hasher)), times: .min ... .max)
        // Parts are in the order of arrival.
        for source in engine.rowSources(query).reversed() where last == nil {
            var part = try source.open()
            let rows = part.certain
            try rows.forEachRow { row in last = max(last ?? 0, try part.position(of: row).sequence) }
        }
        return last
    }
}
