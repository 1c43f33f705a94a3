// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A bit for each row of a part of the store.
public struct RowBits: Sendable {
    public let rowCount: Int
    /// Bits past the last row are 0.
    package private(set) var words: [UInt64]

    /// No row.
    package init(rowCount: Int) {
        self.rowCount = rowCount
        words = [UInt64](repeating: 0, count: (rowCount + 63) / 64)
    }

    package init(rowCount: Int, rows: Range<Int>) {
        self.init(rowCount: rowCount)
        insert(rows)
    }

    static func all(_ rowCount: Int) -> RowBits { RowBits(rowCount: rowCount, rows: 0..<rowCount) }

    public func contains(_ row: Int) -> Bool { words[row >> 6] >> UInt64(row & 63) & 1 == 1 }

    public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
    public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// How many rows of a range are in it.
    public func count(in rows: Range<Int>) -> Int {
        guard !rows.isEmpty else { return 0 }
        let (first, last) = (rows.lowerBound >> 6, (rows.upperBound - 1) >> 6)
        var count = 0
        for index in first...last {
            var word = words[index]
            if index == first { word &= UInt64.max << UInt64(rows.lowerBound & 63) }
            if index == last { word &= UInt64.max >> UInt64(63 - (rows.upperBound - 1) & 63) }
            count += word.nonzeroBitCount
        }
        return count
    }

    public mutating func insert(_ row: Int) { words[row >> 6] |= 1 << UInt64(row & 63) }
    public mutating func remove(_ row: Int) { words[row >> 6] &= ~(1 << UInt64(row & 63)) }

    /// Adds the part of a range that is within the rows.
    package mutating func insert(_ rows: Range<Int>) {
        words.setBits(rows.clamped(to: 0..<rowCount))
    }

    /// Adds 64 rows from a multiple of 64 on; those past the last row are left out.
    mutating func insert(_ bits: UInt64, from row: Int) {
        guard row >= 0, row < rowCount else { return }
        let beyond = row + 64 - rowCount
        words[row >> 6] |= beyond > 0 ? bits & (.max >> UInt64(beyond)) : bits
    }

    package mutating func formUnion(_ other: RowBits) {
        for index in words.indices { words[index] |= other.words[index] }
    }

    package mutating func formIntersection(_ other: RowBits) {
        for index in words.indices { words[index] &= other.words[index] }
    }

    package mutating func subtract(_ other: RowBits) {
        for index in words.indices { words[index] &= ~other.words[index] }
    }

    package var complement: RowBits {
        var all = RowBits.all(rowCount)
        all.subtract(self)
        return all
    }

    /// Visits the rows, ascending.
    @inline(__always)
    public func forEachRow(_ visit: (Int) throws -> Void) rethrows {
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                try visit(index << 6 + rest.trailingZeroBitCount)
                rest &= rest &- 1
            }
        }
    }

    /// The nearest row at or after (`oldestFirst`), or at or before, a row.
    package func nearest(_ row: Int, _ direction: SearchDirection) -> Int? {
        guard rowCount > 0 else { return nil }
        switch direction {
        case .oldestFirst:
            guard row < rowCount else { return nil }
            let row = max(row, 0)
            var index = row >> 6
            var word = words[index] & (UInt64.max << UInt64(row & 63))
            while word == 0 {
                index += 1
                guard index < words.count else { return nil }
                word = words[index]
            }
            return index << 6 + word.trailingZeroBitCount
        case .newestFirst:
            guard row >= 0 else { return nil }
            let row = min(row, rowCount - 1)
            var index = row >> 6
            var word = words[index] & (UInt64.max >> UInt64(63 - row & 63))
            while word == 0 {
                index -= 1
                guard index >= 0 else { return nil }
                word = words[index]
            }
            return index << 6 + 63 - word.leadingZeroBitCount
        }
    }
}

extension [UInt64] {
    /// Sets a range of bits, counted from the lowest one of the first word.
    mutating func setBits(_ bits: Range<Int>) {
        guard !bits.isEmpty else { return }
        let (first, last) = (bits.lowerBound >> 6, (bits.upperBound - 1) >> 6)
        let head = UInt64.max << UInt64(bits.lowerBound & 63)
        let tail = UInt64.max >> UInt64(63 - (bits.upperBound - 1) & 63)
        if first == last {
            self[first] |= head & tail
        } else {
            self[first] |= head
            for index in first + 1..<last { self[index] = .max }
            self[last] |= tail
        }
    }
}
