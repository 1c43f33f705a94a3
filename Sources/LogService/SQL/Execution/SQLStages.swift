// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A running operator of a plan: batches of rows, until there are no more.
protocol SQLStage: AnyObject {
    func next() throws -> SQLBatch?
}

extension SQLStage {
    var batchSize: Int { 4096 }
}

typealias SQLOuterRow = (frame: SQLFrame, row: Int)?

/// Starts plans.
struct SQLStages {
    let run: SQLRun

    func stage(_ plan: SQLPlan, outer: SQLOuterRow) throws -> any SQLStage {
        let frame = SQLFrame(run: run, outer: outer)
        let compiler = SQLCompiler(run: run)
        switch plan {
        case .scan(let scan): return try SQLScanStage(scan, run)
        case .values(let rows):
            let rows = try rows.map { row in try row.map { try compiler.compile($0).evaluate(frame, 0) } }
            let width = rows.first?.count ?? 0
            let columns = (0..<width).map { column in SQLVector.values(rows.map { $0[column] }) }
            return SQLOnceStage(SQLBatch(count: rows.count, columns: columns))
        case .filter(let input, let condition):
            return SQLFilterStage(try stage(input, outer: outer), try compiler.compile(condition), frame)
        case .project(let input, let expressions):
            return SQLProjectStage(try stage(input, outer: outer), try expressions.map(compiler.compile), frame)
        case .aggregate(let input, let aggregation):
            return SQLAggregateStage(aggregation, frame) { try stage(input, outer: outer) }
        case .window(let input, let calls):
            return SQLWindowStage(try stage(input, outer: outer), width: input.width, calls, frame)
        case .sort(let input, let keys, let limit):
            let sorter = SQLSorter(keys, try keys.map { try compiler.compile($0.expression) }, frame)
            return SQLSortStage(try stage(input, outer: outer), width: input.width, sorter, limit: limit, run)
        case .limit(let input, let offset, let count):
            return SQLLimitStage(try stage(input, outer: outer), offset: offset, count: count)
        case .join(let join):
            return try SQLJoinStage(
                join, try stage(join.left, outer: outer), try stage(join.right, outer: outer), frame,
                SQLFrame(run: run, outer: outer))
        case .unnest(let input, let expressions, let withOrdinality):
            return SQLUnnestStage(
                try stage(input, outer: outer), try expressions.map(compiler.compile), expressions.map(\.type),
                withOrdinality: withOrdinality, frame)
        case .concatenation(let first, let second):
            return SQLConcatenationStage(try stage(first, outer: outer), try stage(second, outer: outer))
        case .membership(let first, let second, let isIn):
            return SQLMembershipStage(try stage(first, outer: outer), try stage(second, outer: outer), isIn: isIn, run)
        }
    }
}

final class SQLOnceStage: SQLStage {
    private var batch: SQLBatch?

    init(_ batch: SQLBatch) { self.batch = batch }

    func next() -> SQLBatch? {
        defer { batch = nil }
        return batch
    }
}

final class SQLFilterStage: SQLStage {
    private let input: any SQLStage
    private let condition: SQLCompiled
    private let frame: SQLFrame

    init(_ input: any SQLStage, _ condition: SQLCompiled, _ frame: SQLFrame) {
        self.input = input
        self.condition = condition
        self.frame = frame
    }

    func next() throws -> SQLBatch? {
        while let batch = try input.next() {
            try frame.run.tick(1 + batch.count >> 5)
            frame.columns = batch.columns
            let rows = selected(by: try condition.vector(frame, count: batch.count), batch.count)
            if rows.count == batch.count { return batch }
            if !rows.isEmpty { return batch.gathered(rows) }
        }
        return nil
    }

    private func selected(by values: SQLVector, _ count: Int) -> [Int] {
        switch values {
        case .constant(let value): return value.bool ? Array(0..<count) : []
        case .dictionary(let codes, let dictionary):
            let isSelected = dictionary.values
            return codes.indices.filter { isSelected[Int(codes[$0])].bool }
        default: return (0..<count).filter { values.value($0).bool }
        }
    }
}

final class SQLProjectStage: SQLStage {
    private let input: any SQLStage
    private let expressions: [SQLCompiled]
    private let frame: SQLFrame

    init(_ input: any SQLStage, _ expressions: [SQLCompiled], _ frame: SQLFrame) {
        self.input = input
        self.expressions = expressions
        self.frame = frame
    }

    func next() throws -> SQLBatch? {
        guard let batch = try input.next() else { return nil }
        frame.columns = batch.columns
        let columns = try expressions.map { try $0.vector(frame, count: batch.count) }
        return SQLBatch(count: batch.count, columns: columns, weights: batch.weights)
    }
}

final class SQLLimitStage: SQLStage {
    private let input: any SQLStage
    private var toSkip: Int
    private var left: Int?

    init(_ input: any SQLStage, offset: Int, count: Int?) {
        self.input = input
        toSkip = offset
        left = count
    }

    func next() throws -> SQLBatch? {
        while left != 0, let batch = try input.next() {
            let first = min(toSkip, batch.count)
            toSkip -= first
            let count = min(batch.count - first, left ?? .max)
            left = left.map { $0 - count }
            if count == batch.count { return batch }
            if count > 0 { return batch.gathered(Array(first..<first + count)) }
        }
        return nil
    }
}

final class SQLConcatenationStage: SQLStage {
    private let first: any SQLStage
    private let second: any SQLStage
    private var isFirstOver = false

    init(_ first: any SQLStage, _ second: any SQLStage) {
        self.first = first
        self.second = second
    }

    func next() throws -> SQLBatch? {
        if !isFirstOver {
            if let batch = try first.next() { return batch }
            isFirstOver = true
        }
        return try second.next()
    }
}

final class SQLMembershipStage: SQLStage {
    private let input: any SQLStage
    private let other: any SQLStage
    private let isIn: Bool
    private let run: SQLRun
    private var rows: Set<[SQLValue]>?

    init(_ input: any SQLStage, _ other: any SQLStage, isIn: Bool, _ run: SQLRun) {
        self.input = input
        self.other = other
        self.isIn = isIn
        self.run = run
    }

    func next() throws -> SQLBatch? {
        let rows = try rows ?? read()
        self.rows = rows
        while let batch = try input.next() {
            try run.tick(batch.count)
            let selected = (0..<batch.count).filter { row in rows.contains(batch.columns.map { $0.value(row) }) == isIn }
            if !selected.isEmpty { return batch.gathered(selected) }
        }
        return nil
    }

    private func read() throws -> Set<[SQLValue]> {
        var rows = Set<[SQLValue]>()
        while let batch = try other.next() {
            for row in 0..<batch.count {
                try run.tick()
                let values = batch.columns.map { $0.value(row) }
                if rows.insert(values).inserted { try run.charge(values.reduce(48) { $0 + $1.cost }) }
            }
        }
        return rows
    }
}
