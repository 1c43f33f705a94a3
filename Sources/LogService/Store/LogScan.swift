// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// Goes through a table part by part of the store: where it may, each different row once, with how often it occurs.
struct LogScan: ColumnScan {
    private static let batchRows = 4096

    private let table: LogTable
    private let query: LogQuery
    private let columns: [Int]
    private let grouping: ScanGrouping?
    private var sources: [RowSource]
    private var part: PartTable?
    private var nextRow = 0

    init(table: LogTable, query: LogQuery, columns: [Int], grouping: ScanGrouping?) throws {
        self.table = table
        self.query = query
        self.columns = columns
        self.grouping = grouping
        sources = try table.store.rowQuery(query, table.plan).map { table.store.engine.rowSources($0) } ?? []
        sources.reverse()
    }

    mutating func nextBatch() throws -> ColumnBatch? {
        while true {
            guard var current = part else {
                guard let source = sources.popLast() else { return nil }
                var rows = try source.open()
                guard try table.store.settle(&rows, query, table.plan, limit: table.limit) else { throw Self.timeIsUp }
                guard !rows.certain.isEmpty else { continue }
                if grouping != nil, let batch = try PartTable.counts(rows, table: table, columns: columns) { return batch }
                let opened = try PartTable(rows, table: table, columns: columns)
                if let grouping, let batch = try opened.groups(timeStep: grouping.timeStep) { return batch }
                part = opened
                nextRow = 0
                continue
            }
            guard try !table.limit.isOver() else { throw Self.timeIsUp }
            let batch = try current.batch(from: &nextRow, limit: Self.batchRows)
            part = batch == nil ? nil : current
            if let batch { return batch }
        }
    }

    private static let timeIsUp = LogServiceError(
        400, "ParameterInvalid", "the query takes too long: narrow the range of time or the search before the |")
}
