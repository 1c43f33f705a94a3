// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Matches in a segment: the conditions as bits over windows of ranks, joined.
final class SegmentMatches {
    private let segment: Segment
    private let direction: SearchDirection
    /// The shortest list first: windows it has no row in are passed over.
    private var cursors: [PostingCursor] = []
    private var words: [WordRanks] = []
    /// What is to be looked at yet, beyond the window.
    private var ranks: Range<Int>
    private(set) var window = RankWindow(base: 0)
    /// Used again for each condition.
    private var rows = RankWindow(base: 0)
    /// The block of rows that was read last.
    private var rowBlock: (index: Int, block: Segment.RowBlock)?

    init(segment: Segment, query: SearchQuery, account: UInt64, uniqueField: UInt8) throws {
        self.segment = segment
        direction = query.direction
        var low = LogPosition(time: query.times.lowerBound, sequence: 0)
        var high: LogPosition? =
            query.times.upperBound == .max
            ? nil : LogPosition(time: query.times.upperBound + 1, sequence: 0)
        ranks = 0..<0
        if let after = query.after {
            switch direction {
            case .oldestFirst:
                // A position from outside may be the last there can be.
                guard let next = after.next else { return }
                low = max(low, next)
            case .newestFirst: high = high.map { min($0, after) } ?? after
            }
        }
        var keys = query.terms.map { SegmentFormat.termKey(field: $0.field, hash: $0.hash) }
        if keys.isEmpty && segment.summary.soleAccount != account {
            guard segment.summary.soleAccount == 0 else { return }
            keys = [SegmentFormat.termKey(field: LogEngine.accountField, hash: account)]
        }
        for key in keys {
            if key >> 40 == UInt64(uniqueField) { guard try segment.mayHave(uniqueKey: key) else { return } }
            guard let list = try segment.postings(forKey: key) else { return }
            cursors.append(PostingCursor(segment: segment, list: list))
        }
        cursors.sort { $0.list.count < $1.list.count }
        for word in query.words {
            let found = try WordRanks(segment: segment, word: word, uniqueField: uniqueField)
            guard !found.isEmpty else { return }
            words.append(found)
        }
        let first = try segment.firstRank(notBefore: low)
        let end = try high.map { try segment.firstRank(notBefore: $0) } ?? segment.summary.rowCount
        ranks = first..<max(first, end)
    }

    func next() throws -> LogPosition? {
        while true {
            while let rank = window.pop(direction) {
                let position = try position(ofRank: rank)
                if words.allSatisfy({ $0.contains(rank, arrival: segment.arrival(of: position)) }) { return position }
            }
            guard try nextWindow() else { return nil }
        }
    }

    private func position(ofRank rank: Int) throws -> LogPosition {
        let index = rank / SegmentFormat.rowBlock
        if let rowBlock, rowBlock.index == index { return segment.position(ofRank: rank, in: rowBlock.block) }
        let block = try segment.rowBlock(index)
        rowBlock = (index, block)
        return segment.position(ofRank: rank, in: block)
    }

    /// Joins the conditions over the next window that may have a match: the rarest first, and no other is looked at where
    /// nothing is left.
    ///
    /// - Returns: false if there is none.
    func nextWindow() throws -> Bool {
        while !ranks.isEmpty {
            var edge = direction == .oldestFirst ? ranks.lowerBound : ranks.upperBound - 1
            if !cursors.isEmpty {
                guard let near = try cursors[0].nearest(edge, direction), ranks.contains(near) else {
                    ranks = 0..<0
                    break
                }
                edge = near
            }
            let base = edge / RankWindow.size * RankWindow.size
            let part = max(ranks.lowerBound, base)..<min(ranks.upperBound, base + RankWindow.size)
            ranks = direction == .oldestFirst ? part.upperBound..<ranks.upperBound : ranks.lowerBound..<part.lowerBound
            guard words.allSatisfy({ $0.windows[base / RankWindow.size] }) else { continue }
            if try join(base: base, part) { return true }
        }
        window.clear(base: window.base)
        return false
    }

    private func join(base: Int, _ part: Range<Int>) throws -> Bool {
        window.clear(base: base)
        window.insert(part)
        for index in cursors.indices {
            try cursors[index].intersect(&window, scratch: &rows)
            if window.isEmpty { return false }
        }
        for word in words {
            rows.clear(base: base)
            word.insert(into: &rows)
            window.formIntersection(rows)
            if window.isEmpty { return false }
        }
        return true
    }
}

/// Where in a segment a word may be.
private struct WordRanks {
    private let blocks: WordBlocks
    /// For each block of rows, whether the word may be in it.
    private let isInBlock: [Bool]
    /// Rows whose unique value is the word.
    private let rows: [UInt32]
    /// For each window, whether there is anything in it.
    private(set) var windows: [Bool]

    init(segment: Segment, word: SearchWord, uniqueField: UInt8) throws {
        blocks = try segment.wordBlocks()
        var isInBlock = [Bool](repeating: false, count: blocks.count)
        var windows = [Bool](repeating: false, count: (segment.summary.rowCount + RankWindow.size - 1) / RankWindow.size)
        for hash in [word.hash, SegmentFormat.anyWord] {
            for block in try segment.wordBlocks(with: hash) {
                guard block < isInBlock.count else { throw segment.damaged(.truncated) }
                isInBlock[Int(block)] = true
                for ranks in blocks.ranks(of: Int(block)) {
                    for window in Int(ranks.lowerBound) / RankWindow.size...Int(ranks.upperBound) / RankWindow.size {
                        windows[window] = true
                    }
                }
            }
        }
        var rows: [UInt32] = []
        for hash in word.uniqueHashes {
            let key = SegmentFormat.termKey(field: uniqueField, hash: hash)
            rows += try segment.postings(forKey: key).map { try segment.allRows(of: $0) } ?? []
        }
        for row in rows {
            guard row < segment.summary.rowCount else { throw segment.damaged(.truncated) }
            windows[Int(row) / RankWindow.size] = true
        }
        self.isInBlock = isInBlock
        self.rows = rows
        self.windows = windows
    }

    var isEmpty: Bool { !windows.contains(true) }

    /// Puts ranks that may have the word into a window; others among them, see ``contains(_:arrival:)``.
    func insert(into window: inout RankWindow) {
        for block in blocks.blocks(inWindow: window.base / RankWindow.size) where isInBlock[Int(block)] {
            for ranks in blocks.ranks(of: Int(block)) { window.insert(Int(ranks.lowerBound)..<Int(ranks.upperBound) + 1) }
        }
        for row in rows where Int(row) / RankWindow.size == window.base / RankWindow.size { window.insert(Int(row)) }
    }

    func contains(_ rank: Int, arrival: UInt32) -> Bool {
        isInBlock[blocks.block(ofArrival: arrival)] || rows.contains(UInt32(rank))
    }
}
