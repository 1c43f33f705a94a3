// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Matches in a tail, fetched some at a time.
final class TailMatches {
    private static let step = 64

    private let tail: Tail
    private let query: SearchQuery
    private let account: UInt64
    private var fetched: [LogPosition] = []
    private var used = 0
    private var last: LogPosition?
    private var isExhausted = false
    /// For each word of the query and each block of rows there was when the search began, whether the word may be there.
    private let blocks: [[Bool]]

    init(tail: Tail, query: SearchQuery, account: UInt64) {
        blocks = tail.blocks(with: query.words)
        self.tail = tail
        self.query = query
        self.account = account
        last = query.after
    }

    func next() -> LogPosition? {
        if used == fetched.count {
            guard !isExhausted else { return nil }
            fetched = tail.matches(query, blocks: blocks, account: account, after: last, limit: Self.step)
            isExhausted = fetched.count < Self.step
            used = 0
        }
        guard used < fetched.count else { return nil }
        last = fetched[used]
        used += 1
        return last
    }
}

extension Tail {
    /// The best matches beyond a position, best first, at most `limit`.
    ///
    /// - Parameter blocks: where the words of the query may be, see ``blocks(with:)``.
    fileprivate func matches(
        _ query: SearchQuery, blocks: [[Bool]], account: UInt64, after position: LogPosition?, limit: Int
    ) -> [LogPosition] {
        columns.withLock { columns in
            var best = TopPositions(limit: limit, direction: query.direction, after: position)
            columns.findBest(query, blocks: blocks, account: account, firstSequence: firstSequence, &best)
            return best.sorted
        }
    }
}

extension Tail.Columns {
    fileprivate func findBest(
        _ query: SearchQuery, blocks: [[Bool]], account: UInt64, firstSequence: UInt64, _ best: inout TopPositions
    ) {
        let hasUniqueWords = query.words.contains { !$0.uniqueHashes.isEmpty }
        // Times mostly rise with the rows: the best come first, and the rest is refused some rows at a time.
        for index in stepTimes.indices {
            let step = query.direction == .oldestFirst ? index : stepTimes.count - 1 - index
            guard stepTimes[step].overlaps(query.times), best.takesSome(of: stepTimes[step]) else { continue }
            let rows = step * Self.stepRows..<min((step + 1) * Self.stepRows, times.count)
            guard hasUniqueWords || blocks.isEmpty || words.mayHaveAll(blocks, rows) else { continue }
            var found = query.terms.first.map { bits(of: rows, with: $0) } ?? .max >> UInt64(Self.stepRows - rows.count)
            while found != 0 {
                let bit = query.direction == .oldestFirst ? found.trailingZeroBitCount : 63 - found.leadingZeroBitCount
                found &= ~(1 << UInt64(bit))
                let row = rows.lowerBound + bit
                let position = LogPosition(time: times[row], sequence: firstSequence + UInt64(row))
                guard best.takes(position), matches(row, query, account: account), mayHave(query.words, blocks, row) else {
                    continue
                }
                best.take(position)
            }
        }
    }

    /// A bit for each of at most 64 rows that has a term.
    @inline(__always)
    private func bits(of rows: Range<Int>, with term: RowFacts.Term) -> UInt64 {
        let field = Int(term.field)
        var found: UInt64 = 0
        if !first[field].isEmpty {
            found = first[field].withUnsafeBufferPointer { hashes in
                // Without a branch, several rows at once: mostly there is none.
                var count = 0
                for row in rows { count &+= hashes[row] == term.hash ? 1 : 0 }
                guard count > 0 else { return 0 }
                var found: UInt64 = 0
                for row in rows where hashes[row] == term.hash { found |= 1 << UInt64(row - rows.lowerBound) }
                return found
            }
        }
        guard !further[field].isEmpty else { return found }
        var next = further[field].partitionPoint { $0.row < rows.lowerBound }
        while next < further[field].count, further[field][next].row < rows.upperBound {
            if further[field][next].hash == term.hash {
                found |= 1 << UInt64(Int(further[field][next].row) - rows.lowerBound)
            }
            next += 1
        }
        return found
    }

    private func mayHave(_ words: [SearchWord], _ blocks: [[Bool]], _ row: Int) -> Bool {
        guard !words.isEmpty else { return true }
        let block = self.words.block(of: row)
        for (index, word) in words.enumerated() {
            guard block < blocks[index].count && blocks[index][block] || word.uniqueHashes.contains(uniqueHashes[row]) else {
                return false
            }
        }
        return true
    }
}

extension TailWords {
    /// Whether each of some words may be in a block of these rows.
    fileprivate func mayHaveAll(_ blocks: [[Bool]], _ rows: Range<Int>) -> Bool {
        let near = self.blocks(of: rows)
        return blocks.allSatisfy { isInBlock in near.contains { $0 < isInBlock.count && isInBlock[$0] } }
    }
}
