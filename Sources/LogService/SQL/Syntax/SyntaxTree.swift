// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// An expression as it is written.
struct SQLSyntax: Sendable {
    indirect enum Kind: Sendable {
        case literal(SQLValue, SQLType)
        /// `a`, or `t.a`.
        case name([String])
        case call(SQLCall)
        case lambda([String], SQLSyntax)
        case and([SQLSyntax])
        case or([SQLSyntax])
        case not(SQLSyntax)
        case negative(SQLSyntax)
        case binary(SQLOperator, SQLSyntax, SQLSyntax)
        case concatenation([SQLSyntax])
        case between(SQLSyntax, SQLSyntax, SQLSyntax)
        case inList(SQLSyntax, [SQLSyntax])
        case inQuery(SQLSyntax, SQLQuerySyntax)
        case exists(SQLQuerySyntax)
        case query(SQLQuerySyntax)
        case like(SQLSyntax, SQLSyntax, escape: SQLSyntax?)
        case isNull(SQLSyntax)
        case isDistinct(SQLSyntax, SQLSyntax)
        /// The operand is compared with each `when`, if there is one.
        case cases(operand: SQLSyntax?, [(when: SQLSyntax, then: SQLSyntax)], otherwise: SQLSyntax?)
        case cast(SQLSyntax, SQLType, length: Int?, isTry: Bool)
        case subscripted(SQLSyntax, SQLSyntax)
        case array([SQLSyntax])
        case atTimeZone(SQLSyntax, SQLSyntax)
    }

    var kind: Kind
    /// Byte of the SQL to point at when something is wrong with it.
    var position: Int
    /// Levels of expressions, those of queries within it too.
    var height: Int
}

enum SQLOperator: String, Sendable, Equatable {
    case equal = "="
    case unequal = "<>"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case modulo = "%"

    var isComparison: Bool {
        switch self {
        case .equal, .unequal, .less, .lessOrEqual, .greater, .greaterOrEqual: true
        default: false
        }
    }
}

struct SQLCall: Sendable {
    /// Lower case.
    var name: String
    var arguments: [SQLSyntax]
    var isStar = false
    var isDistinct = false
    var order: [SQLSortItem] = []
    var filter: SQLSyntax?
    var window: SQLWindowSyntax?
}

struct SQLSortItem: Sendable {
    var expression: SQLSyntax
    var isDescending = false
    /// NULL is last in either direction unless the query says otherwise.
    var isNullFirst = false
}

struct SQLWindowSyntax: Sendable {
    var partition: [SQLSyntax] = []
    var order: [SQLSortItem] = []
    var frame = SQLFrameBounds()
}

/// Which rows around a row a window function sees.
struct SQLFrameBounds: Sendable, Equatable {
    enum Bound: Sendable, Equatable {
        case unboundedPreceding
        case preceding(Int64)
        case currentRow
        case following(Int64)
        case unboundedFollowing
    }

    var isRows = false
    var start = Bound.unboundedPreceding
    var end = Bound.currentRow
}

/// A query with its own ORDER BY and LIMIT.
struct SQLQuerySyntax: Sendable {
    struct Common: Sendable {
        /// Lower case.
        var name: String
        var columns: [String]
        var query: SQLQuerySyntax
    }

    indirect enum Body: Sendable {
        case select(SQLSelectSyntax)
        case combined(SQLSetOperator, isAll: Bool, SQLQuerySyntax, SQLQuerySyntax)
        case values([[SQLSyntax]])
        case nested(SQLQuerySyntax)
    }

    var common: [Common] = []
    var body: Body
    var order: [SQLSortItem] = []
    var limit: Int64?
    var offset: Int64 = 0
    var position: Int
}

enum SQLSetOperator: Sendable {
    case union
    case intersect
    case except
}

struct SQLSelectSyntax: Sendable {
    enum Item: Sendable {
        case expression(SQLSyntax, alias: String?)
        /// `*` or `t.*`
        case all(of: String?, position: Int)
    }

    var isDistinct = false
    var items: [Item] = []
    var from: SQLRelation?
    var filter: SQLSyntax?
    /// Nil without GROUP BY.
    var grouping: [SQLSyntax]?
    var having: SQLSyntax?
}

indirect enum SQLRelation: Sendable {
    enum Join: Sendable {
        case inner
        case left
        case right
        case full
        case cross
    }

    enum Condition: Sendable {
        case none
        case on(SQLSyntax)
        case using([String])
    }

    case table(String, position: Int)
    case query(SQLQuerySyntax)
    case join(Join, SQLRelation, SQLRelation, Condition, position: Int)
    case unnest([SQLSyntax], withOrdinality: Bool, position: Int)
    case alias(SQLRelation, String, columns: [String])
}
