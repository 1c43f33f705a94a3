// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Conditions on the rows of a segment, by rank.
struct SegmentRows: RowIndex {
    let segment: Segment

    var rowCount: Int { segment.summary.rowCount }

    func part(_ query: RowQuery, account: UInt64) throws -> RowPart {
        let low = try segment.firstRank(notBefore: LogPosition(time: query.times.lowerBound, sequence: 0))
        let high =
            query.times.upperBound == .max
            ? rowCount : try segment.firstRank(notBefore: LogPosition(time: query.times.upperBound + 1, sequence: 0))
        var within = RowBits(rowCount: rowCount, rows: low..<max(low, high))
        if segment.summary.soleAccount != account {
            within.formIntersection(
                segment.summary.soleAccount == 0
                    ? try rows(with: .init(field: LogEngine.accountField, hash: account)) : RowBits(rowCount: rowCount))
        }
        guard !within.isEmpty else { return RowPart(source: .segment(segment), certain: within, possible: within) }
        var verdict = try verdict(of: query.condition)
        verdict.certain.formIntersection(within)
        verdict.possible.formIntersection(within)
        return RowPart(source: .segment(segment), certain: verdict.certain, possible: verdict.possible)
    }

    func rows(with term: RowFacts.Term) throws -> RowBits {
        var bits = RowBits(rowCount: rowCount)
        if let list = try segment.postings(forKey: SegmentFormat.termKey(field: term.field, hash: term.hash)) {
            for chunk in try segment.chunks(of: list) { chunk.insert(into: &bits) }
        }
        return bits
    }

    func rows(with words: [SearchWord]) throws -> RowBits {
        let blocks = try segment.wordBlocks()
        var having: [Bool]?
        for word in words {
            var isInBlock = [Bool](repeating: false, count: blocks.count)
            for hash in [word.hash, SegmentFormat.anyWord] {
                for block in try segment.wordBlocks(with: hash) {
                    guard block < isInBlock.count else { throw segment.damaged(.truncated) }
                    isInBlock[Int(block)] = true
                }
            }
            having = having.map { zip($0, isInBlock).map { $0 && $1 } } ?? isInBlock
        }
        var bits = RowBits(rowCount: rowCount)
        for (block, isIn) in (having ?? []).enumerated() where isIn {
            for ranks in blocks.ranks(of: block) { bits.insert(Int(ranks.lowerBound)..<Int(ranks.upperBound) + 1) }
        }
        return bits
    }

    func verdict(of test: FieldTest) throws -> RowVerdict {
        let near = test.narrows ? try verdict(of: test.otherwise).possible : nil
        // A look at some hundred records is cheaper than asking each value.
        if let near, near.count <= FieldTest.lookLimit { return RowVerdict(certain: RowBits(rowCount: rowCount), possible: near) }
        let unknown = RowVerdict(certain: RowBits(rowCount: rowCount), possible: near ?? .all(rowCount))
        guard segment.mayHaveFewValues(ofField: test.field) else { return unknown }
        var certain = RowBits(rowCount: rowCount)
        var open = RowBits(rowCount: rowCount)
        var hasOpen = false
        var valueCount = 0
        var terms = Segment.TermIterator(segment: segment, field: test.field)
        while let (key, list) = try terms.nextList() {
            valueCount += 1
            guard valueCount <= FieldTest.valueLimit else { return unknown }
            let example = try segment.position(ofRank: Int(list.first)).sequence
            switch try test.matches(key & 0xFF_FFFF_FFFF, example) {
            case false?: continue
            case true?: for chunk in try segment.chunks(of: list) { chunk.insert(into: &certain) }
            case nil:
                hasOpen = true
                for chunk in try segment.chunks(of: list) { chunk.insert(into: &open) }
            }
        }
        guard hasOpen else { return RowVerdict(certain) }
        if let near { open.formIntersection(near) }
        open.formUnion(certain)
        return RowVerdict(certain: certain, possible: open)
    }

    func rows(before sequence: UInt64) throws -> RowBits {
        let summary = segment.summary
        guard summary.firstSequence < sequence else { return RowBits(rowCount: rowCount) }
        guard summary.endSequence > sequence else { return .all(rowCount) }
        let arrival = UInt32(sequence - summary.firstSequence)
        var bits = RowBits(rowCount: rowCount)
        for start in stride(from: 0, to: rowCount, by: SegmentFormat.rowBlock) {
            let block = try segment.rowBlock(start / SegmentFormat.rowBlock)
            for (index, other) in block.arrivals.enumerated() where other < arrival { bits.insert(start + index) }
        }
        return bits
    }
}
