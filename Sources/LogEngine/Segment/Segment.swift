// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import KeyManagement
import Synchronization

/// The index of a run of records, never changed once written.
///
/// Opening reads the footer only; blocks are read, opened and kept in the shared cache when a lookup needs them.
final class Segment: Sendable {
    let path: String
    let summary: SegmentSummary
    private let file: any ReadableFile
    private let envelope: FileEnvelope
    private let cache: BlockCache
    private let number: UInt64
    private let blocks: [BlockEntry]
    private let rowBlocks: Range<Int>
    /// Numbers of the term blocks and of the filter pages, ascending by what they begin with.
    private let termBlocks: [Int]
    private let filterBlocks: [Int]
    private let filterPages: Int
    /// Number of the block of ``WordBlocks``.
    private let wordBlock: Int
    private let damageFound = Mutex<StoreDamage?>(nil)

    /// The first block that turned out to be damaged; the engine then sets the file aside, to be made again.
    var foundDamage: StoreDamage? { damageFound.withLock { $0 } }

    /// - Throws: ``StoreDamage``.
    init(path: String, disk: any Disk, key: any DataKeyWrapper, cache: BlockCache, number: UInt64) throws {
        self.path = path
        self.cache = cache
        self.number = number
        file = try disk.openForReading(path)
        do {
            let size = try file.size
            let prefix = try file.readExpected(count: Int(min(size, UInt64(FileEnvelope.maximumSize))), at: 0)
            envelope = try FileEnvelope(reading: prefix, magic: SegmentFormat.magic, key: key)
            guard size > UInt64(SegmentFormat.trailerSize) else { throw FormatError.truncated }
            let trailer = try file.read(
                count: SegmentFormat.trailerSize, at: size - UInt64(SegmentFormat.trailerSize))
            let entry = try Self.footerEntry(trailer, size: size)
            let sealed = try file.readExpected(count: Int(entry.block.sealedLength), at: entry.block.offset)
            let raw = try Self.open(sealed, entry.block, number: entry.number, envelope: envelope)
            let headerSize = UInt64(envelope.header.count)
            let footer = try raw.withUnsafeBytes { buffer throws(FormatError) in
                try SegmentFooter(decoding: buffer, firstOffset: headerSize)
            }
            summary = footer.summary
            blocks = footer.blocks
            filterPages = footer.filterPages
        } catch let error as FormatError {
            throw StoreDamage(path: path, offset: 0, reason: error)
        }
        let kinds = blocks
        rowBlocks = 0..<((summary.rowCount + SegmentFormat.rowBlock - 1) / SegmentFormat.rowBlock)
        termBlocks = kinds.indices.filter { kinds[$0].kind == .terms }
        filterBlocks = kinds.indices.filter { kinds[$0].kind == .filter }
        guard let words = kinds.firstIndex(where: { $0.kind == .words }) else {
            throw StoreDamage(path: path, offset: 0, reason: .truncated)
        }
        wordBlock = words
        guard rowBlocks.allSatisfy({ $0 < kinds.count && kinds[$0].kind == .rows }) else {
            throw StoreDamage(path: path, offset: 0, reason: .truncated)
        }
    }

    private static func footerEntry(_ trailer: [UInt8], size: UInt64) throws(FormatError) -> (block: BlockEntry, number: Int) {
        var failure: FormatError?
        var result: (BlockEntry, Int)?
        trailer.withUnsafeBytes { buffer in
            do throws(FormatError) {
                var reader = ByteReader(buffer)
                let offset = try reader.get(UInt64.self)
                let sealedLength = try reader.get(UInt32.self)
                let rawLength = try reader.get(UInt32.self)
                let number = try reader.get(UInt32.self)
                let check = try reader.get(UInt32.self)
                guard try reader.get(UInt64.self) == SegmentFormat.trailerMagic else { throw .badMagic }
                guard check == FileEnvelope.checksum(Array(buffer.prefix(20))) else { throw .badChecksum }
                guard offset <= size, UInt64(sealedLength) <= size - offset, rawLength <= SegmentFormat.blockRawLimit
                else { throw .truncated }
                result = (
                    BlockEntry(
                        kind: .footer, offset: offset, sealedLength: sealedLength, rawLength: rawLength, first: 0, last: 0),
                    Int(number)
                )
            } catch { failure = error }
        }
        if let failure { throw failure }
        return result!
    }

    private static func open(_ sealed: [UInt8], _ block: BlockEntry, number: Int, envelope: FileEnvelope) throws(FormatError)
        -> [UInt8]
    {
        let extra = [block.kind.rawValue] + withUnsafeBytes(of: block.rawLength.littleEndian) { Array($0) }
        let compressed = try envelope.open(sealed[...], nonce: segmentNonce(block: number), authenticating: extra)
        var failure: FormatError?
        var raw: [UInt8] = []
        compressed.withUnsafeBytes { buffer in
            do throws(FormatError) {
                raw = try Zstd.expand(buffer, rawCount: Int(block.rawLength), dictionary: nil)
            } catch { failure = error }
        }
        if let failure { throw failure }
        return raw
    }

    private func readBlock(_ index: Int) throws -> [UInt8] {
        let block = blocks[index]
        do {
            let sealed = try file.readExpected(count: Int(block.sealedLength), at: block.offset)
            return try Self.open(sealed, block, number: index, envelope: envelope)
        } catch let error as FormatError {
            let damage = StoreDamage(path: path, offset: block.offset, reason: error)
            damageFound.withLock { $0 = $0 ?? damage }
            throw damage
        }
    }

    /// What stands in one place contradicts another.
    func damaged(_ reason: FormatError) -> StoreDamage { damage(blocks.count - 1, reason) }

    private func damage(_ block: Int, _ reason: FormatError) -> StoreDamage {
        StoreDamage(path: path, offset: blocks[block].offset, reason: reason)
    }

    private func cached<Value: AnyObject & Sendable>(_ block: Int, _ make: ([UInt8]) throws -> (Value, cost: Int)) throws -> Value
    {
        try cache.value(BlockCache.Key(file: number, offset: blocks[block].offset)) {
            do { return try make(try readBlock(block)) } catch let error as FormatError {
                throw damage(block, error)
            }
        }
    }

    // MARK: Rows

    final class RowBlock: Sendable {
        let times: [Int64]
        let arrivals: [UInt32]

        init(raw: [UInt8], firstTime: Int64, count: Int) throws(FormatError) {
            var times: [Int64] = []
            var arrivals: [UInt32] = []
            times.reserveCapacity(count)
            arrivals.reserveCapacity(count)
            var failure: FormatError?
            raw.withUnsafeBytes { buffer in
                var reader = ByteReader(buffer)
                var time = firstTime
                var arrival: Int64 = -1
                do throws(FormatError) {
                    for _ in 0..<count {
                        time &+= Int64(bitPattern: try reader.getVarint())
                        arrival = arrival &+ 1 &+ (try reader.getZigzag())
                        guard arrival >= 0, arrival <= Int64(UInt32.max) else { throw .truncated }
                        times.append(time)
                        arrivals.append(UInt32(arrival))
                    }
                } catch { failure = error }
            }
            if let failure { throw failure }
            self.times = times
            self.arrivals = arrivals
        }
    }

    func rowBlock(_ index: Int) throws -> RowBlock {
        let count = min(SegmentFormat.rowBlock, summary.rowCount - index * SegmentFormat.rowBlock)
        return try cached(index) { raw in
            (try RowBlock(raw: raw, firstTime: blocks[index].first, count: count), cost: count * 12 + 64)
        }
    }

    func position(ofRank rank: Int) throws -> LogPosition {
        guard rank < summary.rowCount else { throw damage(blocks.count - 1, .truncated) }
        return position(ofRank: rank, in: try rowBlock(rank / SegmentFormat.rowBlock))
    }

    func position(ofRank rank: Int, in block: RowBlock) -> LogPosition {
        let index = rank % SegmentFormat.rowBlock
        return LogPosition(time: block.times[index], sequence: summary.firstSequence + UInt64(block.arrivals[index]))
    }

    /// The first rank whose position is not before `position`.
    func firstRank(notBefore position: LogPosition) throws -> Int {
        // Mostly a segment is within the range of a search as a whole, or outside of it.
        guard
            summary.times.lowerBound < position.time
                || summary.times.lowerBound == position.time && summary.firstSequence < position.sequence
        else { return 0 }
        guard position.time <= summary.times.upperBound else { return summary.rowCount }
        // The last block that begins before the position holds the boundary, or the block after it begins there.
        var low = 0
        var high = rowBlocks.count
        while low < high {
            let middle = (low + high) / 2
            if blocks[middle].first < position.time { low = middle + 1 } else { high = middle }
        }
        var index = max(low - 1, 0)
        while index < rowBlocks.count {
            let block = try rowBlock(index)
            var first = 0
            var end = block.times.count
            while first < end {
                let middle = (first + end) / 2
                let candidate = LogPosition(
                    time: block.times[middle], sequence: summary.firstSequence + UInt64(block.arrivals[middle]))
                if candidate < position { first = middle + 1 } else { end = middle }
            }
            if first < block.times.count { return index * SegmentFormat.rowBlock + first }
            index += 1
        }
        return summary.rowCount
    }

    // MARK: Terms

    /// Where the rows of a term are, without having read long lists.
    struct PostingList {
        var count: Int
        /// The lowest row.
        var first: UInt32
        var content: Content

        enum Content {
            case rows([UInt32])
            /// Numbers of the posting blocks.
            case chunks(Range<Int>)
        }
    }

    private final class TermBlock: Sendable {
        let raw: [UInt8]
        let keys: [UInt64]
        let offsets: [UInt32]

        init(raw: [UInt8], firstKey: UInt64) throws(FormatError) {
            var keys: [UInt64] = []
            var offsets: [UInt32] = []
            var failure: FormatError?
            raw.withUnsafeBytes { buffer in
                var reader = ByteReader(buffer)
                var key = firstKey
                do throws(FormatError) {
                    while !reader.isAtEnd {
                        key &+= try reader.getVarint()
                        keys.append(key)
                        offsets.append(UInt32(reader.offset))
                        _ = try readEntry(&reader, decodeRows: false)
                    }
                } catch { failure = error }
            }
            if let failure { throw failure }
            self.raw = raw
            self.keys = keys
            self.offsets = offsets
        }
    }

    /// False of a field with more than some 20,000 values, which are those of ids and the like: it is told by how many blocks its
    /// terms take. Lists of few values take up to two bytes a row there, of long ones nothing.
    func mayHaveFewValues(ofField field: UInt8) -> Bool {
        termBlockCount(ofField: field) <= 12 + 2 * summary.rowCount / SegmentFormat.termBlockTarget
    }

    /// How many blocks the terms of a field take.
    private func termBlockCount(ofField field: UInt8) -> Int {
        let first = termBlocks.partitionPoint { blocks[$0].first < Int64(field) << 40 }
        return termBlocks[first...].partitionPoint { blocks[$0].first < (Int64(field) + 1) << 40 } - first
    }

    private func termBlock(_ index: Int) throws -> TermBlock {
        try cached(index) { raw in
            let block = try TermBlock(raw: raw, firstKey: UInt64(bitPattern: blocks[index].first))
            return (block, cost: raw.count + block.keys.count * 12 + 64)
        }
    }

    func postings(forKey key: UInt64) throws -> PostingList? {
        var low = 0
        var high = termBlocks.count
        while low < high {
            let middle = (low + high) / 2
            if UInt64(bitPattern: blocks[termBlocks[middle]].first) <= key { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let index = termBlocks[low - 1]
        let block = try termBlock(index)
        var start = 0
        var end = block.keys.count
        while start < end {
            let middle = (start + end) / 2
            if block.keys[middle] < key { start = middle + 1 } else { end = middle }
        }
        guard start < block.keys.count, block.keys[start] == key else { return nil }
        let offset = Int(block.offsets[start])
        do {
            return try checked(
                block.raw.withUnsafeBytes { buffer throws(FormatError) in
                    var reader = ByteReader(buffer, at: offset)
                    return try readEntry(&reader, decodeRows: true)
                })
        } catch let error as FormatError { throw damage(index, error) }
    }

    /// A list whose blocks are there; entry and footer were written together, but were read apart.
    private func checked(_ list: PostingList) throws(FormatError) -> PostingList {
        var list = list
        guard case .chunks(let chunks) = list.content else { return list }
        guard chunks.upperBound <= blocks.count, chunks.allSatisfy({ blocks[$0].kind == .postings }),
            list.count <= chunks.count * SegmentFormat.postingChunk
        else { throw .truncated }
        list.first = UInt32(truncatingIfNeeded: blocks[chunks.lowerBound].first)
        return list
    }

    /// The part of a long list that is in a block.
    func chunk(_ index: Int, of chunks: Range<Int>, total: Int) throws -> PostingChunk {
        let count =
            index == chunks.upperBound - 1
            ? total - (chunks.count - 1) * SegmentFormat.postingChunk : SegmentFormat.postingChunk
        return try cached(index) { raw in
            let chunk = try PostingChunk(raw, count: count)
            return (chunk, cost: chunk.cost)
        }
    }

    /// The first and the last row that a part of a long list may have.
    func bounds(ofChunk index: Int) -> (first: Int64, last: Int64) { (blocks[index].first, blocks[index].last) }

    // MARK: Uniqueness

    /// Marks the keys that some row may have; a key left unmarked is certainly not there.
    func mark(possiblyKnown keys: [UInt64], in isKnown: inout [Bool]) throws {
        var pages = [FilterPage?](repeating: nil, count: filterBlocks.count)
        for (index, key) in keys.enumerated() {
            guard let place = filterPlace(ofPage: FilterPages.page(of: key, count: filterPages)) else { continue }
            let page: FilterPage
            if let loaded = pages[place] {
                page = loaded
            } else {
                do { page = try filterPage(at: place) } catch is StoreDamage {
                    // It cannot say no.
                    isKnown[index] = true
                    continue
                }
                pages[place] = page
            }
            if FilterPages.mayContain(key, page: page.bits) { isKnown[index] = true }
        }
    }

    /// Where among the filter's blocks a page is; nil for one that no key falls into.
    private func filterPlace(ofPage number: Int) -> Int? {
        // Pages without keys are rare, so mostly it stands where its number says.
        if number < filterBlocks.count, blocks[filterBlocks[number]].first == Int64(number) { return number }
        var low = 0
        var high = filterBlocks.count
        while low < high {
            let middle = (low + high) / 2
            if blocks[filterBlocks[middle]].first < Int64(number) { low = middle + 1 } else { high = middle }
        }
        return low < filterBlocks.count && blocks[filterBlocks[low]].first == Int64(number) ? low : nil
    }

    private func filterPage(at place: Int) throws -> FilterPage {
        try cached(filterBlocks[place]) { raw in
            guard raw.count == SegmentFormat.filterPageBits / 8 else { throw FormatError.truncated }
            return (FilterPage(bits: raw), cost: raw.count + 64)
        }
    }

    private final class FilterPage: Sendable {
        let bits: [UInt8]
        init(bits: [UInt8]) { self.bits = bits }
    }

    func sequences(uniqueKey key: UInt64) throws -> [UInt64] {
        guard try mayHave(uniqueKey: key), let list = try postings(forKey: key) else { return [] }
        return try allRows(of: list).map { try position(ofRank: Int($0)).sequence }
    }

    /// False if certainly no row has a key.
    func mayHave(uniqueKey key: UInt64) throws -> Bool {
        do {
            guard let place = filterPlace(ofPage: FilterPages.page(of: key, count: filterPages)) else { return false }
            return FilterPages.mayContain(key, page: try filterPage(at: place).bits)
        } catch is StoreDamage {
            // The list itself knows better than the filter, only slower.
            return true
        }
    }

    func allRows(of list: PostingList) throws -> [UInt32] {
        switch list.content {
        case .rows(let rows): return rows
        case .chunks(let chunks):
            var rows: [UInt32] = []
            rows.reserveCapacity(list.count)
            for index in chunks {
                let more = try chunk(index, of: chunks, total: list.count).rows
                guard isAscending(rows, more) else { throw damage(index, .truncated) }
                rows += more
            }
            return rows
        }
    }

    // MARK: Words

    /// The blocks of rows that may have a word, ascending.
    func wordBlocks(with hash: UInt32) throws -> [UInt32] {
        guard let list = try postings(forKey: SegmentFormat.wordKey(hash)) else { return [] }
        return try allRows(of: list)
    }

    func wordBlocks() throws -> WordBlocks {
        try cached(wordBlock) { raw in
            let rowCount = summary.rowCount
            let blocks = try raw.withUnsafeBytes { buffer throws(FormatError) in
                try WordBlocks(decoding: buffer, rowCount: rowCount)
            }
            return (blocks, cost: blocks.cost + 64)
        }
    }

    func arrival(of position: LogPosition) -> UInt32 { UInt32(position.sequence - summary.firstSequence) }

    /// Pairs of values of two fields, counted over all rows.
    func pairs(of fields: [UInt8], count: () throws -> PairCounts) throws -> PairCounts {
        // No block begins at such an offset.
        let place = UInt64(1) << 63 | UInt64(fields[0]) << 8 | UInt64(fields[1])
        return try cache.value(BlockCache.Key(file: number, offset: place)) {
            let pairs = try count()
            return (pairs, cost: pairs.cost)
        }
    }

    // MARK: Going through everything (merging)

    /// Every term in order of keys; without filling the cache, unless it is of one field.
    struct TermIterator {
        let segment: Segment
        private var nextBlock = 0
        private var raw: [UInt8] = []
        private var offset = 0
        /// Where the last entry begins, after its key.
        private var entry = 0
        private var key: UInt64 = 0

        /// The only field to go through, or nil.
        private let field: UInt8?

        /// Of a field with so many values that its blocks would be all that there is in the cache, none comes there.
        private let isCached: Bool

        init(segment: Segment) {
            self.segment = segment
            field = nil
            isCached = false
        }

        init(segment: Segment, field: UInt8) {
            self.segment = segment
            self.field = field
            // A block holds terms of one field.
            nextBlock = segment.termBlocks.partitionPoint { segment.blocks[$0].first < Int64(field) << 40 }
            let end = segment.termBlocks[nextBlock...].partitionPoint { segment.blocks[$0].first < (Int64(field) + 1) << 40 }
            isCached = (end - nextBlock) * SegmentFormat.termBlockTarget <= segment.cache.limit / 16
        }

        /// As ``next()``, but without having read long lists.
        ///
        /// - Parameter decodeRows: without, short lists are not read either.
        mutating func nextList(decodeRows: Bool = true) throws -> (key: UInt64, list: PostingList)? {
            guard try hasNext() else { return nil }
            do {
                let list = try raw.withUnsafeBytes { buffer throws(FormatError) in
                    var reader = ByteReader(buffer, at: offset)
                    key &+= try reader.getVarint()
                    entry = reader.offset
                    let list = try readEntry(&reader, decodeRows: decodeRows)
                    offset = reader.offset
                    return list
                }
                return (key, try segment.checked(list))
            } catch let error as FormatError { throw segment.damage(segment.termBlocks[nextBlock - 1], error) }
        }

        /// The next key; visits those of its rows that are among `bits`, without making a list of them.
        mutating func nextKey(rowsIn bits: UnsafeBufferPointer<UInt64>, _ visit: (Int) -> Void) throws -> UInt64? {
            guard let (key, list) = try nextList(decodeRows: false) else { return nil }
            switch list.content {
            case .chunks(let chunks):
                for index in chunks { try segment.chunk(index, of: chunks, total: list.count).forEachRow(in: bits, visit) }
            case .rows where list.count == 1: if bits.hasBit(Int(list.first)) { visit(Int(list.first)) }
            case .rows: try forEachRowOfEntry(among: bits, visit)
            }
            return key
        }

        /// Visits rows of the list that stands in the last entry.
        private func forEachRowOfEntry(among bits: UnsafeBufferPointer<UInt64>, _ visit: (Int) -> Void) throws {
            var failure: FormatError?
            raw.withUnsafeBytes { buffer in
                var reader = ByteReader(buffer, at: entry)
                do throws(FormatError) {
                    guard case .list(let bytes, let count) = try TermEntry(&reader) else { return }
                    try Postings.forEachRow(in: bytes, count: count, among: bits, visit)
                } catch { failure = error }
            }
            if let failure { throw segment.damage(segment.termBlocks[nextBlock - 1], failure) }
        }

        /// Reads the next block if this one is used up.
        private mutating func hasNext() throws -> Bool {
            guard offset >= raw.count else { return true }
            guard nextBlock < segment.termBlocks.count else { return false }
            let index = segment.termBlocks[nextBlock]
            if let field, segment.blocks[index].first >> 40 != Int64(field) { return false }
            raw = isCached ? try segment.termBlock(index).raw : try segment.readBlock(index)
            key = UInt64(bitPattern: segment.blocks[index].first)
            offset = 0
            nextBlock += 1
            return true
        }

        mutating func next() throws -> (key: UInt64, rows: [UInt32])? {
            guard let (key, list) = try nextList() else { return nil }
            switch list.content {
            case .rows(let rows): return (key, rows)
            case .chunks(let chunks):
                var rows: [UInt32] = []
                for index in chunks {
                    let count = min(SegmentFormat.postingChunk, list.count - rows.count)
                    let more = try segment.readBlock(index).withUnsafeBytes { buffer throws(FormatError) in
                        try Postings.decode(buffer, count: count)
                    }
                    guard isAscending(rows, more) else { throw FormatError.truncated }
                    rows += more
                }
                return (key, rows)
            }
        }
    }
}

/// Whether a part of a list goes on where another ended.
private func isAscending(_ rows: [UInt32], _ more: [UInt32]) -> Bool {
    guard let last = rows.last, let first = more.first else { return true }
    return last < first
}

/// One entry of a term block, after its key, as it stands there.
private enum TermEntry {
    case row(UInt32)
    /// Numbers of posting blocks.
    case chunks(Range<Int>, count: Int)
    case list(UnsafeRawBufferPointer, count: Int)

    init(_ reader: inout ByteReader) throws(FormatError) {
        let head = try reader.getVarint()
        switch head & 3 {
        case 1: self = .row(UInt32(truncatingIfNeeded: head >> 2))
        case 2:
            let first = try reader.getCount()
            let count = try reader.getCount()
            guard count > 0, head >> 2 > UInt64((count - 1) * SegmentFormat.postingChunk) else { throw .truncated }
            self = .chunks(first..<first + count, count: Int(head >> 2))
        default:
            let bytes = try reader.take(try reader.getCount())
            guard head >> 2 <= UInt64(bytes.count) * 8 else { throw .truncated }
            self = .list(bytes, count: Int(head >> 2))
        }
    }
}

/// - Parameter decodeRows: without, the rows of a list that stands in the entry are left out.
private func readEntry(_ reader: inout ByteReader, decodeRows: Bool) throws(FormatError) -> Segment.PostingList {
    switch try TermEntry(&reader) {
    case .row(let row): return Segment.PostingList(count: 1, first: row, content: .rows(decodeRows ? [row] : []))
    case .chunks(let chunks, let count): return Segment.PostingList(count: count, first: 0, content: .chunks(chunks))
    case .list(let bytes, let count):
        let rows = decodeRows ? try Postings.decode(bytes, count: count) : []
        return Segment.PostingList(count: count, first: try Postings.first(bytes), content: .rows(rows))
    }
}
