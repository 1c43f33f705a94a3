// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLFunctionLibrary {
    static let textFunctions: [SQLFunction] = [
        SQLFunction("concat", [.varchar], .varchar, isVariadic: true) { arguments, run in
            try run.checkText(bytes: arguments.reduce(0) { $0 + $1.string.utf8.count })
            return .text(arguments.reduce(into: "") { $0 += $1.string })
        },
        SQLFunction("concat_ws", [.varchar, .varchar], .varchar, isVariadic: true, isStrict: false) { arguments, run in
            guard case .text(let separator) = arguments[0] else { return .null }
            let parts = arguments.dropFirst().filter { !$0.isNull }.map(\.string)
            try run.checkText(bytes: parts.reduce(0) { $0 + $1.utf8.count + separator.utf8.count })
            return .text(parts.joined(separator: separator))
        },
        SQLFunction("length", [.varchar], .bigint) { arguments, _ in
            .integer(Int64(arguments[0].string.unicodeScalars.count))
        },
        SQLFunction("lower", [.varchar], .varchar) { arguments, _ in .text(arguments[0].string.lowercased()) },
        SQLFunction("upper", [.varchar], .varchar) { arguments, _ in .text(arguments[0].string.uppercased()) },
        SQLFunction("trim", [.varchar], .varchar) { arguments, _ in .text(TextTools.trimmed(arguments[0].string)) },
        SQLFunction("ltrim", [.varchar], .varchar) { arguments, _ in .text(TextTools.trimmedStart(arguments[0].string)) },
        SQLFunction("rtrim", [.varchar], .varchar) { arguments, _ in .text(TextTools.trimmedEnd(arguments[0].string)) },
        SQLFunction("substr", [.varchar, .bigint], .varchar) { arguments, _ in
            .text(TextTools.part(arguments[0].string, from: arguments[1].int, count: nil))
        },
        SQLFunction("substr", [.varchar, .bigint, .bigint], .varchar) { arguments, _ in
            .text(TextTools.part(arguments[0].string, from: arguments[1].int, count: arguments[2].int))
        },
        SQLFunction("strpos", [.varchar, .varchar], .bigint) { arguments, _ in
            .integer(place(of: arguments[1].string, in: arguments[0].string, instance: 1))
        },
        SQLFunction("strpos", [.varchar, .varchar, .bigint], .bigint) { arguments, _ in
            guard arguments[2].int >= 1 else { throw SQLFailure.data("'instance' must be a positive number") }
            return .integer(place(of: arguments[1].string, in: arguments[0].string, instance: arguments[2].int))
        },
        SQLFunction("replace", [.varchar, .varchar], .varchar) { arguments, run in
            try replaced(arguments[0].string, arguments[1].string, by: "", run)
        },
        SQLFunction("replace", [.varchar, .varchar, .varchar], .varchar) { arguments, run in
            try replaced(arguments[0].string, arguments[1].string, by: arguments[2].string, run)
        },
        SQLFunction("reverse", [.varchar], .varchar) { arguments, _ in
            .text(String(String.UnicodeScalarView(arguments[0].string.unicodeScalars.reversed())))
        },
        SQLFunction("lpad", [.varchar, .bigint, .varchar], .varchar) { arguments, run in
            try padded(arguments[0].string, arguments[1].int, with: arguments[2].string, atEnd: false, run)
        },
        SQLFunction("rpad", [.varchar, .bigint, .varchar], .varchar) { arguments, run in
            try padded(arguments[0].string, arguments[1].int, with: arguments[2].string, atEnd: true, run)
        },
        SQLFunction("chr", [.bigint], .varchar) { arguments, _ in
            guard let scalar = UInt32(exactly: arguments[0].int).flatMap({ Unicode.Scalar($0) }) else {
                throw SQLFailure.data("Not a valid Unicode code point: \(arguments[0].int)")
            }
            return .text(String(scalar))
        },
        SQLFunction("codepoint", [.varchar], .bigint) { arguments, _ in
            let scalars = arguments[0].string.unicodeScalars
            guard let first = scalars.first, scalars.count == 1 else { throw SQLFailure.data("codepoint takes one character") }
            return .integer(Int64(first.value))
        },
        SQLFunction("starts_with", [.varchar, .varchar], .boolean) { arguments, _ in
            .boolean(arguments[0].string.utf8.starts(with: arguments[1].string.utf8))
        },
        SQLFunction("ends_with", [.varchar, .varchar], .boolean) { arguments, _ in
            .boolean(arguments[0].string.utf8.reversed().starts(with: arguments[1].string.utf8.reversed()))
        },
        SQLFunction("split", [.varchar, .varchar], .texts) { arguments, run in
            try split(arguments[0].string, arguments[1].string, limit: .max, run)
        },
        SQLFunction("split", [.varchar, .varchar, .bigint], .texts) { arguments, run in
            guard arguments[2].int >= 1 else { throw SQLFailure.data("Limit must be positive") }
            return try split(arguments[0].string, arguments[1].string, limit: Int(arguments[2].int), run)
        },
        SQLFunction("split_part", [.varchar, .varchar, .bigint], .varchar) { arguments, _ in
            let wanted = arguments[2].int
            guard wanted >= 1 else { throw SQLFailure.data("Index must be greater than zero") }
            guard !arguments[1].string.isEmpty else { throw SQLFailure.data("The delimiter may not be the empty string") }
            let parts = TextTools.split(arguments[0].string, by: arguments[1].string)
            return wanted <= Int64(parts.count) ? .text(parts[Int(wanted) - 1]) : .null
        },
        SQLFunction("split_to_map", [.varchar, .varchar, .varchar], .mapOf(.varchar, .varchar)) { arguments, _ in
            let (entries, values) = (arguments[1].string, arguments[2].string)
            guard !entries.isEmpty, !values.isEmpty, entries != values else {
                throw SQLFailure.data("the delimiters must not be empty nor equal")
            }
            return .map(
                try SQLMap.of(
                    TextTools.split(arguments[0].string, by: entries).filter { !$0.isEmpty }.map { entry in
                        let parts = TextTools.split(entry, by: values, limit: 2)
                        guard parts.count == 2 else {
                            throw SQLFailure.data("'\(entry.prefix(100))' is no pair of key and value")
                        }
                        return (.text(parts[0]), .text(parts[1]))
                    }))
        },
        SQLFunction("like", [.varchar, .varchar], .boolean) { arguments, run in
            .boolean(try run.like(arguments[1].string, escape: nil).matches(arguments[0].string, run))
        },
        SQLFunction("like", [.varchar, .varchar, .varchar], .boolean) { arguments, run in
            guard arguments[2].string.unicodeScalars.count == 1 else {
                throw SQLFailure.data("Escape string must be a single character")
            }
            return .boolean(try run.like(arguments[1].string, escape: arguments[2].string).matches(arguments[0].string, run))
        },
        SQLFunction("levenshtein_distance", [.varchar, .varchar], .bigint) { arguments, run in
            .integer(try distance(Array(arguments[0].string.unicodeScalars), Array(arguments[1].string.unicodeScalars), run))
        },
        SQLFunction("translate", [.varchar, .varchar, .varchar], .varchar) { arguments, _ in
            var table: [Unicode.Scalar: Unicode.Scalar?] = [:]
            let to = Array(arguments[2].string.unicodeScalars)
            for (place, scalar) in arguments[1].string.unicodeScalars.enumerated() where table[scalar] == nil {
                table[scalar] = .some(place < to.count ? to[place] : nil)
            }
            return .text(String(String.UnicodeScalarView(arguments[0].string.unicodeScalars.compactMap { table[$0] ?? $0 })))
        },
    ]

    private static func place(of part: String, in text: String, instance: Int64) -> Int64 {
        if part.isEmpty { return instance == 1 ? 1 : 0 }
        let limit = Int(min(instance, Int64(Int32.max)))
        let found = TextTools.ranges(of: part, in: text, limit: limit)
        return found.count == limit ? TextTools.place(ofByte: found[limit - 1].lowerBound, in: text) : 0
    }

    private static func replaced(_ text: String, _ part: String, by other: String, _ run: SQLRun) throws -> SQLValue {
        if part.isEmpty {
            // Before, between and behind all characters.
            let scalars = text.unicodeScalars
            try run.checkText(bytes: text.utf8.count + (scalars.count + 1) * other.utf8.count)
            return .text(other + scalars.map { String($0) + other }.joined())
        }
        let ranges = TextTools.ranges(of: part, in: text)
        if ranges.isEmpty { return .text(text) }
        try run.checkText(bytes: text.utf8.count + ranges.count * max(0, other.utf8.count - part.utf8.count))
        return .text(TextTools.split(text, by: part).joined(separator: other))
    }

    private static func padded(_ text: String, _ size: Int64, with fill: String, atEnd: Bool, _ run: SQLRun) throws -> SQLValue {
        let scalars = text.unicodeScalars
        guard size >= 0, !fill.isEmpty else { throw SQLFailure.data("padding needs a length of at least 0 and a text") }
        let missing = size - Int64(scalars.count)
        if missing <= 0 { return .text(TextTools.part(text, from: 1, count: size)) }
        try run.checkText(bytes: missing > 1 << 30 ? .max >> 12 : text.utf8.count + Int(missing) * 4)
        let (whole, rest) = Int(missing).quotientAndRemainder(dividingBy: fill.unicodeScalars.count)
        let padding = String(repeating: fill, count: whole) + TextTools.part(fill, from: 1, count: Int64(rest))
        return .text(atEnd ? text + padding : padding + text)
    }

    private static func split(_ text: String, _ delimiter: String, limit: Int, _ run: SQLRun) throws -> SQLValue {
        if delimiter.isEmpty { throw SQLFailure.data("The delimiter may not be the empty string") }
        let parts = TextTools.split(text, by: delimiter, limit: limit)
        try run.tick(parts.count)
        return try .array(of: parts.map { .text($0) })
    }

    private static func distance(_ one: [Unicode.Scalar], _ other: [Unicode.Scalar], _ run: SQLRun) throws -> Int64 {
        var row = Array(0...other.count)
        for (place, scalar) in one.enumerated() {
            try run.tick(1 + other.count)
            var diagonal = row[0]
            row[0] = place + 1
            for column in other.indices {
                let best = min(row[column] + 1, row[column + 1] + 1, diagonal + (other[column] == scalar ? 0 : 1))
                diagonal = row[column + 1]
                row[column + 1] = best
            }
        }
        return Int64(row[other.count])
    }
}
