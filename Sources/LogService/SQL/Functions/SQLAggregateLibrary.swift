// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Every aggregate function by name, with its ways of being called in order of preference.
enum SQLAggregateLibrary {
    static let functions: [String: [SQLAggregateFunction]] = {
        let all = countingFunctions + choosingFunctions + collectingFunctions + statisticalFunctions + distributionFunctions
        var byName = Dictionary(grouping: all, by: \.name)
        for (alias, name) in aliases { byName[alias] = byName[name] }
        return byName
    }()

    private static let aliases = [
        "any_value": "arbitrary", "every": "bool_and", "stddev": "stddev_samp", "variance": "var_samp",
        "numeric_histogram_u": "numeric_histogram", "approx_distinct": "count",
    ]

    /// A function of one argument that folds its values; NULL is passed over.
    static func fold<State: Sendable>(
        _ name: String, _ parameter: SQLPattern, _ result: SQLPattern, isWeighted: Bool = false, _ initial: State,
        _ update: @escaping @Sendable (inout State, SQLValue, Int64, SQLRun) throws -> Void,
        _ finish: @escaping @Sendable (State) throws -> SQLValue
    ) -> SQLAggregateFunction {
        SQLAggregateFunction(name, [parameter], result, isWeighted: isWeighted) { run in
            SQLFoldAccumulator(run: run, initial: initial, update: update, finish: finish)
        }
    }

    /// A function of several arguments that folds them row by row; each may be NULL.
    static func fold<State: Sendable>(
        _ name: String, _ parameters: [SQLPattern], _ result: SQLPattern, _ initial: State,
        _ update: @escaping @Sendable (inout State, [SQLValue], SQLRun) throws -> Void,
        _ finish: @escaping @Sendable (State) throws -> SQLValue
    ) -> SQLAggregateFunction {
        SQLAggregateFunction(name, parameters, result) { run in
            SQLRowFoldAccumulator(run: run, initial: initial, update: update, finish: finish)
        }
    }
}

final class SQLFoldAccumulator<State>: SQLStateAccumulator<State> {
    private let change: (inout State, SQLValue, Int64, SQLRun) throws -> Void
    private let finish: (State) throws -> SQLValue

    init(
        run: SQLRun, initial: State, update: @escaping (inout State, SQLValue, Int64, SQLRun) throws -> Void,
        finish: @escaping (State) throws -> SQLValue
    ) {
        change = update
        self.finish = finish
        super.init(run: run, initial: initial)
    }

    override func update(_ state: inout State, _ value: SQLValue, weight: Int64) throws { try change(&state, value, weight, run) }

    override func result(_ state: State) throws -> SQLValue { try finish(state) }
}

final class SQLRowFoldAccumulator<State>: SQLStateAccumulator<State> {
    private let change: (inout State, [SQLValue], SQLRun) throws -> Void
    private let finish: (State) throws -> SQLValue

    init(
        run: SQLRun, initial: State, update: @escaping (inout State, [SQLValue], SQLRun) throws -> Void,
        finish: @escaping (State) throws -> SQLValue
    ) {
        change = update
        self.finish = finish
        super.init(run: run, initial: initial)
    }

    override func update(_ state: inout State, _ arguments: [SQLValue], weight: Int64) throws {
        try change(&state, arguments, run)
    }

    override func result(_ state: State) throws -> SQLValue { try finish(state) }
}
