// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SQLAggregateLibrary {
    static let countingFunctions: [SQLAggregateFunction] = [
        SQLAggregateFunction("count", [], .bigint, isWeighted: true) { SQLCountAccumulator(run: $0, counts: .rows) },
        SQLAggregateFunction("count", [.t], .bigint, isWeighted: true) { SQLCountAccumulator(run: $0, counts: .values) },
        SQLAggregateFunction("count_if", [.boolean], .bigint, isWeighted: true) { SQLCountAccumulator(run: $0, counts: .truths) },
        SQLAggregateFunction("sum", [.bigint], .bigint, isWeighted: true) { SQLWholeSumAccumulator(run: $0, isMean: false) },
        fold(
            "sum", .double, .double, Double?.none, { state, value, _, _ in state = (state ?? 0) + value.real }, { SQLValue($0) }),
        SQLAggregateFunction("avg", [.bigint], .double, isWeighted: true) { SQLWholeSumAccumulator(run: $0, isMean: true) },
        fold(
            "avg", .double, .double, Mean(),
            { state, value, _, _ in
                state.sum += value.real
                state.count += 1
            }, { $0.count == 0 ? .null : .double($0.sum / $0.count) }),
        fold(
            "geometric_mean", .double, .double, Mean(),
            { state, value, _, _ in
                state.sum += logarithm(value.real)
                state.count += 1
            }, { $0.count == 0 ? .null : .double(exponential($0.sum / $0.count)) }),
        fold(
            "bool_and", .boolean, .boolean, isWeighted: true, Bool?.none,
            { state, value, _, _ in state = (state ?? true) && value.bool }, { SQLValue($0) }),
        fold(
            "bool_or", .boolean, .boolean, isWeighted: true, Bool?.none,
            { state, value, _, _ in state = (state ?? false) || value.bool }, { SQLValue($0) }),
        fold(
            "bitwise_and_agg", .bigint, .bigint, isWeighted: true, Int64?.none,
            { state, value, _, _ in state = (state ?? -1) & value.int }, { SQLValue($0) }),
        fold(
            "bitwise_or_agg", .bigint, .bigint, isWeighted: true, Int64?.none,
            { state, value, _, _ in state = (state ?? 0) | value.int }, { SQLValue($0) }),
        fold(
            "bitwise_xor_agg", .bigint, .bigint, isWeighted: true, Int64?.none,
            { state, value, weight, _ in state = (state ?? 0) ^ (weight % 2 == 0 ? 0 : value.int) }, { SQLValue($0) }),
        // A sum, so that the order of rows does not matter.
        fold(
            "checksum", .t, .varchar, isWeighted: true, UInt64?.none,
            { state, value, weight, _ in
                state = (state ?? 0) &+ Checksum.of(value) &* UInt64(bitPattern: weight)
            }, { state in SQLValue(state.map { Checksum.text($0) }) }),
    ]

    struct Mean: Sendable {
        var sum = 0.0
        var count = 0.0
    }
}

/// Counts rows, values that are not NULL, or conditions that hold.
final class SQLCountAccumulator: SQLAccumulator {
    enum Counted {
        case rows
        case values
        case truths
    }

    private let counted: Counted
    private var counts: [Int64] = []

    init(run: SQLRun, counts: Counted) {
        counted = counts
        super.init(run: run)
    }

    override func grow(to groups: Int) {
        if groups > counts.count { counts += repeatElement(0, count: groups - counts.count) }
    }

    override func add(_ arguments: [SQLVector], groups: [Int], weights: [Int64]?) throws {
        guard counted != .rows, let argument = arguments.first else {
            for row in groups.indices where groups[row] >= 0 { counts[groups[row]] += weights?[row] ?? 1 }
            return
        }
        argument.forEach(in: groups) { row, value in
            if counted == .values ? !value.isNull : value.bool { counts[groups[row]] += weights?[row] ?? 1 }
        }
    }

    override func add(_ arguments: [SQLValue], group: Int, weight: Int64) throws {
        switch counted {
        case .rows: counts[group] += weight
        case .values: if arguments.first?.isNull == false { counts[group] += weight }
        case .truths: if arguments.first?.bool == true { counts[group] += weight }
        }
    }

    override func result(of group: Int) -> SQLValue { .integer(counts[group]) }
}

/// Adds whole numbers exactly, so that neither the order of rows nor how they are told matters.
final class SQLWholeSumAccumulator: SQLAccumulator {
    private let isMean: Bool
    private var sums: [Int128] = []
    private var counts: [Int64] = []

    init(run: SQLRun, isMean: Bool) {
        self.isMean = isMean
        super.init(run: run)
    }

    override func grow(to groups: Int) {
        guard groups > sums.count else { return }
        counts += repeatElement(0, count: groups - counts.count)
        sums += repeatElement(0, count: groups - sums.count)
    }

    override func add(_ arguments: [SQLVector], groups: [Int], weights: [Int64]?) {
        arguments[0].forEach(in: groups) { row, value in add(value, groups[row], weights?[row] ?? 1) }
    }

    override func add(_ arguments: [SQLValue], group: Int, weight: Int64) { add(arguments[0], group, weight) }

    private func add(_ value: SQLValue, _ group: Int, _ weight: Int64) {
        guard case .integer(let number) = value else { return }
        sums[group] &+= Int128(number) &* Int128(weight)
        counts[group] &+= weight
    }

    override func result(of group: Int) throws -> SQLValue {
        if counts[group] == 0 { return .null }
        if isMean { return .double(Double(sums[group]) / Double(counts[group])) }
        guard let sum = Int64(exactly: sums[group]) else { throw SQLFailure.data("bigint overflow: sum") }
        return .integer(sum)
    }
}

/// FNV-1a over a value's parts: the same in every run.
struct Checksum {
    private var hash: UInt64 = 0xCBF2_9CE4_8422_2325

    static func of(_ value: SQLValue) -> UInt64 {
        var checksum = Checksum()
        checksum.add(value)
        return checksum.hash
    }

    static func text(_ sum: UInt64) -> String {
        let digits = String(sum, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0100_0000_01B3 }
    }

    private mutating func add(_ number: UInt64) { add((0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }) }

    private mutating func add(_ value: SQLValue) {
        switch value {
        case .null: add([0])
        case .boolean(let flag): add([flag ? 2 : 1])
        case .integer(let number): add(UInt64(bitPattern: number))
        case .double(let number): add(number == 0 ? 0 : number.bitPattern)
        case .text(let text):
            add(text.utf8)
            add([0xFF])
        case .array(let array): for element in array.elements { add(element) }
        case .map(let map): for part in map.keys.elements + map.values.elements { add(part) }
        }
    }
}
