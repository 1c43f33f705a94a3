// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine
import Testing

/// A search that was begun and goes on while the log is recorded to, indexed, joined and shortened.
///
/// It has to tell what was held when it began, all of it and in order. What was recorded later it may tell too, in its
/// place.
struct OpenSearch {
    private let question: Question
    private let expected: [LogPosition]
    private let end: Int
    private var cursor: SearchCursor
    private var told = 0
    private var last: LogPosition?
    private(set) var isOver = false

    init(_ question: Question, in store: Store, as log: NaiveLog) throws {
        self.question = question
        expected = log.answer(to: question)
        end = log.rows.count
        cursor = try store.engine.search(question.query(for: store))
    }

    mutating func goOn(_ count: Int, as log: NaiveLog, _ label: String) throws {
        for _ in 0..<count {
            guard let next = try cursor.next() else {
                isOver = true
                let isAll = told == expected.count
                try #require(isAll, "\(label): ended after \(told): \(question)")
                return
            }
            if let last {
                let isInOrder = question.direction == .oldestFirst ? last < next : next < last
                try #require(isInOrder, "\(label): \(next) after \(last): \(question)")
            }
            last = next
            if next.sequence < UInt64(end) {
                let isNext = told < expected.count && next == expected[told]
                try #require(isNext, "\(label): \(next), the \(told)th: \(question)")
                told += 1
            } else {
                let isMatch = Int(next.sequence) < log.rows.count && log.matches(question, sequence: Int(next.sequence))
                try #require(isMatch, "\(label): \(next), recorded since: \(question)")
            }
        }
    }
}
