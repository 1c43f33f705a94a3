// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A field of all rows of a part, as numbers of values.
public struct ColumnCodes: Sendable {
    /// For each row the number of its value, 0 for none.
    public var codes: [UInt32]
    /// For each number, from 1 on: what tells values apart, see ``GroupCounts/isKey(_:of:)``, and the sequence of a record that
    /// has the value. The entry 0 stands for no value.
    public var values: [(key: UInt64, example: UInt64)] = [(0, 0)]

    fileprivate init(rowCount: Int) { codes = [UInt32](repeating: 0, count: rowCount) }
}

extension RowPart {
    /// - Returns: nil if the field has so many values that numbers would be no gain.
    public func codes(ofField field: UInt8) throws -> ColumnCodes? {
        switch source {
        case .segment(let segment):
            guard segment.mayHaveFewValues(ofField: field) else { return nil }
            var column = ColumnCodes(rowCount: rowCount)
            var terms = Segment.TermIterator(segment: segment, field: field)
            while let (key, list) = try terms.nextList() {
                guard column.values.count <= FieldTest.valueLimit else { return nil }
                let code = UInt32(column.values.count)
                column.values.append((key & 0xFF_FFFF_FFFF, try segment.position(ofRank: Int(list.first)).sequence))
                for chunk in try segment.chunks(of: list) {
                    chunk.forEachRow(in: nil) { row in if row < rowCount { column.codes[row] = code } }
                }
            }
            return column
        case .tail(let columns, let first):
            var column = ColumnCodes(rowCount: rowCount)
            var numbers: [UInt64: UInt32] = [:]
            for row in 0..<rowCount {
                let hash = columns.value(Int(field), row: row)
                guard hash != 0 else { continue }
                let key = hash >> 24
                if let code = numbers[key] {
                    column.codes[row] = code
                } else {
                    guard numbers.count < FieldTest.valueLimit else { return nil }
                    let code = UInt32(column.values.count)
                    numbers[key] = code
                    column.values.append((key, first + UInt64(row)))
                    column.codes[row] = code
                }
            }
            return column
        }
    }

    /// How many rows have each value of a field, most quickly where all rows match certainly.
    ///
    /// - Returns: nil if not all do, or the field has too many values.
    public func valueCounts(ofField field: UInt8) throws -> [(key: UInt64, example: UInt64, count: Int)]? {
        guard case .segment(let segment) = source, certain.count == rowCount,
            segment.mayHaveFewValues(ofField: field)
        else { return nil }
        var counts: [(key: UInt64, example: UInt64, count: Int)] = []
        var terms = Segment.TermIterator(segment: segment, field: field)
        while let (key, list) = try terms.nextList(decodeRows: false) {
            guard counts.count < FieldTest.valueLimit else { return nil }
            let example = try segment.position(ofRank: Int(list.first)).sequence
            counts.append((key & 0xFF_FFFF_FFFF, example, list.count))
        }
        return counts
    }

    /// Rows of records before a sequence.
    public func rows(before sequence: UInt64) throws -> RowBits {
        switch source {
        case .segment(let segment): return try SegmentRows(segment: segment).rows(before: sequence)
        case .tail(let columns, let first): return try TailRows(columns, firstSequence: first).rows(before: sequence)
        }
    }
}
