// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Rows that are kept in memory.
final class SQLTable {
    private(set) var columns: [[SQLValue]]
    private(set) var count = 0
    private let run: SQLRun

    init(width: Int, _ run: SQLRun) {
        columns = Array(repeating: [], count: width)
        self.run = run
    }

    func append(_ batch: SQLBatch) throws {
        for (place, column) in batch.columns.enumerated() {
            columns[place].reserveCapacity(count + batch.count)
            var cost = 0
            for row in 0..<batch.count {
                let value = column.value(row)
                cost += value.cost
                columns[place].append(value)
            }
            try run.tick(batch.count)
            try run.charge(cost)
        }
        count += batch.count
    }

    func append(all stage: any SQLStage) throws {
        while let batch = try stage.next() { try append(batch) }
    }

    var vectors: [SQLVector] { columns.map { .values($0) } }

    func row(_ row: Int) -> [SQLValue] { columns.map { $0[row] } }

    func batch(_ rows: ArraySlice<Int>) -> SQLBatch {
        SQLBatch(count: rows.count, columns: columns.map { column in .values(rows.map { column[$0] }) })
    }

    /// Keeps some rows, in the order given.
    func keep(_ rows: [Int]) {
        for place in columns.indices {
            let column = columns[place]
            columns[place] = rows.map { column[$0] }
        }
        count = rows.count
    }
}
