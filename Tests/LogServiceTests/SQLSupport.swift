// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService

/// Rows in memory, as a source of columns.
struct SQLRows: ColumnSource {
    /// The shapes in which a source may give the same rows.
    enum Style: CaseIterable {
        case texts
        case typed
        /// Equal rows as one, with a weight.
        case grouped
    }

    var columns: [SQLColumn]
    var rows: [[String?]]
    /// By how many seconds earlier.
    var earlier: [Int64: [[String?]]] = [:]
    var style = Style.typed
    /// Rows of a batch.
    var batch = 3

    struct Scan: ColumnScan {
        var batches: [ColumnBatch]

        mutating func nextBatch() -> ColumnBatch? { batches.isEmpty ? nil : batches.removeFirst() }
    }

    func scan(_ wanted: [Int], grouping: ScanGrouping?, shift: Int64) throws -> any ColumnScan {
        let chosen = shift == 0 ? rows : earlier[shift] ?? []
        var tuples = chosen.map { row in wanted.map { row[$0] } }
        var weights: [Int64]?
        if style == .grouped, let grouping {
            let time = wanted.firstIndex { columns[$0].name == "__time__" }
            var counts: [[String?]: Int64] = [:]
            var order: [[String?]] = []
            for var tuple in tuples {
                if let time, let step = grouping.timeStep {
                    tuple[time] = tuple[time].flatMap { Int64($0) }.map { String($0 / step * step) }
                }
                if counts[tuple] == nil { order.append(tuple) }
                counts[tuple, default: 0] += 1
            }
            tuples = order
            weights = order.compactMap { counts[$0] }
        }
        var batches: [ColumnBatch] = []
        for start in stride(from: 0, to: tuples.count, by: batch) {
            let end = min(tuples.count, start + batch)
            let part = tuples[start..<end]
            let vectors = wanted.indices.map { place in vector(part.map { $0[place] }, columns[wanted[place]].type) }
            batches.append(ColumnBatch(count: part.count, weights: weights.map { Array($0[start..<end]) }, columns: vectors))
        }
        return Scan(batches: batches)
    }

    private func vector(_ values: [String?], _ type: SQLColumn.Kind) -> ColumnVector {
        if style == .texts { return .texts(values) }
        switch type {
        case .bigint:
            let numbers = values.map { $0.flatMap { Int64($0) } }
            return .integers(numbers.map { $0 ?? 0 }, nulls: numbers.map { $0 == nil })
        case .double:
            let numbers = values.map { $0.flatMap { Double($0) } }
            return .doubles(numbers.map { $0 ?? 0 }, nulls: numbers.map { $0 == nil })
        case .varchar:
            var dictionary: [String?] = [nil]
            var places: [String: UInt32] = [:]
            let codes = values.map { value -> UInt32 in
                guard let value else { return 0 }
                if let known = places[value] { return known }
                dictionary.append(value)
                places[value] = UInt32(dictionary.count - 1)
                return UInt32(dictionary.count - 1)
            }
            return .dictionary(codes: codes, values: dictionary)
        }
    }

    static let now: Int64 = 1_700_000_123_456

    /// The answer, which must be the same whatever shape the rows come in.
    func ask(_ sql: String, logstore: String? = nil, timeZone: SQLTimeZone = .standard, limits: SQLLimits = SQLLimits()) throws
        -> SQLResult
    {
        let query = try SQLQuery(
            sql, columns: columns, options: SQLOptions(logstore: logstore, timeZone: timeZone, now: SQLRows.now))
        var answers: [SQLResult] = []
        for style in Style.allCases {
            var source = self
            source.style = style
            answers.append(try query.run(on: source, limits: limits))
        }
        for answer in answers.dropFirst() where answer != answers[0] { throw Difference(answers: answers) }
        return answers[0]
    }

    struct Difference: Error {
        var answers: [SQLResult]
    }

    /// One row, so that an expression can be asked for without FROM.
    static let one = SQLRows(columns: [SQLColumn(name: "__time__", type: .bigint)], rows: [["1700000000"]])

    static func value(_ expression: String) throws -> String {
        let answer = try one.ask("SELECT " + expression)
        return answer.rows[0][0]
    }

    static func type(_ expression: String) throws -> String { try one.ask("SELECT " + expression).types[0] }

    /// The refusal's message, or what was answered instead.
    static func refusal(_ sql: String, of rows: SQLRows = one) -> String {
        do {
            return "answered \(try rows.ask(sql).rows)"
        } catch let error as LogServiceError {
            return error.status == 400 && error.code == "ParameterInvalid" ? error.message : "\(error)"
        } catch {
            return "\(error)"
        }
    }
}
