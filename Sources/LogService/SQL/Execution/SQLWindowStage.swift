// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Appends the values of window functions. All rows are kept; they leave in the order in which they came.
final class SQLWindowStage: SQLStage {
    private let input: any SQLStage
    private let width: Int
    private let calls: [SQLWindowCall]
    private let frame: SQLFrame
    private var table: SQLTable?
    private var added: [[SQLValue]] = []
    private var given = 0

    init(_ input: any SQLStage, width: Int, _ calls: [SQLWindowCall], _ frame: SQLFrame) {
        self.input = input
        self.width = width
        self.calls = calls
        self.frame = frame
    }

    func next() throws -> SQLBatch? {
        let table = try table ?? read()
        self.table = table
        let end = min(table.count, given + batchSize)
        if given >= end { return nil }
        var batch = table.batch(Array(given..<end)[...])
        batch.columns += added.map { .values(Array($0[given..<end])) }
        given = end
        return batch
    }

    private func read() throws -> SQLTable {
        let table = SQLTable(width: width, frame.run)
        try table.append(all: input)
        let vectors = table.vectors
        for call in calls {
            try frame.run.charge(table.count * 32)
            added.append(try SQLWindowEvaluation(call, vectors, table.count, frame).values())
        }
        return table
    }
}

/// One window function over all rows.
struct SQLWindowEvaluation {
    private let call: SQLWindowCall
    private let count: Int
    private let run: SQLRun
    private let sorter: SQLSorter
    private let keys: [[SQLValue]]
    private let partitions: [Int]
    private let arguments: [SQLVector]
    private let filter: SQLVector?

    init(_ call: SQLWindowCall, _ columns: [SQLVector], _ count: Int, _ frame: SQLFrame) throws {
        self.call = call
        self.count = count
        run = frame.run
        let compiler = SQLCompiler(run: frame.run)
        sorter = SQLSorter(call.order, try call.order.map { try compiler.compile($0.expression) }, frame)
        keys = try sorter.values(of: columns, count: count)
        let partition = try call.partition.map { try compiler.compile($0).vector(frame, count: count) }
        partitions = try SQLTupleInterner(keys: partition.count, frame.run).numbers(of: partition, count: count)
        var expressions = call.arguments
        var condition: SQLExpression?
        if case .aggregate(let aggregate) = call.function {
            expressions = aggregate.arguments
            condition = aggregate.filter
        }
        arguments = try expressions.map { try compiler.compile($0).vector(frame, count: count) }
        filter = try condition.map { try compiler.compile($0).vector(frame, count: count) }
    }

    func values() throws -> [SQLValue] {
        var order = Array(0..<count)
        try order.sort { one, other in
            try run.tick()
            if partitions[one] != partitions[other] { return partitions[one] < partitions[other] }
            let result = sorter.compare(keys, one, other)
            return result == 0 ? one < other : result < 0
        }
        var result = [SQLValue](repeating: .null, count: count)
        var start = 0
        while start < count {
            var end = start + 1
            while end < count, partitions[order[end]] == partitions[order[start]] { end += 1 }
            try partition(Array(order[start..<end]), &result)
            start = end
        }
        return result
    }

    /// Computes the rows of one partition, which are in order.
    private func partition(_ rows: [Int], _ result: inout [SQLValue]) throws {
        /// The first place after those that are equal to `place` in the order.
        var peerEnds = [Int](repeating: rows.count, count: rows.count)
        for place in rows.indices.dropLast().reversed() {
            let isPeer = sorter.compare(keys, rows[place], rows[place + 1]) == 0
            peerEnds[place] = isPeer ? peerEnds[place + 1] : place + 1
        }
        switch call.function {
        case .ranking(let ranking): try rank(ranking, rows, peerEnds, &result)
        case .aggregate(let aggregate): try accumulate(aggregate, rows, peerEnds, &result)
        }
    }

    private func range(of place: Int, _ rows: [Int], _ peerEnds: [Int], peerStart: Int) -> Range<Int> {
        func at(_ distance: Int64, _ sign: Int64) -> Int {
            let (moved, hasOverflowed) = Int64(place).addingReportingOverflow(distance * sign)
            return hasOverflowed ? (sign < 0 ? -1 : rows.count) : Int(max(-1, min(moved, Int64(rows.count))))
        }
        let start: Int
        switch call.frame.start {
        case .unboundedPreceding: start = 0
        case .preceding(let distance): start = max(0, at(distance, -1))
        case .currentRow: start = call.frame.isRows ? place : peerStart
        case .following(let distance): start = at(distance, 1)
        case .unboundedFollowing: start = rows.count
        }
        let end: Int
        switch call.frame.end {
        case .unboundedPreceding: end = 0
        case .preceding(let distance): end = at(distance, -1) + 1
        case .currentRow: end = call.frame.isRows ? place + 1 : peerEnds[place]
        case .following(let distance): end = min(rows.count, at(distance, 1) + 1)
        case .unboundedFollowing: end = rows.count
        }
        return start..<max(start, end)
    }

    private func accumulate(
        _ aggregate: SQLAggregation.Call, _ rows: [Int], _ peerEnds: [Int], _ result: inout [SQLValue]
    ) throws {
        var accumulator = aggregate.function.make(run)
        accumulator.grow(to: 1)
        var covered = 0..<0
        var value = try accumulator.result(of: 0)
        var peerStart = 0
        for place in rows.indices {
            if place > 0, peerEnds[place - 1] <= place { peerStart = place }
            let range = range(of: place, rows, peerEnds, peerStart: peerStart)
            if range != covered || place == 0 {
                if range.lowerBound != covered.lowerBound || range.upperBound < covered.upperBound {
                    accumulator = aggregate.function.make(run)
                    accumulator.grow(to: 1)
                    covered = range.lowerBound..<range.lowerBound
                }
                for added in covered.upperBound..<range.upperBound where filter?.value(rows[added]).bool ?? true {
                    try run.tick()
                    try accumulator.add(arguments.map { $0.value(rows[added]) }, group: 0, weight: 1)
                }
                covered = range
                value = try accumulator.result(of: 0)
                try run.tick(value.weight)
            }
            result[rows[place]] = value
        }
    }

    private func rank(_ ranking: SQLRanking, _ rows: [Int], _ peerEnds: [Int], _ result: inout [SQLValue]) throws {
        let size = rows.count
        var peerStart = 0
        var dense: Int64 = 1
        for place in rows.indices {
            try run.tick()
            if place > 0, peerEnds[place - 1] <= place {
                peerStart = place
                dense += 1
            }
            let row = rows[place]
            let range = range(of: place, rows, peerEnds, peerStart: peerStart)
            switch ranking {
            case .rowNumber: result[row] = .integer(Int64(place + 1))
            case .rank: result[row] = .integer(Int64(peerStart + 1))
            case .denseRank: result[row] = .integer(dense)
            case .percentRank: result[row] = .double(size > 1 ? Double(peerStart) / Double(size - 1) : 0)
            case .cumulativeDistribution: result[row] = .double(Double(peerEnds[place]) / Double(size))
            case .tile: result[row] = try tile(place, size, arguments[0].value(row))
            case .lag, .lead: result[row] = try neighbour(ranking, place, rows)
            case .first: result[row] = range.isEmpty ? .null : arguments[0].value(rows[range.lowerBound])
            case .last: result[row] = range.isEmpty ? .null : arguments[0].value(rows[range.upperBound - 1])
            case .nth:
                guard case .integer(let number) = arguments[1].value(row) else { continue }
                if number < 1 { throw SQLFailure.data("nth_value counts from 1") }
                if number <= Int64(range.count) { result[row] = arguments[0].value(rows[range.lowerBound + Int(number) - 1]) }
            }
        }
    }

    /// The first tiles have one row more if the rows cannot be shared out equally.
    private func tile(_ place: Int, _ size: Int, _ value: SQLValue) throws -> SQLValue {
        guard case .integer(let wanted) = value else { return .null }
        if wanted < 1 { throw SQLFailure.data("ntile needs at least one bucket") }
        let tiles = Int(min(wanted, Int64(Int32.max)))
        let (small, larger) = (size / tiles, size % tiles)
        let inLarger = larger * (small + 1)
        return .integer(Int64(place < inLarger ? place / (small + 1) + 1 : larger + (place - inLarger) / max(1, small) + 1))
    }

    private func neighbour(_ ranking: SQLRanking, _ place: Int, _ rows: [Int]) throws -> SQLValue {
        var distance: Int64 = 1
        if arguments.count > 1 {
            guard case .integer(let given) = arguments[1].value(rows[place]) else { return .null }
            if given < 0 { throw SQLFailure.data("\(ranking.rawValue) needs a distance of at least 0") }
            distance = given
        }
        let (other, hasOverflowed) = Int64(place).addingReportingOverflow(ranking == .lag ? -distance : distance)
        if !hasOverflowed, other >= 0, other < Int64(rows.count) { return arguments[0].value(rows[Int(other)]) }
        return arguments.count > 2 ? arguments[2].value(rows[place]) : .null
    }
}
