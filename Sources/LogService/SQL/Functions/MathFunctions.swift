// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension SQLFunctionLibrary {
    static let mathFunctions: [SQLFunction] =
        [
            SQLFunction("abs", [.bigint], .bigint) { arguments, _ in
                guard arguments[0].int != .min else { throw SQLFailure.data("bigint overflow: abs") }
                return .integer(abs(arguments[0].int))
            },
            SQLFunction("abs", [.double], .double) { arguments, _ in .double(abs(arguments[0].real)) },
            SQLFunction("round", [.double, .bigint], .double) { arguments, _ in
                .double(rounded(arguments[0].real, arguments[1].int, .toNearestOrAwayFromZero))
            },
            SQLFunction("truncate", [.double, .bigint], .double) { arguments, _ in
                .double(rounded(arguments[0].real, arguments[1].int, .towardZero))
            },
            SQLFunction("sign", [.bigint], .bigint) { arguments, _ in .integer(arguments[0].int.signum()) },
            SQLFunction("sign", [.double], .double) { arguments, _ in
                let value = arguments[0].real
                return .double(value.isNaN ? value : (value > 0 ? 1 : (value < 0 ? -1 : 0)))
            },
            SQLFunction("mod", [.bigint, .bigint], .bigint) { arguments, _ in
                .integer(try SQLArithmetic.integer(.modulo, arguments[0].int, arguments[1].int))
            },
            SQLFunction("mod", [.double, .double], .double) { arguments, _ in
                .double(arguments[0].real.truncatingRemainder(dividingBy: arguments[1].real))
            },
            SQLFunction("power", [.double, .double], .double) { arguments, _ in .double(pow(arguments[0].real, arguments[1].real))
            },
            SQLFunction("log", [.double, .double], .double) { arguments, _ in
                .double(log(arguments[1].real) / log(arguments[0].real))
            },
            SQLFunction("atan2", [.double, .double], .double) { arguments, _ in
                .double(atan2(arguments[0].real, arguments[1].real))
            },
            SQLFunction("pi", [], .double) { _, _ in .double(.pi) },
            SQLFunction("e", [], .double) { _, _ in .double(M_E) },
            SQLFunction("nan", [], .double) { _, _ in .double(.nan) },
            SQLFunction("infinity", [], .double) { _, _ in .double(.infinity) },
            SQLFunction("is_nan", [.double], .boolean) { arguments, _ in .boolean(arguments[0].real.isNaN) },
            SQLFunction("is_finite", [.double], .boolean) { arguments, _ in .boolean(arguments[0].real.isFinite) },
            SQLFunction("is_infinite", [.double], .boolean) { arguments, _ in .boolean(arguments[0].real.isInfinite) },
            SQLFunction("random", [], .double, isDeterministic: false) { _, run in
                .double(Double.random(in: 0..<1, using: &run.random))
            },
            SQLFunction("random", [.bigint], .bigint, isDeterministic: false) { arguments, run in
                guard arguments[0].int > 0 else { throw SQLFailure.data("bound must be positive") }
                return .integer(Int64.random(in: 0..<arguments[0].int, using: &run.random))
            },
            SQLFunction("greatest", [.t], .t, isVariadic: true) { arguments, _ in
                arguments.dropFirst().reduce(arguments[0]) { $0.isBefore($1) ? $1 : $0 }
            },
            SQLFunction("least", [.t], .t, isVariadic: true) { arguments, _ in
                arguments.dropFirst().reduce(arguments[0]) { $1.isBefore($0) ? $1 : $0 }
            },
            SQLFunction("to_base", [.bigint, .bigint], .varchar) { arguments, _ in
                .text(String(arguments[0].int, radix: try radix(arguments[1].int)))
            },
            SQLFunction("from_base", [.varchar, .bigint], .bigint) { arguments, _ in
                guard let value = Int64(arguments[0].string, radix: try radix(arguments[1].int)) else {
                    throw SQLFailure.data("Not a valid base-\(arguments[1].int) number: \(arguments[0].string.prefix(100))")
                }
                return .integer(value)
            },
            SQLFunction("width_bucket", [.double, .double, .double, .bigint], .bigint) { arguments, _ in
                let (value, low, high, count) = (arguments[0].real, arguments[1].real, arguments[2].real, arguments[3].int)
                guard count > 0, count < Int64(Int32.max), low != high, low.isFinite, high.isFinite, !value.isNaN else {
                    throw SQLFailure.data("width_bucket needs different finite bounds and at least one bucket")
                }
                let share = (value - low) / (high - low)
                return .integer(share < 0 ? 0 : (share >= 1 ? count + 1 : Int64(share * Double(count)) + 1))
            },
            SQLFunction("bitwise_and", [.bigint, .bigint], .bigint) { arguments, _ in
                .integer(arguments[0].int & arguments[1].int)
            },
            SQLFunction("bitwise_or", [.bigint, .bigint], .bigint) { arguments, _ in .integer(arguments[0].int | arguments[1].int)
            },
            SQLFunction("bitwise_xor", [.bigint, .bigint], .bigint) { arguments, _ in
                .integer(arguments[0].int ^ arguments[1].int)
            },
            SQLFunction("bitwise_not", [.bigint], .bigint) { arguments, _ in .integer(~arguments[0].int) },
        ]
        + roundings.flatMap { name, rule in
            [
                SQLFunction(name, [.bigint], .bigint) { arguments, _ in arguments[0] },
                SQLFunction(name, [.double], .double) { arguments, _ in .double(arguments[0].real.rounded(rule)) },
            ]
        }
        + reals.map { name, function in
            SQLFunction(name, [.double], .double) { arguments, _ in .double(function(arguments[0].real)) }
        }

    private static let roundings: [(String, FloatingPointRoundingRule)] = [
        ("round", .toNearestOrAwayFromZero), ("ceil", .up), ("floor", .down), ("truncate", .towardZero),
    ]

    private static let reals: [(String, @Sendable (Double) -> Double)] = [
        ("sqrt", { $0.squareRoot() }), ("cbrt", { cbrt($0) }), ("exp", { exp($0) }), ("ln", { log($0) }), ("log2", { log2($0) }),
        ("log10", { log10($0) }), ("sin", { sin($0) }), ("cos", { cos($0) }), ("tan", { tan($0) }), ("asin", { asin($0) }),
        ("acos", { acos($0) }), ("atan", { atan($0) }), ("sinh", { sinh($0) }), ("cosh", { cosh($0) }), ("tanh", { tanh($0) }),
        ("degrees", { $0 * 180 / .pi }), ("radians", { $0 * .pi / 180 }),
    ]

    private static func rounded(_ value: Double, _ digits: Int64, _ rule: FloatingPointRoundingRule) -> Double {
        guard value.isFinite else { return value }
        let scale = pow(10, Double(max(-400, min(400, digits))))
        if scale == 0 { return 0 }
        let scaled = value * scale
        // So many digits are all there are.
        return scaled.isFinite && scale.isFinite ? scaled.rounded(rule) / scale : value
    }

    private static func radix(_ value: Int64) throws -> Int {
        guard (2...36).contains(value) else { throw SQLFailure.data("Radix must be between 2 and 36") }
        return Int(value)
    }
}
