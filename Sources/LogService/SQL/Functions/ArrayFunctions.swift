// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLFunctionLibrary {
    static let arrayFunctions: [SQLFunction] =
        ordinaryArrayFunctions + [SQLType.varchar, .bigint, .double, .boolean].flatMap(joins)

    private static func joins(_ type: SQLType) -> [SQLFunction] {
        [
            SQLFunction("array_join", [.type(.array(type)), .varchar], .varchar) { arguments, run in
                try joined(arguments[0].elements.filter { !$0.isNull }, type, by: arguments[1].string, null: "", run)
            },
            SQLFunction("array_join", [.type(.array(type)), .varchar, .varchar], .varchar) { arguments, run in
                try joined(arguments[0].elements, type, by: arguments[1].string, null: arguments[2].string, run)
            },
        ]
    }

    private static let ordinaryArrayFunctions: [SQLFunction] = [
        SQLFunction("$subscript", [.ts, .bigint], .t) { arguments, _ in
            let elements = arguments[0].elements
            let place = arguments[1].int
            guard place != 0 else { throw SQLFailure.data("SQL array indices start at 1") }
            guard place > 0 else { throw SQLFailure.data("Array subscript is negative: \(place)") }
            guard place <= Int64(elements.count) else { throw SQLFailure.data("Array subscript out of bounds") }
            return elements[Int(place) - 1]
        },
        SQLFunction("$subscript", [.mapOf(.t, .u), .t], .u) { arguments, run in
            guard let value = arguments[0].entries[arguments[1]] else { throw SQLFailure.data("Key not present in map") }
            return value
        },
        SQLFunction("element_at", [.ts, .bigint], .t) { arguments, _ in
            let elements = arguments[0].elements
            let place = arguments[1].int
            guard place != 0 else { throw SQLFailure.data("SQL array indices start at 1") }
            let count = Int64(elements.count)
            if place > count || place < -count { return .null }
            return elements[Int(place > 0 ? place - 1 : count + place)]
        },
        SQLFunction("cardinality", [.ts], .bigint) { arguments, _ in .integer(Int64(arguments[0].elements.count)) },
        SQLFunction("contains", [.ts, .t], .boolean) { arguments, _ in
            let elements = arguments[0].elements
            if elements.contains(arguments[1]) { return .boolean(true) }
            return elements.contains(.null) ? .null : .boolean(false)
        },
        SQLFunction("array_position", [.ts, .t], .bigint) { arguments, _ in
            .integer(Int64((arguments[0].elements.firstIndex(of: arguments[1]) ?? -1) + 1))
        },
        SQLFunction("array_distinct", [.ts], .ts) { arguments, run in try .array(of: distinct(arguments[0].elements, run)) },
        SQLFunction("array_sort", [.ts], .ts) { arguments, run in
            try run.tick(arguments[0].elements.count)
            return try .array(of: arguments[0].elements.sorted { $0.compared(with: $1) < 0 })
        },
        SQLFunction("array_max", [.ts], .t) { arguments, _ in
            let elements = arguments[0].elements
            return elements.contains(.null) ? .null : elements.max { $0.isBefore($1) } ?? .null
        },
        SQLFunction("array_min", [.ts], .t) { arguments, _ in
            let elements = arguments[0].elements
            return elements.contains(.null) ? .null : elements.min { $0.isBefore($1) } ?? .null
        },
        SQLFunction("array_sum", [.type(.array(.bigint))], .bigint) { arguments, _ in
            .integer(try arguments[0].elements.reduce(0) { try SQLArithmetic.integer(.add, $0, $1.int) })
        },
        SQLFunction("array_sum", [.type(.array(.double))], .double) { arguments, _ in
            .double(arguments[0].elements.reduce(0) { $0 + $1.real })
        },
        SQLFunction("array_average", [.type(.array(.double))], .double) { arguments, _ in
            let numbers = arguments[0].elements.filter { !$0.isNull }
            return numbers.isEmpty ? .null : .double(numbers.reduce(0) { $0 + $1.real } / Double(numbers.count))
        },
        SQLFunction("array_union", [.ts, .ts], .ts) { arguments, run in
            try .array(of: distinct(arguments[0].elements + arguments[1].elements, run))
        },
        SQLFunction("array_intersect", [.ts, .ts], .ts) { arguments, run in
            let other = Set(arguments[1].elements)
            return try .array(of: distinct(arguments[0].elements.filter(other.contains), run))
        },
        SQLFunction("array_except", [.ts, .ts], .ts) { arguments, run in
            let other = Set(arguments[1].elements)
            return try .array(of: distinct(arguments[0].elements.filter { !other.contains($0) }, run))
        },
        SQLFunction("array_remove", [.ts, .t], .ts) { arguments, _ in
            try .array(of: arguments[0].elements.filter { $0 != arguments[1] })
        },
        SQLFunction("arrays_overlap", [.ts, .ts], .boolean) { arguments, _ in
            let other = Set(arguments[1].elements)
            if arguments[0].elements.contains(where: { !$0.isNull && other.contains($0) }) { return .boolean(true) }
            return arguments[0].elements.contains(.null) || other.contains(.null) ? .null : .boolean(false)
        },
        SQLFunction("reverse", [.ts], .ts) { arguments, _ in try .array(of: arguments[0].elements.reversed()) },
        SQLFunction("slice", [.ts, .bigint, .bigint], .ts) { arguments, _ in
            let elements = arguments[0].elements
            let (start, count) = (arguments[1].int, arguments[2].int)
            guard start != 0, count >= 0 else { throw SQLFailure.data("slice counts from 1, and takes no fewer than 0 elements") }
            let first = start > 0 ? start - 1 : Int64(elements.count) + max(start, -Int64(Int32.max))
            guard first >= 0, first < Int64(elements.count) else { return .array(.empty) }
            return try .array(of: Array(elements[Int(first)...].prefix(Int(min(count, Int64(Int32.max))))))
        },
        SQLFunction("concat", [.ts], .ts, isVariadic: true) { arguments, run in
            let count = arguments.reduce(0) { $0 + $1.elements.count }
            guard count <= SQLArray.maximumWeight else { throw SQLFailure.limit("an array is too large") }
            try run.tick(count)
            return try .array(of: arguments.flatMap(\.elements))
        },
        SQLFunction("flatten", [.arrayOf(.ts)], .ts) { arguments, run in
            try run.tick(arguments[0].weight)
            return try .array(of: arguments[0].elements.flatMap(\.elements))
        },
        SQLFunction("repeat", [.t, .bigint], .ts, isStrict: false) { arguments, _ in
            guard case .integer(let count) = arguments[1] else { return .null }
            guard count <= Int64(SQLArray.maximumWeight) else { throw SQLFailure.limit("an array is too large") }
            return try .array(of: Array(repeating: arguments[0], count: Int(max(0, count))))
        },
        SQLFunction("sequence", [.bigint, .bigint], .type(.array(.bigint))) { arguments, run in
            let (first, last) = (arguments[0].int, arguments[1].int)
            return try sequence(first, last, step: first <= last ? 1 : -1, run)
        },
        SQLFunction("sequence", [.bigint, .bigint, .bigint], .type(.array(.bigint))) { arguments, run in
            try sequence(arguments[0].int, arguments[1].int, step: arguments[2].int, run)
        },
    ]

    private static func distinct(_ elements: [SQLValue], _ run: SQLRun) throws -> [SQLValue] {
        try run.tick(elements.count)
        var seen = Set<SQLValue>()
        return elements.filter { seen.insert($0).inserted }
    }

    private static func sequence(_ first: Int64, _ last: Int64, step: Int64, _ run: SQLRun) throws -> SQLValue {
        guard step > 0 ? last >= first : step < 0 && last <= first else {
            throw SQLFailure.data("sequence stop value should be reached by its step")
        }
        let (distance, hasOverflowed) = last.subtractingReportingOverflow(first)
        guard !hasOverflowed, distance.magnitude / step.magnitude < UInt64(SQLArray.maximumWeight) else {
            throw SQLFailure.limit("an array is too large")
        }
        try run.tick(Int(distance.magnitude / step.magnitude))
        return try .array(of: stride(from: first, through: last, by: Int64.Stride(step)).map { .integer($0) })
    }

    private static func joined(_ elements: [SQLValue], _ type: SQLType, by separator: String, null: String, _ run: SQLRun) throws
        -> SQLValue
    {
        var result = ""
        for (place, element) in elements.enumerated() {
            if place > 0 { result += separator }
            result += element.isNull ? null : run.rendering.scalar(element, type)
            try run.tick()
            if result.utf8.count > SQLRun.maximumTextBytes { try run.checkText(bytes: result.utf8.count) }
        }
        return .text(result)
    }
}
