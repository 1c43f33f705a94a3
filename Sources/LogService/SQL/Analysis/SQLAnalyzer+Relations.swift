// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLAnalyzer {
    /// Every log, with every column.
    mutating func logs(at position: Int) throws -> Planned {
        try countRelation(at: position)
        let columns = source.map { column in
            let type: SQLType =
                switch column.type {
                case .varchar: .varchar
                case .bigint: .bigint
                case .double: .double
                }
            return SQLScope.Column(qualifier: "log", name: column.name, alias: column.alias, type: type)
        }
        let scan = SQLScanPlan(isWanted: Array(repeating: true, count: source.count), grouping: nil)
        return Planned(plan: .scan(scan), columns: columns)
    }

    mutating func relation(_ relation: SQLRelation, parent: SQLScope?) throws -> Planned {
        switch relation {
        case .table(let name, let position): return try table(name, at: position)
        case .query(let syntax):
            try countRelation(at: syntax.position)
            return try query(syntax, parent: parent, isTop: false)
        case .alias(let inner, let alias, let names):
            return try renamed(try self.relation(inner, parent: parent), alias, names)
        case .unnest(let arrays, let withOrdinality, let position):
            let row = Planned(plan: .values([[]]), columns: [])
            return try unnested(row, arrays, withOrdinality: withOrdinality, alias: nil, names: [], parent: parent, at: position)
        case .join(let kind, let left, let right, let condition, let position):
            return try joined(kind, left, right, condition, parent: parent, at: position)
        }
    }

    private mutating func table(_ name: String, at position: Int) throws -> Planned {
        let lower = name.lowercased()
        if let place = common.lastIndex(where: { $0.name == lower }) {
            // A query of WITH sees those before it.
            let all = common
            common.removeLast(all.count - place)
            defer { common = all }
            try countRelation(at: position)
            let planned = try query(all[place].query, parent: nil, isTop: false)
            return try renamed(planned, name, all[place].columns)
        }
        if lower == "log" || lower == options.logstore?.lowercased() {
            return try renamed(try logs(at: position), name, [])
        }
        throw fail(.syntax, "Table '\(name)' does not exist", at: position)
    }

    private func renamed(_ planned: Planned, _ alias: String, _ names: [String]) throws -> Planned {
        var result = planned
        if !names.isEmpty, names.count != planned.columns.count {
            throw SQLFailure(
                kind: .syntax, message: "'\(alias)' has \(planned.columns.count) columns, \(names.count) names are given",
                position: nil)
        }
        for index in result.columns.indices {
            result.columns[index].qualifier = alias.lowercased()
            if !names.isEmpty {
                result.columns[index].name = names[index]
                result.columns[index].alias = nil
            }
        }
        return result
    }

    private mutating func joined(
        _ kind: SQLRelation.Join, _ leftSyntax: SQLRelation, _ rightSyntax: SQLRelation, _ condition: SQLRelation.Condition,
        parent: SQLScope?, at position: Int
    ) throws -> Planned {
        let left = try relation(leftSyntax, parent: parent)
        if let unnest = try joinedUnnest(kind, left, rightSyntax, condition, parent: parent) { return unnest }
        let right = try relation(rightSyntax, parent: parent)
        var join = SQLJoinPlan(
            kind: kind, left: left.plan, right: right.plan, leftWidth: left.columns.count, rightWidth: right.columns.count,
            keys: [])
        var columns = left.columns + right.columns
        try checkWidth(columns.count, at: position)
        switch condition {
        case .none: break
        case .on(let syntax):
            let whole = try predicate(syntax, Context(scope: SQLScope(columns, parent: parent), clause: "in ON"))
            split(whole, into: &join)
        case .using(let names):
            for name in names {
                guard case .one(let first) = SQLScope(left.columns, parent: nil).find([name]),
                    case .one(let second) = SQLScope(right.columns, parent: nil).find([name])
                else { throw fail(.unknownColumn, "Column '\(name)' of USING is not in both relations", at: position) }
                let one = SQLExpression(kind: .column(first, depth: 0), type: left.columns[first].type, position: position)
                let other = SQLExpression(kind: .column(second, depth: 0), type: right.columns[second].type, position: position)
                guard let common = SQLType.common(one.type, other.type) else {
                    throw fail(.typeMismatch, "Column '\(name)' of USING differs in type", at: position)
                }
                join.keys.append((converted(one, to: common), converted(other, to: common)))
                columns[kind == .right ? first : join.leftWidth + second].isHidden = true
            }
        }
        var plan = SQLPlan.join(join)
        if kind == .full, case .using = condition {
            // Of a column of USING there is the left side's value or the right side's.
            var expressions = columns.enumerated().map {
                SQLExpression(kind: .column($0.offset, depth: 0), type: $0.element.type, position: position)
            }
            for (one, other) in join.keys {
                guard case .column(let first, _) = one.kind, case .column(let second, _) = other.kind else { continue }
                expressions[first].kind = .coalesce([expressions[first], expressions[join.leftWidth + second]])
            }
            plan = .project(plan, expressions)
        }
        return Planned(plan: plan, columns: columns)
    }

    /// Takes the equations between the sides out of a condition; they find pairs by hashing.
    private func split(_ condition: SQLExpression, into join: inout SQLJoinPlan) {
        var terms = [condition]
        if case .and(let all) = condition.kind { terms = all }
        var rest: [SQLExpression] = []
        for term in terms {
            if case .compare(.equal, let one, let other) = term.kind {
                let width = join.leftWidth
                if let sides = side(of: one, width), let others = side(of: other, width), sides != others {
                    let (left, right) = sides == .left ? (one, other) : (other, one)
                    join.keys.append((left, moved(right, by: -width)))
                    continue
                }
            }
            rest.append(term)
        }
        if rest.count == 1 { join.condition = rest[0] }
        if rest.count > 1 { join.condition = SQLExpression(kind: .and(rest), type: .boolean, position: condition.position) }
    }

    private enum Side {
        case left
        case right
    }

    /// Which side alone an expression looks at; nil for both, none, or a subquery.
    private func side(of expression: SQLExpression, _ width: Int) -> Side? {
        func hasSubquery(_ expression: SQLExpression) -> Bool {
            if case .subquery = expression.kind { return true }
            return expression.children.contains(where: hasSubquery)
        }
        var columns = Set<Int>()
        expression.collectColumns(into: &columns)
        if columns.isEmpty || hasSubquery(expression) { return nil }
        if columns.allSatisfy({ $0 < width }) { return .left }
        return columns.allSatisfy { $0 >= width } ? .right : nil
    }

    private func moved(_ expression: SQLExpression, by distance: Int) -> SQLExpression {
        if case .column(let index, depth: 0) = expression.kind {
            var result = expression
            result.kind = .column(index + distance, depth: 0)
            return result
        }
        return expression.mapChildren { moved($0, by: distance) }
    }

    /// An UNNEST on the right side sees the left side's columns.
    private mutating func joinedUnnest(
        _ kind: SQLRelation.Join, _ left: Planned, _ right: SQLRelation, _ condition: SQLRelation.Condition, parent: SQLScope?
    ) throws -> Planned? {
        var unnest = right
        var alias: String?
        var names: [String] = []
        if case .alias(let inner, let name, let columns) = right {
            unnest = inner
            alias = name
            names = columns
        }
        guard case .unnest(let arrays, let withOrdinality, let position) = unnest else { return nil }
        guard kind == .cross || kind == .inner else {
            throw fail(.unsupported, "only CROSS JOIN and INNER JOIN can be used with UNNEST", at: position)
        }
        var planned = try unnested(
            left, arrays, withOrdinality: withOrdinality, alias: alias, names: names, parent: parent, at: position)
        if case .on(let syntax) = condition {
            let scope = SQLScope(planned.columns, parent: parent)
            planned.plan = .filter(planned.plan, try predicate(syntax, Context(scope: scope, clause: "in ON")))
        }
        return planned
    }

    private mutating func unnested(
        _ input: Planned, _ arrays: [SQLSyntax], withOrdinality: Bool, alias: String?, names: [String], parent: SQLScope?,
        at position: Int
    ) throws -> Planned {
        try countRelation(at: position)
        let context = Context(scope: SQLScope(input.columns, parent: parent), clause: "in UNNEST")
        let expressions = try arrays.map { try expression($0, context) }
        var types: [SQLType] = []
        for expression in expressions {
            switch expression.type {
            case .array(let element): types.append(element)
            case .map(let key, let value): types += [key, value]
            default: throw fail(.typeMismatch, "Cannot unnest type: \(expression.type.name)", at: expression.position)
            }
        }
        if withOrdinality { types.append(.bigint) }
        try checkWidth(input.columns.count + types.count, at: position)
        if !names.isEmpty, names.count != types.count {
            throw fail(.syntax, "UNNEST gives \(types.count) columns, \(names.count) names are given", at: position)
        }
        let added = types.enumerated().map { place, type in
            SQLScope.Column(qualifier: alias?.lowercased(), name: names.isEmpty ? "_unnest\(place)" : names[place], type: type)
        }
        return Planned(
            plan: .unnest(input.plan, expressions, withOrdinality: withOrdinality), columns: input.columns + added)
    }
}
