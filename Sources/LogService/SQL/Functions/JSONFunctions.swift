// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLFunctionLibrary {
    /// JSON may come as such or as a text; both are kept as a text.
    static let jsonFunctions: [SQLFunction] = jsonFunctions(of: .varchar) + jsonFunctions(of: .json) + otherJSONFunctions

    private static func jsonFunctions(of source: SQLPattern) -> [SQLFunction] {
        [
            SQLFunction("json_extract", [source, .varchar], .json) { arguments, run in
                var json = JSONText(arguments[0].string)
                let path = try run.path(arguments[1].string)
                do {
                    return SQLValue(try json.find(path).map { json.compact($0) })
                } catch is JSONText.Fault {
                    throw JSONText.failure(arguments[0].string)
                }
            },
            SQLFunction("json_extract_scalar", [source, .varchar], .varchar) { arguments, run in
                var json = JSONText(arguments[0].string)
                let path = try run.path(arguments[1].string)
                guard let range = (try? json.find(path)) ?? nil else { return .null }
                return SQLValue((try? json.scalar(range)) ?? nil)
            },
            SQLFunction("json_size", [source, .varchar], .bigint) { arguments, run in
                var json = JSONText(arguments[0].string)
                let path = try run.path(arguments[1].string)
                guard let range = (try? json.find(path)) ?? nil else { return .null }
                var part = JSONText(json.compact(range))
                if let elements = (try? part.arrayElements()) ?? nil { return .integer(Int64(elements.count)) }
                if let members = (try? part.objectMembers()) ?? nil { return .integer(Int64(members.count)) }
                return .integer(0)
            },
            SQLFunction("json_array_length", [source], .bigint) { arguments, _ in
                var json = JSONText(arguments[0].string)
                return SQLValue(((try? json.arrayElements()) ?? nil).map { Int64($0.count) })
            },
            SQLFunction("json_array_get", [source, .bigint], .json) { arguments, _ in
                var json = JSONText(arguments[0].string)
                guard let elements = (try? json.arrayElements()) ?? nil else { return .null }
                let count = Int64(elements.count)
                let place = arguments[1].int
                if place >= count || place < -count { return .null }
                return .text(json.compact(elements[Int(place < 0 ? place + count : place)]))
            },
            SQLFunction("json_array_contains", [source, .varchar], .boolean) { arguments, _ in
                try contains(arguments[0].string) { json, range in
                    json.bytes[range.lowerBound] == 0x22
                        && (try? json.scalar(range))??.hasSameBytes(as: arguments[1].string) == true
                }
            },
            SQLFunction("json_array_contains", [source, .bigint], .boolean) { arguments, _ in
                try contains(arguments[0].string) { json, range in json.compact(range) == String(arguments[1].int) }
            },
            SQLFunction("json_array_contains", [source, .double], .boolean) { arguments, _ in
                try contains(arguments[0].string) { json, range in Double(json.compact(range)) == arguments[1].real }
            },
            SQLFunction("json_array_contains", [source, .boolean], .boolean) { arguments, _ in
                try contains(arguments[0].string) { json, range in json.compact(range) == (arguments[1].bool ? "true" : "false") }
            },
            SQLFunction("is_json_scalar", [source], .boolean) { arguments, _ in
                var json = JSONText(arguments[0].string)
                guard let range = try? json.root() else { throw JSONText.failure(arguments[0].string) }
                return .boolean(![0x7B, 0x5B].contains(json.bytes[range.lowerBound]))
            },
        ]
    }

    private static let otherJSONFunctions: [SQLFunction] = [
        SQLFunction("json_parse", [.varchar], .json) { arguments, _ in
            var json = JSONText(arguments[0].string)
            guard let range = try? json.root() else { throw JSONText.failure(arguments[0].string) }
            return .text(json.compact(range))
        },
        SQLFunction("json_format", [.json], .varchar) { arguments, _ in arguments[0] },
    ]

    private static func contains(_ text: String, _ isWanted: (JSONText, Range<Int>) -> Bool) throws -> SQLValue {
        var json = JSONText(text)
        guard let elements = (try? json.arrayElements()) ?? nil else { return .null }
        return .boolean(elements.contains { isWanted(json, $0) })
    }
}
