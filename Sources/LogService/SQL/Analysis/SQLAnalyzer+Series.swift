// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The vendor's own functions over series of times; source: sls.md section 11, tier 2.
extension SQLAnalyzer {
    /// `time_series(t, window, format[, padding])`.
    mutating func timeSeries(_ call: SQLCall, _ context: Context, at position: Int) throws -> SQLExpression {
        guard let collector = context.collector else {
            throw fail(.syntax, "time_series cannot be used \(context.clause)", at: position)
        }
        func text(_ place: Int) -> String? {
            guard call.arguments.indices.contains(place), case .literal(.text(let value), _) = call.arguments[place].kind else {
                return nil
            }
            return value
        }
        guard let window = text(1), let step = SQLAnalyzer.seconds(window), let format = text(2) else {
            throw fail(.syntax, "time_series takes a time, a window such as '5m', a format and a padding", at: position)
        }
        var padding = SQLSeries.Padding.constant(0)
        if call.arguments.count > 3 {
            switch text(3)?.lowercased() {
            case "null": padding = .null
            case "last": padding = .last
            case "next": padding = .next
            case "avg": padding = .average
            case let value?:
                guard let number = Double(value), number.isFinite else { fallthrough }
                padding = .constant(number)
            default: throw fail(.syntax, "the padding of time_series is 0, null, last, next or avg", at: position)
            }
        }
        var inner = context
        inner.collector = nil
        let time = try cast(try expression(call.arguments[0], inner), to: .timestamp, length: nil, at: position)
        if let known = collector.series, known.step != step {
            throw fail(.unsupported, "a query can have one time_series", at: position)
        }
        collector.series = (step, padding)
        let start = try self.call("$series_time", [time, constant(.integer(step), .bigint, at: position)], at: position)
        return try self.call("time_series", [start, constant(.text(format), .varchar, at: position)], at: position)
    }

    /// `30s`, `5m`, `1h` or `1d` in seconds.
    private static func seconds(_ window: String) -> Int64? {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = window.last.flatMap({ units[$0] }), let count = Int64(window.dropLast()), count > 0, count <= 100_000_000
        else { return nil }
        return count * unit
    }

    /// `compare(x, n…)` and `ts_compare(x, n…)`.
    mutating func comparison(_ call: SQLCall, _ context: Context, at position: Int) throws -> SQLExpression {
        let (collector, inner) = try collector(for: call.name, context, at: position)
        let shifts = call.arguments.dropFirst().compactMap { argument -> Int64? in
            guard case .literal(.integer(let seconds), _) = argument.kind, seconds > 0, seconds <= 10_000_000_000 else {
                return nil
            }
            return seconds
        }
        guard let first = call.arguments.first, !shifts.isEmpty, shifts.count == call.arguments.count - 1, shifts.count <= 10
        else {
            throw fail(.syntax, "\(call.name) takes a number and one to ten distances in seconds", at: position)
        }
        let value = try expression(first, inner)
        guard value.type.isNumber || value.type == .unknown else {
            throw fail(.typeMismatch, "\(call.name) takes a number, not \(value.type.name)", at: position)
        }
        let made = SQLAggregation.Call(
            function: SQLAggregateLibrary.compared, arguments: [converted(value, to: .double)])
        let place = collector.place(of: made, type: .array(.double))
        collector.comparisons.append(.init(call: place, shifts: shifts, isSeries: call.name == "ts_compare"))
        return SQLExpression(kind: .aggregate(place), type: .array(.double), position: position)
    }
}
