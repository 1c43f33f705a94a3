// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// How a query is carried out: operators over operators, the scan of the logs at the bottom.
indirect enum SQLPlan: Sendable {
    case scan(SQLScanPlan)
    /// Rows that are in the query itself.
    case values([[SQLExpression]])
    case filter(SQLPlan, SQLExpression)
    case project(SQLPlan, [SQLExpression])
    case aggregate(SQLPlan, SQLAggregation)
    /// Appends a column for each call.
    case window(SQLPlan, [SQLWindowCall])
    /// No more rows than `limit` are wanted.
    case sort(SQLPlan, [SQLSortKey], limit: Int?)
    case limit(SQLPlan, offset: Int, count: Int?)
    case join(SQLJoinPlan)
    /// Appends the elements of arrays, and keys and values of maps, a row for each; perhaps their number.
    case unnest(SQLPlan, [SQLExpression], withOrdinality: Bool)
    case concatenation(SQLPlan, SQLPlan)
    /// Rows of the first that are, or are not, in the second.
    case membership(SQLPlan, SQLPlan, isIn: Bool)
}

/// Reads the logs: a column for each of the source's, of which those not wanted are NULL.
struct SQLScanPlan: Sendable {
    var isWanted: [Bool]
    var grouping: ScanGrouping?
}

struct SQLSortKey: Sendable {
    var expression: SQLExpression
    var isDescending: Bool
    var isNullFirst: Bool
}

/// Gives the keys, then the aggregates. Without keys there is one row, also of no input.
struct SQLAggregation: Sendable {
    struct Call: Sendable {
        var function: SQLAggregateFunction
        var arguments: [SQLExpression]
        var isDistinct = false
        var filter: SQLExpression?
        var order: [SQLSortKey] = []
        /// Byte of the SQL to point at.
        var position = 0
    }

    var keys: [SQLExpression]
    var calls: [Call]
    /// Whether there is one row without input too.
    var isGlobal: Bool
    var series: SQLSeries?
    var comparison: SQLComparison?
}

/// Rows for the times of a key that no input has.
///
/// - Units: seconds.
struct SQLSeries: Sendable {
    enum Padding: Sendable {
        case null
        case constant(Double)
        case last
        case next
        case average
    }

    var key: Int
    var step: Int64
    var padding: Padding
    /// One for each call.
    var types: [SQLType]
}

/// Calls of `compare`: what the same query gave for logs that are older by so many seconds.
struct SQLComparison: Sendable {
    struct Call: Sendable {
        /// Place among the aggregation's calls; its value is that of now.
        var call: Int
        var shifts: [Int64]
        /// `ts_compare`: keys that are times are moved too, and the array ends with the earlier times.
        var isSeries: Bool
    }

    var calls: [Call]
    /// Key that is a time, and its units in a second.
    var timeKey: (index: Int, unit: Int64)?
}

struct SQLWindowCall: Sendable {
    enum Function: Sendable {
        case ranking(SQLRanking)
        case aggregate(SQLAggregation.Call)
    }

    var function: Function
    var arguments: [SQLExpression]
    var partition: [SQLExpression]
    var order: [SQLSortKey]
    var frame: SQLFrameBounds
}

enum SQLRanking: String, Sendable {
    case rowNumber = "row_number"
    case rank
    case denseRank = "dense_rank"
    case percentRank = "percent_rank"
    case cumulativeDistribution = "cume_dist"
    case tile = "ntile"
    case lag
    case lead
    case first = "first_value"
    case last = "last_value"
    case nth = "nth_value"
}

struct SQLJoinPlan: Sendable {
    var kind: SQLRelation.Join
    var left: SQLPlan
    var right: SQLPlan
    var leftWidth: Int
    var rightWidth: Int
    /// Pairs that must be equal; the right one's columns are the right side's own.
    var keys: [(left: SQLExpression, right: SQLExpression)]
    /// What else must hold, over the columns of both sides.
    var condition: SQLExpression?
}

extension SQLPlan {
    var inputs: [SQLPlan] {
        switch self {
        case .scan, .values: []
        case .filter(let input, _), .project(let input, _), .aggregate(let input, _), .window(let input, _),
            .sort(let input, _, _),
            .limit(let input, _, _), .unnest(let input, _, _):
            [input]
        case .join(let join): [join.left, join.right]
        case .concatenation(let first, let second), .membership(let first, let second, _): [first, second]
        }
    }

    /// The operator's own expressions.
    var expressions: [SQLExpression] {
        switch self {
        case .scan, .limit, .concatenation, .membership: []
        case .values(let rows): rows.flatMap { $0 }
        case .filter(_, let condition): [condition]
        case .project(_, let expressions), .unnest(_, let expressions, _): expressions
        case .aggregate(_, let aggregation): aggregation.keys + aggregation.calls.flatMap(\.expressions)
        case .window(_, let calls): calls.flatMap(\.expressions)
        case .sort(_, let keys, _): keys.map(\.expression)
        case .join(let join): join.keys.flatMap { [$0.left, $0.right] } + (join.condition.map { [$0] } ?? [])
        }
    }

    /// Columns of a query around this one that it looks at.
    func collectColumns(atDepth depth: Int, into columns: inout Set<Int>) {
        for expression in expressions { expression.collectColumns(atDepth: depth, into: &columns) }
        for input in inputs { input.collectColumns(atDepth: depth, into: &columns) }
    }
}

extension SQLAggregation.Call {
    var expressions: [SQLExpression] { arguments + (filter.map { [$0] } ?? []) + order.map(\.expression) }
}

extension SQLWindowCall {
    var expressions: [SQLExpression] {
        var all = arguments + partition + order.map(\.expression)
        if case .aggregate(let call) = function { all += call.expressions }
        return all
    }
}
