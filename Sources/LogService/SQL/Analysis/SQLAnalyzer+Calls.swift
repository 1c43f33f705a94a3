// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLAnalyzer {
    mutating func call(_ call: SQLCall, _ context: Context, at position: Int) throws -> SQLExpression {
        func wants(_ counts: ClosedRange<Int>) throws {
            guard counts.contains(call.arguments.count), !call.isStar else {
                throw fail(
                    .syntax, "Unexpected parameters for function \(call.name): \(call.arguments.count) given", at: position)
            }
        }
        if call.window != nil { return try windowFunction(call, context, at: position) }
        switch call.name {
        case "if":
            try wants(2...3)
            let condition = try predicate(call.arguments[0], context)
            var results = try call.arguments.dropFirst().map { try expression($0, context) }
            try unify(&results, "IF", at: position)
            return SQLExpression(
                kind: .cases([(condition, results[0])], otherwise: results.count > 1 ? results[1] : nil), type: results[0].type,
                position: position)
        case "coalesce":
            try wants(1...1000)
            var terms = try call.arguments.map { try expression($0, context) }
            try unify(&terms, "COALESCE", at: position)
            return SQLExpression(kind: .coalesce(terms), type: terms[0].type, position: position)
        case "nullif":
            try wants(2...2)
            var terms = try call.arguments.map { try expression($0, context) }
            let type = terms[0].type
            try unify(&terms, "NULLIF", at: position)
            let result = SQLExpression(kind: .nullIf(terms[0], terms[1]), type: terms[0].type, position: position)
            return type == .bigint && terms[0].type == .double ? try cast(result, to: type, length: nil, at: position) : result
        case "try":
            try wants(1...1)
            let operand = try expression(call.arguments[0], context)
            return SQLExpression(kind: .attempt(operand), type: operand.type, position: position)
        case "typeof":
            try wants(1...1)
            return constant(.text(try expression(call.arguments[0], context).type.name), .varchar, at: position)
        case "time_series":
            try wants(3...4)
            return try timeSeries(call, context, at: position)
        case "compare", "ts_compare": return try comparison(call, context, at: position)
        default: break
        }
        if SQLAggregateLibrary.functions[call.name] != nil { return try aggregate(call, context, at: position) }
        if call.isStar || call.isDistinct || call.filter != nil || !call.order.isEmpty {
            throw fail(.syntax, "\(call.name) is not an aggregate function", at: position)
        }
        return try scalar(call, context, at: position)
    }

    /// A call of a scalar function whose arguments are known.
    func call(_ name: String, _ arguments: [SQLExpression], at position: Int) throws -> SQLExpression {
        let ways = SQLFunctionLibrary.functions[name] ?? []
        for isExact in [true, false] {
            for function in ways where !function.takesLambdas {
                guard let patterns = patterns(function.parameters, isVariadic: function.isVariadic, count: arguments.count),
                    let bindings = bound(patterns, arguments, isExact: isExact)
                else { continue }
                return try made(function, patterns, arguments, bindings, at: position)
            }
        }
        throw mismatch(name, ways.map { ($0.parameters, $0.isVariadic) }, arguments.map(\.type.name), at: position)
    }

    private func made(
        _ function: SQLFunction, _ patterns: [SQLPattern], _ arguments: [SQLExpression], _ bindings: SQLBindings, at position: Int
    ) throws -> SQLExpression {
        guard let type = bindings.type(of: function.result) else {
            throw fail(.typeMismatch, "the type of \(function.name) is unknown", at: position)
        }
        if type.depth > SQLType.maximumDepth { throw fail(.limit, "the type is nested too deeply", at: position) }
        let converted = zip(patterns, arguments).map { self.converted($1, to: $0, bindings) }
        return SQLExpression(kind: .call(function, converted), type: type, position: position)
    }

    func converted(_ argument: SQLExpression, to pattern: SQLPattern, _ bindings: SQLBindings) -> SQLExpression {
        guard let type = bindings.type(of: pattern) else { return argument }
        return converted(argument, to: type)
    }

    private func patterns(_ parameters: [SQLPattern], isVariadic: Bool, count: Int) -> [SQLPattern]? {
        if parameters.count == count { return parameters }
        guard isVariadic, count > parameters.count, let last = parameters.last else { return nil }
        return parameters + Array(repeating: last, count: count - parameters.count)
    }

    func bound(_ patterns: [SQLPattern], _ arguments: [SQLExpression], isExact: Bool) -> SQLBindings? {
        var bindings = SQLBindings()
        for (pattern, argument) in zip(patterns, arguments) {
            guard bindings.bind(pattern, argument.type, isExact: isExact) else { return nil }
        }
        return bindings
    }

    func mismatch(
        _ name: String, _ ways: [([SQLPattern], isVariadic: Bool)], _ types: [String], at position: Int
    ) -> SQLFailure {
        let shown = name == "$subscript" ? "[]" : name
        if ways.isEmpty { return fail(.unknownFunction, "Function '\(shown)' not registered", at: position) }
        let expected = ways.map { shown + "(" + $0.0.map(\.name).joined(separator: ", ") + ($0.isVariadic ? ", …" : "") + ")" }
        return fail(
            .typeMismatch,
            "Unexpected parameters (\(types.joined(separator: ", "))) for function \(shown). Expected: "
                + expected.joined(separator: ", "), at: position)
    }

    private mutating func scalar(_ call: SQLCall, _ context: Context, at position: Int) throws -> SQLExpression {
        let ways = SQLFunctionLibrary.functions[call.name] ?? []
        let isLambda = call.arguments.map { argument in
            if case .lambda = argument.kind { true } else { false }
        }
        if call.name.hasPrefix("$") || ways.isEmpty { throw mismatch(call.name, [], [], at: position) }
        guard isLambda.contains(true) else {
            return try self.call(call.name, try call.arguments.map { try expression($0, context) }, at: position)
        }
        // The other arguments come first: they say what the parameters of the lambdas are.
        var known: [Int: SQLExpression] = [:]
        for (place, argument) in call.arguments.enumerated() where !isLambda[place] {
            known[place] = try expression(argument, context)
        }
        for function in ways where function.takesLambdas && function.parameters.count == call.arguments.count {
            var bindings = SQLBindings()
            let fits = function.parameters.enumerated().allSatisfy { place, pattern in
                if case .lambda = pattern { return isLambda[place] }
                return known[place].map { bindings.bind(pattern, $0.type, isExact: false) } ?? false
            }
            if !fits { continue }
            var arguments: [SQLExpression] = []
            for (place, pattern) in function.parameters.enumerated() {
                if case .lambda(let parameters, let result) = pattern {
                    arguments.append(
                        try lambda(call.arguments[place], parameters, result, &bindings, context))
                } else if let argument = known[place] {
                    arguments.append(argument)
                }
            }
            return try made(function, function.parameters, arguments, bindings, at: position)
        }
        let types = call.arguments.indices.map { known[$0]?.type.name ?? "function" }
        throw mismatch(call.name, ways.map { ($0.parameters, $0.isVariadic) }, types, at: position)
    }

    private mutating func lambda(
        _ syntax: SQLSyntax, _ parameters: [SQLPattern], _ result: SQLPattern, _ bindings: inout SQLBindings, _ context: Context
    ) throws -> SQLExpression {
        guard case .lambda(let names, let body) = syntax.kind, names.count == parameters.count else {
            throw fail(.syntax, "the lambda must have \(parameters.count) parameters", at: syntax.position)
        }
        var inner = context
        inner.collector = nil
        inner.clause = "in a lambda"
        var slots: [Int] = []
        for (name, pattern) in zip(names, parameters) {
            inner.locals[name.lowercased()] = (inner.slots, bindings.type(of: pattern) ?? .unknown)
            slots.append(inner.slots)
            inner.slots += 1
        }
        var analyzed = try expression(body, inner)
        guard bindings.bind(result, analyzed.type, isExact: false), let type = bindings.type(of: result) else {
            throw fail(.typeMismatch, "the lambda gives \(analyzed.type.name), \(result.name) is expected", at: body.position)
        }
        analyzed = converted(analyzed, to: type)
        return SQLExpression(kind: .lambda(slots, analyzed), type: type, position: syntax.position)
    }
}
