// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

typealias SQLEvaluator = (SQLFrame, Int) throws -> SQLValue

/// An expression that is ready to be computed, row by row or for a whole batch.
final class SQLCompiled {
    let evaluate: SQLEvaluator
    private let column: Int?
    private let constant: SQLValue?
    /// The one column that the value depends on.
    private let memoColumn: Int?
    private let memo = SQLMemo()

    init(_ evaluate: @escaping SQLEvaluator, column: Int?, constant: SQLValue?, memoColumn: Int?) {
        self.evaluate = evaluate
        self.column = column
        self.constant = constant
        self.memoColumn = memoColumn
    }

    func vector(_ frame: SQLFrame, count: Int) throws -> SQLVector {
        if let constant { return .constant(constant) }
        if let column { return frame.columns[column] }
        if let memoColumn, case .dictionary(let codes, let dictionary) = frame.columns[memoColumn] {
            return try memo.column(codes, of: dictionary, frame.run) { row in try evaluate(frame, row) }
        }
        var values: [SQLValue] = []
        values.reserveCapacity(count)
        var cost = 0
        for row in 0..<count {
            try frame.run.tick()
            let value = try evaluate(frame, row)
            cost += value.cost
            if cost > frame.run.limits.memoryBytes { try frame.run.charge(cost) }
            values.append(value)
        }
        return .values(values)
    }
}
