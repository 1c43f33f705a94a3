// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension SQLAggregateLibrary {
    static func logarithm(_ value: Double) -> Double { log(value) }
    static func exponential(_ value: Double) -> Double { exp(value) }

    static let statisticalFunctions: [SQLAggregateFunction] =
        moments.map { name, finish in
            fold(name, .double, .double, Moments(), { state, value, _, _ in state.add(value.real) }, { SQLValue(finish($0)) })
        }
        + pairs.map { name, finish in
            fold(
                name, [.double, .double], .double, PairMoments(),
                { state, arguments, _ in
                    if !arguments[0].isNull, !arguments[1].isNull { state.add(y: arguments[0].real, x: arguments[1].real) }
                }, { SQLValue(finish($0)) })
        }

    /// Sums of powers of the distances from the mean, kept up to date value by value; source: T. B. Terriberry,
    /// "Computing Higher-Order Moments Online".
    struct Moments: Sendable {
        var count = 0.0
        var mean = 0.0
        var second = 0.0
        var third = 0.0
        var fourth = 0.0

        mutating func add(_ value: Double) {
            let before = count
            count += 1
            let delta = value - mean
            let share = delta / count
            let term = delta * share * before
            mean += share
            fourth += term * share * share * (count * count - 3 * count + 3) + 6 * share * share * second - 4 * share * third
            third += term * share * (count - 2) - 3 * share * second
            second += term
        }
    }

    private static let moments: [(String, @Sendable (Moments) -> Double?)] = [
        ("var_pop", { $0.count > 0 ? $0.second / $0.count : nil }),
        ("var_samp", { $0.count > 1 ? $0.second / ($0.count - 1) : nil }),
        ("stddev_pop", { $0.count > 0 ? ($0.second / $0.count).squareRoot() : nil }),
        ("stddev_samp", { $0.count > 1 ? ($0.second / ($0.count - 1)).squareRoot() : nil }),
        ("skewness", { $0.count > 2 ? $0.count.squareRoot() * $0.third / pow($0.second, 1.5) : nil }),
        (
            "kurtosis",
            { state in
                let n = state.count
                if n < 4 { return nil }
                let variance = state.second / (n - 1)
                return n * (n + 1) / ((n - 1) * (n - 2) * (n - 3)) * state.fourth / (variance * variance)
                    - 3 * (n - 1) * (n - 1) / ((n - 2) * (n - 3))
            }
        ),
    ]

    /// Of pairs; the first argument is y, the second x.
    struct PairMoments: Sendable {
        var count = 0.0
        var meanX = 0.0
        var meanY = 0.0
        var xx = 0.0
        var yy = 0.0
        var xy = 0.0

        mutating func add(y: Double, x: Double) {
            count += 1
            let deltaX = x - meanX
            let deltaY = y - meanY
            meanX += deltaX / count
            meanY += deltaY / count
            xx += deltaX * (x - meanX)
            yy += deltaY * (y - meanY)
            xy += deltaX * (y - meanY)
        }

        var slope: Double? { count > 0 && xx != 0 ? xy / xx : nil }
    }

    private static let pairs: [(String, @Sendable (PairMoments) -> Double?)] = [
        ("covar_pop", { $0.count > 0 ? $0.xy / $0.count : nil }),
        ("covar_samp", { $0.count > 1 ? $0.xy / ($0.count - 1) : nil }),
        ("corr", { $0.count > 0 && $0.xx != 0 && $0.yy != 0 ? $0.xy / ($0.xx * $0.yy).squareRoot() : nil }),
        ("regr_slope", { $0.slope }),
        ("regr_intercept", { state in state.slope.map { state.meanY - $0 * state.meanX } }),
        ("regr_count", { $0.count }),
        ("regr_avgx", { $0.count > 0 ? $0.meanX : nil }),
        ("regr_avgy", { $0.count > 0 ? $0.meanY : nil }),
        ("regr_sxx", { $0.count > 0 ? $0.xx : nil }),
        ("regr_syy", { $0.count > 0 ? $0.yy : nil }),
        ("regr_sxy", { $0.count > 0 ? $0.xy : nil }),
        ("regr_r2", { $0.count > 0 && $0.xx != 0 ? ($0.yy == 0 ? 1 : $0.xy * $0.xy / ($0.xx * $0.yy)) : nil }),
    ]
}
