// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What a query within an expression gave. Unless it looks at rows around, it is asked once.
final class SQLSubqueryState {
    private enum Answer {
        case value(SQLValue)
        /// Its rows; NULL among them is told apart.
        case set(Set<SQLValue>, hasNull: Bool)
    }

    private let subquery: SQLSubquery
    private var known: (shift: Int64, answer: Answer)?

    private init(_ subquery: SQLSubquery) { self.subquery = subquery }

    static func evaluator(_ subquery: SQLSubquery, _ compiler: SQLCompiler) throws -> SQLEvaluator {
        let state = SQLSubqueryState(subquery)
        guard case .contains(let needle) = subquery.use else {
            return { frame, row in
                if case .value(let value) = try state.answer(frame, row) { value } else { .null }
            }
        }
        let value = try compiler.evaluator(needle, isInMemo: false)
        return { frame, row in
            let needle = try value(frame, row)
            guard case .set(let values, let hasNull) = try state.answer(frame, row) else { return .null }
            if values.isEmpty, !hasNull { return .boolean(false) }
            if needle.isNull { return .null }
            return values.contains(needle) ? .boolean(true) : (hasNull ? .null : .boolean(false))
        }
    }

    private func answer(_ frame: SQLFrame, _ row: Int) throws -> Answer {
        let run = frame.run
        if !subquery.isCorrelated, let known, known.shift == run.shift { return known.answer }
        let before = run.memory
        let answer = try ask(run, outer: (frame, row))
        if subquery.isCorrelated {
            run.release(to: before)
        } else {
            known = (run.shift, answer)
        }
        return answer
    }

    private func ask(_ run: SQLRun, outer: (frame: SQLFrame, row: Int)) throws -> Answer {
        try run.tick(20)
        let stage = try SQLStages(run: run).stage(subquery.plan, outer: outer)
        switch subquery.use {
        case .exists:
            while let batch = try stage.next() {
                if batch.count > 0 { return .value(.boolean(true)) }
            }
            return .value(.boolean(false))
        case .scalar:
            var value: SQLValue?
            while let batch = try stage.next() {
                for row in 0..<batch.count {
                    if value != nil { throw SQLFailure.data("a scalar subquery gave more than one row") }
                    value = batch.columns[0].value(row)
                }
            }
            return .value(value ?? .null)
        case .contains:
            var values = Set<SQLValue>()
            var hasNull = false
            while let batch = try stage.next() {
                for row in 0..<batch.count {
                    try run.tick()
                    let value = batch.columns[0].value(row)
                    if value.isNull {
                        hasNull = true
                    } else if values.insert(value).inserted {
                        try run.charge(value.cost + 16)
                    }
                }
            }
            return .set(values, hasNull: hasNull)
        }
    }
}
