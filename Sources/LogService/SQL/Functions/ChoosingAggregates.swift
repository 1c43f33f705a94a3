// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLAggregateLibrary {
    static let choosingFunctions: [SQLAggregateFunction] = [
        fold(
            "arbitrary", .t, .t, isWeighted: true, SQLValue.null,
            { state, value, _, run in
                if state.isNull { try keep(value, &state, run) }
            }, { $0 }),
        fold(
            "min", .t, .t, isWeighted: true, SQLValue.null,
            { state, value, _, run in
                if state.isNull || value.isBefore(state) { try keep(value, &state, run) }
            }, { $0 }),
        fold(
            "max", .t, .t, isWeighted: true, SQLValue.null,
            { state, value, _, run in
                if state.isNull || state.isBefore(value) { try keep(value, &state, run) }
            }, { $0 }),
        several("min", [.t, .bigint], key: 0, count: 1, isLargest: false),
        several("max", [.t, .bigint], key: 0, count: 1, isLargest: true),
        several("min_by", [.t, .u, .bigint], key: 1, count: 2, isLargest: false),
        several("max_by", [.t, .u, .bigint], key: 1, count: 2, isLargest: true),
        by("min_by", isLargest: false),
        by("max_by", isLargest: true),
    ]

    /// Of the two only the growth is charged, as one goes for the other.
    private static func keep(_ value: SQLValue, _ state: inout SQLValue, _ run: SQLRun) throws {
        let growth = value.cost - state.cost
        if growth > 0 { try run.charge(growth) }
        state = value
    }

    struct Best: Sendable {
        var value = SQLValue.null
        var key = SQLValue.null
    }

    private static func by(_ name: String, isLargest: Bool) -> SQLAggregateFunction {
        fold(
            name, [.t, .u], .t, Best(),
            { state, arguments, run in
                let key = arguments[1]
                if key.isNull { return }
                if state.key.isNull || (isLargest ? state.key.isBefore(key) : key.isBefore(state.key)) {
                    try keep(key, &state.key, run)
                    try keep(arguments[0], &state.value, run)
                }
            }, { $0.value })
    }

    struct Several: Sendable {
        var rows: [(value: SQLValue, key: SQLValue)] = []
        var wanted = 0
        var isLargest = false

        mutating func cut() {
            // Of equal ones the earlier stay.
            let order = rows.indices.sorted { one, other in
                let result = rows[one].key.compared(with: rows[other].key)
                return result == 0 ? one < other : (isLargest ? result > 0 : result < 0)
            }
            rows = order.prefix(wanted).map { rows[$0] }
        }
    }

    /// The first so many values in order of a key.
    private static func several(_ name: String, _ parameters: [SQLPattern], key: Int, count: Int, isLargest: Bool)
        -> SQLAggregateFunction
    {
        fold(
            name, parameters, .ts, Several(isLargest: isLargest),
            { state, arguments, run in
                guard case .integer(let wanted) = arguments[count], wanted > 0, wanted <= 10_000 else {
                    throw SQLFailure.data("\(name) takes 1 to 10000 values")
                }
                if arguments[key].isNull { return }
                state.wanted = Int(wanted)
                try run.charge(arguments[0].cost + arguments[key].cost)
                state.rows.append((arguments[0], arguments[key]))
                if state.rows.count >= 2 * state.wanted + 100 { state.cut() }
            },
            { state in
                var state = state
                state.cut()
                return state.rows.isEmpty ? .null : try .array(of: state.rows.map(\.value))
            })
    }
}
