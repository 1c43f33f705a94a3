// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// Some columns of the rows of one part that match.
struct PartTable {
    /// A column whose values have numbers here.
    struct Coded {
        /// For each row of the part.
        var codes: [UInt32]
        /// The number of what only the logs tell; nil if every value has one.
        var unlisted: UInt32?
        /// By number; those that no matching row has are nil, as is 0 but for columns that every log has.
        var texts: [String?]
    }

    enum Column {
        case time
        case coded(Coded)
        /// By the logs; the place among what is read of them.
        case read
    }

    var rows: RowPart
    let types: [SQLColumn.Kind]
    var columns: [Column] = []
    let textLimit: Int
    let store: LogStore
    /// Reads what has no numbers, and what is unlisted.
    var reader: ColumnReader
    /// For each column its place in what is read.
    var places: [Int?]

    init(_ rows: RowPart, table: LogTable, columns: [Int]) throws {
        self.rows = rows
        store = table.store
        textLimit = table.textLimit
        types = columns.map { table.columns[$0].type }
        let fields = store.now.fields
        var read: [LogColumn] = []
        places = []
        for column in columns {
            guard let origin = table.origins[column] else {
                self.columns.append(.time)
                places.append(nil)
                continue
            }
            let coded = try Self.coded(origin, rows, fields, store, textLimit: textLimit)
            self.columns.append(coded.map { .coded($0) } ?? .read)
            if coded == nil || coded?.unlisted != nil {
                places.append(read.count)
                read.append(origin)
            } else {
                places.append(nil)
            }
        }
        reader = ColumnReader(read)
    }

    private static func coded(
        _ origin: LogColumn, _ rows: RowPart, _ fields: FieldTable, _ store: LogStore, textLimit: Int
    ) throws -> Coded? {
        guard let number = try number(of: origin, rows, fields), var column = try rows.codes(ofField: number) else { return nil }
        var isUsed = [Bool](repeating: false, count: column.values.count)
        rows.certain.forEachRow { isUsed[Int(column.codes[$0])] = true }
        var texts = [String?](repeating: nil, count: column.values.count)
        var unlisted: UInt32?
        // Examples in the order of the journal share frames.
        let order = column.values.indices.dropFirst().filter { isUsed[$0] }
            .sorted { column.values[$0].example < column.values[$1].example }
        for code in order {
            let (key, example) = column.values[code]
            guard let value = try store.value(of: origin, number: number, key: key, example: example) else {
                // One that cannot be read, its log being damaged, is as good as unlisted: each row is looked at.
                guard unlisted == nil else { return nil }
                unlisted = UInt32(code)
                continue
            }
            texts[code] = Self.text(value.prefix(textLimit))
        }
        switch origin {
        case .topic, .source:
            // Every log has these, if nothing is in them.
            if isUsed[0] {
                let empty = UInt32(texts.count)
                texts.append("")
                for row in column.codes.indices where column.codes[row] == 0 { column.codes[row] = empty }
            }
        case .tag, .field, .leaf: break
        }
        return Coded(codes: column.codes, unlisted: unlisted, texts: texts)
    }

    /// The column's number in the engine, if all rows that match are indexed with it.
    static func number(of origin: LogColumn, _ rows: RowPart, _ fields: FieldTable) throws -> UInt8? {
        switch origin {
        case .topic: return FieldTable.Standard.topic
        case .source: return FieldTable.Standard.source
        case .tag, .field, .leaf:
            guard let entry = fields[origin] else { return nil }
            if entry.since > 0 {
                var early = try rows.rows(before: entry.since)
                early.formIntersection(rows.certain)
                guard early.isEmpty else { return nil }
            }
            return entry.number
        }
    }

    /// Without what is left of a character that was cut.
    static func text(_ bytes: some BidirectionalCollection<UInt8>) -> String {
        var bytes = bytes[...]
        var cut = bytes
        for _ in 0..<3 {
            guard let last = cut.last, last & 0xC0 == 0x80 else { break }
            cut = cut.dropLast()
        }
        if let lead = cut.last, lead >= 0xC0 {
            let wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
            if bytes.distance(from: cut.endIndex, to: bytes.endIndex) + 1 < wanted { bytes = cut.dropLast() }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func floor(_ value: Int64, _ step: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: step)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
