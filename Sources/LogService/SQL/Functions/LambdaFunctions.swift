// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLFunctionLibrary {
    static let lambdaFunctions: [SQLFunction] = [
        SQLFunction("filter", [.ts, .lambda([.t], .boolean)], .ts) { arguments, lambdas, _ in
            try .array(of: arguments[0].elements.filter { try lambdas[0]([$0]).bool })
        },
        SQLFunction("transform", [.ts, .lambda([.t], .u)], .arrayOf(.u)) { arguments, lambdas, run in
            try .array(of: kept(arguments[0].elements, run) { try lambdas[0]([$0]) })
        },
        SQLFunction("any_match", [.ts, .lambda([.t], .boolean)], .boolean) { arguments, lambdas, _ in
            try match(arguments[0].elements, decisive: true, lambdas[0])
        },
        SQLFunction("all_match", [.ts, .lambda([.t], .boolean)], .boolean) { arguments, lambdas, _ in
            try match(arguments[0].elements, decisive: false, lambdas[0])
        },
        SQLFunction("none_match", [.ts, .lambda([.t], .boolean)], .boolean) { arguments, lambdas, _ in
            let any = try match(arguments[0].elements, decisive: true, lambdas[0])
            return any.isNull ? .null : .boolean(!any.bool)
        },
        SQLFunction("reduce", [.ts, .u, .lambda([.u, .t], .u), .lambda([.u], .v)], .v) { arguments, lambdas, _ in
            var state = arguments[1]
            for element in arguments[0].elements { state = try lambdas[0]([state, element]) }
            return try lambdas[1]([state])
        },
        SQLFunction("zip_with", [.ts, .arrayOf(.u), .lambda([.t, .u], .v)], .arrayOf(.v)) { arguments, lambdas, run in
            let (one, other) = (arguments[0].elements, arguments[1].elements)
            if arguments[1].isNull { return .null }
            return try .array(
                of: kept(Array(0..<max(one.count, other.count)), run) { place in
                    try lambdas[0]([place < one.count ? one[place] : .null, place < other.count ? other[place] : .null])
                })
        },
        SQLFunction("array_sort", [.ts, .lambda([.t, .t], .bigint)], .ts) { arguments, lambdas, _ in
            try .array(of: arguments[0].elements.sorted { try lambdas[0]([$0, $1]).int < 0 })
        },
        SQLFunction("map_filter", [.mapOf(.t, .u), .lambda([.t, .u], .boolean)], .mapOf(.t, .u)) { arguments, lambdas, _ in
            let map = arguments[0].entries
            return .map(
                try SQLMap.of(
                    zip(map.keys.elements, map.values.elements).filter { try lambdas[0]([$0, $1]).bool }.map { ($0, $1) }))
        },
        SQLFunction("transform_values", [.mapOf(.t, .u), .lambda([.t, .u], .v)], .mapOf(.t, .v)) { arguments, lambdas, run in
            let map = arguments[0].entries
            let values = try kept(Array(zip(map.keys.elements, map.values.elements)), run) { try lambdas[0]([$0, $1]) }
            return .map(try SQLMap.of(zip(map.keys.elements, values)))
        },
        SQLFunction("transform_keys", [.mapOf(.t, .u), .lambda([.t, .u], .v)], .mapOf(.v, .u)) { arguments, lambdas, run in
            let map = arguments[0].entries
            let keys = try kept(Array(zip(map.keys.elements, map.values.elements)), run) { try lambdas[0]([$0, $1]) }
            return .map(try SQLMap.of(zip(keys, map.values.elements)))
        },
    ]

    /// Stops as soon as the results are larger than an array may be.
    private static func kept<Element>(_ elements: [Element], _ run: SQLRun, _ body: (Element) throws -> SQLValue) throws
        -> [SQLValue]
    {
        var results: [SQLValue] = []
        var cost = 0
        for element in elements {
            let value = try body(element)
            cost += value.cost
            if cost > SQLArray.maximumCost { throw SQLFailure.limit("an array is too large") }
            results.append(value)
        }
        return results
    }

    private static func match(_ elements: [SQLValue], decisive: Bool, _ lambda: SQLLambda) throws -> SQLValue {
        var hasNull = false
        for element in elements {
            let value = try lambda([element])
            if value.isNull {
                hasNull = true
            } else if value.bool == decisive {
                return .boolean(decisive)
            }
        }
        return hasNull ? .null : .boolean(!decisive)
    }
}
