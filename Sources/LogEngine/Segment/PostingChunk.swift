// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A list of ranks, or a part of a long one, in the form it has on disk; see ``Postings``.
package final class PostingChunk: Sendable {
    private enum Content {
        /// A short list, from the entry of its term.
        case rows([UInt32])
        case differences(RowDifferences)
        /// Bit 0 is `first`; eight bytes more than there are bits for, all zero.
        case bitmap(first: Int, bytes: [UInt8])
    }

    private let content: Content

    package init(rows: [UInt32]) { content = .rows(rows) }

    package init(_ raw: [UInt8], count: Int) throws(FormatError) {
        var failure: FormatError?
        var content = Content.rows([])
        raw.withUnsafeBytes { buffer in
            do throws(FormatError) {
                var reader = ByteReader(buffer)
                if try reader.get(UInt8.self) == 1 {
                    let first = try reader.getCount()
                    let bytes = Array(try reader.take(reader.remaining))
                    guard bytes.reduce(0, { $0 + $1.nonzeroBitCount }) == count else { throw .truncated }
                    content = .bitmap(first: first, bytes: bytes + [UInt8](repeating: 0, count: 8))
                } else {
                    content = .differences(try RowDifferences(try reader.take(reader.remaining), count: count))
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        self.content = content
    }

    var cost: Int {
        switch content {
        case .rows(let rows): rows.count * 4 + 64
        case .differences(let differences): differences.cost
        case .bitmap(_, let bytes): bytes.count + 64
        }
    }

    package var rows: [UInt32] {
        switch content {
        case .rows(let rows): return rows
        case .differences, .bitmap:
            var rows: [UInt32] = []
            forEachRow(in: nil) { rows.append(UInt32(truncatingIfNeeded: $0)) }
            return rows
        }
    }

    /// The nearest row at or after (`oldestFirst`), or at or before, a row.
    package func nearest(_ row: Int, _ direction: SearchDirection) -> Int? {
        switch content {
        case .rows(let rows):
            let low = rows.partitionPoint { $0 < row }
            if low < rows.count, rows[low] == row || direction == .oldestFirst { return Int(rows[low]) }
            return direction == .newestFirst && low > 0 ? Int(rows[low - 1]) : nil
        case .differences(let differences): return differences.nearest(row, direction)
        case .bitmap(let first, let bytes):
            let end = (bytes.count - 8) * 8
            switch direction {
            case .oldestFirst:
                var offset = max(row - first, 0)
                while offset < end {
                    let bits = Self.bits(bytes, at: offset)
                    if bits != 0 { return first + offset + bits.trailingZeroBitCount }
                    offset += 64
                }
            case .newestFirst:
                var offset = min(row - first, end - 1) - 63
                while offset > -64 {
                    let bits = Self.bits(bytes, at: offset)
                    if bits != 0 { return first + offset + 63 - bits.leadingZeroBitCount }
                    offset -= 64
                }
            }
            return nil
        }
    }

    /// Puts the rows that are in the window into it.
    package func insert(into window: inout RankWindow) {
        switch content {
        case .rows(let rows):
            var low = rows.partitionPoint { $0 < window.base }
            while low < rows.count, Int(rows[low]) < window.base + RankWindow.size {
                window.insert(Int(rows[low]))
                low += 1
            }
        case .differences(let differences):
            differences.forEachRow(in: window.base..<window.base + RankWindow.size) { window.insert($0) }
        case .bitmap(let first, let bytes):
            for index in window.words.indices {
                window.words[index] |= Self.bits(bytes, at: window.base + index * 64 - first)
            }
        }
    }

    /// Adds the rows, but for those that are too many.
    func insert(into bits: inout RowBits) {
        switch content {
        case .rows(let rows):
            for row in rows where Int(row) < bits.rowCount { bits.insert(Int(row)) }
        case .differences(let differences):
            differences.forEachRow { row in if row < bits.rowCount { bits.insert(row) } }
        case .bitmap(let first, let bytes):
            var base = first & ~63
            let end = first + (bytes.count - 8) * 8
            while base < end {
                bits.insert(Self.bits(bytes, at: base - first), from: base)
                base += 64
            }
        }
    }

    /// Visits rows, ascending; only those among bits that begin with rank 0, unless there are none.
    @inline(__always)
    package func forEachRow(in bits: [UInt64]?, _ visit: (Int) -> Void) {
        if let bits { return bits.withUnsafeBufferPointer { forEachRow(in: $0, visit) } }
        switch content {
        case .rows(let rows): for row in rows { visit(Int(row)) }
        case .differences(let differences): differences.forEachRow(visit)
        case .bitmap(let first, let bytes): Self.forEachRow(of: bytes, from: first, in: nil, visit)
        }
    }

    @inline(__always)
    func forEachRow(in bits: UnsafeBufferPointer<UInt64>, _ visit: (Int) -> Void) {
        switch content {
        case .rows(let rows): for row in rows where bits.hasBit(Int(row)) { visit(Int(row)) }
        case .differences(let differences): differences.forEachRow(among: bits, visit)
        case .bitmap(let first, let bytes): Self.forEachRow(of: bytes, from: first, in: bits, visit)
        }
    }

    @inline(__always)
    private static func forEachRow(
        of bytes: [UInt8], from first: Int, in bits: UnsafeBufferPointer<UInt64>?, _ visit: (Int) -> Void
    ) {
        // Words of 64 ranks, as those of `bits` are.
        var base = first & ~63
        let end = first + (bytes.count - 8) * 8
        while base < end {
            var word = Self.bits(bytes, at: base - first)
            if let bits { word &= base >> 6 < bits.count ? bits[base >> 6] : 0 }
            while word != 0 {
                visit(base + word.trailingZeroBitCount)
                word &= word &- 1
            }
            base += 64
        }
    }

    /// The 64 bits from a place on, which may be before the first or after the last.
    @inline(__always)
    private static func bits(_ bytes: [UInt8], at place: Int) -> UInt64 {
        guard place > -64, place < (bytes.count - 8) * 8 else { return 0 }
        return bytes.withUnsafeBytes { bytes in
            guard place >= 0 else {
                return UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)) << UInt64(-place)
            }
            let byte = place >> 3
            let shift = UInt64(place & 7)
            let low = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: byte, as: UInt64.self)) >> shift
            return shift == 0 ? low : low | UInt64(bytes[byte + 8]) << (64 - shift)
        }
    }
}

extension UnsafeBufferPointer<UInt64> {
    /// Whether a bit is set; none is beyond the end.
    @inline(__always)
    func hasBit(_ index: Int) -> Bool { index >> 6 < count && self[index >> 6] >> UInt64(index & 63) & 1 == 1 }
}
