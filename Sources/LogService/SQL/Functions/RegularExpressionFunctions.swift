// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLFunctionLibrary {
    static let regularExpressionFunctions: [SQLFunction] = [
        SQLFunction("regexp_like", [.varchar, .varchar], .boolean) { arguments, run in
            .boolean(try expression(arguments[1], run).matches(arguments[0].string))
        },
        SQLFunction("regexp_extract", [.varchar, .varchar], .varchar) { arguments, run in
            try extract(arguments[0].string, try expression(arguments[1], run), group: 0)
        },
        SQLFunction("regexp_extract", [.varchar, .varchar, .bigint], .varchar) { arguments, run in
            let expression = try expression(arguments[1], run)
            return try extract(arguments[0].string, expression, group: try group(arguments[2].int, expression))
        },
        SQLFunction("regexp_extract_all", [.varchar, .varchar], .texts) { arguments, run in
            try extractAll(arguments[0].string, try expression(arguments[1], run), group: 0, run)
        },
        SQLFunction("regexp_extract_all", [.varchar, .varchar, .bigint], .texts) { arguments, run in
            let expression = try expression(arguments[1], run)
            return try extractAll(arguments[0].string, expression, group: try group(arguments[2].int, expression), run)
        },
        SQLFunction("regexp_replace", [.varchar, .varchar], .varchar) { arguments, run in
            try replaced(arguments[0].string, try expression(arguments[1], run), by: "", run)
        },
        SQLFunction("regexp_replace", [.varchar, .varchar, .varchar], .varchar) { arguments, run in
            try replaced(arguments[0].string, try expression(arguments[1], run), by: arguments[2].string, run)
        },
        SQLFunction("regexp_split", [.varchar, .varchar], .texts) { arguments, run in
            var text = arguments[0].string
            let expression = try expression(arguments[1], run)
            return try text.withUTF8 { bytes in
                var parts: [SQLValue] = []
                var start = 0
                try expression.forEachMatch(in: bytes) { _, whole in
                    try run.tick(256)
                    parts.append(piece(bytes, start..<whole.lowerBound))
                    start = whole.upperBound
                    return true
                }
                parts.append(piece(bytes, start..<bytes.count))
                return try .array(of: parts)
            }
        },
        SQLFunction("regexp_count", [.varchar, .varchar], .bigint) { arguments, run in
            var text = arguments[0].string
            let expression = try expression(arguments[1], run)
            return try text.withUTF8 { bytes in
                var count: Int64 = 0
                try expression.forEachMatch(in: bytes) { _, _ in
                    try run.tick(256)
                    count += 1
                    return true
                }
                return .integer(count)
            }
        },
    ]

    private static func expression(_ pattern: SQLValue, _ run: SQLRun) throws -> RegularExpression {
        // One match may take as long as some ten thousand ordinary steps.
        try run.tick(256)
        return try run.expression(pattern.string)
    }

    private static func group(_ number: Int64, _ expression: RegularExpression) throws -> Int {
        guard number >= 0, number <= Int64(expression.groups) else {
            throw SQLFailure.data("Pattern has \(expression.groups) groups. Cannot access group \(number)")
        }
        return Int(number)
    }

    private static func piece(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> SQLValue {
        .text(String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self))
    }

    private static func extract(_ text: String, _ expression: RegularExpression, group: Int) throws -> SQLValue {
        var text = text
        return try text.withUTF8 { bytes in
            guard let groups = try expression.match(bytes), let range = groups[group] else { return .null }
            return piece(bytes, range)
        }
    }

    private static func extractAll(_ text: String, _ expression: RegularExpression, group: Int, _ run: SQLRun) throws -> SQLValue
    {
        var text = text
        return try text.withUTF8 { bytes in
            var found: [SQLValue] = []
            try expression.forEachMatch(in: bytes) { groups, _ in
                try run.tick(256)
                found.append(groups[group].map { piece(bytes, $0) } ?? .null)
                return true
            }
            return try .array(of: found)
        }
    }

    private enum Replacement {
        case bytes([UInt8])
        case group(Int)
    }

    /// `$1` and `${1}` are groups, a backslash takes the next character as it is.
    private static func parts(of replacement: String, _ expression: RegularExpression) throws -> [Replacement] {
        var parts: [Replacement] = []
        var rest = Substring(replacement)
        while let first = rest.first {
            rest.removeFirst()
            if first == "\\", let next = rest.first {
                parts.append(.bytes(Array(String(next).utf8)))
                rest.removeFirst()
            } else if first == "$" {
                var digits = rest.prefix { $0.isASCII && $0.isNumber }
                if rest.first == "{" {
                    digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
                    guard rest.dropFirst(digits.count + 1).first == "}" else {
                        throw SQLFailure.data("Illegal replacement sequence")
                    }
                    rest = rest.dropFirst(digits.count + 2)
                } else {
                    // As many digits as there are groups.
                    while digits.count > 1, Int(digits).map({ $0 > expression.groups }) ?? true { digits = digits.dropLast() }
                    rest = rest.dropFirst(digits.count)
                }
                guard let number = Int64(digits) else { throw SQLFailure.data("Illegal replacement sequence: unknown group") }
                parts.append(.group(try group(number, expression)))
            } else {
                parts.append(.bytes(Array(String(first).utf8)))
            }
        }
        return parts
    }

    private static func replaced(_ text: String, _ expression: RegularExpression, by replacement: String, _ run: SQLRun) throws
        -> SQLValue
    {
        let parts = try parts(of: replacement, expression)
        var text = text
        let result = try text.withUTF8 { bytes -> [UInt8]? in
            var result: [UInt8] = []
            var start = 0
            var isFound = false
            try expression.forEachMatch(in: bytes) { groups, whole in
                try run.tick(256)
                isFound = true
                result += bytes[start..<whole.lowerBound]
                for part in parts {
                    switch part {
                    case .bytes(let bytes): result += bytes
                    case .group(let number): if let range = groups[number] { result += bytes[range] }
                    }
                }
                try run.checkText(bytes: result.count)
                start = whole.upperBound
                return true
            }
            result += bytes[start...]
            return isFound ? result : nil
        }
        return .text(result.map { String(decoding: $0, as: UTF8.self) } ?? text)
    }
}
