// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Gives every name a column and every expression a type, and plans the query.
struct SQLAnalyzer {
    /// A planned query and its columns.
    struct Planned {
        var plan: SQLPlan
        var columns: [SQLScope.Column]
    }

    /// Where an expression stands: what it may name and contain.
    struct Context {
        enum Aliases {
            case none
            /// They hide columns: in ORDER BY.
            case first
            /// Columns hide them: in HAVING.
            case last
        }

        var scope: SQLScope
        /// Nil where aggregates and window functions may not be.
        var collector: SQLCollector?
        /// Parameters of the lambdas around, and how many slots they take.
        var locals: [String: (slot: Int, type: SQLType)] = [:]
        var slots = 0
        var aliases: [String: SQLSyntax] = [:]
        var aliasUse = Aliases.none
        /// Named in the message about an aggregate that may not be here.
        var clause = "here"
    }

    let source: [SQLColumn]
    let options: SQLOptions
    /// The queries of WITH that are in sight, the innermost last.
    var common: [SQLQuerySyntax.Common] = []
    /// Levels of the queries around to which what was just analysed refers.
    var reached: Set<Int> = []

    private var depth = 0
    private var nodes = 0
    private var relations = 0

    static let maximumDepth = 24
    static let maximumNodes = 50_000
    static let maximumRelations = 100
    /// Of a relation, and of expressions to select, group or sort by; a batch of rows is so many values wide.
    static let maximumColumns = 2000

    init(source: [SQLColumn], options: SQLOptions) {
        self.source = source
        self.options = options
    }

    /// Counts an expression against the bound; aliases and WITH can make a short text stand for many.
    mutating func countNode(at position: Int) throws {
        nodes += 1
        if nodes > SQLAnalyzer.maximumNodes {
            throw SQLFailure(kind: .limit, message: "the query is too large", position: position)
        }
    }

    mutating func countRelation(at position: Int) throws {
        relations += 1
        if relations > SQLAnalyzer.maximumRelations {
            throw SQLFailure(kind: .limit, message: "the query has too many relations", position: position)
        }
    }

    func checkWidth(_ counts: Int..., at position: Int) throws {
        if counts.contains(where: { $0 > SQLAnalyzer.maximumColumns }) {
            throw SQLFailure(kind: .limit, message: "the query has too many columns", position: position)
        }
    }

    mutating func deeper<Result>(at position: Int, _ body: (inout SQLAnalyzer) throws -> Result) throws -> Result {
        depth += 1
        defer { depth -= 1 }
        if depth > SQLAnalyzer.maximumDepth {
            throw SQLFailure(kind: .limit, message: "the query is nested too deeply", position: position)
        }
        return try body(&self)
    }

    func fail(_ kind: SQLFailure.Kind, _ message: String, at position: Int) -> SQLFailure {
        SQLFailure(kind: kind, message: message, position: position)
    }

    func constant(_ value: SQLValue, _ type: SQLType, at position: Int) -> SQLExpression {
        SQLExpression(kind: .constant(value), type: type, position: position)
    }

    /// Converted if need be; the caller knows that it can be.
    func converted(_ expression: SQLExpression, to type: SQLType) -> SQLExpression {
        if expression.type == type { return expression }
        switch (expression.kind, expression.type, type) {
        case (.constant(.null), _, _): return constant(.null, type, at: expression.position)
        case (.constant(.integer(let value)), .bigint, .double):
            return constant(.double(Double(value)), .double, at: expression.position)
        default:
            return SQLExpression(kind: .cast(expression, length: nil), type: type, position: expression.position)
        }
    }
}

/// Aggregates and window functions of one SELECT.
final class SQLCollector {
    var calls: [SQLAggregation.Call] = []
    var types: [SQLType] = []
    var windows: [SQLWindowCall] = []
    var series: (step: Int64, padding: SQLSeries.Padding)?
    var comparisons: [SQLComparison.Call] = []
    private var places: [String: Int] = [:]

    /// The place of a call; equal calls share one.
    func place(of call: SQLAggregation.Call, type: SQLType) -> Int {
        let prints = call.expressions.map(\.fingerprint)
        let order = call.order.map { "\($0.isDescending)\($0.isNullFirst)" }.joined()
        let name = "\(call.function.name) \(call.isDistinct) \(call.filter != nil) \(order) "
        if call.function.name.hasPrefix("$") { return append(call, type) }
        let key = name + prints.joined(separator: ";")
        if let place = places[key] { return place }
        places[key] = calls.count
        return append(call, type)
    }

    private func append(_ call: SQLAggregation.Call, _ type: SQLType) -> Int {
        calls.append(call)
        types.append(type)
        return calls.count - 1
    }
}

extension SQLExpression {
    /// Whether an aggregate or a window function is in it.
    var isCollected: Bool {
        switch kind {
        case .aggregate, .window: true
        default: children.contains { $0.isCollected }
        }
    }
}
