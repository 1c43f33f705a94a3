// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// An expression whose names and types are known.
struct SQLExpression: Sendable {
    indirect enum Kind: Sendable {
        case constant(SQLValue)
        /// Of the row at hand; a depth of 1 is the row of the query around this one, and so on.
        case column(Int, depth: Int)
        /// A parameter of a lambda around.
        case local(Int)
        /// The nth aggregate or window function of the SELECT, until its plan gives it a column.
        case aggregate(Int)
        case window(Int)
        case call(SQLFunction, [SQLExpression])
        case lambda([Int], SQLExpression)
        case and([SQLExpression])
        case or([SQLExpression])
        case not(SQLExpression)
        /// Both sides have one type.
        case compare(SQLOperator, SQLExpression, SQLExpression)
        case between(SQLExpression, SQLExpression, SQLExpression)
        /// Both sides are bigint, or both double.
        case arithmetic(SQLOperator, SQLExpression, SQLExpression)
        case isNull(SQLExpression)
        case isDistinct(SQLExpression, SQLExpression)
        case inList(SQLExpression, [SQLExpression])
        case cases([(when: SQLExpression, then: SQLExpression)], otherwise: SQLExpression?)
        case match(SQLExpression, [(when: SQLExpression, then: SQLExpression)], otherwise: SQLExpression?)
        case coalesce([SQLExpression])
        case nullIf(SQLExpression, SQLExpression)
        /// NULL instead of a failure for which the data are to blame.
        case attempt(SQLExpression)
        /// A text is cut to `length` characters.
        case cast(SQLExpression, length: Int?)
        case array([SQLExpression])
        case subquery(SQLSubquery)
    }

    var kind: Kind
    var type: SQLType
    var position: Int
}

/// A query within an expression.
struct SQLSubquery: Sendable {
    enum Use: Sendable {
        /// Its only row's only value; NULL without a row.
        case scalar
        case exists
        /// Whether the value is among its rows.
        case contains(SQLExpression)
    }

    var use: Use
    var plan: SQLPlan
    /// Whether it looks at rows of the queries around it, so that it is asked anew for each.
    var isCorrelated: Bool
    /// Whether it looks at rows of the query right around it.
    var refersToParent: Bool
}

extension SQLExpression {
    /// Parts that are evaluated for the same row.
    var children: [SQLExpression] {
        switch kind {
        case .constant, .column, .local, .aggregate, .window: []
        case .call(_, let arguments): arguments
        case .lambda(_, let body): [body]
        case .and(let terms), .or(let terms), .coalesce(let terms), .array(let terms): terms
        case .not(let operand), .isNull(let operand), .attempt(let operand), .cast(let operand, _): [operand]
        case .compare(_, let left, let right), .arithmetic(_, let left, let right), .isDistinct(let left, let right),
            .nullIf(let left, let right):
            [left, right]
        case .between(let value, let lower, let upper): [value, lower, upper]
        case .inList(let value, let list): [value] + list
        case .cases(let branches, let otherwise): branches.flatMap { [$0.when, $0.then] } + (otherwise.map { [$0] } ?? [])
        case .match(let operand, let branches, let otherwise):
            [operand] + branches.flatMap { [$0.when, $0.then] } + (otherwise.map { [$0] } ?? [])
        case .subquery(let subquery):
            if case .contains(let needle) = subquery.use { [needle] } else { [] }
        }
    }

    /// The same expression over other children.
    func mapChildren(_ change: (SQLExpression) throws -> SQLExpression) rethrows -> SQLExpression {
        var result = self
        switch kind {
        case .constant, .column, .local, .aggregate, .window: break
        case .call(let function, let arguments): result.kind = .call(function, try arguments.map(change))
        case .lambda(let slots, let body): result.kind = .lambda(slots, try change(body))
        case .and(let terms): result.kind = .and(try terms.map(change))
        case .or(let terms): result.kind = .or(try terms.map(change))
        case .coalesce(let terms): result.kind = .coalesce(try terms.map(change))
        case .array(let terms): result.kind = .array(try terms.map(change))
        case .not(let operand): result.kind = .not(try change(operand))
        case .isNull(let operand): result.kind = .isNull(try change(operand))
        case .attempt(let operand): result.kind = .attempt(try change(operand))
        case .cast(let operand, let length): result.kind = .cast(try change(operand), length: length)
        case .compare(let sign, let left, let right): result.kind = .compare(sign, try change(left), try change(right))
        case .arithmetic(let sign, let left, let right): result.kind = .arithmetic(sign, try change(left), try change(right))
        case .isDistinct(let left, let right): result.kind = .isDistinct(try change(left), try change(right))
        case .nullIf(let left, let right): result.kind = .nullIf(try change(left), try change(right))
        case .between(let value, let lower, let upper):
            result.kind = .between(try change(value), try change(lower), try change(upper))
        case .inList(let value, let list): result.kind = .inList(try change(value), try list.map(change))
        case .cases(let branches, let otherwise):
            result.kind = .cases(
                try branches.map { (try change($0.when), try change($0.then)) }, otherwise: try otherwise.map(change))
        case .match(let operand, let branches, let otherwise):
            result.kind = .match(
                try change(operand), try branches.map { (try change($0.when), try change($0.then)) },
                otherwise: try otherwise.map(change))
        case .subquery(var subquery):
            if case .contains(let needle) = subquery.use { subquery.use = .contains(try change(needle)) }
            result.kind = .subquery(subquery)
        }
        return result
    }

    /// Equal for expressions of one SELECT that have the same value. Queries and chance are told apart by where they stand: an
    /// alias means what stands there, not the same words once more.
    var fingerprint: String {
        var text = ""
        appendFingerprint(to: &text)
        return text
    }

    private func appendFingerprint(to text: inout String) {
        switch kind {
        case .constant(let value): text += "'\(value)':\(type.name)"
        case .column(let index, let depth): text += "#\(index)^\(depth)"
        case .local(let slot): text += "$\(slot)"
        case .aggregate(let place): text += "agg\(place)"
        case .window(let place): text += "win\(place)"
        case .call(let function, _):
            text += function.name + (function.isDeterministic ? "" : "@\(position)")
        case .lambda(let slots, _): text += "lambda\(slots)"
        case .and: text += "and"
        case .or: text += "or"
        case .not: text += "not"
        case .compare(let sign, _, _), .arithmetic(let sign, _, _): text += sign.rawValue
        case .between: text += "between"
        case .isNull: text += "isNull"
        case .isDistinct: text += "isDistinct"
        case .inList: text += "in"
        case .cases(let branches, _): text += "cases\(branches.count)"
        case .match(_, let branches, _): text += "match\(branches.count)"
        case .coalesce: text += "coalesce"
        case .nullIf: text += "nullif"
        case .attempt: text += "try"
        case .cast(_, let length): text += "cast\(type.name)\(length ?? -1)"
        case .array: text += "array"
        case .subquery: text += "query@\(position)"
        }
        text += "("
        for child in children {
            child.appendFingerprint(to: &text)
            text += ","
        }
        text += ")"
    }

    /// Columns of the row at hand and of the rows around, with the depth at which this expression stands.
    func collectColumns(atDepth depth: Int = 0, into columns: inout Set<Int>) {
        if case .column(let index, depth) = kind { columns.insert(index) }
        for child in children { child.collectColumns(atDepth: depth, into: &columns) }
        if case .subquery(let subquery) = kind { subquery.plan.collectColumns(atDepth: depth + 1, into: &columns) }
    }

    var isConstant: Bool {
        if case .constant = kind { true } else { false }
    }
}
