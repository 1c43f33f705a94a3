// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// The logs that a search finds, as the table that SQL reads: values come from the engine's columns where it has them, else from
/// the logs.
package struct LogTable: ColumnSource {
    package let columns: [SQLColumn]
    /// Where each column comes from; nil for `__time__`.
    let origins: [LogColumn?]
    let textLimit: Int
    let store: LogStore
    let query: LogQuery
    let plan: SearchPlan
    let limit: WorkLimit

    package init(store: LogStore, query: LogQuery, plan: SearchPlan, limit: WorkLimit) {
        self.store = store
        self.query = query
        self.plan = plan
        self.limit = limit
        let index = store.now.index
        textLimit = index?.textLimit ?? 0
        var columns = [SQLColumn(name: "__time__", type: .bigint)]
        var origins: [LogColumn?] = [nil]
        func add(_ name: String, _ alias: String?, _ type: SQLColumn.Kind, _ origin: LogColumn) {
            columns.append(SQLColumn(name: name, alias: alias.flatMap { $0.isEmpty ? nil : $0 }, type: type))
            origins.append(origin)
        }
        add("__topic__", nil, .varchar, .topic)
        add("__source__", nil, .varchar, .source)
        for (key, field) in (index?.fields ?? [:]).sorted(by: { $0.key < $1.key }) {
            switch field {
            case .value(let setting):
                if setting.isColumn, let origin = LogColumn(key: key) { add(key, setting.alias, setting.kind.column, origin) }
            case .json(let json):
                if json.isColumn { add(key, json.alias, .varchar, .field(key)) }
                for (path, leaf) in json.leaves.sorted(by: { $0.key < $1.key }) where leaf.isColumn {
                    add("\(key).\(path)", leaf.alias, leaf.kind.column, .leaf(field: key, path: path))
                }
            }
        }
        self.columns = columns
        self.origins = origins
    }

    package func scan(_ columns: [Int], grouping: ScanGrouping?, shift: Int64) throws -> any ColumnScan {
        var shifted = query
        let (nanoseconds, overflow) = shift.multipliedReportingOverflow(by: 1_000_000_000)
        let (low, lowOverflow) = query.times.lowerBound.subtractingReportingOverflow(nanoseconds)
        let (high, highOverflow) = query.times.upperBound.subtractingReportingOverflow(nanoseconds)
        guard !overflow, !lowOverflow, !highOverflow else {
            throw LogServiceError.parameter("a comparison with \(shift) seconds earlier leaves the range of times there are")
        }
        shifted.times = low..<high
        return try LogScan(table: self, query: shifted, columns: columns, grouping: grouping)
    }
}

extension IndexConfiguration.Kind {
    fileprivate var column: SQLColumn.Kind {
        switch self {
        case .text: .varchar
        case .long: .bigint
        case .double: .double
        }
    }
}
