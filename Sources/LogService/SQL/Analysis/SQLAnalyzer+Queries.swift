// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLAnalyzer {
    /// - Parameters:
    ///   - parent: Names of the query around, which a subquery of an expression may use.
    ///   - isTop: Without FROM it reads the logs.
    mutating func query(_ query: SQLQuerySyntax, parent: SQLScope?, isTop: Bool) throws -> Planned {
        try deeper(at: query.position) { analyzer in
            let visible = analyzer.common.count
            analyzer.common += query.common
            defer { analyzer.common.removeLast(analyzer.common.count - visible) }
            return try analyzer.body(query, parent: parent, isTop: isTop)
        }
    }

    private mutating func body(_ query: SQLQuerySyntax, parent: SQLScope?, isTop: Bool) throws -> Planned {
        let (limit, offset) = try limits(of: query, isTop: isTop)
        let most = limit.map { $0 + offset }
        var planned: Planned
        switch query.body {
        case .select(let syntax):
            planned = try select(syntax, order: query.order, most: most, parent: parent, isTop: isTop, at: query.position)
        case .nested(let inner):
            planned = try self.query(inner, parent: parent, isTop: isTop)
            planned = try sorted(planned, query.order, most: most, parent: parent)
        case .values(let rows):
            planned = try sorted(try values(rows, parent: parent, at: query.position), query.order, most: most, parent: parent)
        case .combined(let operation, let isAll, let left, let right):
            planned = try combined(operation, isAll: isAll, left, right, parent: parent, isTop: isTop)
            planned = try sorted(planned, query.order, most: most, parent: parent)
        }
        if limit != nil || offset > 0 { planned.plan = .limit(planned.plan, offset: offset, count: limit) }
        return planned
    }

    /// Source of the bounds: sls.md section 11, "LIMIT".
    private func limits(of query: SQLQuerySyntax, isTop: Bool) throws -> (limit: Int?, offset: Int) {
        let most: Int64 = 1_000_000
        if let limit = query.limit, limit > most || query.offset > most - limit {
            throw fail(.limit, "LIMIT must not exceed \(most) rows", at: query.position)
        }
        if isTop, query.offset > 0, let limit = query.limit, limit > 10_000 {
            throw fail(.limit, "LIMIT must not exceed 10000 rows when rows are skipped", at: query.position)
        }
        return (query.limit.map { Int($0) }, Int(min(query.offset, Int64(Int32.max))))
    }

    /// ORDER BY over the columns of a query that is whole already.
    private mutating func sorted(_ planned: Planned, _ order: [SQLSortItem], most: Int?, parent: SQLScope?) throws -> Planned {
        if order.isEmpty { return planned }
        let context = Context(scope: SQLScope(planned.columns, parent: parent), clause: "in ORDER BY")
        let keys = try order.map { item in
            if let place = try ordinal(item.expression, of: planned.columns.count) {
                let column = SQLExpression(
                    kind: .column(place, depth: 0), type: planned.columns[place].type, position: item.expression.position)
                return try sortKey(column, item)
            }
            return try sortKey(try expression(item.expression, context), item)
        }
        return Planned(plan: .sort(planned.plan, keys, limit: most), columns: planned.columns)
    }

    func sortKey(_ expression: SQLExpression, _ item: SQLSortItem) throws -> SQLSortKey {
        try checkOrder(of: expression.type, at: item.expression.position)
        return SQLSortKey(expression: expression, isDescending: item.isDescending, isNullFirst: item.isNullFirst)
    }

    func checkOrder(of type: SQLType, at position: Int) throws {
        if case .map = type { throw fail(.typeMismatch, "Type \(type.name) is not orderable", at: position) }
    }

    /// The column that a bare number stands for in ORDER BY and GROUP BY, from 0.
    func ordinal(_ syntax: SQLSyntax, of count: Int) throws -> Int? {
        guard case .literal(.integer(let number), .bigint) = syntax.kind else { return nil }
        guard number >= 1, number <= Int64(count) else {
            throw fail(.syntax, "position \(number) is not in the select list", at: syntax.position)
        }
        return Int(number) - 1
    }

    private mutating func values(_ rows: [[SQLSyntax]], parent: SQLScope?, at position: Int) throws -> Planned {
        let context = Context(scope: SQLScope([], parent: parent), clause: "in VALUES")
        var analyzed = try rows.map { row in try row.map { try expression($0, context) } }
        guard let width = analyzed.first?.count, analyzed.allSatisfy({ $0.count == width }) else {
            throw fail(.syntax, "the rows of VALUES differ in length", at: position)
        }
        try checkWidth(width, at: position)
        var types = [SQLType](repeating: .unknown, count: width)
        for row in analyzed {
            for (place, value) in row.enumerated() {
                guard let common = SQLType.common(types[place], value.type) else {
                    throw fail(.typeMismatch, "the rows of VALUES differ in type", at: value.position)
                }
                types[place] = common
            }
        }
        for row in analyzed.indices {
            for place in 0..<width { analyzed[row][place] = converted(analyzed[row][place], to: types[place]) }
        }
        let columns = types.enumerated().map { SQLScope.Column(name: "_col\($0.offset)", type: $0.element) }
        return Planned(plan: .values(analyzed), columns: columns)
    }

    private mutating func combined(
        _ operation: SQLSetOperator, isAll: Bool, _ left: SQLQuerySyntax, _ right: SQLQuerySyntax, parent: SQLScope?, isTop: Bool
    ) throws -> Planned {
        var first = try query(left, parent: parent, isTop: isTop)
        var second = try query(right, parent: parent, isTop: isTop)
        guard first.columns.count == second.columns.count else {
            throw fail(.syntax, "the queries of a set operation have different numbers of columns", at: right.position)
        }
        let types = try zip(first.columns, second.columns).map { one, other in
            guard let common = SQLType.common(one.type, other.type) else {
                throw fail(
                    .typeMismatch, "column '\(one.name)' is \(one.type.name) in one query and \(other.type.name) in the other",
                    at: right.position)
            }
            return common
        }
        convert(&first, to: types)
        convert(&second, to: types)
        var plan: SQLPlan
        switch operation {
        case .union: plan = .concatenation(first.plan, second.plan)
        case .intersect: plan = .membership(first.plan, second.plan, isIn: true)
        case .except: plan = .membership(first.plan, second.plan, isIn: false)
        }
        if !isAll || operation != .union { plan = distinct(plan, first.columns) }
        return Planned(plan: plan, columns: first.columns)
    }

    private func convert(_ planned: inout Planned, to types: [SQLType]) {
        if planned.columns.map(\.type) == types { return }
        let expressions = planned.columns.enumerated().map { place, column in
            converted(SQLExpression(kind: .column(place, depth: 0), type: column.type, position: 0), to: types[place])
        }
        planned.plan = .project(planned.plan, expressions)
        for place in types.indices { planned.columns[place].type = types[place] }
    }

    func distinct(_ plan: SQLPlan, _ columns: [SQLScope.Column]) -> SQLPlan {
        let keys = columns.enumerated().map { place, column in
            SQLExpression(kind: .column(place, depth: 0), type: column.type, position: 0)
        }
        return .aggregate(plan, SQLAggregation(keys: keys, calls: [], isGlobal: false))
    }
}
