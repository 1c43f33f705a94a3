// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogEngine

/// Ends work that takes too long, or that nobody waits for any more.
package struct WorkLimit: Sendable {
    let deadline: ContinuousClock.Instant
    let isCancelled: @Sendable () -> Bool

    package init(deadline: ContinuousClock.Instant, isCancelled: @escaping @Sendable () -> Bool) {
        self.deadline = deadline
        self.isCancelled = isCancelled
    }

    /// - Throws: `CancellationError`.
    /// - Returns: whether the time is up.
    func isOver() throws -> Bool {
        if isCancelled() { throw CancellationError() }
        return ContinuousClock.now >= deadline
    }
}

extension LogStore {
    package func plan(_ search: String) throws -> SearchPlan { try SearchPlan(search, index: now.index) }

    /// Tells which logs a search finds, one by one. For one thread.
    func matcher(_ query: String) throws -> (LogView) -> Bool {
        let parts = try QueryParts(query)
        guard parts.analysis == .none else { throw LogServiceError.parameter("Only a search can be pulled, not an analysis.") }
        var matcher = SearchMatcher(try plan(parts.search))
        return { matcher.matches($0) }
    }

    /// Milliseconds, both ends included, of a range of nanoseconds; nil for none.
    static func milliseconds(_ times: Range<Int64>) -> ClosedRange<Int64>? {
        guard !times.isEmpty else { return nil }
        func floor(_ time: Int64) -> Int64 { time >= 0 ? time / 1_000_000 : -((-time + 999_999) / 1_000_000) }
        return floor(times.lowerBound)...floor(times.upperBound - 1)
    }

    /// Finds no logs that are past their time.
    func rowQuery(_ query: LogQuery, _ plan: SearchPlan) throws -> RowQuery? {
        guard let times = Self.milliseconds(query.times) else { return nil }
        let condition = LogConditions(store: self, plan: plan, fields: now.fields).rows(topic: query.topic)
        return RowQuery(account: account, condition: try kept(condition), times: times)
    }

    func kept(_ condition: RowCondition) throws -> RowCondition {
        let first = try firstKept()
        return first > engine.firstSequence ? .and([.from(first), condition]) : condition
    }

    /// Compares a log with a search, for rows of which the index is not certain.
    ///
    /// - Returns: false for a log that cannot be read any more.
    func isMatch(_ sequence: UInt64, _ query: LogQuery, _ matcher: inout SearchMatcher, _ record: inout LogRecord) throws -> Bool
    {
        guard let stored = try readable(sequence) else { return false }
        return stored.withBytes { bytes in
            guard record.read(bytes) else { return false }
            if let topic = query.topic, !record.view.topic.elementsEqual(topic.utf8) { return false }
            return matcher.matches(record.view)
        }
    }

    /// Logs of one answer. As JSON text, where a control character takes six bytes, they may be six times as long.
    private static let answerBytes = 32 << 20

    /// Logs that a search finds, as rows. An answer that would become too long ends early, as incomplete.
    func search(
        _ query: LogQuery, _ plan: SearchPlan, withPackMeta: Bool, limit: WorkLimit
    ) throws -> LogAnswer {
        var answer = LogAnswer()
        answer.terms = plan.terms
        answer.isPhraseSearch = plan.isPhraseSearch
        guard let rowQuery = try rowQuery(query, plan), query.line > 0 else { return answer }
        var rows = engine.rows(rowQuery, direction: query.isReverse ? .newestFirst : .oldestFirst)
        var matcher = SearchMatcher(plan)
        var record = LogRecord()
        var passed = 0
        let unreadable = unreadable.withLock { $0 }
        var keys: Set<String> = []
        while answer.rows.count < query.line {
            let isTimeUp = try answer.processedRows & 63 == 0 && limit.isOver()
            guard !isTimeUp, answer.processedBytes < Self.answerBytes else {
                answer.isComplete = false
                break
            }
            guard let (position, isCertain) = try rows.next() else { break }
            answer.processedRows += 1
            if isCertain, passed < query.offset {
                if !unreadable.contains(position.sequence) { passed += 1 }
                continue
            }
            guard try isCertain || isMatch(position.sequence, query, &matcher, &record) else { continue }
            guard passed == query.offset else {
                passed += 1
                continue
            }
            guard let stored = try readable(position.sequence) else {
                noteUnreadable(position.sequence)
                continue
            }
            let row = stored.withBytes { bytes -> [Log.Field]? in
                answer.processedBytes += bytes.count
                guard record.read(bytes) else { return nil }
                return self.row(
                    of: record.stored(sequence: position.sequence, receivedAt: stored.recordedAt), withPackMeta: withPackMeta)
            }
            guard let row else { continue }
            for field in row where keys.insert(field.key).inserted { answer.keys.append(field.key) }
            answer.rows.append(row)
        }
        return answer
    }

    private static let unreadableLimit = 1 << 16

    private func noteUnreadable(_ sequence: UInt64) {
        unreadable.withLock { known in if known.count < Self.unreadableLimit { known.insert(sequence) } }
    }

    /// How many logs a search finds in each of some ranges of time.
    ///
    /// - Parameter edges: seconds, ascending; bucket i is from edge i up to edge i + 1.
    func histogram(_ query: LogQuery, _ plan: SearchPlan, edges: [Int64], limit: WorkLimit) throws -> LogHistogram {
        var counts = [Int](repeating: 0, count: edges.count - 1)
        var isComplete = true
        if let rowQuery = try rowQuery(query, plan) {
            let edges = edges.map { $0 * 1000 }
            for source in engine.rowSources(rowQuery) {
                guard try !limit.isOver() else {
                    isComplete = false
                    break
                }
                var part = try source.open()
                if try !settle(&part, query, plan, limit: limit) { isComplete = false }
                try part.tally(edges: edges, into: &counts)
            }
        }
        return LogHistogram(
            buckets: counts.indices.map { index in
                .init(from: edges[index], to: edges[index + 1], count: counts[index], isComplete: isComplete)
            })
    }

    /// Looks at the logs of which the index is not certain.
    ///
    /// - Returns: false if the time was up first.
    func settle(_ part: inout RowPart, _ query: LogQuery, _ plan: SearchPlan, limit: WorkLimit) throws -> Bool {
        var matcher = SearchMatcher(plan)
        var record = LogRecord()
        var looks = 0
        return try part.settle { sequence in
            if looks & 255 == 0, try limit.isOver() { return nil }
            looks += 1
            return try self.isMatch(sequence, query, &matcher, &record)
        }
    }
}
