// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Puts rows in order by some keys; equal ones stay as they are.
final class SQLSorter {
    private let keys: [SQLSortKey]
    private let compiled: [SQLCompiled]
    private let frame: SQLFrame

    init(_ keys: [SQLSortKey], _ compiled: [SQLCompiled], _ frame: SQLFrame) {
        self.keys = keys
        self.compiled = compiled
        self.frame = frame
    }

    func order(of columns: [SQLVector], count: Int) throws -> [Int] {
        let values = try values(of: columns, count: count)
        var order = Array(0..<count)
        try order.sort { one, other in
            try frame.run.tick()
            let result = compare(values, one, other)
            return result == 0 ? one < other : result < 0
        }
        return order
    }

    /// Of each key a value for each row.
    func values(of columns: [SQLVector], count: Int) throws -> [[SQLValue]] {
        frame.columns = columns
        return try compiled.map { key in
            let vector = try key.vector(frame, count: count)
            return (0..<count).map { vector.value($0) }
        }
    }

    /// Rows of a batch that come before a row with these keys.
    func rows(of batch: SQLBatch, before bound: [SQLValue]) throws -> [Int] {
        frame.columns = batch.columns
        let vectors = try compiled.map { try $0.vector(frame, count: batch.count) }
        return (0..<batch.count).filter { row in compare({ vectors[$0].value(row) }, { bound[$0] }) < 0 }
    }

    func compare(_ values: [[SQLValue]], _ one: Int, _ other: Int) -> Int { compare({ values[$0][one] }, { values[$0][other] }) }

    private func compare(_ one: (Int) -> SQLValue, _ other: (Int) -> SQLValue) -> Int {
        for (place, key) in keys.enumerated() {
            let left = one(place)
            let right = other(place)
            switch (left.isNull, right.isNull) {
            case (true, true): continue
            case (true, false): return key.isNullFirst ? -1 : 1
            case (false, true): return key.isNullFirst ? 1 : -1
            case (false, false):
                let result = left.compared(with: right)
                if result != 0 { return key.isDescending ? -result : result }
            }
        }
        return 0
    }
}

final class SQLSortStage: SQLStage {
    private let input: any SQLStage
    private let width: Int
    private let sorter: SQLSorter
    private let limit: Int?
    private let run: SQLRun
    private var table: SQLTable?
    private var order: ArraySlice<Int> = []

    init(_ input: any SQLStage, width: Int, _ sorter: SQLSorter, limit: Int?, _ run: SQLRun) {
        self.input = input
        self.width = width
        self.sorter = sorter
        self.limit = limit
        self.run = run
    }

    func next() throws -> SQLBatch? {
        let table = try table ?? read()
        self.table = table
        if order.isEmpty { return nil }
        let part = order.prefix(batchSize)
        order = order.dropFirst(part.count)
        return table.batch(part)
    }

    /// With a limit no more than some multiple of it is ever kept.
    private func read() throws -> SQLTable {
        let table = SQLTable(width: width, run)
        let most = limit.map { 2 * $0 + 4 * batchSize } ?? .max
        // After the first batch, as what the input keeps is not given back.
        var memory: Int?
        // Keys of the last row that is still among the first ones; a row that is not before it need not be kept.
        var bound: [SQLValue]?
        while var batch = try input.next() {
            memory = memory ?? run.memory
            if let bound {
                try run.tick(1 + batch.count >> 3)
                let rows = try sorter.rows(of: batch, before: bound)
                if rows.isEmpty { continue }
                batch = batch.gathered(rows)
            }
            try table.append(batch)
            guard let limit, table.count > most else { continue }
            let order = try sorter.order(of: table.vectors, count: table.count)
            table.keep(Array(order.prefix(limit)))
            run.release(to: memory ?? run.memory)
            try run.charge(table.columns.reduce(0) { sum, column in column.reduce(sum) { $0 + $1.cost } })
            if let last = table.count > 0 ? table.count - 1 : nil {
                bound = try sorter.values(of: table.vectors, count: table.count).map { $0[last] }
            }
        }
        order = try sorter.order(of: table.vectors, count: table.count).prefix(limit ?? .max)
        return table
    }
}
