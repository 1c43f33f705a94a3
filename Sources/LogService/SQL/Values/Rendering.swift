// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// How values become the texts of an answer; source: sls.md section 11, "rendering".
struct SQLRendering {
    var timeZone: SQLTimeZone

    func text(_ value: SQLValue, _ type: SQLType) -> String {
        if case .null = value { return "null" }
        switch type {
        case .array, .map:
            var text = ""
            appendJSON(value, type, to: &text)
            return text
        default: return scalar(value, type)
        }
    }

    /// What CAST … AS varchar gives; the value is not NULL and neither array nor map.
    func scalar(_ value: SQLValue, _ type: SQLType) -> String {
        switch value {
        case .boolean(let value): return value ? "true" : "false"
        case .double(let value): return SQLRendering.double(value)
        case .text(let value): return value
        case .integer(let value):
            switch type {
            case .timestamp: return timeZone.local(value).timestampText
            case .date: return CivilTime(milliseconds: value.multipliedReportingOverflow(by: 86_400_000).partialValue).dateText
            case .intervalDayToSecond: return SQLRendering.interval(value)
            case .intervalYearToMonth: return "\(value / 12)-\(abs(value % 12))"
            default: return String(value)
            }
        case .null, .array, .map: return "null"
        }
    }

    func appendJSON(_ value: SQLValue, _ type: SQLType, to text: inout String) {
        switch (value, type) {
        case (.null, _): text += "null"
        case (.array(let array), .array(let element)):
            text += "["
            for (place, value) in array.elements.enumerated() {
                if place > 0 { text += "," }
                appendJSON(value, element, to: &text)
            }
            text += "]"
        case (.map(let map), .map(let key, let element)):
            text += "{"
            for (place, value) in map.values.elements.enumerated() {
                if place > 0 { text += "," }
                JSONText.appendQuoted(scalar(map.keys.elements[place], key), to: &text)
                text += ":"
                appendJSON(value, element, to: &text)
            }
            text += "}"
        case (.text(let value), .json): text += value
        case (.double(let value), _) where !value.isFinite: JSONText.appendQuoted(SQLRendering.double(value), to: &text)
        case (_, .boolean), (_, .bigint), (_, .double): text += scalar(value, type)
        default: JSONText.appendQuoted(scalar(value, type), to: &text)
        }
    }

    /// Always with a point; from 2^53 and below 0.0001 with an exponent, as in `1.0E16`.
    static func double(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        let text = value.description
        guard let exponent = text.firstIndex(of: "e") else { return text }
        let mantissa = text[..<exponent]
        var power = text[text.index(after: exponent)...]
        if power.first == "+" { power = power.dropFirst() }
        let isNegative = power.first == "-"
        let digits = power.drop { $0 == "-" || $0 == "0" }
        return mantissa + (mantissa.contains(".") ? "" : ".0") + "E" + (isNegative ? "-" : "") + digits
    }

    /// `D HH:MM:SS.mmm`.
    private static func interval(_ milliseconds: Int64) -> String {
        let size = milliseconds.magnitude
        func padded(_ value: UInt64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return (milliseconds < 0 ? "-" : "") + "\(size / 86_400_000) " + padded(size / 3_600_000 % 24, 2) + ":"
            + padded(size / 60_000 % 60, 2) + ":" + padded(size / 1000 % 60, 2) + "." + padded(size % 1000, 3)
    }
}
