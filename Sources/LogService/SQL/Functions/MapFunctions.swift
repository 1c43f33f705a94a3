// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLFunctionLibrary {
    static let mapFunctions: [SQLFunction] = [
        SQLFunction("map", [], .mapOf(.t, .u)) { _, _ in .map(.empty) },
        SQLFunction("map", [.ts, .arrayOf(.u)], .mapOf(.t, .u)) { arguments, _ in
            let (keys, values) = (arguments[0].elements, arguments[1].elements)
            guard keys.count == values.count else { throw SQLFailure.data("Key and value arrays must be the same length") }
            guard !keys.contains(.null) else { throw SQLFailure.data("map key cannot be null") }
            guard Set(keys).count == keys.count else { throw SQLFailure.data("Duplicate map keys are not allowed") }
            return .map(try SQLMap.of(zip(keys, values)))
        },
        SQLFunction("map_keys", [.mapOf(.t, .u)], .ts) { arguments, _ in .array(arguments[0].entries.keys) },
        SQLFunction("map_values", [.mapOf(.t, .u)], .arrayOf(.u)) { arguments, _ in .array(arguments[0].entries.values) },
        SQLFunction("cardinality", [.mapOf(.t, .u)], .bigint) { arguments, _ in
            .integer(Int64(arguments[0].entries.keys.elements.count))
        },
        SQLFunction("element_at", [.mapOf(.t, .u), .t], .u) { arguments, _ in arguments[0].entries[arguments[1]] ?? .null },
        SQLFunction("map_concat", [.mapOf(.t, .u)], .mapOf(.t, .u), isVariadic: true) { arguments, run in
            try run.tick(arguments.reduce(0) { $0 + $1.weight })
            return .map(
                try SQLMap.of(arguments.flatMap { Array(zip($0.entries.keys.elements, $0.entries.values.elements)) }))
        },
    ]
}
