// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// How a logstore's shards divide the key space. Those that can be written always cover it exactly once.
extension [Shard] {
    /// Of a new logstore.
    package static let initialCounts = 1...100
    /// Of one logstore, that can be written.
    package static let mostWritable = 256
    /// Of one logstore, together with those that can only be read; bounds what splitting and merging leave behind.
    package static let most = 1024

    /// Equal ranges; source: sls.md section 7.8.
    package static func initial(count: Int, at now: Int64) throws(LogServiceError) -> [Shard] {
        guard initialCounts.contains(count) else {
            throw .logstoreInvalid(
                "shardCount must be between \(initialCounts.lowerBound) and \(initialCounts.upperBound)")
        }
        return (0..<count).map { index in
            Shard(
                id: index, beginKey: ShardKey.boundary(index, of: count),
                endKey: index == count - 1 ? ShardKey.greatest : ShardKey.boundary(index + 1, of: count), createdAt: now)
        }
    }

    package var writable: [Shard] { filter(\.isWritable) }

    /// Makes two shards of one, which can only be read from then on.
    ///
    /// - Parameter key: where the second begins; the middle of the range if nil.
    /// - Returns: the old one and the two new ones.
    package mutating func split(_ id: Int, key: String?, at now: Int64) throws(LogServiceError) -> [Shard] {
        let index = try writableIndex(id)
        let old = self[index]
        guard writable.count < Self.mostWritable, count + 2 <= Self.most else {
            throw .quota(
                "a logstore has at most \(Self.mostWritable) shards that can be written, and \(Self.most) in all")
        }
        guard let middle = key.map(ShardKey.parse) ?? ShardKey.middle(old.beginKey, old.endKey),
            old.beginKey < middle, middle < old.endKey
        else { throw .parameter("the key to split at is not 32 hexadecimal digits inside the range of shard \(id)") }
        let first = nextId
        self[index].isWritable = false
        append(Shard(id: first, beginKey: old.beginKey, endKey: middle, createdAt: now, parents: [id]))
        append(Shard(id: first + 1, beginKey: middle, endKey: old.endKey, createdAt: now, parents: [id]))
        return [self[index]] + suffix(2)
    }

    /// Makes one shard of this one and the one whose range follows.
    ///
    /// - Returns: the new one and the two old ones, which can only be read from then on.
    package mutating func merge(_ id: Int, at now: Int64) throws(LogServiceError) -> [Shard] {
        let index = try writableIndex(id)
        guard self[index].endKey != ShardKey.greatest,
            let next = firstIndex(where: { $0.isWritable && $0.beginKey == self[index].endKey })
        else { throw .parameter("shard \(id) has no shard after it to merge with") }
        guard count < Self.most else { throw .quota("a logstore has at most \(Self.most) shards") }
        let merged = Shard(
            id: nextId, beginKey: self[index].beginKey, endKey: self[next].endKey, createdAt: now,
            parents: [id, self[next].id])
        self[index].isWritable = false
        self[next].isWritable = false
        append(merged)
        return [merged, self[index], self[next]]
    }

    /// Forgets a shard that can only be read.
    ///
    /// The last shard stays always: it can be written, so numbers are never used again.
    package mutating func delete(_ id: Int) throws(LogServiceError) {
        guard let index = firstIndex(where: { $0.id == id }) else { throw .noShard(id) }
        guard !self[index].isWritable else { throw .parameter("only a readonly shard can be deleted") }
        remove(at: index)
    }

    /// Where a group of logs goes: to the shard of its hash key, else to each shard in turn.
    ///
    /// - Parameter turn: grows by one with each group.
    package func choose(hashKey: String?, turn: UInt64) throws(LogServiceError) -> Int {
        if let hashKey, !hashKey.isEmpty {
            let key = ShardKey.place(of: hashKey)
            guard let shard = first(where: { $0.isWritable && $0.contains(key) }) else { throw .noWritableShard }
            return shard.id
        }
        // No list is made: this is done for each group of logs.
        let count = lazy.filter(\.isWritable).count
        guard count > 0 else { throw .noWritableShard }
        var passed = turn % UInt64(count)
        for shard in self where shard.isWritable {
            if passed == 0 { return shard.id }
            passed -= 1
        }
        throw .noWritableShard
    }

    /// Shards whose ancestors were all read: those that may be read where order counts.
    ///
    /// - Parameter isRead: whether all logs of a shard that can only be read were read.
    package func inOrder(isRead: (Int) throws -> Bool) rethrows -> [Int] {
        let parents = Set(flatMap(\.parents))
        var isDone: [Int: Bool] = [:]
        var readable: [Int] = []
        let known = Set(map(\.id))
        // A shard's number is greater than its parents'.
        for shard in sorted(by: { $0.id < $1.id }) {
            let mayBeRead = shard.parents.allSatisfy { !known.contains($0) || isDone[$0] == true }
            if mayBeRead { readable.append(shard.id) }
            isDone[shard.id] = try mayBeRead && parents.contains(shard.id) && !shard.isWritable && isRead(shard.id)
        }
        return readable
    }

    private func writableIndex(_ id: Int) throws(LogServiceError) -> Int {
        guard let index = firstIndex(where: { $0.id == id }) else { throw .noShard(id) }
        guard self[index].isWritable else { throw .parameter("shard \(id) is readonly") }
        return index
    }

    private var nextId: Int { (map(\.id).max() ?? -1) + 1 }
}
