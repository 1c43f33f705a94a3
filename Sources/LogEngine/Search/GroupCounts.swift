// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// How many records there are of each value of a field, or of each pair of values of two fields.
///
/// Counted from the index alone, without reading a record: by term keys, of which two values share one in 2^40.
public struct GroupCounts {
    public struct Group: Sendable {
        /// One for each field; see ``GroupCounts/isKey(_:of:)``.
        public var keys: [UInt64]
        public var count: Int
        /// A record that has the values.
        public var example: UInt64
    }

    struct Key: Hashable {
        var first: UInt64
        /// 0 if there is one field only.
        var second: UInt64
    }

    private struct Content {
        var count: Int
        var example: UInt64
    }

    private var contents: [Key: Content] = [:]

    public var groupCount: Int { contents.count }

    /// Most frequent first.
    public func largest(_ limit: Int) -> [Group] {
        let sorted = contents.sorted { left, right in
            left.value.count != right.value.count
                ? left.value.count > right.value.count : (left.key.first, left.key.second) < (right.key.first, right.key.second)
        }
        return sorted.prefix(limit).map { key, content in
            Group(keys: [key.first, key.second], count: content.count, example: content.example)
        }
    }

    /// Whether a value with this hash belongs to the groups with this key.
    public static func isKey(_ key: UInt64, of hash: UInt64) -> Bool { key & 0xFF_FFFF_FFFF == hash >> 24 }

    /// Groups are in memory, all of them.
    public static let limit = 1 << 18

    public struct TooManyGroups: Error {}

    mutating func add(_ key: Key, count: Int, example: UInt64) throws {
        guard count > 0 else { return }
        guard contents.count < Self.limit || contents[key] != nil else { throw TooManyGroups() }
        contents[key, default: Content(count: 0, example: example)].count += count
    }
}

extension LogEngine {
    /// Counts the records of a query by one field, or by two of which the second has one value a record at most.
    ///
    /// - Parameter query: without words; direction and `after` do not matter.
    public func count(_ query: SearchQuery, by fields: [UInt8]) throws -> GroupCounts {
        precondition(query.words.isEmpty && (1...2).contains(fields.count), "words are compared with records, not counted")
        var query = query
        query.direction = .oldestFirst
        query.after = nil
        let account = accountHash(query.account)
        let (segments, tails) = view.withLock { ($0.segments, $0.tails) }
        var counts = GroupCounts()
        for segment in segments where segment.summary.times.overlaps(query.times) {
            try SegmentCounter(segment, query, account: account, uniqueField: settings.uniqueField).count(
                by: fields, into: &counts)
        }
        for tail in tails { try tail.count(query, account: account, by: fields, into: &counts) }
        return counts
    }
}

/// Counts in one segment.
private struct SegmentCounter {
    private let segment: Segment
    /// The ranks that match, a bit each; nil for all.
    private var matching: [UInt64]?

    init(_ segment: Segment, _ query: SearchQuery, account: UInt64, uniqueField: UInt8) throws {
        self.segment = segment
        let times = segment.summary.times
        let isWhole =
            query.terms.isEmpty && segment.summary.soleAccount == account && query.times.contains(times.lowerBound)
            && query.times.contains(times.upperBound)
        guard !isWhole else { return }
        var bits = [UInt64](repeating: 0, count: (segment.summary.rowCount + RankWindow.size) / 64)
        var matches = try SegmentMatches(segment: segment, query: query, account: account, uniqueField: uniqueField)
        while try matches.nextWindow() {
            guard let window = matches.window else { break }
            for (index, word) in window.words.enumerated() where word != 0 { bits[window.base / 64 + index] = word }
        }
        matching = bits
    }

    func count(by fields: [UInt8], into counts: inout GroupCounts) throws {
        guard fields.count == 2 else {
            var terms = Segment.TermIterator(segment: segment, field: fields[0])
            while let (key, list) = try terms.nextList(decodeRows: matching != nil) {
                let (count, first) = try matching.map { try segment.count(list, in: $0) } ?? (list.count, list.first)
                if count > 0 { try counts.add(.init(first: key, second: 0), count: count, example: try sequence(of: first)) }
            }
            return
        }
        // The second value of each row that has one, numbered from 1.
        var secondKeys: [UInt64] = []
        var seconds = [UInt32](repeating: 0, count: segment.summary.rowCount)
        var having = [UInt64](repeating: 0, count: (segment.summary.rowCount + RankWindow.size) / 64)
        var terms = Segment.TermIterator(segment: segment, field: fields[1])
        while let (key, list) = try terms.nextList() {
            secondKeys.append(key)
            try segment.forEachRow(of: list, in: matching) { row in
                seconds[row] = UInt32(secondKeys.count)
                having[row >> 6] |= 1 << UInt64(row & 63)
            }
        }
        guard !secondKeys.isEmpty else { return }
        var tally = [Int](repeating: 0, count: secondKeys.count + 1)
        var examples = [Int](repeating: 0, count: secondKeys.count + 1)
        terms = Segment.TermIterator(segment: segment, field: fields[0])
        while let (key, list) = try terms.nextList() {
            var touched: [Int] = []
            try segment.forEachRow(of: list, in: having) { row in
                let second = Int(seconds[row])
                if tally[second] == 0 {
                    touched.append(second)
                    examples[second] = row
                }
                tally[second] += 1
            }
            for second in touched {
                try counts.add(
                    .init(first: key, second: secondKeys[second - 1]), count: tally[second],
                    example: try sequence(of: UInt32(examples[second])))
                tally[second] = 0
            }
        }
    }

    private func sequence(of rank: UInt32) throws -> UInt64 { try segment.position(ofRank: Int(rank)).sequence }
}

extension Segment {
    /// How many rows of a list are among `bits`, and the first of them.
    fileprivate func count(_ list: PostingList, in bits: [UInt64]) throws -> (count: Int, first: UInt32) {
        var count = 0
        var first: UInt32 = 0
        for chunk in try chunks(of: list) {
            let found = chunk.count(in: bits)
            if count == 0 { first = found.first }
            count += found.count
        }
        return (count, first)
    }

    /// Visits the rows of a list that are among `bits`, ascending.
    fileprivate func forEachRow(of list: PostingList, in bits: [UInt64]?, _ visit: (Int) -> Void) throws {
        let rowCount = summary.rowCount
        for chunk in try chunks(of: list) {
            chunk.forEachRow(in: bits) { row in if row < rowCount { visit(row) } }
        }
    }

    private func chunks(of list: PostingList) throws -> [PostingChunk] {
        switch list.content {
        case .rows(let rows): [PostingChunk(rows: rows)]
        case .chunks(let chunks): try chunks.map { try chunk($0, of: chunks, total: list.count) }
        }
    }
}
