// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// Some columns of the rows of one part that match.
struct PartTable {
    /// A column whose values have numbers here.
    private struct Coded {
        /// For each row of the part.
        var codes: [UInt32]
        /// The number of what only the logs tell; nil if every value has one.
        var unlisted: UInt32?
        /// By number; those that no matching row has are nil, as is 0 but for columns that every log has.
        var texts: [String?]
    }

    private enum Column {
        case time
        case coded(Coded)
        /// By the logs; the place among what is read of them.
        case read
    }

    /// Different rows of a part that are worth a table.
    private static let groupLimit = 1 << 17
    /// As many numbers of rows are counted in an array.
    private static let denseLimit = 1 << 20

    private var rows: RowPart
    private let types: [SQLColumn.Kind]
    private var columns: [Column] = []
    private let textLimit: Int
    private let store: LogStore
    /// Reads what has no numbers, and what is unlisted.
    private var reader: ColumnReader
    /// For each column its place in what is read.
    private var places: [Int?]
    /// Of the earliest time, in steps of the grouping.
    private var firstStep: Int64 = 0

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
    private static func number(of origin: LogColumn, _ rows: RowPart, _ fields: FieldTable) throws -> UInt8? {
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

    /// As ``groups(timeStep:)``, of one column of texts and all rows of a part: from the lengths of the lists.
    static func counts(_ rows: RowPart, table: LogTable, columns: [Int]) throws -> ColumnBatch? {
        guard columns.count == 1, table.columns[columns[0]].type == .varchar, let origin = table.origins[columns[0]],
            let number = try number(of: origin, rows, table.store.now.fields),
            let counts = try rows.valueCounts(ofField: number)
        else { return nil }
        var texts: [String?] = [nil]
        var weights: [Int64] = []
        for (key, example, count) in counts.sorted(by: { $0.example < $1.example }) {
            guard let value = try table.store.value(of: origin, number: number, key: key, example: example) else { return nil }
            texts.append(text(value.prefix(table.textLimit)))
            weights.append(Int64(count))
        }
        var codes = (1..<UInt32(texts.count)).map { $0 }
        let rest = Int64(rows.rowCount) - weights.reduce(0, +)
        if rest > 0 {
            switch origin {
            // Every log has these, if nothing is in them.
            case .topic, .source:
                codes.append(UInt32(texts.count))
                texts.append("")
            case .tag, .field, .leaf: codes.append(0)
            }
            weights.append(rest)
        }
        return ColumnBatch(count: codes.count, weights: weights, columns: [.dictionary(codes: codes, values: texts)])
    }

    /// Without what is left of a character that was cut.
    private static func text(_ bytes: some BidirectionalCollection<UInt8>) -> String {
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

    // MARK: Groups

    /// Each different row once.
    ///
    /// - Returns: nil if there are columns without numbers, or too many different rows.
    mutating func groups(timeStep: Int64?) throws -> ColumnBatch? {
        var coded: [Coded?] = []
        var sizes: [Int] = []
        for column in columns {
            switch column {
            case .read: return nil
            case .coded(let content):
                guard content.unlisted == nil else { return nil }
                coded.append(content)
                sizes.append(content.texts.count)
            case .time:
                guard let timeStep, timeStep > 0, let steps = try timeSteps(timeStep) else { return nil }
                coded.append(nil)
                sizes.append(Int(steps.upperBound - steps.lowerBound) + 1)
                firstStep = steps.lowerBound
            }
        }
        var total = 1
        for size in sizes {
            let (product, overflow) = total.multipliedReportingOverflow(by: size)
            guard !overflow else { return nil }
            total = product
        }
        guard let tallies = try tally(coded, sizes, total: total, timeStep: timeStep ?? 1) else { return nil }
        var batch = ColumnBatch(count: tallies.count, weights: tallies.map { Int64($0.count) }, columns: [])
        var divisor = 1
        var digits: [[Int]] = []
        for size in sizes {
            digits.append(tallies.map { $0.number / divisor % size })
            divisor *= size
        }
        for (index, content) in coded.enumerated() {
            if let content {
                batch.columns.append(vector(index, digits[index].map { UInt32($0) }, content))
            } else {
                batch.columns.append(.integers(digits[index].map { (firstStep + Int64($0)) * (timeStep ?? 1) }, nulls: nil))
            }
        }
        return batch
    }

    private mutating func timeSteps(_ step: Int64) throws -> ClosedRange<Int64>? {
        var range: ClosedRange<Int64>?
        try rows.forEachTime { _, time in
            let step = Self.step(step, at: time)
            range = range.map { min($0.lowerBound, step)...max($0.upperBound, step) } ?? step...step
        }
        guard let range, range.upperBound - range.lowerBound < Int64(Self.groupLimit) else { return nil }
        return range
    }

    /// How often each combination occurs: the first column is the lowest digit of its number.
    private mutating func tally(
        _ coded: [Coded?], _ sizes: [Int], total: Int, timeStep: Int64
    ) throws -> [(number: Int, count: Int)]? {
        var factors: [Int] = []
        var factor = 1
        for size in sizes {
            factors.append(factor)
            factor *= size
        }
        if coded.isEmpty { return [(0, rows.certain.count)] }
        var dense = [Int](repeating: 0, count: total <= Self.denseLimit ? total : 0)
        var sparse: [Int: Int] = [:]
        var isTooMuch = false
        let timeColumn = coded.firstIndex { $0 == nil }
        let lists = coded.enumerated().compactMap { index, content in content.map { (codes: $0.codes, factor: factors[index]) } }
        func add(_ row: Int, _ time: Int) {
            guard !isTooMuch else { return }
            var number = time
            for list in lists { number += Int(list.codes[row]) * list.factor }
            if dense.isEmpty {
                sparse[number, default: 0] += 1
                isTooMuch = sparse.count > Self.groupLimit
            } else {
                dense[number] += 1
            }
        }
        if let timeColumn {
            try rows.forEachTime { row, time in
                add(row, Int(Self.step(timeStep, at: time) - firstStep) * factors[timeColumn])
            }
        } else {
            rows.certain.forEachRow { add($0, 0) }
        }
        guard !isTooMuch else { return nil }
        if dense.isEmpty { return sparse.map { ($0.key, $0.value) } }
        return dense.indices.filter { dense[$0] > 0 }.map { ($0, dense[$0]) }
    }

    /// - Parameters:
    ///   - step: any number of seconds that a query names.
    ///   - time: milliseconds.
    private static func step(_ step: Int64, at time: Int64) -> Int64 { floor(floor(time, 1000), step) }

    private static func floor(_ value: Int64, _ step: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: step)
        return remainder < 0 ? quotient - 1 : quotient
    }

    // MARK: Rows

    /// The next rows, in the order of the part.
    mutating func batch(from next: inout Int, limit: Int) throws -> ColumnBatch? {
        var picked: [Int] = []
        while picked.count < limit, let row = rows.certain.nearest(next, .oldestFirst) {
            picked.append(row)
            next = row + 1
        }
        guard !picked.isEmpty else { return nil }
        let texts = try read(picked)
        var batch = ColumnBatch(count: picked.count, columns: [])
        for index in columns.indices {
            switch columns[index] {
            case .time:
                var times: [Int64] = []
                for row in picked { times.append(Self.floor(try rows.position(of: row).time, 1000)) }
                batch.columns.append(.integers(times, nulls: nil))
            case .coded(let content):
                let codes = picked.map { content.codes[$0] }
                if let unlisted = content.unlisted, codes.contains(unlisted), let place = places[index] {
                    batch.columns.append(
                        vector(index, codes.enumerated().map { $1 == unlisted ? texts[place][$0] : content.texts[Int($1)] }))
                } else {
                    batch.columns.append(vector(index, codes, content))
                }
            case .read: batch.columns.append(vector(index, texts[places[index]!]))
            }
        }
        return batch
    }

    /// What has to be read of the logs: a text for each row, for each column that is read.
    private mutating func read(_ picked: [Int]) throws -> [[String?]] {
        let count = places.reduce(0) { $0 + ($1 == nil ? 0 : 1) }
        guard count > 0 else { return [] }
        var texts = [[String?]](repeating: Array(repeating: nil, count: picked.count), count: count)
        // Without columns that are read throughout, only rows with something unlisted are looked at.
        let isWhole = columns.contains { if case .read = $0 { true } else { false } }
        for (place, row) in picked.enumerated() {
            let isNeeded =
                isWhole
                || columns.contains { column in
                    if case .coded(let content) = column { content.unlisted == content.codes[row] } else { false }
                }
            guard isNeeded else { continue }
            let sequence = try rows.position(of: row).sequence
            guard let stored = try store.readable(sequence) else { continue }
            let limit = textLimit
            stored.withBytes { bytes in
                _ = reader.read(bytes) { column, value in texts[column][place] = Self.text(value.prefix(limit)) }
            }
        }
        return texts
    }

    private func vector(_ index: Int, _ codes: [UInt32], _ content: Coded) -> ColumnVector {
        switch types[index] {
        case .varchar: return .dictionary(codes: codes, values: content.texts)
        case .bigint, .double: return vector(index, codes.map { content.texts[Int($0)] })
        }
    }

    private func vector(_ index: Int, _ texts: [String?]) -> ColumnVector {
        switch types[index] {
        case .varchar: return .texts(texts)
        case .bigint:
            let values = texts.map { $0.flatMap { Int64($0) } }
            return .integers(values.map { $0 ?? 0 }, nulls: values.map { $0 == nil })
        case .double:
            let values = texts.map { text in text.flatMap { Double($0) }.flatMap { $0.isFinite ? $0 : nil } }
            return .doubles(values.map { $0 ?? 0 }, nulls: values.map { $0 == nil })
        }
    }
}
