// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine
import Synchronization

/// Searching and analysing.
extension LogService {
    /// A search that takes longer answers what it has found, as incomplete.
    private static let searchTime = Duration.seconds(20)
    private static let largestLine = 100

    /// Runs work that ends early when the task is cancelled.
    func limited<Result: Sendable>(
        _ time: Duration, isAnalysis: Bool = false, _ work: @escaping @Sendable (WorkLimit) throws -> Result
    ) async throws -> Result {
        let flag = CancelFlag()
        let limit = WorkLimit(deadline: .now + time, isCancelled: { flag.isSet })
        return try await withTaskCancellationHandler {
            isAnalysis ? try await LongWork.analyse { try work(limit) } : try await LongWork.search { try work(limit) }
        } onCancel: {
            flag.set()
        }
    }

    /// Answers a search, `search | with_pack_meta` or `search | SELECT …`.
    ///
    /// - Throws: ``LogServiceError``, `CancellationError`.
    public func query(_ query: LogQuery, in logstore: Logstore) async throws -> LogAnswer {
        let parts = try QueryParts(query.text)
        guard !query.times.isEmpty else {
            throw LogServiceError(400, "InvalidTimeRange", "the range of time is empty: `to` is not after `from`")
        }
        var answer: LogAnswer
        switch parts.analysis {
        case .none, .packMeta:
            var query = query
            query.line = min(max(query.line, 0), Self.largestLine)
            query.offset = max(query.offset, 0)
            let withPackMeta = parts.analysis == .packMeta
            answer = try await read(logstore) { [query] store in
                try await self.limited(Self.searchTime) { limit in
                    try store.search(query, try store.plan(parts.search), withPackMeta: withPackMeta, limit: limit)
                }
            }
        case .sql(let sql):
            guard logstore.mode != "query" else {
                throw LogServiceError.parameter("logstore \(logstore.name) is of mode `query`: it can be searched, not analysed")
            }
            guard query.offset == 0 else {
                throw LogServiceError.parameter(
                    "ErrorType:OLSQueryParseError.ErrorMessage:offset is not available for pagination in sql query, please use "
                        + "limit x,y syntax for pagination")
            }
            answer = try await read(logstore) { store in try await self.analyse(sql, parts, query, store, logstore) }
            answer.sqlPart = sql.text
        }
        answer.searchPart = parts.searchPart
        return answer
    }

    /// A query that takes longer ends with an error; source: sls.md section 11.
    private static let analysisTime = Duration.seconds(55)

    private func analyse(
        _ sql: QueryParts.SQL, _ parts: QueryParts, _ query: LogQuery, _ store: LogStore, _ logstore: Logstore
    ) async throws -> LogAnswer {
        let options = SQLOptions(
            logstore: logstore.name, timeZone: SQLTimeZone(offset: Int64(settings.timeZoneMinutes) * 60), now: milliseconds)
        return try await limited(Self.analysisTime, isAnalysis: true) { limit in
            let plan = try store.plan(parts.search)
            let table = LogTable(store: store, query: query, plan: plan, limit: limit)
            let statement = try SQLQuery(query.text, sqlAt: sql.byteOffset, columns: table.columns, options: options)
            var limits = SQLLimits()
            limits.duration = Self.analysisTime
            let result = try statement.run(on: table, limits: limits, isCancelled: limit.isCancelled)
            var answer = LogAnswer()
            answer.keys = result.columns
            answer.columnTypes = result.types
            answer.rows = result.rows.map { row in zip(result.columns, row).map { Log.Field($0, $1) } }
            answer.hasImplicitLimit = statement.hasImplicitLimit
            answer.processedRows = Int(clamping: result.scannedRows)
            answer.terms = plan.terms
            return answer
        }
    }

    /// - Parameter interval: seconds a bucket; nil or 0 for a width that gives at most 60.
    public func histogram(
        _ query: LogQuery, interval: Int64?, in logstore: Logstore
    ) async throws -> LogHistogram {
        let parts = try QueryParts(query.text)
        guard !query.times.isEmpty else {
            throw LogServiceError(400, "InvalidTimeRange", "the range of time is empty: `to` is not after `from`")
        }
        let edges = try HistogramEdges.edges(
            from: query.times.lowerBound / 1_000_000_000, to: (query.times.upperBound + 999_999_999) / 1_000_000_000,
            interval: interval)
        return try await read(logstore) { store in
            try await self.limited(Self.searchTime) { limit in
                try store.histogram(query, try store.plan(parts.search), edges: edges, limit: limit)
            }
        }
    }

    /// Topics after another, in order.
    public func topics(after: String, limit count: Int, in logstore: Logstore) async throws -> LogTopics {
        try await read(logstore) { store in
            try await self.limited(Self.searchTime) { limit in try store.topics(after: after, count: count, limit: limit) }
        }
    }
}

private final class CancelFlag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}

/// Where the buckets of a histogram begin and end; source: sls.md section 7.6.
enum HistogramEdges {
    private static let widths: [Int64] = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400,
    ]
    private static let buckets: Int64 = 60
    private static let limit = 10_000

    /// Inner edges are multiples of the width; the first bucket and the last may be shorter. Seconds.
    static func edges(from: Int64, to: Int64, interval: Int64?) throws(LogServiceError) -> [Int64] {
        let span = to - from
        let width: Int64
        if let interval, interval > 0 {
            width = interval
        } else {
            // Whole days, as many as it takes, for long ranges. One bucket more is for the edges.
            width =
                widths.first { span <= $0 * (buckets - 1) }
                ?? 86_400 * ((span + 86_400 * (buckets - 1) - 1) / (86_400 * (buckets - 1)))
        }
        guard span / width < Self.limit else {
            throw .parameter("an interval of \(width) seconds gives more than \(limit) buckets: take a longer one")
        }
        var edges = [from]
        var next = (from / width + 1) * width
        while next < to {
            edges.append(next)
            next += width
        }
        return edges + [to]
    }
}
