// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Values of one column, a row each.
enum SQLVector {
    case values([SQLValue])
    case dictionary([UInt32], SQLDictionary)
    case integers([Int64], nulls: [Bool]?)
    case doubles([Double], nulls: [Bool]?)
    case constant(SQLValue)

    func value(_ row: Int) -> SQLValue {
        switch self {
        case .values(let values): values[row]
        case .dictionary(let codes, let dictionary): dictionary.values[Int(codes[row])]
        case .integers(let values, let nulls): nulls?[row] == true ? .null : .integer(values[row])
        case .doubles(let values, let nulls): nulls?[row] == true ? .null : .double(values[row])
        case .constant(let value): value
        }
    }

    /// Calls the body with the rows that have a group, and their values.
    func forEach(in groups: [Int], _ body: (Int, SQLValue) throws -> Void) rethrows {
        switch self {
        case .values(let values):
            for row in groups.indices where groups[row] >= 0 { try body(row, values[row]) }
        case .dictionary(let codes, let dictionary):
            let values = dictionary.values
            for row in groups.indices where groups[row] >= 0 { try body(row, values[Int(codes[row])]) }
        case .integers(let values, nil):
            for row in groups.indices where groups[row] >= 0 { try body(row, .integer(values[row])) }
        default:
            for row in groups.indices where groups[row] >= 0 { try body(row, value(row)) }
        }
    }

    /// The rows of a selection.
    func gathered(_ rows: [Int]) -> SQLVector {
        switch self {
        case .values(let values): .values(rows.map { values[$0] })
        case .dictionary(let codes, let dictionary): .dictionary(rows.map { codes[$0] }, dictionary)
        case .integers(let values, let nulls):
            .integers(rows.map { values[$0] }, nulls: nulls.map { nulls in rows.map { nulls[$0] } })
        case .doubles(let values, let nulls):
            .doubles(rows.map { values[$0] }, nulls: nulls.map { nulls in rows.map { nulls[$0] } })
        case .constant: self
        }
    }
}

/// Values that rows refer to by number. What depends on such a column alone is computed once a value, not once a row.
final class SQLDictionary {
    fileprivate(set) var values: [SQLValue]

    init(_ values: [SQLValue]) { self.values = values }
}

/// What an expression gives for each value of a dictionary, as far as it was asked for.
final class SQLMemo {
    private var dictionary: SQLDictionary?
    private var isKnown: [Bool] = []
    private var results = SQLDictionary([])
    private var cost = 0

    func value(_ code: UInt32, of dictionary: SQLDictionary, _ run: SQLRun, _ compute: () throws -> SQLValue) throws -> SQLValue {
        if self.dictionary !== dictionary { begin(dictionary) }
        let place = Int(code)
        if !isKnown[place] { try keep(try compute(), at: place, run) }
        return results.values[place]
    }

    /// The expression's values for all these codes, as a column; `compute` is given a row.
    func column(_ codes: [UInt32], of dictionary: SQLDictionary, _ run: SQLRun, _ compute: (Int) throws -> SQLValue) throws
        -> SQLVector
    {
        if self.dictionary !== dictionary { begin(dictionary) }
        for row in codes.indices where !isKnown[Int(codes[row])] { try keep(try compute(row), at: Int(codes[row]), run) }
        return .dictionary(codes, results)
    }

    private func keep(_ value: SQLValue, at place: Int, _ run: SQLRun) throws {
        try run.tick()
        cost += value.cost
        // What is kept goes with the dictionary, so it is not charged unless it is too much by itself.
        if cost > run.limits.memoryBytes { try run.charge(cost) }
        results.values[place] = value
        isKnown[place] = true
    }

    private func begin(_ dictionary: SQLDictionary) {
        self.dictionary = dictionary
        cost = 0
        let count = dictionary.values.count
        isKnown = Array(repeating: false, count: count)
        // Vectors that were given out keep the old one.
        results = SQLDictionary(Array(repeating: .null, count: count))
    }
}

struct SQLBatch {
    var count: Int
    var columns: [SQLVector]
    /// How often each row occurs; nil for once.
    var weights: [Int64]?

    func gathered(_ rows: [Int]) -> SQLBatch {
        SQLBatch(
            count: rows.count, columns: columns.map { $0.gathered(rows) },
            weights: weights.map { weights in rows.map { weights[$0] } })
    }
}

/// Where an expression looks for values.
final class SQLFrame {
    var columns: [SQLVector] = []
    /// Parameters of lambdas that are being called.
    var locals: [SQLValue] = []
    /// The row of the query around, for a query within an expression.
    let outer: (frame: SQLFrame, row: Int)?
    let run: SQLRun

    init(run: SQLRun, outer: (frame: SQLFrame, row: Int)?) {
        self.run = run
        self.outer = outer
    }
}
