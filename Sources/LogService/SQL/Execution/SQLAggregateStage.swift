// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Groups rows by keys and gives a row for each group.
final class SQLAggregateStage: SQLStage {
    private let aggregation: SQLAggregation
    private let frame: SQLFrame
    private let makeInput: () throws -> any SQLStage
    /// Columns of all groups, once they are known, and how many rows were given out.
    private var output: (columns: [[SQLValue]], count: Int)?
    private var given = 0

    init(_ aggregation: SQLAggregation, _ frame: SQLFrame, input: @escaping () throws -> any SQLStage) {
        self.aggregation = aggregation
        self.frame = frame
        makeInput = input
    }

    func next() throws -> SQLBatch? {
        let output = try output ?? made()
        self.output = output
        let end = min(output.count, given + batchSize)
        defer { given = end }
        if given >= end { return nil }
        let columns = output.columns.map { SQLVector.values(Array($0[given..<end])) }
        return SQLBatch(count: end - given, columns: columns)
    }

    private func made() throws -> (columns: [[SQLValue]], count: Int) {
        var columns = try grouped(aggregation)
        if let comparison = aggregation.comparison { try compare(comparison, &columns) }
        if let series = aggregation.series { columns = try SQLSeriesFilling(series, frame.run).filled(columns) }
        let count = columns.first?.count ?? (aggregation.isGlobal ? 1 : 0)
        return (columns, count)
    }

    /// The keys, then the aggregates.
    private func grouped(_ aggregation: SQLAggregation) throws -> [[SQLValue]] {
        let run = frame.run
        let groups = SQLTupleInterner(keys: aggregation.keys.count, run)
        let compiler = SQLCompiler(run: run)
        let keys = try aggregation.keys.map(compiler.compile)
        let calls = try aggregation.calls.map { try SQLAggregateCall($0, compiler, frame) }
        let input = try makeInput()
        while let batch = try input.next() {
            try run.tick(1 + batch.count >> 2)
            frame.columns = batch.columns
            let numbers = try groups.numbers(of: try keys.map { try $0.vector(frame, count: batch.count) }, count: batch.count)
            for call in calls {
                try SQLCompiler.placed(call.position) {
                    try call.add(frame, groups: numbers, groupCount: groups.count, weights: batch.weights)
                }
            }
        }
        let count = aggregation.isGlobal ? 1 : groups.count
        var columns = aggregation.keys.indices.map { key in (0..<count).map { groups.value(key, of: $0) } }
        for call in calls { columns.append(try SQLCompiler.placed(call.position) { try call.results(count: count) }) }
        return columns
    }

    /// Runs the input again for earlier ranges of time, and makes an array of each group's values: now, the earlier ones,
    /// the ratios of now to each, and, of a series, the earlier times in seconds.
    private func compare(_ comparison: SQLComparison, _ columns: inout [[SQLValue]]) throws {
        let run = frame.run
        let keys = aggregation.keys.count
        let shifts = Set(comparison.calls.flatMap(\.shifts))
        var earlier: [Int64: [[SQLValue]: Int]] = [:]
        var results: [Int64: [[SQLValue]]] = [:]
        let outerShift = run.shift
        for shift in shifts {
            run.shift = outerShift + shift
            defer { run.shift = outerShift }
            let found = try grouped(aggregation)
            results[shift] = found
            var rows: [[SQLValue]: Int] = [:]
            for row in 0..<(found.first?.count ?? 0) { rows[(0..<keys).map { found[$0][row] }] = row }
            earlier[shift] = rows
        }
        for call in comparison.calls {
            let column = keys + call.call
            for row in columns[column].indices {
                try run.tick()
                let now = columns[column][row]
                let key = (0..<keys).map { columns[$0][row] }
                var values: [SQLValue] = []
                var times: [SQLValue] = []
                for shift in call.shifts {
                    let moved = call.isSeries ? self.moved(key, comparison.timeKey, by: shift) : (key, nil)
                    let place = earlier[shift]?[moved.0]
                    values.append(place.flatMap { results[shift]?[column][$0] } ?? .null)
                    if let time = moved.1 { times.append(.double(Double(time))) }
                }
                let ratios = values.map { value in now.isNull || value.isNull ? SQLValue.null : .double(now.real / value.real) }
                columns[column][row] = try .array(of: [now] + values + ratios + times)
            }
        }
    }

    private func moved(_ key: [SQLValue], _ timeKey: (index: Int, unit: Int64)?, by shift: Int64) -> ([SQLValue], Int64?) {
        guard let (index, unit) = timeKey, case .integer(let time) = key[index] else { return (key, nil) }
        var result = key
        let earlier = time &- shift * unit
        result[index] = .integer(earlier)
        return (result, CivilTime.divide(earlier, by: unit))
    }
}

/// One aggregate of a query: its arguments, which rows it takes, and its state.
final class SQLAggregateCall {
    private let accumulator: SQLAccumulator
    private let arguments: [SQLCompiled]
    private let filter: SQLCompiled?
    /// With DISTINCT: what each group has had.
    private let tuples: SQLTupleInterner?
    private var seen = SQLNumbering()
    private let run: SQLRun
    let position: Int

    init(_ call: SQLAggregation.Call, _ compiler: SQLCompiler, _ frame: SQLFrame) throws {
        run = frame.run
        position = call.position
        let inner = call.function.make(run)
        var all = call.arguments
        if call.order.isEmpty {
            accumulator = inner
        } else {
            accumulator = SQLOrderedAccumulator(inner, call.order, arguments: call.arguments.count, run)
            all += call.order.map(\.expression)
        }
        arguments = try all.map(compiler.compile)
        filter = try call.filter.map(compiler.compile)
        tuples = call.isDistinct ? SQLTupleInterner(keys: call.arguments.count, run) : nil
    }

    func add(_ frame: SQLFrame, groups: [Int], groupCount: Int, weights: [Int64]?) throws {
        accumulator.grow(to: groupCount)
        var groups = groups
        let count = groups.count
        if let filter {
            let holds = try filter.vector(frame, count: count)
            for row in 0..<count where !holds.value(row).bool { groups[row] = -1 }
        }
        let vectors = try arguments.map { try $0.vector(frame, count: count) }
        if let tuples {
            let numbers = try tuples.numbers(of: vectors, count: count)
            for row in 0..<count where groups[row] >= 0 {
                if seen.number(of: UInt64(groups[row]) << 32 | UInt64(numbers[row])).isNew {
                    try run.charge(24)
                } else {
                    groups[row] = -1
                }
            }
            try accumulator.add(vectors, groups: groups, weights: nil)
        } else {
            try accumulator.add(vectors, groups: groups, weights: weights)
        }
    }

    func results(count: Int) throws -> [SQLValue] {
        accumulator.grow(to: count)
        return try (0..<count).map { group in
            try run.tick()
            let value = try accumulator.result(of: group)
            try run.charge(value.cost)
            return value
        }
    }
}

/// Hands a group's rows on in an order.
final class SQLOrderedAccumulator: SQLAccumulator {
    private let inner: SQLAccumulator
    private let keys: [SQLSortKey]
    private let arguments: Int
    private var rows: [[[SQLValue]]] = []

    init(_ inner: SQLAccumulator, _ keys: [SQLSortKey], arguments: Int, _ run: SQLRun) {
        self.inner = inner
        self.keys = keys
        self.arguments = arguments
        super.init(run: run)
    }

    override func grow(to groups: Int) {
        inner.grow(to: groups)
        while rows.count < groups { rows.append([]) }
    }

    override func add(_ arguments: [SQLValue], group: Int, weight: Int64) throws {
        try run.charge(arguments.reduce(24) { $0 + $1.cost })
        rows[group].append(arguments)
    }

    override func result(of group: Int) throws -> SQLValue {
        let unordered = rows[group]
        let sorter = SQLSorter(keys, [], SQLFrame(run: run, outer: nil))
        let values = keys.indices.map { key in unordered.map { $0[arguments + key] } }
        var order = Array(unordered.indices)
        try order.sort { one, other in
            try run.tick()
            let result = sorter.compare(values, one, other)
            return result == 0 ? one < other : result < 0
        }
        for row in order { try inner.add(Array(unordered[row].prefix(arguments)), group: group, weight: 1) }
        return try inner.result(of: group)
    }
}
