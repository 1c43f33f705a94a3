// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import KeyManagement

/// Makes segments: from a tail that is full, and from several segments that lie side by side.
struct SegmentBuilder {
    let folder: String
    let uniqueField: UInt8
    let disk: any Disk
    let key: any DataKeyWrapper

    /// Sorts a tail's rows by time and its terms by key, and writes both.
    ///
    /// Cost for 65,536 rows with 13 terms each: one radix sort of 850,000 words, and the encoding.
    func build(from tail: Tail) throws -> String {
        let columns = tail.snapshot
        let count = columns.times.count
        precondition(count > 0 && count <= Tail.rowLimit, "a tail has at most as many rows as a rank has values")
        let times = columns.times
        let order = (0..<count).sorted { times[$0] != times[$1] ? times[$0] < times[$1] : $0 < $1 }
        let name = SegmentFormat.fileName(first: tail.firstSequence, end: tail.firstSequence + UInt64(count))
        var writer = try SegmentWriter(
            folder: folder, name: name, uniqueField: uniqueField, expectedRows: count, disk: disk, key: key)
        do {
            var words: [UInt64] = []
            words.reserveCapacity(count * 14)
            var rankOfRow = [UInt16](repeating: 0, count: count)
            for (rank, row) in order.enumerated() {
                rankOfRow[row] = UInt16(rank)
                try writer.appendRow(time: times[row], arrival: Int64(row))
            }
            // Rows come in the order of their ranks, so that sorting by key is enough; several values of a field are few.
            for (rank, row) in order.enumerated() {
                words.append(
                    SegmentFormat.termKey(field: LogEngine.accountField, hash: columns.accounts[row]) << 16 | UInt64(rank))
            }
            for field in 0..<tail.fieldCount where !columns.first[field].isEmpty {
                let further = columns.further[field].sorted { rankOfRow[Int($0.row)] < rankOfRow[Int($1.row)] }
                var next = 0
                for (rank, row) in order.enumerated() {
                    let hash = columns.value(field, row: row)
                    if hash != 0 { words.append(SegmentFormat.termKey(field: UInt8(field), hash: hash) << 16 | UInt64(rank)) }
                    while next < further.count, Int(further[next].row) == row {
                        words.append(SegmentFormat.termKey(field: UInt8(field), hash: further[next].hash) << 16 | UInt64(rank))
                        next += 1
                    }
                }
            }
            radixSort(&words, fromBit: 16)
            var rows: [UInt32] = []
            var start = 0
            while start < words.count {
                let key = words[start] >> 16
                rows.removeAll(keepingCapacity: true)
                var index = start
                while index < words.count, words[index] >> 16 == key {
                    let rank = UInt32(words[index] & 0xFFFF)
                    if rows.last != rank { rows.append(rank) }
                    index += 1
                }
                try writer.appendTerm(key: key, rows: rows)
                start = index
            }
            try appendWords(of: columns.words, rankOfRow: rankOfRow, to: &writer)
        } catch {
            writer.abandon()
            throw error
        }
        let sole = columns.accounts.allSatisfy { $0 == columns.accounts[0] } ? columns.accounts[0] : 0
        try writer.finish(
            as: name, firstSequence: tail.firstSequence, retentionBasis: columns.retentionBasis, soleAccount: sole)
        return name
    }

    private func appendWords(of words: TailWords, rankOfRow: [UInt16], to writer: inout SegmentWriter) throws {
        // Word, then block, in the order of blocks: a tail has no more blocks than rows.
        var pairs: [UInt64] = []
        for (block, content) in words.blocks.enumerated() {
            for frames in content.words {
                if frames.isOpen { pairs.append(UInt64(SegmentFormat.anyWord) << 16 | UInt64(block)) }
                frames.forEachWord { pairs.append(UInt64($0) << 16 | UInt64(block)) }
            }
        }
        radixSort(&pairs, fromBit: 16)
        var blocks: [UInt32] = []
        var start = 0
        while start < pairs.count {
            let word = pairs[start] >> 16
            blocks.removeAll(keepingCapacity: true)
            while start < pairs.count, pairs[start] >> 16 == word {
                let block = UInt32(pairs[start] & 0xFFFF)
                if blocks.last != block { blocks.append(block) }
                start += 1
            }
            try writer.appendTerm(key: SegmentFormat.wordKey(UInt32(word)), rows: blocks)
        }
        try writer.append(
            words.blocks.map { block in
                let ranks = rankOfRow[block.firstRow..<block.firstRow + block.rowCount]
                return WordBlocks.Entry(ranks: ranks.map { Int($0) })
            })
    }

    /// Joins segments that cover one run of sequences into one; the inputs stay until the caller removes them.
    ///
    /// Memory: eight bytes a row for the new ranks, and one list of rows at a time.
    ///
    /// - Parameter pause: called now and then, for work that must not wait; ends the merge by throwing.
    func merge(_ segments: [Segment], pause: () throws -> Void) throws -> String {
        let first = segments[0].summary.firstSequence
        let end = segments[segments.count - 1].summary.endSequence
        let total = segments.reduce(0) { $0 + $1.summary.rowCount }
        let name = SegmentFormat.fileName(first: first, end: end)
        var writer = try SegmentWriter(
            folder: folder, name: name, uniqueField: uniqueField, expectedRows: total, disk: disk, key: key)
        do {
            let blocks = try segments.map { try $0.wordBlocks() }
            var joined = JoinedBlocks(blocks)
            let ranks = try mergeRows(segments, first: first, joined: &joined, into: &writer, pause)
            try mergeTerms(segments, ranks: ranks, joined: joined, into: &writer, pause)
            try writer.append(joined.entries())
        } catch {
            writer.abandon()
            throw error
        }
        let accounts = Set(segments.map(\.summary.soleAccount))
        try writer.finish(
            as: name, firstSequence: first, retentionBasis: segments.map(\.summary.retentionBasis).max()!,
            soleAccount: accounts.count == 1 ? accounts.first! : 0)
        return name
    }

    private func mergeRows(
        _ segments: [Segment], first: UInt64, joined: inout JoinedBlocks, into writer: inout SegmentWriter,
        _ pause: () throws -> Void
    ) throws -> [[UInt32]] {
        var ranks = segments.map { segment -> [UInt32] in
            var ranks: [UInt32] = []
            ranks.reserveCapacity(segment.summary.rowCount)
            return ranks
        }
        var heads: [(position: LogPosition, segment: Int)] = []
        for (index, segment) in segments.enumerated() where segment.summary.rowCount > 0 {
            heads.append((try segment.position(ofRank: 0), index))
        }
        var rank: UInt32 = 0
        while !heads.isEmpty {
            var best = 0
            for index in heads.indices.dropFirst() where heads[index].position < heads[best].position { best = index }
            let (position, index) = heads[best]
            try writer.appendRow(time: position.time, arrival: Int64(position.sequence - first))
            ranks[index].append(rank)
            joined.add(rank: Int(rank), arrival: segments[index].arrival(of: position), of: index)
            rank += 1
            if rank % UInt32(SegmentFormat.rowBlock) == 0 { try pause() }
            if ranks[index].count < segments[index].summary.rowCount {
                heads[best].position = try segments[index].position(ofRank: ranks[index].count)
            } else {
                heads.remove(at: best)
            }
        }
        return ranks
    }

    private func mergeTerms(
        _ segments: [Segment], ranks: [[UInt32]], joined: JoinedBlocks, into writer: inout SegmentWriter,
        _ pause: () throws -> Void
    ) throws {
        var iterators = segments.map(Segment.TermIterator.init)
        var heads: [(key: UInt64, rows: [UInt32])?] = []
        for index in iterators.indices { heads.append(try iterators[index].next()) }
        var rows: [UInt32] = []
        var termCount = 0
        var nextKey: UInt64 = 0
        while true {
            var lowest: UInt64?
            for head in heads { if let head, head.key < lowest ?? .max { lowest = head.key } }
            guard let key = lowest else { return }
            guard key >= nextKey, key >> 48 == 0 else { throw FormatError.truncated }
            nextKey = key + 1
            termCount += 1
            if termCount % 1024 == 0 { try pause() }
            rows.removeAll(keepingCapacity: true)
            var isSorted = true
            let isWord = key >> 40 == UInt64(SegmentFormat.wordField)
            for index in heads.indices {
                guard let head = heads[index], head.key == key else { continue }
                if isWord {
                    rows += try joined.numbers(of: head.rows, in: index)
                    heads[index] = try iterators[index].next()
                    continue
                }
                for row in head.rows {
                    guard row < ranks[index].count else { throw FormatError.truncated }
                    let rank = ranks[index][Int(row)]
                    if let last = rows.last, last > rank { isSorted = false }
                    rows.append(rank)
                }
                heads[index] = try iterators[index].next()
            }
            if !isSorted { rows.sort() }
            try writer.appendTerm(key: key, rows: rows)
        }
    }
}

/// The blocks of several segments one behind the other, with the ranks that their rows have together.
private struct JoinedBlocks {
    /// The number that each segment's first block gets.
    private(set) var firstBlocks: [Int] = []
    private let blocks: [WordBlocks]
    /// The first row of each segment, by arrival; then the rank of each row.
    private var firstRows: [Int] = []
    private var ranks: [UInt32] = []

    init(_ blocks: [WordBlocks]) {
        self.blocks = blocks
        var count = 0
        var rows = 0
        for part in blocks {
            firstBlocks.append(count)
            firstRows.append(rows)
            count += part.count
            rows += part.rowCount
        }
        ranks = [UInt32](repeating: .max, count: rows)
    }

    mutating func add(rank: Int, arrival: UInt32, of segment: Int) {
        let row = firstRows[segment] + Int(arrival)
        if row < ranks.count { ranks[row] = UInt32(rank) }
    }

    /// The numbers that blocks of a segment get.
    func numbers(of numbers: [UInt32], in segment: Int) throws(FormatError) -> [UInt32] {
        guard let last = numbers.last, last < blocks[segment].count else { throw .truncated }
        return numbers.map { $0 + UInt32(firstBlocks[segment]) }
    }

    /// Once every row was added.
    func entries() throws(FormatError) -> [WordBlocks.Entry] {
        guard !ranks.contains(.max) else { throw .truncated }
        var entries: [WordBlocks.Entry] = []
        for (part, firstRow) in zip(blocks, firstRows) {
            for block in 0..<part.count {
                let arrivals = part.arrivals(of: block)
                let rows = ranks[firstRow + arrivals.lowerBound..<firstRow + arrivals.upperBound]
                entries.append(WordBlocks.Entry(ranks: rows.map { Int($0) }))
            }
        }
        return entries
    }
}

/// Sorts words by value, eight bits a pass, skipping bytes that are all equal.
///
/// - Parameter fromBit: words that are equal from there on keep their order.
package func radixSort(_ words: inout [UInt64], fromBit: UInt64 = 0) {
    var other = [UInt64](repeating: 0, count: words.count)
    for shift in stride(from: fromBit, to: 64, by: 8) {
        var counts = [Int](repeating: 0, count: 256)
        for word in words { counts[Int((word >> shift) & 0xFF)] += 1 }
        if counts.contains(words.count) { continue }
        var start = 0
        for value in 0..<256 {
            let count = counts[value]
            counts[value] = start
            start += count
        }
        words.withUnsafeBufferPointer { source in
            other.withUnsafeMutableBufferPointer { target in
                for word in source {
                    let value = Int((word >> shift) & 0xFF)
                    target[counts[value]] = word
                    counts[value] += 1
                }
            }
        }
        swap(&words, &other)
    }
}
