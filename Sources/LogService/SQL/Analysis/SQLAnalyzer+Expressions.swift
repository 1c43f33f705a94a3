// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLAnalyzer {
    mutating func expression(_ syntax: SQLSyntax, _ context: Context) throws -> SQLExpression {
        try countNode(at: syntax.position)
        let position = syntax.position
        func made(_ kind: SQLExpression.Kind, _ type: SQLType) -> SQLExpression {
            SQLExpression(kind: kind, type: type, position: position)
        }
        switch syntax.kind {
        case .literal(let value, let type): return constant(value, type, at: position)
        case .name(let parts): return try name(parts, context, at: position)
        case .call(let call): return try self.call(call, context, at: position)
        case .lambda: throw fail(.syntax, "a lambda can only be an argument of a function that takes one", at: position)
        case .and(let terms): return made(.and(try terms.map { try predicate($0, context) }), .boolean)
        case .or(let terms): return made(.or(try terms.map { try predicate($0, context) }), .boolean)
        case .not(let operand): return made(.not(try predicate(operand, context)), .boolean)
        case .negative(let operand): return try negative(try expression(operand, context), at: position)
        case .binary(let sign, let left, let right):
            let one = try expression(left, context)
            let other = try expression(right, context)
            return sign.isComparison
                ? try compare(sign, one, other, at: position) : try arithmetic(sign, one, other, at: position)
        case .concatenation(let parts): return try call("concat", parts.map { try expression($0, context) }, at: position)
        case .between(let value, let lower, let upper):
            var all = try [value, lower, upper].map { try expression($0, context) }
            try unify(&all, "BETWEEN", at: position)
            try checkOrder(of: all[0].type, at: position)
            return made(.between(all[0], all[1], all[2]), .boolean)
        case .inList(let value, let list):
            var all = try ([value] + list).map { try expression($0, context) }
            try unify(&all, "IN", at: position)
            return made(.inList(all[0], Array(all.dropFirst())), .boolean)
        case .isNull(let operand): return made(.isNull(try expression(operand, context)), .boolean)
        case .isDistinct(let left, let right):
            var all = try [left, right].map { try expression($0, context) }
            try unify(&all, "IS DISTINCT FROM", at: position)
            return made(.isDistinct(all[0], all[1]), .boolean)
        case .like(let value, let pattern, let escape):
            let all = try ([value, pattern] + (escape.map { [$0] } ?? [])).map { try expression($0, context) }
            return try call("like", all, at: position)
        case .cases(let operand, let branches, let otherwise):
            return try cases(operand, branches, otherwise, context, at: position)
        case .cast(let operand, let type, let length, let isTry):
            let cast = try self.cast(try expression(operand, context), to: type, length: length, at: position)
            return isTry ? made(.attempt(cast), type) : cast
        case .subscripted(let base, let index):
            return try call("$subscript", [try expression(base, context), try expression(index, context)], at: position)
        case .array(let elements):
            var all = try elements.map { try expression($0, context) }
            try unify(&all, "ARRAY", at: position)
            let type = SQLType.array(all.first?.type ?? .unknown)
            if type.depth > SQLType.maximumDepth { throw fail(.limit, "the array is nested too deeply", at: position) }
            return made(.array(all), type)
        case .atTimeZone(let time, let zone):
            return try call("$at_time_zone", [try expression(time, context), try expression(zone, context)], at: position)
        case .query, .exists, .inQuery: return try subquery(syntax, context)
        }
    }

    /// An expression that must be boolean.
    mutating func predicate(_ syntax: SQLSyntax, _ context: Context) throws -> SQLExpression {
        let result = try expression(syntax, context)
        guard result.type.becomes(.boolean) else {
            throw fail(.typeMismatch, "a condition must be boolean, not \(result.type.name)", at: syntax.position)
        }
        return converted(result, to: .boolean)
    }

    private mutating func name(_ parts: [String], _ context: Context, at position: Int) throws -> SQLExpression {
        let lower = parts.count == 1 ? parts[0].lowercased() : ""
        if let (slot, type) = context.locals[lower] { return SQLExpression(kind: .local(slot), type: type, position: position) }
        if context.aliasUse == .first, let alias = context.aliases[lower] {
            return try expression(alias, withoutAliases(context))
        }
        var scope: SQLScope? = context.scope
        var depth = 0
        while let current = scope {
            switch current.find(parts) {
            case .one(let index):
                if depth > 0 { reached.insert(current.level) }
                return SQLExpression(
                    kind: .column(index, depth: depth), type: current.columns[index].type, position: position)
            case .ambiguous:
                throw fail(.syntax, "Column '\(parts.joined(separator: "."))' is ambiguous", at: position)
            case .none:
                scope = current.parent
                depth += 1
            }
        }
        if context.aliasUse == .last, let alias = context.aliases[lower] { return try expression(alias, withoutAliases(context)) }
        let name = parts.joined(separator: ".")
        throw fail(
            .unknownColumn, "Column '\(name)' cannot be resolved;please add the column in the index attribute", at: position)
    }

    private func withoutAliases(_ context: Context) -> Context {
        var inner = context
        inner.aliasUse = .none
        return inner
    }

    /// Brings expressions to one type.
    func unify(_ expressions: inout [SQLExpression], _ what: String, at position: Int) throws {
        var type = SQLType.unknown
        for expression in expressions {
            guard let common = common(type, expression) else {
                throw fail(.typeMismatch, "\(what) cannot be applied to \(type.name), \(expression.type.name)", at: position)
            }
            type = common
        }
        for index in expressions.indices { expressions[index] = converted(expressions[index], to: type) }
    }

    /// The type that a value and another can have; a text that is written in the query can be a time beside a time.
    private func common(_ type: SQLType, _ expression: SQLExpression) -> SQLType? {
        if let common = SQLType.common(type, expression.type) { return common }
        let isText = expression.isConstant && expression.type == .varchar
        return isText && (type == .timestamp || type == .date) ? type : nil
    }

    private func compare(_ sign: SQLOperator, _ left: SQLExpression, _ right: SQLExpression, at position: Int) throws
        -> SQLExpression
    {
        guard let type = common(left.type, right) ?? common(right.type, left) else {
            throw fail(
                .typeMismatch, "'\(sign.rawValue)' cannot be applied to \(left.type.name), \(right.type.name)", at: position)
        }
        if sign != .equal, sign != .unequal { try checkOrder(of: type, at: position) }
        return SQLExpression(
            kind: .compare(sign, converted(left, to: type), converted(right, to: type)), type: .boolean, position: position)
    }

    private func negative(_ operand: SQLExpression, at position: Int) throws -> SQLExpression {
        switch operand.type {
        case .bigint, .unknown, .intervalDayToSecond, .intervalYearToMonth:
            let type = operand.type == .unknown ? .bigint : operand.type
            let zero = constant(.integer(0), type, at: position)
            return SQLExpression(kind: .arithmetic(.subtract, zero, converted(operand, to: type)), type: type, position: position)
        case .double:
            let one = constant(.double(-1), .double, at: position)
            return SQLExpression(kind: .arithmetic(.multiply, one, operand), type: .double, position: position)
        default: throw fail(.typeMismatch, "'-' cannot be applied to \(operand.type.name)", at: position)
        }
    }

    private func arithmetic(_ sign: SQLOperator, _ left: SQLExpression, _ right: SQLExpression, at position: Int) throws
        -> SQLExpression
    {
        func made(_ left: SQLExpression, _ right: SQLExpression, _ type: SQLType) -> SQLExpression {
            SQLExpression(kind: .arithmetic(sign, left, right), type: type, position: position)
        }
        if let type = SQLType.common(left.type, right.type), type.isNumber || type == .unknown {
            let number = type == .unknown ? .bigint : type
            return made(converted(left, to: number), converted(right, to: number), number)
        }
        switch (left.type, sign, right.type) {
        case (.intervalDayToSecond, .add, .intervalDayToSecond), (.intervalDayToSecond, .subtract, .intervalDayToSecond),
            (.intervalYearToMonth, .add, .intervalYearToMonth), (.intervalYearToMonth, .subtract, .intervalYearToMonth),
            (.intervalDayToSecond, .multiply, .bigint), (.intervalYearToMonth, .multiply, .bigint):
            return made(left, right, left.type)
        case (.bigint, .multiply, .intervalDayToSecond), (.bigint, .multiply, .intervalYearToMonth):
            return made(left, right, right.type)
        case (.timestamp, .subtract, .timestamp): return made(left, right, .intervalDayToSecond)
        case (.date, .subtract, .date):
            return made(converted(left, to: .timestamp), converted(right, to: .timestamp), .intervalDayToSecond)
        case (.intervalDayToSecond, .add, .timestamp), (.intervalDayToSecond, .add, .date),
            (.intervalYearToMonth, .add, .timestamp),
            (.intervalYearToMonth, .add, .date):
            return try arithmetic(sign, right, left, at: position)
        case (.timestamp, .add, .intervalDayToSecond), (.timestamp, .subtract, .intervalDayToSecond),
            (.timestamp, .add, .intervalYearToMonth), (.timestamp, .subtract, .intervalYearToMonth),
            (.date, .add, .intervalDayToSecond), (.date, .subtract, .intervalDayToSecond), (.date, .add, .intervalYearToMonth),
            (.date, .subtract, .intervalYearToMonth):
            let amount = sign == .subtract ? try negative(right, at: position) : right
            return try call("$moved", [left, amount], at: position)
        default:
            throw fail(
                .typeMismatch, "'\(sign.rawValue)' cannot be applied to \(left.type.name), \(right.type.name)", at: position)
        }
    }

    private mutating func cases(
        _ operand: SQLSyntax?, _ branches: [(when: SQLSyntax, then: SQLSyntax)], _ otherwise: SQLSyntax?, _ context: Context,
        at position: Int
    ) throws -> SQLExpression {
        var results = try branches.map { try expression($0.then, context) }
        if let otherwise { results.append(try expression(otherwise, context)) }
        try unify(&results, "CASE", at: position)
        let last = otherwise == nil ? nil : results.last
        let type = results[0].type
        guard let operand else {
            let conditions = try branches.map { try predicate($0.when, context) }
            return SQLExpression(
                kind: .cases(zip(conditions, results).map { ($0, $1) }, otherwise: last), type: type, position: position)
        }
        var values = [try expression(operand, context)]
        for branch in branches { values.append(try expression(branch.when, context)) }
        try unify(&values, "CASE", at: position)
        return SQLExpression(
            kind: .match(values[0], zip(values.dropFirst(), results).map { ($0, $1) }, otherwise: last), type: type,
            position: position)
    }

    func cast(_ operand: SQLExpression, to type: SQLType, length: Int?, at position: Int) throws -> SQLExpression {
        guard SQLCast.isPossible(from: operand.type, to: type) else {
            throw fail(.typeMismatch, "Cannot cast \(operand.type.name) to \(type.name)", at: position)
        }
        if operand.type == type, length == nil { return operand }
        return SQLExpression(kind: .cast(operand, length: length), type: type, position: position)
    }

    private mutating func subquery(_ syntax: SQLSyntax, _ context: Context) throws -> SQLExpression {
        let position = syntax.position
        switch syntax.kind {
        case .exists(let query):
            let subquery = try subquery(query, .exists, context, width: nil, at: position).subquery
            return SQLExpression(kind: .subquery(subquery), type: .boolean, position: position)
        case .query(let query):
            let (subquery, types) = try subquery(query, .scalar, context, width: 1, at: position)
            return SQLExpression(kind: .subquery(subquery), type: types[0], position: position)
        case .inQuery(let operand, let query):
            let needle = try expression(operand, context)
            var (subquery, types) = try subquery(query, .scalar, context, width: 1, at: position)
            guard let common = SQLType.common(needle.type, types[0]) else {
                throw fail(.typeMismatch, "IN cannot be applied to \(needle.type.name), \(types[0].name)", at: position)
            }
            if types[0] != common {
                let column = SQLExpression(kind: .column(0, depth: 0), type: types[0], position: position)
                subquery.plan = .project(subquery.plan, [converted(column, to: common)])
            }
            subquery.use = .contains(converted(needle, to: common))
            return SQLExpression(kind: .subquery(subquery), type: .boolean, position: position)
        default: throw fail(.syntax, "a query is expected", at: position)
        }
    }

    private mutating func subquery(
        _ query: SQLQuerySyntax, _ use: SQLSubquery.Use, _ context: Context, width: Int?, at position: Int
    ) throws -> (subquery: SQLSubquery, types: [SQLType]) {
        if !context.locals.isEmpty { throw fail(.unsupported, "a lambda cannot contain a query", at: position) }
        let before = reached
        reached = []
        defer { reached.formUnion(before) }
        try countRelation(at: position)
        let planned = try self.query(query, parent: context.scope, isTop: false)
        if let width, planned.columns.count != width {
            throw fail(.syntax, "a subquery must have one column, not \(planned.columns.count)", at: position)
        }
        let outer = reached.filter { $0 <= context.scope.level }
        reached = outer.filter { $0 < context.scope.level }
        let all = Set(0..<planned.columns.count)
        return (
            SQLSubquery(
                use: use, plan: planned.plan.pruned(to: all), isCorrelated: !outer.isEmpty,
                refersToParent: outer.contains(context.scope.level)),
            planned.columns.map(\.type)
        )
    }
}
