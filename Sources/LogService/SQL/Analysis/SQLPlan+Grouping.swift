// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLPlan {
    /// Lets scans give equal rows as one with a weight, wherever the aggregation above gives the same result then.
    ///
    /// That is so if nothing between scan and aggregation looks at a row's place or at chance, and every aggregate either
    /// takes weights or counts each value once. `__time__` is rarely equal in two rows, so it may only be used where a step
    /// of several seconds is all that matters.
    func grouped(columns: [SQLColumn], timeZone: SQLTimeZone) -> SQLPlan {
        let time = columns.firstIndex { $0.name == "__time__" }
        return mapped { plan in
            guard case .aggregate(let input, let aggregation) = plan, aggregation.calls.allSatisfy(\.takesWeights) else {
                return plan
            }
            var uses = SQLTimeUses(offset: timeZone.offset)
            guard let raw = uses.walk(input, time: time) else { return plan }
            for expression in plan.expressions {
                guard uses.visit(expression, raw: raw) else { return plan }
            }
            return .aggregate(input.withGrouping(ScanGrouping(timeStep: uses.step)), aggregation)
        }
    }

    private func mapped(_ change: (SQLPlan) -> SQLPlan) -> SQLPlan {
        let inner: SQLPlan
        switch self {
        case .scan, .values: inner = self
        case .filter(let input, let condition): inner = .filter(input.mapped(change), condition)
        case .project(let input, let expressions): inner = .project(input.mapped(change), expressions)
        case .aggregate(let input, let aggregation): inner = .aggregate(input.mapped(change), aggregation)
        case .window(let input, let calls): inner = .window(input.mapped(change), calls)
        case .sort(let input, let keys, let limit): inner = .sort(input.mapped(change), keys, limit: limit)
        case .limit(let input, let offset, let count): inner = .limit(input.mapped(change), offset: offset, count: count)
        case .join(var join):
            join.left = join.left.mapped(change)
            join.right = join.right.mapped(change)
            inner = .join(join)
        case .unnest(let input, let expressions, let withOrdinality):
            inner = .unnest(input.mapped(change), expressions, withOrdinality: withOrdinality)
        case .concatenation(let first, let second): inner = .concatenation(first.mapped(change), second.mapped(change))
        case .membership(let first, let second, let isIn):
            inner = .membership(first.mapped(change), second.mapped(change), isIn: isIn)
        }
        return change(inner)
    }

    private func withGrouping(_ grouping: ScanGrouping) -> SQLPlan {
        switch self {
        case .scan(var scan):
            scan.grouping = grouping
            return .scan(scan)
        case .filter(let input, let condition): return .filter(input.withGrouping(grouping), condition)
        case .project(let input, let expressions): return .project(input.withGrouping(grouping), expressions)
        default: return self
        }
    }
}

extension SQLAggregation.Call {
    fileprivate var takesWeights: Bool { order.isEmpty && (isDistinct || function.isWeighted) }
}

/// Which steps of `__time__` matter to the operators between a scan and an aggregation.
private struct SQLTimeUses {
    /// Seconds; nil as long as time was not looked at.
    private(set) var step: Int64?
    private let offset: Int64

    init(offset: Int64) { self.offset = abs(offset) }

    /// - Returns: The columns of the plan that are `__time__` itself; nil if rows cannot be told once.
    mutating func walk(_ plan: SQLPlan, time: Int?) -> Set<Int>? {
        switch plan {
        case .scan(let scan): return time.map { scan.isWanted[$0] ? [$0] : [] } ?? []
        case .filter(let input, let condition):
            guard let raw = walk(input, time: time), visit(condition, raw: raw) else { return nil }
            return raw
        case .project(let input, let expressions):
            guard let raw = walk(input, time: time) else { return nil }
            var result = Set<Int>()
            for (place, expression) in expressions.enumerated() {
                if case .column(let index, depth: 0) = expression.kind, raw.contains(index) {
                    result.insert(place)
                } else if !visit(expression, raw: raw) {
                    return nil
                }
            }
            return result
        default: return nil
        }
    }

    /// - Returns: Whether the expression gives the same for every time within the steps noted.
    mutating func visit(_ expression: SQLExpression, raw: Set<Int>) -> Bool {
        switch expression.kind {
        case .column(let index, depth: 0): return !raw.contains(index)
        case .column, .subquery: return false
        case .call(let function, _) where !function.isDeterministic: return false
        default: break
        }
        if let step = step(of: expression, raw: raw) {
            self.step = SQLTimeUses.divisor(self.step ?? step, step)
            return true
        }
        return expression.children.allSatisfy { visit($0, raw: raw) }
    }

    /// The step by which an expression rounds `__time__` down, in seconds since 1970 UTC; nil for any other expression.
    private func step(of expression: SQLExpression, raw: Set<Int>) -> Int64? {
        switch expression.kind {
        case .arithmetic(.subtract, let time, let rest):
            guard isTime(time, raw), case .arithmetic(.modulo, let again, let step) = rest.kind, isTime(again, raw) else {
                return nil
            }
            return seconds(step)
        case .arithmetic(.divide, let time, let step): return isTime(time, raw) ? seconds(step) : nil
        case .call(let function, let arguments) where arguments.count == 2:
            switch function.name {
            case "$series_time": return isTimestamp(arguments[0], raw) ? seconds(arguments[1]).map(local) : nil
            case "date_trunc":
                guard isTimestamp(arguments[1], raw), case .constant(.text(let unit)) = arguments[0].kind else { return nil }
                return SQLTimeUses.seconds(ofUnit: unit.lowercased()).map(local)
            case "date_format":
                guard isTimestamp(arguments[0], raw), case .constant(.text(let format)) = arguments[1].kind else { return nil }
                return local(SQLTimeUses.seconds(ofFormat: format))
            default: return nil
            }
        default: return nil
        }
    }

    private func isTime(_ expression: SQLExpression, _ raw: Set<Int>) -> Bool {
        if case .column(let index, depth: 0) = expression.kind { raw.contains(index) } else { false }
    }

    private func isTimestamp(_ expression: SQLExpression, _ raw: Set<Int>) -> Bool {
        switch expression.kind {
        case .cast(let time, nil): expression.type == .timestamp && isTime(time, raw)
        case .call(let function, let arguments):
            function.name == "from_unixtime" && arguments.count == 1 && isTime(SQLTimeUses.uncast(arguments[0]), raw)
        default: false
        }
    }

    private static func uncast(_ expression: SQLExpression) -> SQLExpression {
        if case .cast(let inner, nil) = expression.kind, expression.type == .double { inner } else { expression }
    }

    private func seconds(_ step: SQLExpression) -> Int64? {
        if case .constant(.integer(let value)) = step.kind, value > 0 { value } else { nil }
    }

    /// A step that counts from local midnight, as one that counts from midnight in UTC.
    private func local(_ step: Int64) -> Int64 { SQLTimeUses.divisor(step, offset) }

    private static func seconds(ofUnit unit: String) -> Int64? {
        switch unit {
        case "second": 1
        case "minute": 60
        case "hour": 3600
        case "day", "week", "month", "quarter", "year": 86_400
        default: nil
        }
    }

    private static func seconds(ofFormat format: String) -> Int64 {
        var step: Int64 = 86_400
        var isLetter = false
        for character in format {
            if isLetter {
                switch character {
                case "a", "b", "D", "d", "e", "j", "M", "m", "c", "p", "v", "x", "V", "X", "W", "w", "Y", "y", "%", "u", "U":
                    if character == "p" { step = min(step, 3600) }
                case "H", "h", "I", "k", "l": step = min(step, 3600)
                case "i": step = min(step, 60)
                default: step = 1
                }
                isLetter = false
            } else {
                isLetter = character == "%"
            }
        }
        return step
    }

    private static func divisor(_ one: Int64, _ other: Int64) -> Int64 {
        var (a, b) = (one, other)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }
}
