// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Adds the rows of a `time_series` that no log gave, between the first and the last time that logs gave.
struct SQLSeriesFilling {
    private let series: SQLSeries
    private let run: SQLRun

    init(_ series: SQLSeries, _ run: SQLRun) {
        self.series = series
        self.run = run
    }

    /// - Parameter columns: The keys, then the aggregates. Other keys make a series each.
    func filled(_ columns: [[SQLValue]]) throws -> [[SQLValue]] {
        let rows = columns.first?.count ?? 0
        let keys = columns.count - series.types.count
        var groups: [[SQLValue]: [Int]] = [:]
        var order: [[SQLValue]] = []
        for row in 0..<rows where !columns[series.key][row].isNull {
            let others = (0..<keys).filter { $0 != series.key }.map { columns[$0][row] }
            if groups[others] == nil { order.append(others) }
            groups[others, default: []].append(row)
        }
        let times = columns[series.key].filter { !$0.isNull }.map(\.int)
        guard let first = times.min(), let last = times.max() else { return columns }
        let count = (last - first) / series.step + 1
        if count * Int64(order.count) > Int64(run.limits.resultRows) {
            throw SQLFailure.limit("the time series has too many points")
        }
        var result = [[SQLValue]](repeating: [], count: columns.count)
        for others in order {
            let known = Dictionary(
                (groups[others] ?? []).map { (columns[series.key][$0].int, $0) }, uniquingKeysWith: { first, _ in first })
            let places = (0..<count).map { known[first + $0 * series.step] }
            try run.charge(Int(count) * columns.count * 24)
            for (column, values) in columns.enumerated() {
                try run.tick(places.count)
                if column == series.key {
                    result[column] += (0..<count).map { .integer(first + $0 * series.step) }
                } else if column < keys {
                    let value = others[column < series.key ? column : column - 1]
                    result[column] += Array(repeating: value, count: places.count)
                } else {
                    result[column] += padded(values, places, series.types[column - keys])
                }
            }
        }
        return result
    }

    private func padded(_ values: [SQLValue], _ places: [Int?], _ type: SQLType) -> [SQLValue] {
        let known = places.map { $0.map { values[$0] } }
        guard type.isNumber else { return known.map { $0 ?? .null } }
        var before: [SQLValue] = []
        var last = SQLValue.null
        for value in known {
            last = value ?? last
            before.append(last)
        }
        var after: [SQLValue] = []
        last = .null
        for value in known.reversed() {
            last = value ?? last
            after.append(last)
        }
        after.reverse()
        return known.indices.map { place in
            if let value = known[place] { return value }
            switch series.padding {
            case .null: return .null
            case .constant(let value): return number(value, type)
            case .last: return before[place]
            case .next: return after[place]
            case .average:
                if before[place].isNull || after[place].isNull { return .null }
                return number((before[place].real + after[place].real) / 2, type)
            }
        }
    }

    private func number(_ value: Double, _ type: SQLType) -> SQLValue {
        type == .double ? .double(value) : SQLValue(Int64(exactly: value.rounded()))
    }
}
