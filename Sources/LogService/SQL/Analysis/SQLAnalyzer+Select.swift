// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLAnalyzer {
    private struct Item {
        var name: String?
        var alias: String?
        var syntax: SQLSyntax?
        var expression: SQLExpression
    }

    /// FROM, WHERE, GROUP BY, HAVING, window functions, the select list, DISTINCT and ORDER BY, in this order.
    mutating func select(
        _ syntax: SQLSelectSyntax, order: [SQLSortItem], most: Int?, parent: SQLScope?, isTop: Bool, at position: Int
    ) throws -> Planned {
        var input: Planned
        if let from = syntax.from {
            input = try relation(from, parent: parent)
        } else {
            input = isTop ? try logs(at: position) : Planned(plan: .values([[]]), columns: [])
        }
        let scope = SQLScope(input.columns, parent: parent)
        if let filter = syntax.filter {
            let condition = try predicate(filter, Context(scope: scope, clause: "in WHERE"))
            input.plan = .filter(input.plan, condition)
        }

        let collector = SQLCollector()
        let context = Context(scope: scope, collector: collector)
        var items = try syntax.items.flatMap { try self.items($0, context) }
        try checkWidth(items.count, syntax.grouping?.count ?? 0, order.count, at: position)
        var keys = try syntax.grouping.map { try grouping($0, items, scope) } ?? []
        var aliases: [String: SQLSyntax] = [:]
        for item in items {
            if let alias = item.alias?.lowercased(), let syntax = item.syntax, aliases[alias] == nil { aliases[alias] = syntax }
        }
        var having: SQLExpression?
        if let syntax = syntax.having {
            var inner = context
            inner.aliases = aliases
            inner.aliasUse = .last
            having = try predicate(syntax, inner)
        }
        var sort = try order.map { try sortTarget($0, items, aliases, context) }

        try checkWidth(collector.calls.count, collector.windows.count, at: position)
        if syntax.grouping != nil || !collector.calls.isEmpty || having != nil {
            // A series is grouped by its times and shows their texts; it is put in order by the times too.
            keys = keys.map(SQLAnalyzer.seriesTime)
            let rewrite = try aggregated(&input, keys: keys, collector, isGlobal: syntax.grouping == nil, at: position)
            for index in items.indices { items[index].expression = try rewrite(items[index].expression) }
            for index in sort.indices { sort[index].expression = try rewrite(sort[index].expression) }
            if let condition = having { input.plan = .filter(input.plan, try rewrite(condition)) }
            for index in collector.windows.indices { try collector.windows[index].change(rewrite) }
        } else if collector.series != nil {
            throw fail(.syntax, "time_series needs GROUP BY", at: position)
        }
        if !collector.windows.isEmpty {
            let width = input.plan.width
            input.plan = .window(input.plan, collector.windows)
            for index in items.indices { items[index].expression = SQLAnalyzer.placed(items[index].expression, after: width) }
            for index in sort.indices { sort[index].expression = SQLAnalyzer.placed(sort[index].expression, after: width) }
        }
        return try finished(input.plan, items, isDistinct: syntax.isDistinct, sort, most: most, at: position)
    }

    /// Projects, removes duplicates, sorts by columns that may be hidden, and drops those.
    private func finished(
        _ input: SQLPlan, _ items: [Item], isDistinct: Bool, _ sort: [SQLSortKey], most: Int?, at position: Int
    ) throws -> Planned {
        let columns = items.enumerated().map { place, item in
            SQLScope.Column(name: item.name ?? "_col\(place)", type: item.expression.type)
        }
        var outputs = items.map(\.expression)
        var places: [String: Int] = [:]
        for (place, expression) in outputs.enumerated() {
            let print = expression.fingerprint
            places[print] = places[print] ?? place
        }
        var keys: [SQLSortKey] = []
        for key in sort {
            let place = places[key.expression.fingerprint] ?? outputs.count
            if place == outputs.count {
                if isDistinct {
                    throw fail(
                        .syntax, "For SELECT DISTINCT, ORDER BY expressions must appear in select list",
                        at: key.expression.position)
                }
                outputs.append(key.expression)
            }
            var onOutput = key
            onOutput.expression.kind = .column(place, depth: 0)
            keys.append(onOutput)
        }
        var plan = SQLPlan.project(input, outputs)
        if isDistinct { plan = distinct(plan, columns) }
        if !keys.isEmpty { plan = .sort(plan, keys, limit: most) }
        if outputs.count > items.count {
            plan = .project(
                plan,
                columns.enumerated().map { SQLExpression(kind: .column($0.offset, depth: 0), type: $0.element.type, position: 0) }
            )
        }
        return Planned(plan: plan, columns: columns)
    }

    private mutating func items(_ item: SQLSelectSyntax.Item, _ context: Context) throws -> [Item] {
        switch item {
        case .expression(let syntax, let alias):
            let expression = try expression(syntax, context)
            var name = alias
            if name == nil, case .name(let parts) = syntax.kind {
                // As it was written; of `t.a` the column's own part.
                if case .one = context.scope.find([parts.joined(separator: ".")]) {
                    name = parts.joined(separator: ".")
                } else {
                    name = parts.last
                }
            }
            return [Item(name: name, alias: alias, syntax: syntax, expression: expression)]
        case .all(let table, let position):
            let wanted = table?.lowercased()
            let found = context.scope.columns.enumerated().filter { _, column in
                !column.isHidden && (wanted == nil || column.qualifier == wanted)
            }
            if found.isEmpty {
                throw fail(.syntax, wanted.map { "Table '\($0)' not found" } ?? "SELECT * needs FROM", at: position)
            }
            return found.map { index, column in
                let expression = SQLExpression(kind: .column(index, depth: 0), type: column.type, position: position)
                return Item(name: column.alias ?? column.name, expression: expression)
            }
        }
    }

    /// A key is a place in the select list, an alias from there, or an expression. The alias of an expression without
    /// aggregates hides a column of the same name: the vendor's rules group by `account_id` of
    /// `COALESCE(account_id, …) AS account_id`.
    private mutating func grouping(_ syntax: [SQLSyntax], _ items: [Item], _ scope: SQLScope) throws -> [SQLExpression] {
        let context = Context(scope: scope, clause: "in GROUP BY")
        return try syntax.map { key in
            if let place = try ordinal(key, of: items.count) {
                if items[place].expression.isCollected {
                    throw fail(.syntax, "GROUP BY position \(place + 1) is an aggregate", at: key.position)
                }
                return items[place].expression
            }
            if case .name(let parts) = key.kind, parts.count == 1 {
                let name = parts[0].lowercased()
                if let item = items.first(where: { $0.alias?.lowercased() == name && !$0.expression.isCollected }) {
                    return item.expression
                }
            }
            // `GROUP BY time_series(…)` names the series of the select list.
            if case .call(let call) = key.kind, call.name == "time_series" {
                return try expression(key, Context(scope: scope, collector: SQLCollector()))
            }
            return try expression(key, context)
        }
    }

    private mutating func sortTarget(
        _ item: SQLSortItem, _ items: [Item], _ aliases: [String: SQLSyntax], _ context: Context
    ) throws -> SQLSortKey {
        if let place = try ordinal(item.expression, of: items.count) {
            return try sortKey(SQLAnalyzer.seriesTime(items[place].expression), item)
        }
        if case .name(let parts) = item.expression.kind, parts.count == 1 {
            let name = parts[0].lowercased()
            if let found = items.first(where: { $0.alias?.lowercased() == name }) {
                return try sortKey(SQLAnalyzer.seriesTime(found.expression), item)
            }
        }
        var inner = context
        inner.aliases = aliases
        inner.aliasUse = .first
        return try sortKey(SQLAnalyzer.seriesTime(try expression(item.expression, inner)), item)
    }

    /// Of a call of time_series the time itself.
    private static func seriesTime(_ expression: SQLExpression) -> SQLExpression {
        if case .call(let function, let arguments) = expression.kind, function.name == "time_series" { return arguments[0] }
        return expression
    }

    /// Puts an aggregation over the input.
    ///
    /// - Returns: What an expression of the SELECT is over the aggregation's columns.
    private func aggregated(
        _ input: inout Planned, keys: [SQLExpression], _ collector: SQLCollector, isGlobal: Bool, at position: Int
    ) throws -> (SQLExpression) throws -> SQLExpression {
        var aggregation = SQLAggregation(keys: keys, calls: collector.calls, isGlobal: isGlobal)
        if let (step, padding) = collector.series {
            guard let key = keys.firstIndex(where: SQLAnalyzer.isSeriesTime) else {
                throw fail(.syntax, "time_series must be in GROUP BY", at: position)
            }
            aggregation.series = SQLSeries(key: key, step: step, padding: padding, types: collector.types)
        }
        if !collector.comparisons.isEmpty {
            var comparison = SQLComparison(calls: collector.comparisons)
            if let index = keys.firstIndex(where: { $0.type == .timestamp }) {
                comparison.timeKey = (index, 1000)
            } else if let index = keys.firstIndex(where: { $0.type == .bigint }) {
                comparison.timeKey = (index, 1)
            }
            aggregation.comparison = comparison
        }
        input.plan = .aggregate(input.plan, aggregation)
        let names = input.columns
        var places: [String: Int] = [:]
        for (place, key) in keys.enumerated() {
            let print = key.fingerprint
            places[print] = places[print] ?? place
        }
        return rewrite

        func rewrite(_ expression: SQLExpression) throws -> SQLExpression {
            var result = expression
            if !places.isEmpty, !expression.isConstant, let place = places[expression.fingerprint] {
                result.kind = .column(place, depth: 0)
                return result
            }
            switch expression.kind {
            case .aggregate(let place):
                result.kind = .column(keys.count + place, depth: 0)
                return result
            case .column(let index, depth: 0):
                let name = names.indices.contains(index) ? names[index].alias ?? names[index].name : ""
                throw fail(
                    .syntax, "'\(name)' must be an aggregate expression or appear in GROUP BY clause", at: expression.position)
            case .subquery(let subquery) where subquery.refersToParent:
                throw fail(
                    .unsupported, "a subquery beside aggregates cannot refer to the query around it", at: expression.position)
            default: return try expression.mapChildren(rewrite)
            }
        }
    }

    static func isSeriesTime(_ expression: SQLExpression) -> Bool {
        if case .call(let function, _) = expression.kind { function.name == "$series_time" } else { false }
    }

    /// Window functions have their columns after the `width` ones of the input.
    private static func placed(_ expression: SQLExpression, after width: Int) -> SQLExpression {
        if case .window(let place) = expression.kind {
            return SQLExpression(kind: .column(width + place, depth: 0), type: expression.type, position: expression.position)
        }
        return expression.mapChildren { placed($0, after: width) }
    }
}

extension SQLWindowCall {
    fileprivate mutating func change(_ change: (SQLExpression) throws -> SQLExpression) throws {
        arguments = try arguments.map(change)
        partition = try partition.map(change)
        for index in order.indices { order[index].expression = try change(order[index].expression) }
        if case .aggregate(var call) = function {
            call.arguments = try call.arguments.map(change)
            call.filter = try call.filter.map(change)
            function = .aggregate(call)
        }
    }
}
