// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import KeyManagement

/// Makes segments: from a tail that is full, and from several segments that lie side by side.
struct SegmentBuilder {
    let folder: String
    let uniqueField: UInt8
    let disk: any Disk
    let key: ServiceKey

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
            for (row, account) in columns.accounts.enumerated() {
                words.append(
                    SegmentFormat.termKey(field: LogEngine.accountField, hash: account) << 16 | UInt64(rankOfRow[row]))
            }
            for field in 0..<tail.fieldCount {
                for (row, hash) in columns.first[field].enumerated() where hash != 0 {
                    words.append(SegmentFormat.termKey(field: UInt8(field), hash: hash) << 16 | UInt64(rankOfRow[row]))
                }
                for (row, hash) in columns.further[field] {
                    words.append(
                        SegmentFormat.termKey(field: UInt8(field), hash: hash) << 16 | UInt64(rankOfRow[Int(row)]))
                }
            }
            radixSort(&words)
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
        } catch {
            writer.abandon()
            throw error
        }
        let sole = columns.accounts.allSatisfy { $0 == columns.accounts[0] } ? columns.accounts[0] : 0
        try writer.finish(
            as: name, firstSequence: tail.firstSequence, retentionBasis: columns.retentionBasis, soleAccount: sole)
        return name
    }

    /// Joins segments that cover one run of sequences into one; the inputs stay until the caller removes them.
    ///
    /// Memory: four bytes a row for the new ranks, and one list of rows at a time.
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
            let ranks = try mergeRows(segments, first: first, into: &writer, pause)
            try mergeTerms(segments, ranks: ranks, into: &writer, pause)
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
        _ segments: [Segment], first: UInt64, into writer: inout SegmentWriter, _ pause: () throws -> Void
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
        _ segments: [Segment], ranks: [[UInt32]], into writer: inout SegmentWriter, _ pause: () throws -> Void
    ) throws {
        var iterators = segments.map(Segment.TermIterator.init)
        var heads: [(key: UInt64, rows: [UInt32])?] = []
        for index in iterators.indices { heads.append(try iterators[index].next()) }
        var rows: [UInt32] = []
        var termCount = 0
        while true {
            var lowest: UInt64?
            for head in heads { if let head, head.key < lowest ?? .max { lowest = head.key } }
            guard let key = lowest else { return }
            termCount += 1
            if termCount % 1024 == 0 { try pause() }
            rows.removeAll(keepingCapacity: true)
            var isSorted = true
            for index in heads.indices {
                guard let head = heads[index], head.key == key else { continue }
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

/// Sorts words by value: eight passes of a byte, skipping bytes that are all equal.
package func radixSort(_ words: inout [UInt64]) {
    var other = [UInt64](repeating: 0, count: words.count)
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
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
