// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The records of a query that have one value of a field: where the newest of them is.
public struct NewestGroup: Sendable, Hashable {
    public var position: LogPosition
    /// Of the value; see ``GroupCounts/isKey(_:of:)``.
    public var key: UInt64

    public init(position: LogPosition, key: UInt64) {
        self.position = position
        self.key = key
    }

    /// Whether this group comes later in a list that begins with what is newest. One record can be the newest of several
    /// groups: those are in order of their keys.
    func comes(after other: NewestGroup) -> Bool {
        position != other.position ? position < other.position : key > other.key
    }
}

extension LogEngine {
    /// The groups of a query's records by the values of a field, newest first, from the index alone.
    ///
    /// Segments whose records are all older than what is asked for are not read.
    ///
    /// - Parameters:
    ///   - query: without words; direction and `after` do not matter.
    ///   - after: only groups that come later.
    public func newestGroups(
        _ query: SearchQuery, by field: UInt8, after: NewestGroup? = nil, limit: Int
    ) throws -> [NewestGroup] {
        precondition(query.words.isEmpty && limit > 0, "words are compared with records, not counted")
        var query = query
        query.direction = .newestFirst
        query.after = nil
        let account = accountHash(query.account)
        let (segments, tails) = view.withLock { ($0.segments, $0.tails) }
        var found = GroupsByKey()
        for tail in tails {
            try tail.forEachValue(of: field, query, account: account) { try found.offer($0, at: $1) }
        }
        let overlapping = segments.filter { $0.summary.times.overlaps(query.times) }
        for segment in overlapping.sorted(by: { $0.summary.times.upperBound > $1.summary.times.upperBound }) {
            if found.isSettled(after: after, limit: limit, before: segment.summary.times.upperBound) { break }
            guard let matching = try segment.ranks(of: query, account: account, uniqueField: settings.uniqueField) else {
                continue
            }
            var terms = Segment.TermIterator(segment: segment, field: field)
            while let (key, list) = try terms.nextList() {
                guard let rank = try segment.last(of: list, in: matching) else { continue }
                try found.offer(key, at: try segment.position(ofRank: rank))
            }
        }
        return found.groups(after: after, limit: limit)
    }
}

private struct GroupsByKey {
    private var positions: [UInt64: LogPosition] = [:]

    mutating func offer(_ key: UInt64, at position: LogPosition) throws {
        if let known = positions[key] {
            if known < position { positions[key] = position }
            return
        }
        guard positions.count < GroupCounts.limit else { throw GroupCounts.TooManyGroups() }
        positions[key] = position
    }

    /// Whether enough groups are newer than everything up to `time`.
    func isSettled(after: NewestGroup?, limit: Int, before time: Int64) -> Bool {
        var count = 0
        for (key, position) in positions where position.time > time {
            if let after, !NewestGroup(position: position, key: key).comes(after: after) { continue }
            count += 1
            if count == limit { return true }
        }
        return false
    }

    func groups(after: NewestGroup?, limit: Int) -> [NewestGroup] {
        let groups = positions.lazy.map { NewestGroup(position: $1, key: $0) }.filter { group in
            after.map { group.comes(after: $0) } ?? true
        }
        return Array(groups.sorted { $1.comes(after: $0) }.prefix(limit))
    }
}

extension Segment {
    /// A bit for each rank that a query matches; nil if there is none.
    func ranks(of query: SearchQuery, account: UInt64, uniqueField: UInt8) throws -> [UInt64]? {
        var bits: [UInt64] = []
        let matches = try SegmentMatches(segment: self, query: query, account: account, uniqueField: uniqueField)
        while try matches.nextWindow() {
            let window = matches.window
            if bits.isEmpty { bits = [UInt64](repeating: 0, count: (summary.rowCount + RankWindow.size) / 64) }
            for (index, word) in window.words.enumerated() where word != 0 { bits[window.base / 64 + index] = word }
        }
        return bits.isEmpty ? nil : bits
    }

    /// The highest rank of a list that is among `bits`, which is that of its newest record.
    fileprivate func last(of list: PostingList, in bits: [UInt64]) throws -> Int? {
        func last(in chunk: PostingChunk) -> Int? {
            var last: Int?
            chunk.forEachRow(in: bits) { row in if row < summary.rowCount { last = row } }
            return last
        }
        switch list.content {
        case .rows(let rows): return last(in: PostingChunk(rows: rows))
        case .chunks(let chunks):
            for index in chunks.reversed() {
                if let rank = last(in: try chunk(index, of: chunks, total: list.count)) { return rank }
            }
            return nil
        }
    }
}
