// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Queries and relations.
extension SQLParser {
    /// `[WITH …] body [ORDER BY …] [LIMIT …]`
    mutating func query() throws -> SQLQuerySyntax {
        let start = position
        var common: [SQLQuerySyntax.Common] = []
        if skip("with") {
            common = try list { parser in
                let name = try parser.name()
                let columns = try parser.columnNames()
                try parser.expect("as")
                try parser.expect(symbol: "(")
                let query = try parser.innerQuery().0
                try parser.expect(symbol: ")")
                return SQLQuerySyntax.Common(name: name.lowercased(), columns: columns, query: query)
            }
        }
        var query = SQLQuerySyntax(body: try unions(), position: start)
        query.common = common
        if skip("order") {
            try expect("by")
            query.order = try list { try $0.sortItem() }
        }
        try limits(of: &query)
        return query
    }

    /// `LIMIT x`, `LIMIT y, x`, `LIMIT x OFFSET y`, `OFFSET y LIMIT x`, `LIMIT ALL`.
    private mutating func limits(of query: inout SQLQuerySyntax) throws {
        if skip("offset") {
            query.offset = try nonNegative("a number of rows")
            _ = skip("rows") || skip("row")
        }
        guard skip("limit"), !skip("all") else { return }
        let first = try nonNegative("a number of rows")
        if skip(symbol: ",") {
            query.offset = first
            query.limit = try nonNegative("a number of rows")
        } else {
            query.limit = first
        }
        if skip("offset") { query.offset = try nonNegative("a number of rows") }
    }

    /// `INTERSECT` binds closer than `UNION` and `EXCEPT`.
    private mutating func unions() throws -> SQLQuerySyntax.Body {
        try chain(of: ["union", "except"]) { parser in try parser.chain(of: ["intersect"]) { try $0.term() } }
    }

    private mutating func chain(of words: [String], _ operand: (inout SQLParser) throws -> SQLQuerySyntax.Body) throws
        -> SQLQuerySyntax.Body
    {
        let start = position
        var left = try operand(&self)
        var count = 0
        while let word = words.first(where: { isAt($0) }) {
            advance()
            count += 1
            if count > SQLParser.maximumChain {
                throw SQLFailure(kind: .limit, message: "too many set operations", position: position)
            }
            let isAll = skip("all")
            if !isAll { _ = skip("distinct") }
            let rightStart = position
            let right = try operand(&self)
            let operation: SQLSetOperator = word == "union" ? .union : (word == "except" ? .except : .intersect)
            left = .combined(
                operation, isAll: isAll, SQLQuerySyntax(body: left, position: start),
                SQLQuerySyntax(body: right, position: rightStart))
        }
        return left
    }

    private mutating func term() throws -> SQLQuerySyntax.Body {
        if skip(symbol: "(") {
            let query = try innerQuery().0
            try expect(symbol: ")")
            return .nested(query)
        }
        if skip("values") {
            return .values(
                try list { parser in
                    guard parser.skip(symbol: "(") else { return [try parser.expression()] }
                    let row = try parser.list { try $0.expression() }
                    try parser.expect(symbol: ")")
                    return row
                })
        }
        try expect("select")
        return .select(try select())
    }

    private mutating func select() throws -> SQLSelectSyntax {
        var select = SQLSelectSyntax()
        select.isDistinct = skip("distinct")
        if !select.isDistinct { _ = skip("all") }
        select.items = try list { try $0.selectItem() }
        if skip("from") {
            var from = try joined()
            var count = 0
            while isAt(symbol: ",") {
                let place = position
                advance()
                count += 1
                if count > SQLParser.maximumChain {
                    throw SQLFailure(kind: .limit, message: "too many relations", position: place)
                }
                from = .join(.cross, from, try joined(), .none, position: place)
            }
            select.from = from
        }
        if skip("where") { select.filter = try expression() }
        if skip("group") {
            try expect("by")
            select.grouping = try list { try $0.expression() }
        }
        if skip("having") { select.having = try expression() }
        return select
    }

    private mutating func selectItem() throws -> SQLSelectSyntax.Item {
        let start = position
        if skip(symbol: "*") { return .all(of: nil, position: start) }
        if isAtName, isAt(symbol: ".", ahead: 1), isAt(symbol: "*", ahead: 2) {
            let table = try name()
            advance()
            advance()
            return .all(of: table, position: start)
        }
        let expression = try expression()
        return .expression(expression, alias: try alias())
    }

    mutating func sortItem() throws -> SQLSortItem {
        var item = SQLSortItem(expression: try expression())
        if skip("desc") { item.isDescending = true } else { _ = skip("asc") }
        if skip("nulls") {
            item.isNullFirst = skip("first")
            if !item.isNullFirst { try expect("last") }
        }
        return item
    }

    private mutating func columnNames() throws -> [String] {
        guard skip(symbol: "(") else { return [] }
        let names = try list { try $0.name() }
        try expect(symbol: ")")
        return names
    }

    private mutating func joined() throws -> SQLRelation {
        var left = try relation()
        var count = 0
        while true {
            let start = position
            let kind: SQLRelation.Join
            if skip("cross") {
                kind = .cross
            } else if skip("left") {
                _ = skip("outer")
                kind = .left
            } else if skip("right") {
                _ = skip("outer")
                kind = .right
            } else if skip("full") {
                _ = skip("outer")
                kind = .full
            } else if skip("inner") || isAt("join") {
                kind = .inner
            } else {
                return left
            }
            count += 1
            if count > SQLParser.maximumChain { throw SQLFailure(kind: .limit, message: "too many joins", position: start) }
            try expect("join")
            let right = try relation()
            var condition = SQLRelation.Condition.none
            if kind != .cross {
                if skip("using") {
                    condition = .using(try columnNames())
                } else {
                    try expect("on")
                    condition = .on(try expression())
                }
            }
            left = .join(kind, left, right, condition, position: start)
        }
    }

    private mutating func relation() throws -> SQLRelation {
        let start = position
        var relation: SQLRelation
        if isAt("unnest"), isAt(symbol: "(", ahead: 1) {
            advance()
            advance()
            let arrays = try list { try $0.expression() }
            try expect(symbol: ")")
            var withOrdinality = false
            if skip("with") {
                try expect("ordinality")
                withOrdinality = true
            }
            relation = .unnest(arrays, withOrdinality: withOrdinality, position: start)
        } else if isAt(symbol: "(") {
            advance()
            if isAtQuery || (isAt(symbol: "(") && isAtQueryInParentheses) {
                relation = .query(try innerQuery().0)
            } else {
                relation = try nested { try $0.joined() }
            }
            try expect(symbol: ")")
        } else {
            var table = try name()
            // A schema before the table's name says nothing here.
            while skip(symbol: ".") { table = try name() }
            relation = .table(table, position: start)
        }
        if let alias = try alias() { relation = .alias(relation, alias, columns: try columnNames()) }
        return relation
    }
}
