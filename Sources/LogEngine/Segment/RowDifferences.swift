// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Rows of a list as they are on disk, as differences: read anew by whoever goes through them, for that takes some three
/// nanoseconds a row, and four times as many of them are in the cache.
///
/// The bytes are checked once, when they are taken in; then they are read without looking for their end.
package struct RowDifferences: Sendable {
    /// Rows between two marks.
    private static let step = 128

    private let bytes: [UInt8]
    private let count: Int
    /// Of every `step`-th row: the row, and where the difference to the next one stands.
    private let marks: [(row: UInt32, offset: UInt32)]
    private let last: UInt32

    /// - Parameter list: the first row, varint, then differences less one.
    init(_ list: UnsafeRawBufferPointer, count: Int) throws(FormatError) {
        var marks: [(row: UInt32, offset: UInt32)] = []
        marks.reserveCapacity(count / Self.step + 1)
        var last: UInt32 = 0
        var index = 0
        try Self.read(list, count: count) { row, offset in
            if index % Self.step == 0 { marks.append((row, UInt32(truncatingIfNeeded: offset))) }
            index += 1
            last = row
        }
        self.marks = marks
        self.count = count
        self.last = last
        bytes = Array(list)
    }

    var cost: Int { bytes.count + marks.count * 8 + 64 }

    /// Goes from row to row, mostly without a branch that depends on what it reads: such branches would take longer than all
    /// the rest.
    private struct Reader {
        let list: UnsafeRawBufferPointer
        var offset = 0
        /// Wider than a row, so that rows past the last one are found.
        var row: UInt64 = 0

        /// - Returns: false if the list ends too early, or a difference is too great.
        @inline(__always)
        mutating func next() -> Bool {
            guard offset + 2 <= list.count else { return nextByByte() }
            let pair = UInt64(UInt16(littleEndian: list.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
            guard pair & 0x8080 != 0x8080 else { return nextByByte() }
            let hasSecond = pair >> 7 & 1
            row &+= pair & 0x7F | (pair >> 1 & 0x3F80 & (0 &- hasSecond))
            offset += 1 + Int(hasSecond)
            return true
        }

        private mutating func nextByByte() -> Bool {
            var shift: UInt64 = 0
            while offset < list.count, shift < 35 {
                let byte = UInt64(list[offset])
                offset += 1
                row &+= (byte & 0x7F) << shift
                if byte < 0x80 { return true }
                shift += 7
            }
            return false
        }
    }

    /// Reads rows that were never read before.
    ///
    /// - Parameter visit: given each row, and where the next difference stands.
    @inline(__always)
    static func read(
        _ list: UnsafeRawBufferPointer, count: Int, _ visit: (_ row: UInt32, _ offset: Int) -> Void
    ) throws(FormatError) {
        guard count > 0, count <= list.count else { throw .truncated }
        var reader = Reader(list: list)
        for index in 0..<count {
            if index > 0 { reader.row += 1 }
            guard reader.next(), reader.row <= UInt64(UInt32.max) else { throw .truncated }
            visit(UInt32(truncatingIfNeeded: reader.row), reader.offset)
        }
    }

    /// Visits the rows of a list, which may never have been read before, that are among bits.
    package static func forEachRow(
        of list: UnsafeRawBufferPointer, count: Int, among bits: UnsafeBufferPointer<UInt64>, _ visit: (Int) -> Void
    ) throws(FormatError) {
        guard count > 0, count <= list.count else { throw .truncated }
        var isWhole = true
        withUnsafeTemporaryAllocation(of: Int.self, capacity: batch) { found in
            var reader = Reader(list: list)
            var left = count
            while left > 0, isWhole {
                // First which ones, then what to do with them.
                var foundCount = 0
                for _ in 0..<min(left, batch) {
                    isWhole = reader.next() && isWhole
                    let index = reader.row >> 6
                    let word = index < UInt64(bits.count) ? bits[Int(index)] : 0
                    found[foundCount] = Int(truncatingIfNeeded: reader.row)
                    foundCount += Int(word >> (reader.row & 63) & 1)
                    reader.row &+= 1
                }
                for row in found[..<foundCount] { visit(row) }
                left -= batch
            }
            isWhole = isWhole && reader.row &- 1 <= UInt64(UInt32.max)
        }
        guard isWhole else { throw .truncated }
    }

    /// Rows looked at before what is found among them is handed over.
    private static let batch = 256

    func forEachRow(among bits: UnsafeBufferPointer<UInt64>, _ visit: (Int) -> Void) {
        // The bytes were checked.
        bytes.withUnsafeBytes { try? Self.forEachRow(of: $0, count: count, among: bits, visit) }
    }

    /// Visits rows, ascending, from the place of a mark on, until `visit` returns false.
    @inline(__always)
    private func forEachRow(fromMark mark: Int, _ visit: (Int) -> Bool) {
        bytes.withUnsafeBytes { bytes in
            var reader = Reader(list: bytes, offset: Int(marks[mark].offset), row: UInt64(marks[mark].row))
            var left = count - mark * Self.step
            while visit(Int(reader.row)) {
                left -= 1
                guard left > 0 else { return }
                reader.row += 1
                _ = reader.next()
            }
        }
    }

    @inline(__always)
    func forEachRow(_ visit: (Int) -> Void) {
        forEachRow(fromMark: 0) { row in
            visit(row)
            return true
        }
    }

    /// The last mark at or before a row; the first one if there is none.
    private func mark(before row: Int) -> Int { max(0, marks.partitionPoint { $0.row <= row } - 1) }

    /// Visits the rows of a range, ascending.
    @inline(__always)
    func forEachRow(in range: Range<Int>, _ visit: (Int) -> Void) {
        guard Int(last) >= range.lowerBound else { return }
        forEachRow(fromMark: mark(before: range.lowerBound)) { row in
            guard row < range.upperBound else { return false }
            if row >= range.lowerBound { visit(row) }
            return true
        }
    }

    /// See ``PostingChunk/nearest(_:_:)``.
    func nearest(_ wanted: Int, _ direction: SearchDirection) -> Int? {
        var before: Int?
        var after: Int?
        forEachRow(fromMark: mark(before: wanted)) { row in
            if row <= wanted { before = row }
            if row >= wanted { after = row }
            return after == nil
        }
        return direction == .oldestFirst ? after : before
    }
}
