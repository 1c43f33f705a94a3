// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Aggregates and window functions.
extension SQLAnalyzer {
    /// A context for the arguments of an aggregate or window function, and the place that takes the call.
    func collector(for name: String, _ context: Context, at position: Int) throws -> (SQLCollector, Context) {
        guard let collector = context.collector else {
            throw fail(.syntax, "\(name) cannot be used \(context.clause)", at: position)
        }
        var inner = context
        inner.collector = nil
        inner.aliasUse = .none
        inner.clause = "inside of another aggregate or window function"
        return (collector, inner)
    }

    mutating func aggregate(_ call: SQLCall, _ context: Context, at position: Int) throws -> SQLExpression {
        let (collector, inner) = try collector(for: call.name, context, at: position)
        let (made, type) = try aggregateCall(call, inner, at: position)
        return SQLExpression(kind: .aggregate(collector.place(of: made, type: type)), type: type, position: position)
    }

    private mutating func aggregateCall(_ call: SQLCall, _ context: Context, at position: Int) throws -> (
        SQLAggregation.Call, SQLType
    ) {
        if call.isStar, call.name != "count" { throw fail(.syntax, "\(call.name)(*) has no meaning", at: position) }
        var arguments = try call.arguments.map { try expression($0, context) }
        var isDistinct = call.isDistinct
        if call.name == "approx_distinct" {
            // Exact; the error that may be given as the second argument does not matter.
            guard (1...2).contains(arguments.count) else { throw mismatch(call.name, [([.t], false)], [], at: position) }
            arguments = [arguments[0]]
            isDistinct = true
        }
        if call.name == "count", arguments.count == 1, !call.isDistinct, case .constant(let value) = arguments[0].kind,
            !value.isNull
        {
            // Counts rows, like count(*).
            arguments = []
        }
        let ways = SQLAggregateLibrary.functions[call.name] ?? []
        for isExact in [true, false] {
            for function in ways where function.parameters.count == arguments.count {
                guard let bindings = bound(function.parameters, arguments, isExact: isExact),
                    let type = bindings.type(of: function.result)
                else { continue }
                if type.depth > SQLType.maximumDepth { throw fail(.limit, "the type is nested too deeply", at: position) }
                if ["min", "max", "min_by", "max_by"].contains(call.name) {
                    try checkOrder(of: arguments[call.name.hasSuffix("_by") ? 1 : 0].type, at: position)
                }
                let converted = zip(function.parameters, arguments).map { self.converted($1, to: $0, bindings) }
                var made = SQLAggregation.Call(function: function, arguments: converted)
                made.position = position
                made.isDistinct = isDistinct && !arguments.isEmpty
                made.filter = try call.filter.map { try predicate($0, context) }
                made.order = try call.order.map { try sortKey(try expression($0.expression, context), $0) }
                return (made, type)
            }
        }
        throw mismatch(call.name, ways.map { ($0.parameters, false) }, arguments.map(\.type.name), at: position)
    }

    mutating func windowFunction(_ call: SQLCall, _ context: Context, at position: Int) throws -> SQLExpression {
        guard let window = call.window else { throw fail(.syntax, "OVER is missing", at: position) }
        guard let collector = context.collector else {
            throw fail(.syntax, "\(call.name) cannot be used \(context.clause)", at: position)
        }
        // Aggregates may stand inside, other window functions may not.
        var inner = context
        inner.aliasUse = .none
        let before = collector.windows.count
        let partition = try window.partition.map { try expression($0, inner) }
        let order = try window.order.map { try sortKey(try expression($0.expression, inner), $0) }
        try check(window.frame, at: position)
        var made = SQLWindowCall(
            function: .ranking(.rank), arguments: [], partition: partition, order: order, frame: window.frame)
        let type: SQLType
        if let ranking = SQLRanking(rawValue: call.name) {
            made.function = .ranking(ranking)
            made.arguments = try call.arguments.map { try expression($0, inner) }
            type = try self.type(of: ranking, &made.arguments, at: position)
        } else if SQLAggregateLibrary.functions[call.name] != nil {
            if call.isDistinct || !call.order.isEmpty {
                throw fail(.unsupported, "DISTINCT and ORDER BY cannot be used inside of a window function", at: position)
            }
            let (aggregate, result) = try aggregateCall(call, inner, at: position)
            made.function = .aggregate(aggregate)
            type = result
        } else {
            throw fail(.unknownFunction, "Function '\(call.name)' not registered as a window function", at: position)
        }
        if collector.windows.count != before {
            throw fail(.syntax, "window functions cannot be nested", at: position)
        }
        collector.windows.append(made)
        return SQLExpression(kind: .window(collector.windows.count - 1), type: type, position: position)
    }

    private func check(_ frame: SQLFrameBounds, at position: Int) throws {
        if frame.start == .unboundedFollowing || frame.end == .unboundedPreceding {
            throw fail(.syntax, "a window frame cannot begin at its end", at: position)
        }
        func isCounted(_ bound: SQLFrameBounds.Bound) -> Bool {
            switch bound {
            case .preceding, .following: true
            default: false
            }
        }
        if !frame.isRows, isCounted(frame.start) || isCounted(frame.end) {
            throw fail(.unsupported, "RANGE takes UNBOUNDED and CURRENT ROW only", at: position)
        }
    }

    private func type(of ranking: SQLRanking, _ arguments: inout [SQLExpression], at position: Int) throws -> SQLType {
        let wanted: ClosedRange<Int> =
            switch ranking {
            case .rowNumber, .rank, .denseRank, .percentRank, .cumulativeDistribution: 0...0
            case .tile, .first, .last: 1...1
            case .lag, .lead: 1...3
            case .nth: 2...2
            }
        guard wanted.contains(arguments.count) else {
            throw fail(.syntax, "Unexpected parameters for function \(ranking.rawValue): \(arguments.count) given", at: position)
        }
        let numbers = ranking == .tile ? 0 : 1
        if arguments.indices.contains(numbers), ranking == .tile || ranking == .lag || ranking == .lead || ranking == .nth,
            !arguments[numbers].type.becomes(.bigint)
        {
            throw fail(.typeMismatch, "\(ranking.rawValue) takes a whole number", at: arguments[numbers].position)
        }
        switch ranking {
        case .rowNumber, .rank, .denseRank, .tile: return .bigint
        case .percentRank, .cumulativeDistribution: return .double
        case .lag, .lead, .first, .last, .nth:
            if arguments.count == 3 {
                var ends = [arguments[0], arguments[2]]
                try unify(&ends, ranking.rawValue, at: position)
                arguments[0] = ends[0]
                arguments[2] = ends[1]
            }
            return arguments[0].type
        }
    }
}
