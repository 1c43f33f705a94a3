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

        /// What both are made of has its upper bits from a keyed hash already.
        func hash(into hasher: inout Hasher) { hasher.combine(first ^ second << 20) }
    }

    /// Where a record of a group is. Its sequence is found only when somebody asks for it: of thousands of groups, most are
    /// too small to be told of.
    enum Example {
        case sequence(UInt64)
        /// In one of ``segments``.
        case rank(UInt32, segment: Int)
    }

    private struct Content {
        var count: Int
        var example: Example
    }

    private var contents: [Key: Content] = [:]
    fileprivate var segments: [Segment] = []

    public var groupCount: Int { contents.count }

    /// Most frequent first.
    ///
    /// - Throws: ``StoreDamage`` if it cannot be told which record has the values of a group.
    public func largest(_ limit: Int) throws -> [Group] {
        let sorted = contents.sorted { left, right in
            left.value.count != right.value.count
                ? left.value.count > right.value.count : (left.key.first, left.key.second) < (right.key.first, right.key.second)
        }
        return try sorted.prefix(limit).map { key, content in
            let example =
                switch content.example {
                case .sequence(let sequence): sequence
                case .rank(let rank, let segment): try segments[segment].position(ofRank: Int(rank)).sequence
                }
            return Group(keys: [key.first, key.second], count: content.count, example: example)
        }
    }

    /// Whether a value with this hash belongs to the groups with this key.
    public static func isKey(_ key: UInt64, of hash: UInt64) -> Bool { key & 0xFF_FFFF_FFFF == hash >> 24 }

    /// Groups are in memory, all of them.
    public static let limit = 1 << 18

    public struct TooManyGroups: Error {}

    mutating func add(_ key: Key, count: Int, example: Example) throws {
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
        matching =
            try segment.ranks(of: query, account: account, uniqueField: uniqueField)
            ?? [UInt64](repeating: 0, count: (segment.summary.rowCount + RankWindow.size) / 64)
    }

    func count(by fields: [UInt8], into counts: inout GroupCounts) throws {
        let place = counts.segments.count
        counts.segments.append(segment)
        func add(_ key: GroupCounts.Key, _ count: Int, _ first: Int) throws {
            try counts.add(key, count: count, example: .rank(UInt32(first), segment: place))
        }
        if fields.count == 2 {
            // A segment never changes: what is counted over all of it is kept.
            let pairs =
                try matching == nil ? segment.pairs(of: fields) { try countPairs(of: fields) } : countPairs(of: fields)
            for pair in pairs.all { try add(pair.key, pair.count, Int(pair.first)) }
            return
        }
        var terms = Segment.TermIterator(segment: segment, field: fields[0])
        guard let matching else {
            while let (key, list) = try terms.nextList(decodeRows: false) {
                try add(.init(first: key, second: 0), list.count, Int(list.first))
            }
            return
        }
        try matching.withUnsafeBufferPointer { bits in
            while true {
                var (count, first) = (0, 0)
                let key = try terms.nextKey(rowsIn: bits) { row in
                    if count == 0 { first = row }
                    count += 1
                }
                guard let key else { break }
                try add(.init(first: key, second: 0), count, first)
            }
        }
    }

    private func countPairs(of fields: [UInt8]) throws -> PairCounts {
        var pairs: [PairCounts.Pair] = []
        guard let seconds = try SecondValues(of: fields[1], in: segment, matching: matching) else { return PairCounts([]) }
        var tally = Tally(size: seconds.keys.count)
        defer { tally.free() }
        var terms = Segment.TermIterator(segment: segment, field: fields[0])
        try seconds.bits.withUnsafeBufferPointer { bits in
            while let key = try terms.nextKey(rowsIn: bits, { tally.add(seconds.number(ofRow: $0), row: $0) }) {
                tally.take { second, count, row in
                    pairs.append(.init(key: .init(first: key, second: seconds.keys[second]), count: count, first: UInt32(row)))
                }
                guard pairs.count <= GroupCounts.limit else { throw GroupCounts.TooManyGroups() }
            }
        }
        return PairCounts(pairs)
    }
}

/// How many rows of a segment there are of each pair of values.
final class PairCounts: Sendable {
    struct Pair {
        var key: GroupCounts.Key
        var count: Int
        /// The first row that has them.
        var first: UInt32
    }

    let all: [Pair]

    init(_ all: [Pair]) { self.all = all }

    var cost: Int { all.count * MemoryLayout<Pair>.stride + 64 }
}

/// Which rows of a segment have a value of a field, and which one: a number for each of those rows, and none for the others.
///
/// Most of what counting pairs costs is to look these numbers up, so they are packed: of an error's code one row in fourteen
/// has one.
private struct SecondValues {
    /// By number.
    let keys: [UInt64]
    /// A bit for each row that has a value.
    let bits: [UInt64]
    /// How many rows have one before each word of ``bits``.
    private var before: [UInt32] = []
    private var numbers: [UInt32] = []

    /// - Parameter matching: rows that count; nil for all.
    /// - Returns: nil if no row has a value.
    init?(of field: UInt8, in segment: Segment, matching: [UInt64]?) throws {
        let rowCount = segment.summary.rowCount
        let all = matching ?? [UInt64](repeating: .max, count: rowCount / 64) + [1 << UInt64(rowCount & 63) - 1]
        var found = [UInt64](repeating: 0, count: all.count)
        var ofRow = [UInt32](repeating: 0, count: rowCount)
        var keys: [UInt64] = []
        var terms = Segment.TermIterator(segment: segment, field: field)
        try all.withUnsafeBufferPointer { all in
            while let key = try terms.nextKey(
                rowsIn: all,
                { row in
                    ofRow[row] = UInt32(keys.count)
                    found[row >> 6] |= 1 << UInt64(row & 63)
                })
            { keys.append(key) }
        }
        guard !keys.isEmpty else { return nil }
        self.keys = keys
        bits = found
        before.reserveCapacity(bits.count)
        for (index, word) in bits.enumerated() {
            before.append(UInt32(numbers.count))
            var rest = word
            while rest != 0 {
                numbers.append(ofRow[index << 6 + rest.trailingZeroBitCount])
                rest &= rest &- 1
            }
        }
    }

    /// - Parameter row: one that has a value.
    @inline(__always)
    func number(ofRow row: Int) -> Int {
        let earlier = bits[row >> 6] & (1 << UInt64(row & 63) - 1)
        return Int(numbers[Int(before[row >> 6]) + earlier.nonzeroBitCount])
    }
}

/// How often each of some numbers came, and with which row first.
private struct Tally {
    private let counts: UnsafeMutableBufferPointer<(count: UInt32, row: UInt32)>
    /// Numbers that came.
    private let touched: UnsafeMutableBufferPointer<UInt32>
    private var touchedCount = 0

    init(size: Int) {
        counts = .allocate(capacity: size)
        counts.initialize(repeating: (0, 0))
        touched = .allocate(capacity: size)
        touched.initialize(repeating: 0)
    }

    func free() {
        counts.deallocate()
        touched.deallocate()
    }

    @inline(__always)
    mutating func add(_ number: Int, row: Int) {
        if counts[number].count == 0 {
            touched[touchedCount] = UInt32(number)
            touchedCount += 1
            counts[number].row = UInt32(row)
        }
        counts[number].count += 1
    }

    /// Hands over everything, and begins again.
    mutating func take(_ body: (_ number: Int, _ count: Int, _ row: Int) throws -> Void) rethrows {
        for number in touched[..<touchedCount] {
            let entry = counts[Int(number)]
            try body(Int(number), Int(entry.count), Int(entry.row))
            counts[Int(number)].count = 0
        }
        touchedCount = 0
    }
}

extension Segment {
    func chunks(of list: PostingList) throws -> [PostingChunk] {
        switch list.content {
        case .rows(let rows): [PostingChunk(rows: rows)]
        case .chunks(let chunks): try chunks.map { try chunk($0, of: chunks, total: list.count) }
        }
    }
}
