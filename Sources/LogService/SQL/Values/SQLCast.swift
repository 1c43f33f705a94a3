// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Makes a value of another type, as CAST does.
struct SQLCast: Sendable {
    let from: SQLType
    let to: SQLType
    /// The most characters of a varchar.
    let length: Int?
    let timeZone: SQLTimeZone

    static func isPossible(from: SQLType, to: SQLType) -> Bool {
        if from == to || from == .unknown { return true }
        switch (from, to) {
        case (.array(let one), .array(let other)): return isPossible(from: one, to: other)
        case (.map(let key, let value), .map(let toKey, let toValue)):
            return isPossible(from: key, to: toKey) && isPossible(from: value, to: toValue)
        case (_, .json): return from != .intervalDayToSecond && from != .intervalYearToMonth
        case (.json, _): return to != .timestamp && to != .date && to != .intervalDayToSecond && to != .intervalYearToMonth
        case (.array, _), (.map, _), (_, .array), (_, .map): return false
        case (_, .varchar): return true
        case (.varchar, .boolean), (.varchar, .bigint), (.varchar, .double), (.varchar, .timestamp), (.varchar, .date):
            return true
        case (.boolean, .bigint), (.boolean, .double), (.bigint, .boolean), (.double, .boolean): return true
        case (.bigint, .double), (.double, .bigint), (.bigint, .timestamp), (.double, .timestamp): return true
        case (.date, .timestamp), (.timestamp, .date): return true
        default: return false
        }
    }

    /// - Parameter value: Not NULL.
    func convert(_ value: SQLValue) throws -> SQLValue {
        if case .null = value { return .null }
        switch to {
        case .varchar:
            let text = try varchar(value)
            guard let length, case .text(let whole) = text else { return text }
            return .text(String(String.UnicodeScalarView(whole.unicodeScalars.prefix(length))))
        case .boolean: return try boolean(value)
        case .bigint: return try bigint(value)
        case .double: return try double(value)
        case .timestamp: return .integer(try timestamp(value))
        case .date:
            if from == .timestamp { return .integer(timeZone.local(value.int).days) }
            guard case .text(let text) = value, let (time, _) = CivilTime.parse(text) else { throw failure(value) }
            return .integer(time.days)
        case .json: return try json(value)
        case .array(let element):
            if from == .json { return try JSONText.array(value.string, of: element, timeZone) }
            guard case .array(let inner) = from else { throw failure(value) }
            let cast = SQLCast(from: inner, to: element, length: nil, timeZone: timeZone)
            return try .array(of: value.elements.map { try cast.convert($0) })
        case .map(let key, let element):
            if from == .json { return try JSONText.map(value.string, of: key, element, timeZone) }
            guard case .map(let fromKey, let fromValue) = from else { throw failure(value) }
            let keyCast = SQLCast(from: fromKey, to: key, length: nil, timeZone: timeZone)
            let valueCast = SQLCast(from: fromValue, to: element, length: nil, timeZone: timeZone)
            let map = value.entries
            return .map(
                try SQLMap.of(
                    zip(map.keys.elements, map.values.elements).map { (try keyCast.convert($0), try valueCast.convert($1)) }))
        case .unknown, .intervalDayToSecond, .intervalYearToMonth: return value
        }
    }

    private func failure(_ value: SQLValue) -> SQLFailure {
        let shown = SQLRendering(timeZone: timeZone).text(value, from)
        return .data("Cannot cast '\(shown.prefix(100))' to \(to.name)")
    }

    private func varchar(_ value: SQLValue) throws -> SQLValue {
        if from == .json { return try JSONText.scalar(value.string) { .text($0) } }
        return .text(SQLRendering(timeZone: timeZone).scalar(value, from))
    }

    private func boolean(_ value: SQLValue) throws -> SQLValue {
        switch value {
        case .boolean: return value
        case .integer(let number): return .boolean(number != 0)
        case .double(let number): return .boolean(number != 0)
        case .text(let text):
            if from == .json { return try JSONText.scalar(text) { try boolean(ofText: $0) } }
            return try boolean(ofText: text)
        default: throw failure(value)
        }
    }

    private func boolean(ofText text: String) throws -> SQLValue {
        switch text.lowercased() {
        case "true", "t", "1": return .boolean(true)
        case "false", "f", "0": return .boolean(false)
        default: throw failure(.text(text))
        }
    }

    private func bigint(_ value: SQLValue) throws -> SQLValue {
        switch value {
        case .integer: return value
        case .boolean(let flag): return .integer(flag ? 1 : 0)
        case .double(let number): return .integer(try whole(number, value))
        case .text(let text):
            guard from == .json else {
                guard let number = Int64(text) else { throw failure(value) }
                return .integer(number)
            }
            return try JSONText.scalar(text) { scalar in
                if let number = Int64(scalar) { return .integer(number) }
                if scalar == "true" || scalar == "false" { return .integer(scalar == "true" ? 1 : 0) }
                guard let number = Double(scalar) else { throw failure(value) }
                return .integer(try whole(number, value))
            }
        default: throw failure(value)
        }
    }

    private func whole(_ number: Double, _ value: SQLValue) throws -> Int64 {
        guard let whole = Int64(exactly: number.rounded(.toNearestOrAwayFromZero)) else { throw failure(value) }
        return whole
    }

    private func double(_ value: SQLValue) throws -> SQLValue {
        switch value {
        case .double: return value
        case .integer(let number): return .double(Double(number))
        case .boolean(let flag): return .double(flag ? 1 : 0)
        case .text(let text):
            guard from == .json else { return .double(try number(text, value)) }
            return try JSONText.scalar(text) { scalar in
                if scalar == "true" || scalar == "false" { return .double(scalar == "true" ? 1 : 0) }
                return .double(try number(scalar, value))
            }
        default: throw failure(value)
        }
    }

    private func number(_ text: String, _ value: SQLValue) throws -> Double {
        let trimmed = TextTools.trimmed(text)
        switch trimmed {
        case "NaN": return .nan
        case "Infinity", "+Infinity": return .infinity
        case "-Infinity": return -.infinity
        default: break
        }
        // Hexadecimal numbers and words that Swift would read are no numbers here.
        guard trimmed.utf8.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains($0) }) else {
            throw failure(value)
        }
        let padded = trimmed.hasPrefix(".") ? "0" + trimmed : (trimmed.hasSuffix(".") ? trimmed + "0" : trimmed)
        guard let number = Double(padded) else { throw failure(value) }
        return number
    }

    /// Milliseconds; of a number it is seconds since 1970.
    private func timestamp(_ value: SQLValue) throws -> Int64 {
        switch (value, from) {
        case (.integer(let days), .date):
            let (milliseconds, hasOverflowed) = days.multipliedReportingOverflow(by: CivilTime.day)
            guard !hasOverflowed, CivilTime.range.contains(milliseconds) else { throw failure(value) }
            return timeZone.instant(CivilTime(milliseconds: milliseconds))
        case (.integer(let seconds), .bigint):
            let (milliseconds, hasOverflowed) = seconds.multipliedReportingOverflow(by: 1000)
            guard !hasOverflowed, CivilTime.range.contains(milliseconds) else { throw failure(value) }
            return milliseconds
        case (.integer(let milliseconds), _): return milliseconds
        case (.double(let seconds), _):
            guard let milliseconds = Int64(exactly: (seconds * 1000).rounded()), CivilTime.range.contains(milliseconds) else {
                throw failure(value)
            }
            return milliseconds
        case (.text(let text), _):
            guard let (time, zone) = CivilTime.parse(text) else { throw failure(value) }
            return (zone.map { SQLTimeZone(offset: $0) } ?? timeZone).instant(time)
        default: throw failure(value)
        }
    }

    private func json(_ value: SQLValue) throws -> SQLValue {
        var text = ""
        let rendering = SQLRendering(timeZone: timeZone)
        rendering.appendJSON(value, from, to: &text)
        return .text(text)
    }
}
