// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The newest records, indexed in memory until a segment takes them over.
///
/// Columns of term hashes, one a field, searched by a plain scan: at most 65,536 rows, so a scan of a column takes
/// some fifty microseconds and recording does nothing but append. Appended to by the commit path only; read by
/// anyone under the lock.
final class Tail: Sendable {
    static let rowLimit = 1 << 16

    struct Columns {
        private(set) var times: [Int64] = []
        var accounts: [UInt64] = []
        /// First value of each field, 0 for none; indexed by field, then row. Empty for a field that no row has.
        private(set) var first: [[UInt64]]
        /// Further values of rows that have several.
        var further: [[(row: UInt32, hash: UInt64)]]
        var words = TailWords()
        /// See ``LogEngine/retentionBasis(time:recordedAt:)``.
        var retentionBasis: Int64 = .min
        var firstRecordedAt: Int64 = .max
        /// The first and the last time of each ``stepRows`` rows.
        private(set) var stepTimes: [ClosedRange<Int64>] = []
        /// Rows by unique hash: open addressing, linear probing, row + 1, 0 for free; a power of two in size.
        var uniqueSlots: [UInt32]
        var uniqueHashes: [UInt64] = []

        init(fieldCount: Int) {
            first = Array(repeating: [], count: fieldCount)
            further = Array(repeating: [], count: fieldCount)
            uniqueSlots = Array(repeating: 0, count: 1 << 12)
        }

        /// The first value of a row, 0 for none.
        func value(_ field: Int, row: Int) -> UInt64 { first[field].isEmpty ? 0 : first[field][row] }

        static let stepRows = 64

        mutating func append(times added: [Int64]) {
            for time in added {
                if times.count % Self.stepRows == 0 {
                    stepTimes.append(time...time)
                } else {
                    let last = stepTimes[stepTimes.count - 1]
                    if !last.contains(time) {
                        stepTimes[stepTimes.count - 1] = min(last.lowerBound, time)...max(last.upperBound, time)
                    }
                }
                times.append(time)
            }
        }

        mutating func appendRows(_ count: Int) {
            for field in first.indices where !first[field].isEmpty {
                first[field].append(contentsOf: repeatElement(0, count: count))
            }
        }

        /// Gives a row another value.
        ///
        /// - Parameter end: how many rows there are.
        mutating func add(_ hash: UInt64, field: Int, row: Int, end: Int) {
            if first[field].isEmpty { first[field] = Array(repeating: 0, count: end) }
            if first[field][row] == 0 { first[field][row] = hash } else { further[field].append((UInt32(row), hash)) }
        }
    }

    let firstSequence: UInt64
    let fieldCount: Int
    let columns: Mutex<Columns>

    init(firstSequence: UInt64, fieldCount: Int) {
        self.firstSequence = firstSequence
        self.fieldCount = fieldCount
        columns = Mutex(Columns(fieldCount: fieldCount))
    }

    var count: Int { columns.withLock { $0.times.count } }
    var endSequence: UInt64 { firstSequence + UInt64(count) }

    /// - Parameter words: of the frames that hold the records, in order; without them no word finds the records.
    func append(_ facts: RowFacts, words: [(rows: Int, words: FrameWords)], account: UInt64, recordedAt: Int64) {
        columns.withLock { columns in
            for frame in words { columns.words.append(frame.words, rows: frame.rows) }
            if words.isEmpty { columns.words.append(nil, rows: facts.count) }
            let base = columns.times.count
            columns.append(times: facts.times)
            columns.accounts += repeatElement(account, count: facts.count)
            columns.firstRecordedAt = min(columns.firstRecordedAt, recordedAt)
            for time in facts.times {
                columns.retentionBasis = max(
                    columns.retentionBasis, LogEngine.retentionBasis(time: time, recordedAt: recordedAt))
            }
            columns.appendRows(facts.count)
            var term = 0
            for row in 0..<facts.count {
                let end = Int(facts.termEnds[row])
                while term < end {
                    columns.add(
                        facts.terms[term].hash, field: Int(facts.terms[term].field), row: base + row, end: base + facts.count)
                    term += 1
                }
                columns.insertUnique(facts.uniqueHashes[row])
            }
        }
    }

    /// Sequences of rows whose unique key has this hash.
    func sequences(uniqueHash: UInt64) -> [UInt64] {
        columns.withLock { columns in
            var found: [UInt64] = []
            columns.forEachRow(uniqueHash: uniqueHash) { row in
                found.append(firstSequence + UInt64(row))
                return true
            }
            return found
        }
    }

    func mark(known hashes: [UInt64], in isKnown: inout [Bool]) {
        columns.withLock { columns in
            for (index, hash) in hashes.enumerated() {
                columns.forEachRow(uniqueHash: hash) { _ in
                    isKnown[index] = true
                    return false
                }
            }
        }
    }

    /// The columns as they are now; for a full tail, which nobody appends to, without a copy.
    var snapshot: Columns { columns.withLock { $0 } }

    /// When its oldest record was made durable; the far future for an empty tail.
    var firstRecordedAt: Int64 { columns.withLock { $0.firstRecordedAt } }

    /// Of its newest record, see ``LogEngine/retentionBasis(time:recordedAt:)``; the distant past for an empty tail.
    var retentionBasis: Int64 { columns.withLock { $0.retentionBasis } }

    /// For each block of rows and each word, whether the word may be there; blocks to come are not in it.
    func blocks(with words: [SearchWord]) -> [[Bool]] {
        guard !words.isEmpty else { return [] }
        return columns.withLock { columns in words.map { columns.words.blocks(with: $0.hash) } }
    }
}

extension Tail {
    /// See ``LogEngine/count(_:by:)``.
    func count(_ query: SearchQuery, account: UInt64, by fields: [UInt8], into counts: inout GroupCounts) throws {
        let columns = snapshot
        for row in columns.times.indices where columns.matches(row, query, account: account) {
            func key(_ field: UInt8, _ hash: UInt64) -> UInt64 { SegmentFormat.termKey(field: field, hash: hash) }
            let hash = columns.value(Int(fields[0]), row: row)
            guard hash != 0 else { continue }
            let second = fields.count == 2 ? columns.value(Int(fields[1]), row: row) : 0
            guard fields.count == 1 || second != 0 else { continue }
            let secondKey = fields.count == 2 ? key(fields[1], second) : 0
            let example = GroupCounts.Example.sequence(firstSequence + UInt64(row))
            try counts.add(.init(first: key(fields[0], hash), second: secondKey), count: 1, example: example)
            // As in a segment, a value that is given twice counts once.
            let further = columns.further(Int(fields[0]), row: UInt32(row))
            for (index, other) in further.enumerated() where other != hash && !further[..<index].contains(other) {
                try counts.add(.init(first: key(fields[0], other), second: secondKey), count: 1, example: example)
            }
        }
    }
}

extension Tail {
    /// Visits the keys of a field's values in the records of a query, the same one perhaps twice for a record.
    func forEachValue(
        of field: UInt8, _ query: SearchQuery, account: UInt64, _ visit: (UInt64, LogPosition) throws -> Void
    ) throws {
        let columns = snapshot
        for row in columns.times.indices where columns.matches(row, query, account: account) {
            let hash = columns.value(Int(field), row: row)
            guard hash != 0 else { continue }
            let position = LogPosition(time: columns.times[row], sequence: firstSequence + UInt64(row))
            try visit(SegmentFormat.termKey(field: field, hash: hash), position)
            for other in columns.further(Int(field), row: UInt32(row)) {
                try visit(SegmentFormat.termKey(field: field, hash: other), position)
            }
        }
    }
}

extension Tail.Columns {
    /// Account, time and terms; words are looked at elsewhere.
    func matches(_ row: Int, _ query: SearchQuery, account: UInt64) -> Bool {
        guard query.times.contains(times[row]), accounts[row] == account else { return false }
        for term in query.terms where value(Int(term.field), row: row) != term.hash {
            guard hasFurther(term, row: UInt32(row)) else { return false }
        }
        return true
    }

    /// Visits rows whose unique key has this hash until `visit` returns false.
    @inline(__always)
    fileprivate func forEachRow(uniqueHash: UInt64, _ visit: (Int) -> Bool) {
        let mask = uniqueSlots.count - 1
        var slot = Int(truncatingIfNeeded: uniqueHash) & mask
        while uniqueSlots[slot] != 0 {
            let row = Int(uniqueSlots[slot]) - 1
            if uniqueHashes[row] == uniqueHash && !visit(row) { return }
            slot = (slot + 1) & mask
        }
    }

    fileprivate mutating func insertUnique(_ hash: UInt64) {
        if (uniqueHashes.count + 1) * 2 > uniqueSlots.count {
            uniqueSlots = Array(repeating: 0, count: uniqueSlots.count * 2)
            for row in uniqueHashes.indices { place(row) }
        }
        uniqueHashes.append(hash)
        place(uniqueHashes.count - 1)
    }

    /// Rows with a term, ascending.
    func rows(with term: RowFacts.Term) -> [UInt32] {
        var rows: [UInt32] = []
        first[Int(term.field)].withUnsafeBufferPointer { hashes in
            for row in hashes.indices where hashes[row] == term.hash { rows.append(UInt32(row)) }
        }
        // A row with several values of this field may match by any of them.
        let more = further[Int(term.field)].filter { $0.hash == term.hash }.map(\.row)
        guard !more.isEmpty else { return rows }
        var merged: [UInt32] = []
        merged.reserveCapacity(rows.count + more.count)
        var next = 0
        func add(_ row: UInt32) {
            if merged.last != row { merged.append(row) }
        }
        for row in rows {
            while next < more.count, more[next] <= row {
                add(more[next])
                next += 1
            }
            add(row)
        }
        for row in more[next...] { add(row) }
        return merged
    }

    fileprivate func hasFurther(_ term: RowFacts.Term, row: UInt32) -> Bool {
        further(Int(term.field), row: row).contains(term.hash)
    }

    /// The values of a row after the first, which are in order of rows: a binary search.
    fileprivate func further(_ field: Int, row: UInt32) -> [UInt64] {
        let further = further[field]
        var low = 0
        var high = further.count
        while low < high {
            let middle = (low + high) / 2
            if further[middle].row < row { low = middle + 1 } else { high = middle }
        }
        return further[low...].prefix { $0.row == row }.map(\.hash)
    }

    /// Rows without a key (they stand for damaged records) are not found by one.
    private mutating func place(_ row: Int) {
        guard uniqueHashes[row] != 0 else { return }
        let mask = uniqueSlots.count - 1
        var slot = Int(truncatingIfNeeded: uniqueHashes[row]) & mask
        while uniqueSlots[slot] != 0 { slot = (slot + 1) & mask }
        uniqueSlots[slot] = UInt32(row + 1)
    }
}
