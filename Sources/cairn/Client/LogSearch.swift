// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A query on a logstore, page by page.
struct LogSearch {
    /// Rows in one answer; source: sls.md section 12.
    private static let pageSize = 100
    private static let patience = Duration.seconds(300)
    /// So many answers that are no longer than the one before, and the service has nothing to add.
    private static let sameAnswers = 2

    let client: LogClient
    let place: LogstorePlace
    let query: String
    /// Seconds since 1970, the end not included.
    let times: Range<Int64>
    let isNewestFirst: Bool

    /// Hands over the pages until there are no more, or `take` wants none. SQL has one.
    ///
    /// A page goes on from the second of the last log, so that logs that arrive meanwhile move nothing.
    func forEachPage(_ take: (LogClient.Page) throws -> Bool) async throws {
        var (from, to) = (times.lowerBound, times.upperBound)
        /// Logs of the second at the edge that were handed over.
        var passed = 0
        while from < to {
            let page = try await wholePage(
                .init(
                    query: query, from: from, to: to, line: Self.pageSize, offset: passed, isNewestFirst: isNewestFirst))
            guard try take(page), !page.hasSQL, page.rows.count == Self.pageSize || !page.isComplete,
                let last = page.rows.last?.seconds
            else { return }
            let sameSecond = page.rows.reversed().prefix { $0.seconds == last }.count
            if sameSecond == page.rows.count, last == (isNewestFirst ? to - 1 : from) {
                passed += sameSecond
            } else {
                passed = sameSecond
                if isNewestFirst { to = last + 1 } else { from = last }
            }
        }
    }

    /// Asks until the service has looked at everything, or, of a search, has nothing to add to what came: an answer is also
    /// incomplete if a whole page of its logs would be too long.
    private func wholePage(_ question: LogClient.Question) async throws -> LogClient.Page {
        let start = ContinuousClock.now
        var isShowing = false
        defer { if isShowing { Terminal.endProgress() } }
        var (rowsBefore, same) = (0, 0)
        while true {
            let page = try await client.logs(question, in: place)
            if page.isComplete { return page }
            same = page.rows.count <= rowsBefore ? same + 1 : 0
            rowsBefore = page.rows.count
            if !page.hasSQL, !page.rows.isEmpty, same == Self.sameAnswers { return page }
            let elapsed = ContinuousClock.now - start
            guard elapsed < Self.patience else {
                throw Failure.no(
                    "the answer is incomplete after \(elapsed.components.seconds) s: narrow the search or the time")
            }
            isShowing = true
            Terminal.progress("searching: \(elapsed.components.seconds) s, \(page.processedRows.formatted()) rows looked at")
            try await Task.sleep(for: .milliseconds(500))
        }
    }
}
