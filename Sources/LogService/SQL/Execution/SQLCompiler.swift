// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Turns expressions into closures.
struct SQLCompiler {
    let run: SQLRun

    func compile(_ expression: SQLExpression) throws -> SQLCompiled {
        if case .constant(let value) = expression.kind {
            return SQLCompiled({ _, _ in value }, column: nil, constant: value, memoColumn: nil)
        }
        if case .column(let index, depth: 0) = expression.kind {
            return SQLCompiled({ frame, row in frame.columns[index].value(row) }, column: index, constant: nil, memoColumn: nil)
        }
        let dependence = SQLDependence(of: expression)
        let memoColumn = dependence.single
        let evaluator = try evaluator(expression, isInMemo: memoColumn != nil)
        return SQLCompiled(evaluator, column: nil, constant: nil, memoColumn: memoColumn)
    }

    /// - Parameter isInMemo: A larger expression around is computed once a dictionary value already.
    func evaluator(_ expression: SQLExpression, isInMemo: Bool) throws -> SQLEvaluator {
        switch expression.kind {
        case .constant(let value): return { _, _ in value }
        case .column(let index, depth: 0): return { frame, row in frame.columns[index].value(row) }
        case .column(let index, let depth):
            return { frame, _ in
                var (current, row) = (frame, 0)
                for _ in 0..<depth {
                    guard let outer = current.outer else { return .null }
                    (current, row) = outer
                }
                return current.columns[index].value(row)
            }
        case .local(let slot): return { frame, _ in frame.locals[slot] }
        default: break
        }
        if !isInMemo, let column = SQLDependence(of: expression).single {
            let evaluate = try composed(expression, isInMemo: true)
            let memo = SQLMemo()
            return { frame, row in
                guard case .dictionary(let codes, let dictionary) = frame.columns[column] else { return try evaluate(frame, row) }
                return try memo.value(codes[row], of: dictionary, frame.run) { try evaluate(frame, row) }
            }
        }
        return try composed(expression, isInMemo: isInMemo)
    }

    private func composed(_ expression: SQLExpression, isInMemo: Bool) throws -> SQLEvaluator {
        func part(_ child: SQLExpression) throws -> SQLEvaluator { try evaluator(child, isInMemo: isInMemo) }
        let position = expression.position
        switch expression.kind {
        case .constant, .column, .local: return try evaluator(expression, isInMemo: true)
        case .aggregate, .window, .lambda:
            throw SQLFailure(kind: .unsupported, message: "the expression cannot stand here", position: position)
        case .and(let terms): return SQLCompiler.all(try terms.map(part), decisive: false)
        case .or(let terms): return SQLCompiler.all(try terms.map(part), decisive: true)
        case .not(let operand):
            let operand = try part(operand)
            return { frame, row in
                if case .boolean(let value) = try operand(frame, row) { .boolean(!value) } else { .null }
            }
        case .compare(let sign, let left, let right): return SQLCompiler.compare(sign, try part(left), try part(right))
        case .between(let value, let lower, let upper):
            let (value, lower, upper) = (try part(value), try part(lower), try part(upper))
            return { frame, row in
                let middle = try value(frame, row)
                let low = try lower(frame, row)
                let high = try upper(frame, row)
                if middle.isNull { return .null }
                if !low.isNull, middle.isBefore(low) { return .boolean(false) }
                if !high.isNull, high.isBefore(middle) { return .boolean(false) }
                return low.isNull || high.isNull ? .null : .boolean(true)
            }
        case .arithmetic(let sign, let left, let right):
            return SQLArithmetic.evaluator(
                sign, try part(left), try part(right), isDouble: left.type == .double, at: position)
        case .isNull(let operand):
            let operand = try part(operand)
            return { frame, row in .boolean(try operand(frame, row).isNull) }
        case .isDistinct(let left, let right):
            let (left, right) = (try part(left), try part(right))
            return { frame, row in .boolean(try left(frame, row) != right(frame, row)) }
        case .inList(let value, let list): return try inList(try part(value), list, part)
        case .cases(let branches, let otherwise):
            let branches = try branches.map { (when: try part($0.when), then: try part($0.then)) }
            let otherwise = try otherwise.map(part)
            return { frame, row in
                for branch in branches where try branch.when(frame, row).bool { return try branch.then(frame, row) }
                return try otherwise?(frame, row) ?? .null
            }
        case .match(let operand, let branches, let otherwise):
            let operand = try part(operand)
            let branches = try branches.map { (when: try part($0.when), then: try part($0.then)) }
            let otherwise = try otherwise.map(part)
            return { frame, row in
                let value = try operand(frame, row)
                if !value.isNull {
                    for branch in branches where try branch.when(frame, row) == value { return try branch.then(frame, row) }
                }
                return try otherwise?(frame, row) ?? .null
            }
        case .coalesce(let terms):
            let terms = try terms.map(part)
            return { frame, row in
                for term in terms {
                    let value = try term(frame, row)
                    if !value.isNull { return value }
                }
                return .null
            }
        case .nullIf(let left, let right):
            let (left, right) = (try part(left), try part(right))
            return { frame, row in
                let value = try left(frame, row)
                return try right(frame, row) == value ? .null : value
            }
        case .attempt(let operand):
            let operand = try part(operand)
            return { frame, row in
                do {
                    return try operand(frame, row)
                } catch let failure as SQLFailure where failure.kind == .data {
                    return .null
                }
            }
        case .cast(let operand, let length):
            let from = operand.type
            let to = expression.type
            let operand = try part(operand)
            let cast = SQLCast(from: from, to: to, length: length, timeZone: run.timeZone)
            return { frame, row in
                let value = try operand(frame, row)
                return value.isNull ? .null : try SQLCompiler.placed(position) { try cast.convert(value) }
            }
        case .array(let elements):
            let elements = try elements.map(part)
            return { frame, row in try SQLValue.array(of: try elements.map { try $0(frame, row) }) }
        case .call(let function, let arguments): return try call(function, arguments, isInMemo: isInMemo, at: position)
        case .subquery(let subquery): return try SQLSubqueryState.evaluator(subquery, self)
        }
    }

    /// Three-valued AND and OR: `decisive` decides, whatever the others are.
    private static func all(_ terms: [SQLEvaluator], decisive: Bool) -> SQLEvaluator {
        { frame, row in
            var hasNull = false
            for term in terms {
                if case .boolean(let value) = try term(frame, row) {
                    if value == decisive { return .boolean(decisive) }
                } else {
                    hasNull = true
                }
            }
            return hasNull ? .null : .boolean(!decisive)
        }
    }

    private static func compare(_ sign: SQLOperator, _ left: @escaping SQLEvaluator, _ right: @escaping SQLEvaluator)
        -> SQLEvaluator
    {
        func made(_ holds: @escaping (SQLValue, SQLValue) -> Bool) -> SQLEvaluator {
            { frame, row in
                let one = try left(frame, row)
                let other = try right(frame, row)
                return one.isNull || other.isNull ? .null : .boolean(holds(one, other))
            }
        }
        /// NaN is equal to nothing, not before nor after anything.
        func ordered(_ holds: @escaping (Int) -> Bool) -> SQLEvaluator {
            made { one, other in
                if case .double(let a) = one, case .double(let b) = other, a.isNaN || b.isNaN { return false }
                return holds(one.compared(with: other))
            }
        }
        func equal(_ one: SQLValue, _ other: SQLValue) -> Bool {
            if case .double(let a) = one, case .double(let b) = other { return a == b }
            return one == other
        }
        switch sign {
        case .equal: return made { equal($0, $1) }
        case .unequal: return made { !equal($0, $1) }
        case .less: return ordered { $0 < 0 }
        case .lessOrEqual: return ordered { $0 <= 0 }
        case .greater: return ordered { $0 > 0 }
        default: return ordered { $0 >= 0 }
        }
    }

    private func inList(_ value: @escaping SQLEvaluator, _ list: [SQLExpression], _ part: (SQLExpression) throws -> SQLEvaluator)
        throws -> SQLEvaluator
    {
        var constants = Set<SQLValue>()
        var others: [SQLEvaluator] = []
        for item in list {
            if case .constant(let constant) = item.kind { constants.insert(constant) } else { others.append(try part(item)) }
        }
        let known = constants
        let rest = others
        return { frame, row in
            let needle = try value(frame, row)
            if needle.isNull { return .null }
            if known.contains(needle) { return .boolean(true) }
            var hasNull = known.contains(.null)
            for item in rest {
                let candidate = try item(frame, row)
                if candidate == needle { return .boolean(true) }
                if candidate.isNull { hasNull = true }
            }
            return hasNull ? .null : .boolean(false)
        }
    }

    private func call(_ function: SQLFunction, _ arguments: [SQLExpression], isInMemo: Bool, at position: Int) throws
        -> SQLEvaluator
    {
        var parts: [SQLEvaluator] = []
        var lambdas: [(slots: [Int], body: SQLEvaluator)] = []
        for argument in arguments {
            if case .lambda(let slots, let body) = argument.kind {
                lambdas.append((slots, try evaluator(body, isInMemo: isInMemo)))
            } else {
                parts.append(try evaluator(argument, isInMemo: isInMemo))
            }
        }
        let values = parts
        let bodies = lambdas
        let run = run
        let isStrict = function.isStrict
        switch function.body {
        case .plain(let body):
            return { frame, row in
                var arguments: [SQLValue] = []
                arguments.reserveCapacity(values.count)
                for value in values {
                    let argument = try value(frame, row)
                    if isStrict, argument.isNull { return .null }
                    arguments.append(argument)
                }
                return try SQLCompiler.placed(position) { try body(arguments, run) }
            }
        case .withLambdas(let body):
            return { frame, row in
                let arguments = try values.map { try $0(frame, row) }
                if let first = arguments.first, first.isNull { return .null }
                let callable = bodies.map { lambda -> SQLLambda in
                    { parameters in
                        try run.tick()
                        for (slot, parameter) in zip(lambda.slots, parameters) {
                            while frame.locals.count <= slot { frame.locals.append(.null) }
                            frame.locals[slot] = parameter
                        }
                        return try lambda.body(frame, row)
                    }
                }
                return try SQLCompiler.placed(position) { try body(arguments, callable, run) }
            }
        }
    }

    /// Says where in the query it went wrong, unless that is known already.
    static func placed<Result>(_ position: Int, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch var failure as SQLFailure where failure.position == nil {
            failure.position = position
            throw failure
        }
    }
}
