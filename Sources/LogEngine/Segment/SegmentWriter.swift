// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import KeyManagement

/// Writes a segment in one pass: rows by rank, then terms by key, then the footer.
///
/// Written under a temporary name and renamed when whole and synced: a crash before that leaves a `.tmp`, which the
/// next opening removes.
struct SegmentWriter {
    private let file: any WritableFile
    private let envelope: FileEnvelope
    private let disk: any Disk
    private let folder: String
    private let temporary: String
    private var blocks: [BlockEntry] = []
    private var offset: UInt64

    private var rowBuffer = ByteWriter()
    private var rowsInBuffer = 0
    private var rowCount = 0
    private var firstTimeInBuffer: Int64 = 0
    private var lastTime: Int64 = 0
    private var lastArrival: Int64 = -1
    private var lowestTime = Int64.max
    private var highestTime = Int64.min

    private var termBuffer = ByteWriter()
    private var firstKeyInBuffer: UInt64 = 0
    private var lastKey: UInt64 = 0

    private let uniqueField: UInt8
    private var filter: FilterPages

    init(folder: String, name: String, uniqueField: UInt8, expectedRows: Int, disk: any Disk, key: any DataKeyWrapper) throws {
        self.disk = disk
        self.folder = folder
        temporary = folder + "/" + name + ".tmp"
        envelope = try FileEnvelope(magic: SegmentFormat.magic, key: key)
        try disk.remove(temporary)
        file = try disk.create(temporary)
        offset = UInt64(envelope.header.count)
        self.uniqueField = uniqueField
        filter = FilterPages(keys: expectedRows)
        try file.append(envelope.header)
    }

    // MARK: Rows

    /// - Parameter arrival: the row's sequence less the segment's first.
    mutating func appendRow(time: Int64, arrival: Int64) throws {
        if rowsInBuffer == 0 {
            firstTimeInBuffer = time
            lastTime = time
            lastArrival = -1
        }
        rowBuffer.putVarint(UInt64(bitPattern: time &- lastTime))
        rowBuffer.putZigzag(arrival - lastArrival - 1)
        lastTime = time
        lastArrival = arrival
        rowsInBuffer += 1
        rowCount += 1
        lowestTime = min(lowestTime, time)
        highestTime = max(highestTime, time)
        if rowsInBuffer == SegmentFormat.rowBlock { try flushRows() }
    }

    private mutating func flushRows() throws {
        guard rowsInBuffer > 0 else { return }
        try appendBlock(.rows, rowBuffer.bytes, first: firstTimeInBuffer, last: lastTime)
        rowBuffer.bytes.removeAll(keepingCapacity: true)
        rowsInBuffer = 0
    }

    // MARK: Terms

    /// - Parameter rows: ranks, ascending, without repeats; keys come in ascending order.
    mutating func appendTerm(key: UInt64, rows: some RandomAccessCollection<UInt32>) throws {
        // Row blocks come first, so that their numbers follow from the ranks.
        try flushRows()
        if UInt8(truncatingIfNeeded: key >> 40) == uniqueField {
            if let full = filter.insert(key) { try appendBlock(.filter, full.bits, first: full.page, last: 0) }
        }
        var chunks: (first: Int, count: Int)?
        if rows.count > SegmentFormat.postingChunk {
            let first = blocks.count
            var start = rows.startIndex
            while start < rows.endIndex {
                let end = rows.index(start, offsetBy: SegmentFormat.postingChunk, limitedBy: rows.endIndex) ?? rows.endIndex
                let chunk = rows[start..<end]
                var encoded = ByteWriter()
                Postings.encode(chunk, into: &encoded)
                try appendBlock(.postings, encoded.bytes, first: Int64(chunk.first!), last: Int64(chunk.last!))
                start = end
            }
            chunks = (first, blocks.count - first)
        }
        let isNewField = key >> 40 != lastKey >> 40
        if !termBuffer.bytes.isEmpty && (isNewField || termBuffer.bytes.count >= SegmentFormat.termBlockTarget) {
            try flushTerms()
        }
        if termBuffer.bytes.isEmpty {
            firstKeyInBuffer = key
            lastKey = key
        }
        termBuffer.putVarint(key - lastKey)
        lastKey = key
        if let chunks {
            termBuffer.putVarint(rows.count << 2 | 2)
            termBuffer.putVarint(chunks.first)
            termBuffer.putVarint(chunks.count)
        } else if rows.count == 1 {
            termBuffer.putVarint(Int(rows.first!) << 2 | 1)
        } else {
            termBuffer.putVarint(rows.count << 2)
            var encoded = ByteWriter()
            Postings.encode(rows, into: &encoded)
            termBuffer.putVarint(encoded.bytes.count)
            termBuffer.bytes += encoded.bytes
        }
    }

    /// Ends the terms.
    mutating func append(_ blocks: [WordBlocks.Entry]) throws {
        try flushRows()
        if !termBuffer.bytes.isEmpty { try flushTerms() }
        try appendBlock(.words, WordBlocks.encode(blocks), first: 0, last: 0)
    }

    private mutating func flushTerms() throws {
        try appendBlock(.terms, termBuffer.bytes, first: Int64(firstKeyInBuffer), last: Int64(lastKey))
        termBuffer.bytes.removeAll(keepingCapacity: true)
    }

    // MARK: Ending

    /// Makes the segment durable under its name.
    mutating func finish(as name: String, firstSequence: UInt64, retentionBasis: Int64, soleAccount: UInt64) throws {
        do {
            try flushRows()
            if !termBuffer.bytes.isEmpty { try flushTerms() }
            while let page = filter.next() { try appendBlock(.filter, page.bits, first: page.page, last: 0) }
            let summary = SegmentSummary(
                firstSequence: firstSequence, rowCount: rowCount, times: lowestTime...highestTime,
                retentionBasis: retentionBasis, soleAccount: soleAccount)
            let footer = SegmentFooter(summary: summary, filterPages: filter.pageCount, blocks: blocks).encoded
            try appendBlock(.footer, footer, first: 0, last: 0)
            let entry = blocks[blocks.count - 1]
            var trailer = ByteWriter()
            trailer.put(entry.offset)
            trailer.put(entry.sealedLength)
            trailer.put(entry.rawLength)
            // The footer's own number is its nonce: the reader needs it to open the footer.
            trailer.put(UInt32(blocks.count - 1))
            trailer.put(FileEnvelope.checksum(trailer.bytes))
            trailer.put(SegmentFormat.trailerMagic)
            try file.append(trailer.bytes)
            try file.sync()
            file.close()
            try disk.rename(temporary, to: folder + "/" + name)
            try disk.syncDirectory(folder)
        } catch {
            abandon()
            throw error
        }
    }

    func abandon() {
        file.close()
        try? disk.remove(temporary)
    }

    private mutating func appendBlock(_ kind: SegmentFormat.BlockKind, _ raw: [UInt8], first: Int64, last: Int64) throws {
        let compressed = raw.withUnsafeBytes { Zstd.compress($0, dictionary: nil) }
        let sealed = envelope.seal(
            compressed, nonce: segmentNonce(block: blocks.count),
            authenticating: [kind.rawValue] + withUnsafeBytes(of: UInt32(raw.count).littleEndian) { Array($0) })
        try file.append([UInt8](sealed))
        blocks.append(
            BlockEntry(
                kind: kind, offset: offset, sealedLength: UInt32(sealed.count), rawLength: UInt32(raw.count), first: first,
                last: last))
        offset += UInt64(sealed.count)
    }
}

func segmentNonce(block: Int) -> AES.GCM.Nonce {
    var writer = ByteWriter()
    writer.put(UInt64(block))
    writer.put(UInt32(0))
    return try! AES.GCM.Nonce(data: writer.bytes)
}

/// The table of blocks at the end of a segment.
package struct SegmentFooter {
    var summary: SegmentSummary
    var filterPages: Int
    var blocks: [BlockEntry]

    package var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.put(summary.firstSequence)
        writer.putVarint(summary.rowCount)
        writer.put(summary.times.lowerBound)
        writer.put(summary.times.upperBound)
        writer.put(summary.retentionBasis)
        writer.put(summary.soleAccount)
        writer.putVarint(filterPages)
        writer.putVarint(blocks.count)
        var previous = BlockEntry(kind: .rows, offset: 0, sealedLength: 0, rawLength: 0, first: 0, last: 0)
        for block in blocks {
            writer.put(block.kind.rawValue)
            writer.putVarint(Int(block.sealedLength))
            writer.putVarint(Int(block.rawLength))
            writer.putZigzag(block.first &- previous.first)
            writer.putZigzag(block.last &- block.first)
            previous = block
        }
        return writer.bytes
    }

    init(summary: SegmentSummary, filterPages: Int, blocks: [BlockEntry]) {
        self.summary = summary
        self.filterPages = filterPages
        self.blocks = blocks
    }

    package init(decoding bytes: UnsafeRawBufferPointer, firstOffset: UInt64) throws(FormatError) {
        var reader = ByteReader(bytes)
        let firstSequence = try reader.get(UInt64.self)
        let rowCount = try reader.getCount()
        let low = try reader.get(Int64.self)
        let high = try reader.get(Int64.self)
        // No log comes to the last sequences.
        guard low <= high, firstSequence <= UInt64(Int64.max) else { throw .truncated }
        summary = SegmentSummary(
            firstSequence: firstSequence, rowCount: rowCount, times: low...high,
            retentionBasis: try reader.get(Int64.self), soleAccount: try reader.get(UInt64.self))
        filterPages = try reader.getCount()
        guard filterPages <= FilterPages.pageCount(keys: rowCount) else { throw .truncated }
        blocks = []
        var offset = firstOffset
        var first: Int64 = 0
        for _ in 0..<(try reader.getCount()) {
            guard let kind = SegmentFormat.BlockKind(rawValue: try reader.get(UInt8.self)) else { throw .truncated }
            let sealedLength = UInt32(try reader.getCount())
            let rawLength = UInt32(try reader.getCount())
            guard rawLength <= SegmentFormat.blockRawLimit else { throw .truncated }
            first &+= try reader.getZigzag()
            let last = first &+ (try reader.getZigzag())
            blocks.append(
                BlockEntry(
                    kind: kind, offset: offset, sealedLength: sealedLength, rawLength: rawLength, first: first, last: last))
            offset &+= UInt64(sealedLength)
        }
    }
}
