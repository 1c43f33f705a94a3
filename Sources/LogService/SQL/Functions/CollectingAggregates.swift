// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLAggregateLibrary {
    static let collectingFunctions: [SQLAggregateFunction] = [
        SQLAggregateFunction("array_agg", [.t], .ts) { SQLArrayAccumulator(run: $0) },
        fold(
            "map_agg", [.t, .u], .mapOf(.t, .u), Entries(),
            { state, arguments, run in
                if arguments[0].isNull { return }
                try run.charge(arguments[0].cost + arguments[1].cost)
                state.rows.append((arguments[0], arguments[1]))
            }, { state in state.rows.isEmpty ? .null : .map(try SQLMap.of(state.rows)) }),
        fold(
            "multimap_agg", [.t, .u], .mapOf(.t, .arrayOf(.u)), Entries(),
            { state, arguments, run in
                if arguments[0].isNull { return }
                try run.charge(arguments[0].cost + arguments[1].cost)
                state.rows.append((arguments[0], arguments[1]))
            },
            { state in
                var values: [SQLValue: [SQLValue]] = [:]
                for (key, value) in state.rows { values[key, default: []].append(value) }
                var seen = Set<SQLValue>()
                let keys = state.rows.map(\.0).filter { seen.insert($0).inserted }
                return state.rows.isEmpty ? .null : .map(try SQLMap.of(keys.map { ($0, try .array(of: values[$0] ?? [])) }))
            }),
        fold(
            "map_union", .mapOf(.t, .u), .mapOf(.t, .u), Entries(),
            { state, value, _, run in
                let map = value.entries
                try run.charge(value.cost)
                state.isMap = true
                state.rows += zip(map.keys.elements, map.values.elements)
            }, { state in state.isMap ? .map(try SQLMap.of(state.rows)) : .null }),
        fold(
            "histogram", .t, .mapOf(.t, .bigint), isWeighted: true, Tally(),
            { state, value, weight, run in
                try state.add(value, weight, run)
            },
            { state in
                state.counts.isEmpty ? .null : .map(try SQLMap.of(state.order.map { ($0, .integer(state.counts[$0] ?? 0)) }))
            }),
    ]

    struct Entries: Sendable {
        var rows: [(SQLValue, SQLValue)] = []
        var isMap = false
    }

    struct Tally: Sendable {
        var counts: [SQLValue: Int64] = [:]
        var order: [SQLValue] = []

        mutating func add(_ value: SQLValue, _ weight: Int64, _ run: SQLRun) throws {
            if counts[value] == nil {
                try run.charge(2 * value.cost + 16)
                order.append(value)
            }
            counts[value, default: 0] += weight
        }
    }
}

/// Keeps NULL too, as Presto does.
final class SQLArrayAccumulator: SQLAccumulator {
    private var arrays: [[SQLValue]] = []

    override func grow(to groups: Int) {
        while arrays.count < groups { arrays.append([]) }
    }

    override func add(_ arguments: [SQLValue], group: Int, weight: Int64) throws {
        try run.charge(arguments[0].cost)
        for _ in 0..<weight { arrays[group].append(arguments[0]) }
    }

    override func result(of group: Int) throws -> SQLValue { arrays[group].isEmpty ? .null : try .array(of: arrays[group]) }
}
