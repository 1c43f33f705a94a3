// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a question to the log service gave.
struct LogFinding {
    struct Answer {
        var status: Int
        var body: [UInt8]
        var milliseconds: Double
    }

    var milliseconds: Double
    /// Rows of an answer; of a histogram, the logs it counts.
    var count = 0
    var isComplete = true
    /// What the service says instead of an answer.
    var refusal: String?
    /// The first row's values.
    var firstRow: [String: String] = [:]

    init(ofRows answer: Answer) throws {
        milliseconds = answer.milliseconds
        guard let object = try json(answer) as? [String: Any] else { return }
        let rows = object["data"] as? [[String: String]] ?? []
        count = rows.count
        firstRow = rows.first ?? [:]
        isComplete = (object["meta"] as? [String: Any])?["progress"] as? String == "Complete"
    }

    init(ofHistogram answer: Answer) throws {
        milliseconds = answer.milliseconds
        guard let buckets = try json(answer) as? [[String: Any]] else { return }
        count = buckets.reduce(0) { $0 + ($1["count"] as? Int ?? 0) }
        isComplete = buckets.allSatisfy { $0["progress"] as? String == "Complete" }
    }

    /// Nil, with a ``refusal``, for an error: a query that takes too long shall not end the bench.
    private mutating func json(_ answer: Answer) throws -> Any? {
        guard answer.status == 200 else {
            refusal = "HTTP \(answer.status): \(String(decoding: answer.body.prefix(300), as: UTF8.self))"
            return nil
        }
        return try JSONSerialization.jsonObject(with: Data(answer.body))
    }
}
