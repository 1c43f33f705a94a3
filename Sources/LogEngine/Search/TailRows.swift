// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Conditions on the rows of a tail, by arrival, as it is when they are asked.
struct TailRows: RowIndex {
    private let columns: Tail.Columns
    private let firstSequence: UInt64

    init(tail: Tail) { self.init(tail.snapshot, firstSequence: tail.firstSequence) }

    init(_ columns: Tail.Columns, firstSequence: UInt64) {
        self.columns = columns
        self.firstSequence = firstSequence
    }

    var rowCount: Int { columns.times.count }

    func part(_ query: RowQuery, account: UInt64) throws -> RowPart {
        var verdict = try verdict(of: query.condition)
        for row in 0..<rowCount where !query.times.contains(columns.times[row]) || columns.accounts[row] != account {
            verdict.certain.remove(row)
            verdict.possible.remove(row)
        }
        return RowPart(
            source: .tail(columns, firstSequence: firstSequence), certain: verdict.certain, possible: verdict.possible)
    }

    func rows(with term: RowFacts.Term) throws -> RowBits {
        var bits = RowBits(rowCount: rowCount)
        for row in columns.rows(with: term) { bits.insert(Int(row)) }
        return bits
    }

    func rows(with words: [SearchWord]) throws -> RowBits {
        var bits = RowBits.all(rowCount)
        for word in words {
            let blocks = columns.words.blocks(with: word.hash)
            for row in 0..<rowCount where !blocks[columns.words.block(of: row)] { bits.remove(row) }
        }
        return bits
    }

    func verdict(of test: FieldTest) throws -> RowVerdict {
        var certain = RowBits(rowCount: rowCount)
        var open = RowBits(rowCount: rowCount)
        var hasOpen = false
        var known: [UInt64: Bool?] = [:]
        for row in 0..<rowCount {
            let hash = columns.value(Int(test.field), row: row)
            guard hash != 0 else { continue }
            let verdict: Bool?
            if let earlier = known[hash >> 24] {
                verdict = earlier
            } else if known.count >= FieldTest.valueLimit {
                verdict = nil
            } else {
                verdict = try test.matches(hash >> 24, firstSequence + UInt64(row))
                known[hash >> 24] = .some(verdict)
            }
            switch verdict {
            case true?: certain.insert(row)
            case false?: break
            case nil:
                hasOpen = true
                open.insert(row)
            }
        }
        guard hasOpen else { return RowVerdict(certain) }
        if test.narrows { open.formIntersection(try self.verdict(of: test.otherwise).possible) }
        open.formUnion(certain)
        return RowVerdict(certain: certain, possible: open)
    }

    func rows(before sequence: UInt64) throws -> RowBits {
        RowBits(
            rowCount: rowCount, rows: 0..<(sequence > firstSequence ? Int(min(sequence - firstSequence, UInt64(rowCount))) : 0))
    }
}
