// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Pairs of rows. The right side is kept in memory, by the values of its keys if there are any.
final class SQLJoinStage: SQLStage {
    private let join: SQLJoinPlan
    private let left: any SQLStage
    private let right: any SQLStage
    private let frame: SQLFrame
    private let leftKeys: [SQLCompiled]
    private let rightKeys: [SQLCompiled]
    private let condition: SQLCompiled?
    private let run: SQLRun

    private var table: SQLTable?
    private var places: [[SQLValue]: [Int]] = [:]
    private var all: [Int] = []
    /// Rows of the right side that were in a pair.
    private var isPaired: [Bool] = []
    /// The left side's rows at hand, the keys of each, and the next one.
    private var batch: SQLBatch?
    private var keys: [SQLVector] = []
    private var row = 0
    /// Where the candidates of that row go on.
    private var candidate = 0
    private var hasPair = false
    private var unpaired: ArraySlice<Int>?

    init(_ join: SQLJoinPlan, _ left: any SQLStage, _ right: any SQLStage, _ frame: SQLFrame, _ pairFrame: SQLFrame) throws {
        self.join = join
        self.left = left
        self.right = right
        self.frame = frame
        self.pairFrame = pairFrame
        run = frame.run
        let compiler = SQLCompiler(run: run)
        leftKeys = try join.keys.map { try compiler.compile($0.left) }
        rightKeys = try join.keys.map { try compiler.compile($0.right) }
        condition = try join.condition.map { try compiler.compile($0) }
    }

    private let pairFrame: SQLFrame

    func next() throws -> SQLBatch? {
        let table = try table ?? read()
        self.table = table
        while true {
            if batch == nil {
                guard let next = try left.next() else { return try rest(of: table) }
                batch = next
                row = 0
                candidate = 0
                hasPair = false
                frame.columns = next.columns
                keys = try leftKeys.map { try $0.vector(frame, count: next.count) }
            }
            let pairs = try pairs(table)
            if pairs.count > 0 { return pairs }
        }
    }

    private func read() throws -> SQLTable {
        let table = SQLTable(width: join.rightWidth, run)
        try table.append(all: right)
        isPaired = Array(repeating: false, count: table.count)
        all = Array(0..<table.count)
        if !rightKeys.isEmpty {
            frame.columns = table.vectors
            let vectors = try rightKeys.map { try $0.vector(frame, count: table.count) }
            for row in 0..<table.count {
                try run.tick()
                let key = vectors.map { $0.value(row) }
                if key.contains(where: \.isNull) { continue }
                places[key, default: []].append(row)
                try run.charge(key.reduce(56) { $0 + $1.cost })
            }
        }
        return table
    }

    /// A batch of pairs; empty if the left side's batch has no more.
    private func pairs(_ table: SQLTable) throws -> SQLBatch {
        guard let batch else { return SQLBatch(count: 0, columns: []) }
        var lefts: [Int] = []
        var rights: [Int] = []
        while row < batch.count, lefts.count < batchSize {
            let candidates = candidates(of: row)
            let end = min(candidates.count, candidate + batchSize)
            let some = Array(candidates[candidate..<end])
            try run.tick(1 + some.count)
            for right in try matching(batch, row, some, table) {
                lefts.append(row)
                rights.append(right)
                isPaired[right] = true
                hasPair = true
            }
            candidate = end
            if end < candidates.count { continue }
            if !hasPair, join.kind == .left || join.kind == .full {
                lefts.append(row)
                rights.append(-1)
            }
            row += 1
            candidate = 0
            hasPair = false
        }
        if row == batch.count { self.batch = nil }
        return made(batch, lefts, rights, table)
    }

    private func candidates(of row: Int) -> [Int] {
        if leftKeys.isEmpty { return all }
        return places[keys.map { $0.value(row) }] ?? []
    }

    private func matching(_ batch: SQLBatch, _ row: Int, _ candidates: [Int], _ table: SQLTable) throws -> [Int] {
        guard let condition, !candidates.isEmpty else { return candidates }
        pairFrame.columns =
            batch.columns.map { .constant($0.value(row)) }
            + table.columns.map { column in .values(candidates.map { column[$0] }) }
        let holds = try condition.vector(pairFrame, count: candidates.count)
        return candidates.indices.filter { holds.value($0).bool }.map { candidates[$0] }
    }

    private func made(_ batch: SQLBatch, _ lefts: [Int], _ rights: [Int], _ table: SQLTable) -> SQLBatch {
        if lefts.isEmpty { return SQLBatch(count: 0, columns: []) }
        var columns = batch.columns.map { $0.gathered(lefts) }
        for place in 0..<join.rightWidth {
            let values = rights.map { $0 < 0 ? SQLValue.null : table.columns[place][$0] }
            columns.append(.values(values))
        }
        return SQLBatch(count: lefts.count, columns: columns)
    }

    /// Rows of the right side without a pair, at the end.
    private func rest(of table: SQLTable) throws -> SQLBatch? {
        guard join.kind == .right || join.kind == .full else { return nil }
        let rows = unpaired ?? all.filter { !isPaired[$0] }[...]
        let part = rows.prefix(batchSize)
        unpaired = rows.dropFirst(part.count)
        if part.isEmpty { return nil }
        let nulls = [SQLVector](repeating: .constant(.null), count: join.leftWidth)
        return SQLBatch(count: part.count, columns: nulls + table.batch(part).columns)
    }
}

/// A row for each element of arrays and maps, beside the row they are of; shorter ones are filled up with NULL.
final class SQLUnnestStage: SQLStage {
    private let input: any SQLStage
    private let expressions: [SQLCompiled]
    private let types: [SQLType]
    private let withOrdinality: Bool
    private let frame: SQLFrame

    private var batch: SQLBatch?
    private var vectors: [SQLVector] = []
    private var row = 0
    private var element = 0

    init(_ input: any SQLStage, _ expressions: [SQLCompiled], _ types: [SQLType], withOrdinality: Bool, _ frame: SQLFrame) {
        self.input = input
        self.expressions = expressions
        self.types = types
        self.withOrdinality = withOrdinality
        self.frame = frame
    }

    func next() throws -> SQLBatch? {
        while true {
            if batch == nil {
                guard let next = try input.next() else { return nil }
                batch = next
                row = 0
                element = 0
                frame.columns = next.columns
                vectors = try expressions.map { try $0.vector(frame, count: next.count) }
            }
            if let made = try elements() { return made }
        }
    }

    private func elements() throws -> SQLBatch? {
        guard let batch else { return nil }
        var rows: [Int] = []
        var columns: [[SQLValue]] = []
        while row < batch.count, rows.count < batchSize {
            let lists = lists(of: row)
            if columns.isEmpty { columns = Array(repeating: [], count: lists.count + (withOrdinality ? 1 : 0)) }
            let longest = lists.map(\.count).max() ?? 0
            let end = min(longest, element + batchSize - rows.count)
            try frame.run.tick(1 + end - element)
            for place in element..<end {
                rows.append(row)
                for (column, list) in lists.enumerated() { columns[column].append(place < list.count ? list[place] : .null) }
                if withOrdinality { columns[lists.count].append(.integer(Int64(place + 1))) }
            }
            element = end
            if end == longest {
                row += 1
                element = 0
            }
        }
        if row == batch.count { self.batch = nil }
        if rows.isEmpty { return nil }
        var made = batch.gathered(rows)
        made.columns += columns.map { .values($0) }
        return made
    }

    private func lists(of row: Int) -> [[SQLValue]] {
        zip(vectors, types).flatMap { vector, type -> [[SQLValue]] in
            let value = vector.value(row)
            if case .map = type { return [value.entries.keys.elements, value.entries.values.elements] }
            return [value.elements]
        }
    }
}
