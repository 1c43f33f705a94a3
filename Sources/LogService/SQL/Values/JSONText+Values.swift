// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension JSONText {
    /// A value's text without blanks between its parts.
    func compact(_ range: Range<Int>) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(range.count)
        var isInString = false
        var place = range.lowerBound
        while place < range.upperBound {
            let byte = bytes[place]
            if isInString, byte == 0x5C, place + 1 < range.upperBound {
                result.append(byte)
                place += 1
                result.append(bytes[place])
            } else {
                if byte == 0x22 { isInString.toggle() }
                if isInString || ![0x20, 0x09, 0x0A, 0x0D].contains(byte) { result.append(byte) }
            }
            place += 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The text of a scalar, a string's without its quotation marks and escapes; nil for null, objects and arrays.
    func scalar(_ range: Range<Int>) throws -> String? {
        guard let first = bytes[range].first else { return nil }
        switch first {
        case 0x7B, 0x5B, 0x6E: return nil
        case 0x22: return try unescaped(range.lowerBound + 1..<range.upperBound - 1)
        default: return String(decoding: bytes[range], as: UTF8.self)
        }
    }

    func unescaped(_ range: Range<Int>) throws -> String {
        let raw = bytes[range]
        if !raw.contains(0x5C) { return String(decoding: raw, as: UTF8.self) }
        var units: [UInt16] = []
        var result = ""
        var place = range.lowerBound
        var plain = place
        func flush(_ end: Int) {
            result += String(decoding: bytes[plain..<end], as: UTF8.self)
        }
        while place < range.upperBound {
            if bytes[place] != 0x5C {
                if !units.isEmpty {
                    result += String(decoding: units, as: UTF16.self)
                    units = []
                    plain = place
                }
                place += 1
                continue
            }
            if units.isEmpty { flush(place) }
            guard place + 1 < range.upperBound else { throw Fault() }
            let simple: [UInt8: UInt16] = [
                0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x62: 8, 0x66: 12, 0x6E: 10, 0x72: 13, 0x74: 9,
            ]
            if bytes[place + 1] == 0x75 {
                guard place + 6 <= range.upperBound,
                    let unit = UInt16(String(decoding: bytes[place + 2..<place + 6], as: UTF8.self), radix: 16)
                else { throw Fault() }
                units.append(unit)
                place += 6
            } else {
                guard let unit = simple[bytes[place + 1]] else { throw Fault() }
                units.append(unit)
                place += 2
            }
            plain = place
        }
        if !units.isEmpty { result += String(decoding: units, as: UTF16.self) } else { flush(range.upperBound) }
        return result
    }

    static func appendQuoted(_ text: String, to result: inout String) {
        result += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16, uppercase: false)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        result += "\""
    }
}

/// Conversions of whole JSON texts.
extension JSONText {
    static func failure(_ text: String) -> SQLFailure { .data("Cannot convert '\(text.prefix(100))' to JSON") }

    /// What a scalar becomes; NULL for null. An object or array is handed on as its text.
    static func scalar(_ text: String, _ body: (String) throws -> SQLValue) throws -> SQLValue {
        var json = JSONText(text)
        guard let range = try? json.root() else { throw failure(text) }
        if let scalar = try? json.scalar(range) { return try body(scalar) }
        return json.bytes[range.lowerBound] == 0x6E ? .null : try body(text)
    }

    static func array(_ text: String, of element: SQLType, _ timeZone: SQLTimeZone) throws -> SQLValue {
        var json = JSONText(text)
        guard let ranges = try? json.arrayElements() else {
            if text == "null" { return .null }
            throw SQLFailure.data("Cannot cast '\(text.prefix(100))' to array(\(element.name))")
        }
        let cast = SQLCast(from: .json, to: element, length: nil, timeZone: timeZone)
        return try .array(of: ranges.map { try cast.convertElement(json.compact($0)) })
    }

    static func map(_ text: String, of key: SQLType, _ element: SQLType, _ timeZone: SQLTimeZone) throws -> SQLValue {
        var json = JSONText(text)
        guard let members = try? json.objectMembers() else {
            if text == "null" { return .null }
            throw SQLFailure.data("Cannot cast '\(text.prefix(100))' to map(\(key.name), \(element.name))")
        }
        let keyCast = SQLCast(from: .varchar, to: key, length: nil, timeZone: timeZone)
        let cast = SQLCast(from: .json, to: element, length: nil, timeZone: timeZone)
        return .map(
            try SQLMap.of(
                members.map { name, range in
                    (
                        key == .varchar ? .text(name) : try keyCast.convert(.text(name)),
                        try cast.convertElement(json.compact(range))
                    )
                }))
    }
}

extension SQLCast {
    fileprivate func convertElement(_ text: String) throws -> SQLValue { to == .json ? .text(text) : try convert(.text(text)) }
}
