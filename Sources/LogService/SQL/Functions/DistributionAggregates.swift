// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLAggregateLibrary {
    static let distributionFunctions: [SQLAggregateFunction] =
        [SQLPattern.bigint, .double].flatMap { number in
            [
                fold(
                    "approx_percentile", [number, .double], number, Percentiles(),
                    { state, arguments, run in
                        try state.add(arguments[0], weight: 1, arguments[1], run)
                    }, { try $0.single() }),
                fold(
                    "approx_percentile", [number, .type(.array(.double))], .arrayOf(number), Percentiles(),
                    { state, arguments, run in
                        try state.add(arguments[0], weight: 1, arguments[1], run)
                    }, { try $0.all() }),
                fold(
                    "approx_percentile", [number, .bigint, .double], number, Percentiles(),
                    { state, arguments, run in
                        try state.add(arguments[0], weight: arguments[1].int, arguments[2], run)
                    }, { try $0.single() }),
            ]
        } + [
            fold(
                "numeric_histogram", [.bigint, .double], .mapOf(.double, .double), Buckets(),
                { state, arguments, run in
                    try state.add(arguments[0], arguments[1], weight: 1, run)
                }, { try $0.map() }),
            fold(
                "numeric_histogram", [.bigint, .double, .double], .mapOf(.double, .double), Buckets(),
                { state, arguments, run in
                    try state.add(arguments[0], arguments[1], weight: arguments[2].real, run)
                }, { try $0.map() }),
        ]

    /// Exact: the values themselves are kept.
    struct Percentiles: Sendable {
        private var values: [(value: SQLValue, weight: Int64)] = []
        private var wanted = SQLValue.null

        mutating func add(_ value: SQLValue, weight: Int64, _ wanted: SQLValue, _ run: SQLRun) throws {
            self.wanted = wanted
            if value.isNull || weight <= 0 { return }
            try run.charge(32)
            values.append((value, weight))
        }

        func single() throws -> SQLValue { values.isEmpty || wanted.isNull ? .null : try value(at: wanted.real, sorted) }

        func all() throws -> SQLValue {
            if values.isEmpty || wanted.isNull { return .null }
            let sorted = sorted
            return try .array(of: wanted.elements.map { $0.isNull ? .null : try value(at: $0.real, sorted) })
        }

        private var sorted: [(value: SQLValue, weight: Int64)] { values.sorted { $0.value.isBefore($1.value) } }

        /// The smallest value that so many are not above.
        private func value(at share: Double, _ sorted: [(value: SQLValue, weight: Int64)]) throws -> SQLValue {
            guard share >= 0, share <= 1 else { throw SQLFailure.data("Percentile must be between 0 and 1") }
            let total = sorted.reduce(0.0) { $0 + Double($1.weight) }
            var covered = 0.0
            for (value, weight) in sorted {
                covered += Double(weight)
                if covered >= share * total { return value }
            }
            return sorted.last?.value ?? .null
        }
    }

    /// A histogram of a number of buckets, each a mean and a weight: the two that are closest become one until there are as
    /// many as wanted. Source: Ben-Haim and Tom-Tov, "A Streaming Parallel Decision Tree Algorithm".
    struct Buckets: Sendable {
        private var weights: [Double: Double] = [:]
        private var wanted = 0

        mutating func add(_ count: SQLValue, _ value: SQLValue, weight: Double, _ run: SQLRun) throws {
            guard case .integer(let wanted) = count, wanted >= 2, wanted <= 1000 else {
                throw SQLFailure.data("numeric_histogram takes 2 to 1000 buckets")
            }
            self.wanted = Int(wanted)
            guard case .double(let number) = value, number.isFinite, weight > 0 else { return }
            weights[number, default: 0] += weight
            if weights.count > 4000 {
                try run.tick(4_000_000 >> 6)
                let merged = merged(to: max(2000, self.wanted))
                weights = Dictionary(merged.map { ($0.mean, $0.weight) }, uniquingKeysWith: +)
            }
        }

        private func merged(to count: Int) -> [(mean: Double, weight: Double)] {
            var buckets = weights.sorted { $0.key < $1.key }.map { (mean: $0.key, weight: $0.value) }
            while buckets.count > count {
                var closest = 0
                for place in 1..<buckets.count - 1
                where buckets[place + 1].mean - buckets[place].mean < buckets[closest + 1].mean - buckets[closest].mean {
                    closest = place
                }
                let (one, other) = (buckets[closest], buckets[closest + 1])
                let weight = one.weight + other.weight
                buckets[closest] = ((one.mean * one.weight + other.mean * other.weight) / weight, weight)
                buckets.remove(at: closest + 1)
            }
            return buckets
        }

        func map() throws -> SQLValue {
            if weights.isEmpty { return .null }
            return .map(try SQLMap.of(merged(to: wanted).map { (.double($0.mean), .double($0.weight)) }))
        }
    }
}
