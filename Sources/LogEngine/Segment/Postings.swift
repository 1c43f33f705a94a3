// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Lists of ranks, ascending: as differences, or as a bitmap where that is smaller.
///
/// ```
/// 0 · first varint · (difference - 1) varint …      count is known from the term
/// 1 · first varint · bitmap of the rest, bit 0 = first
/// ```
package enum Postings {
    package static func encode(_ rows: some RandomAccessCollection<UInt32>, into writer: inout ByteWriter) {
        guard let first = rows.first, let last = rows.last else { return }
        let span = Int(last - first) + 1
        if rows.count * 8 >= span {
            writer.bytes.append(1)
            writer.putVarint(UInt64(first))
            var bitmap = [UInt8](repeating: 0, count: (span + 7) / 8)
            for row in rows { bitmap[Int(row - first) >> 3] |= 1 << UInt8((row - first) & 7) }
            writer.bytes += bitmap
        } else {
            writer.bytes.append(0)
            writer.putVarint(UInt64(first))
            var previous = first
            for row in rows.dropFirst() {
                writer.putVarint(UInt64(row - previous - 1))
                previous = row
            }
        }
    }

    /// The lowest row of a list.
    static func first(_ bytes: UnsafeRawBufferPointer) throws(FormatError) -> UInt32 {
        var reader = ByteReader(bytes, at: 1)
        return UInt32(truncatingIfNeeded: try reader.getVarint())
    }

    /// Rows ascend, without repeats: lists are joined and written again as they were read.
    package static func decode(_ bytes: UnsafeRawBufferPointer, count: Int) throws(FormatError) -> [UInt32] {
        guard count > 0, count <= bytes.count * 8 else { throw .truncated }
        var failure: FormatError?
        let rows = [UInt32](unsafeUninitializedCapacity: count) { rows, filled in
            do throws(FormatError) {
                try forEachRow(in: bytes, count: count) { row in
                    guard filled < count else { return }
                    rows[filled] = row
                    filled += 1
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        return rows
    }

    /// Visits the rows of a list that are among bits, ascending; what is wrong with it may be found only after some of them.
    static func forEachRow(
        in bytes: UnsafeRawBufferPointer, count: Int, among bits: UnsafeBufferPointer<UInt64>, _ visit: (Int) -> Void
    ) throws(FormatError) {
        if bytes.first == 0 {
            let differences = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
            return try RowDifferences.forEachRow(of: differences, count: count, among: bits, visit)
        }
        try forEachRow(in: bytes, count: count) { row in if bits.hasBit(Int(row)) { visit(Int(row)) } }
    }

    @inline(__always)
    private static func forEachRow(in bytes: UnsafeRawBufferPointer, count: Int, _ visit: (UInt32) -> Void) throws(FormatError) {
        var reader = ByteReader(bytes)
        guard try reader.get(UInt8.self) == 1 else {
            return try RowDifferences.read(try reader.take(reader.remaining), count: count) { row, _ in visit(row) }
        }
        // Wider than a row, so that rows past the last one are found at the end.
        var row = try reader.getVarint()
        guard row <= UInt64(UInt32.max) else { throw .truncated }
        var last = row
        var left = count
        for byte in try reader.take(reader.remaining) {
            var bits = byte
            while bits != 0 {
                last = row + UInt64(bits.trailingZeroBitCount)
                visit(UInt32(truncatingIfNeeded: last))
                left -= 1
                bits &= bits &- 1
            }
            row += 8
        }
        guard left == 0, last <= UInt64(UInt32.max) else { throw .truncated }
    }
}

/// A Bloom filter over unique keys, in pages by key, so that a probe reads one page and pages are made in key order.
package struct FilterPages {
    package let pageCount: Int
    private var page: Int64 = 0
    private var bits: [UInt8]

    package init(keys: Int) {
        pageCount = Self.pageCount(keys: keys)
        bits = [UInt8](repeating: 0, count: SegmentFormat.filterPageBits / 8)
    }

    package static func pageCount(keys: Int) -> Int {
        max(1, (keys * SegmentFormat.filterBitsPerKey + SegmentFormat.filterPageBits - 1) / SegmentFormat.filterPageBits)
    }

    package static func page(of key: UInt64, count: Int) -> Int {
        Int(((key & 0xFF_FFFF_FFFF) * UInt64(count)) >> 40)
    }

    /// Probe positions within a page, from a well-mixed form of the key.
    @inline(__always)
    package static func probes(_ key: UInt64, _ visit: (Int) -> Bool) -> Bool {
        var mixed = key &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 32)) &* 0xD6E8_FEB8_6659_FD93
        let step = UInt32(truncatingIfNeeded: mixed >> 32) | 1
        var position = UInt32(truncatingIfNeeded: mixed)
        for _ in 0..<SegmentFormat.filterProbes {
            if !visit(Int(position & UInt32(SegmentFormat.filterPageBits - 1))) { return false }
            position = position &+ step
        }
        return true
    }

    /// Adds a key; keys come in order. Returns a page that is complete.
    ///
    /// A page without keys is never written: a missing page means "not there".
    package mutating func insert(_ key: UInt64) -> (bits: [UInt8], page: Int64)? {
        let target = Int64(Self.page(of: key, count: pageCount))
        var full: (bits: [UInt8], page: Int64)?
        if target != page {
            full = (bits, page)
            page = target
            bits = [UInt8](repeating: 0, count: bits.count)
        }
        _ = Self.probes(key) { position in
            bits[position >> 3] |= 1 << UInt8(position & 7)
            return true
        }
        return full
    }

    /// The last page; then nil.
    package mutating func next() -> (bits: [UInt8], page: Int64)? {
        guard page < Int64(pageCount) else { return nil }
        defer { page = Int64(pageCount) }
        return (bits, page)
    }

    package static func mayContain(_ key: UInt64, page bits: [UInt8]) -> Bool {
        bits.withUnsafeBufferPointer { bits in
            probes(key) { position in bits[position >> 3] & (1 << UInt8(position & 7)) != 0 }
        }
    }
}
