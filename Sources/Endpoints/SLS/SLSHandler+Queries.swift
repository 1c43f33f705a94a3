// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird
import LogEngine
import LogService

/// Questions to a logstore; source: sls.md sections 7.4 to 7.7.
extension SLSHandler {
    /// Nanoseconds since 1970 that no log reaches, whose time in seconds has 32 bits.
    private static let endOfTimes = (Int64(UInt32.max) + 1) * 1_000_000_000
    private static let maximumBuckets: Int64 = 10_000

    func getLogs(_ operation: SLSOperation, of logstore: Logstore, _ client: ClientConnection) async throws -> WireAnswer {
        let isPost = operation.name == .getLogsV2
        let query = try readQuery(isPost ? try SLSFields(json: body) : parameters)
        let begin = ContinuousClock.now
        let logs = services.logs
        let found = try await client.whilePresent { try await logs.query(query, in: logstore) }
        let answer = SLSQueryAnswer(found, elapsed: ContinuousClock.now - begin)
        return try await LongWork.read { isPost ? compressed(answer.object) : answer.array }
    }

    /// SQL that names its logstore itself; its times are conditions like any other.
    func getProjectLogs(_ logstore: Logstore, _ client: ClientConnection) async throws -> WireAnswer {
        let query = LogQuery(text: "* | " + (try parameters.filled("query")), times: 0..<Self.endOfTimes)
        let begin = ContinuousClock.now
        let logs = services.logs
        let found = try await client.whilePresent { try await logs.query(query, in: logstore) }
        return SLSQueryAnswer(found, elapsed: ContinuousClock.now - begin).array
    }

    /// The one logstore of a project that its SQL reads.
    func projectLogsStore() throws(LogServiceError) -> String {
        let names = Set(SQLSources.names(in: try parameters.filled("query")))
        guard let name = names.first, names.count == 1 else {
            throw .parameter("The SQL must read FROM one logstore of the project.")
        }
        return name
    }

    func getHistograms(of logstore: Logstore, _ client: ClientConnection) async throws -> WireAnswer {
        let query = try readQuery(parameters)
        let interval = try parameters.integer("interval", in: 0...Int(Int32.max)) ?? 0
        guard interval == 0 || Int64(query.times.count) / 1_000_000_000 / Int64(interval) < Self.maximumBuckets else {
            throw LogServiceError.parameter("interval gives more than \(Self.maximumBuckets) parts of the time.")
        }
        let logs = services.logs
        let histogram = try await client.whilePresent {
            try await logs.histogram(query, interval: interval == 0 ? nil : Int64(interval), in: logstore)
        }
        let buckets = histogram.buckets.map { bucket in
            var fields = JSONFields()
            fields.add(bucket.from, "from")
            fields.add(bucket.to, "to")
            fields.add(bucket.count, "count")
            fields.add(SLSQueryAnswer.progress(bucket.isComplete), "progress")
            return fields.finished
        }
        let answer = Self.json(
            JSONFields.array(buckets),
            headers: [
                ("x-log-progress", SLSQueryAnswer.progress(histogram.isComplete)), ("x-log-count", String(histogram.count)),
            ])
        return answer
    }

    func getContextLogs(of logstore: Logstore, _ client: ClientConnection) async throws -> WireAnswer {
        let code = "InvalidParameter"
        func lines(_ name: String) throws(LogServiceError) -> Int { try parameters.integer(name, in: 0...100, code: code) ?? 0 }
        let back = try lines("back_lines")
        let forward = try lines("forward_lines")
        guard back + forward > 0 else {
            throw LogServiceError(400, code, "back_lines or forward_lines must be positive.")
        }
        guard let id = try parameters.text("pack_id"), let meta = try parameters.text("pack_meta"), !id.isEmpty, !meta.isEmpty
        else { throw LogServiceError(400, code, "pack_id and pack_meta are needed.") }
        let logs = services.logs
        let context = try await client.whilePresent {
            try await logs.context(packId: id, packMeta: meta, back: back, forward: forward, in: logstore)
        }
        let rows = context.rows.map { row in
            SLSQueryAnswer.row(row.fields + [Log.Field("__index_number__", String(row.index))])
        }
        var answer = JSONFields()
        answer.add("Complete", "progress")
        answer.add(context.rows.count, "total_lines")
        answer.add(context.backLines, "back_lines")
        answer.add(context.forwardLines, "forward_lines")
        answer.add(raw: JSONFields.array(rows), "logs")
        return Self.json(answer)
    }

    /// The token is the last topic of the page before, as base64: topics may be any text, headers not. Where there are so many
    /// logs with long topics that the time is up before, the header of GetLogs says so.
    func listTopics(of logstore: Logstore, _ client: ClientConnection) async throws -> WireAnswer {
        let limit = min(try parameters.integer("line", in: 1...Int.max) ?? 100, 100)
        let token = try parameters.text("token") ?? ""
        guard let bytes = Data(base64Encoded: token), let after = String(validating: bytes, as: UTF8.self) else {
            throw LogServiceError.parameter("The token is not one of this service.")
        }
        let logs = services.logs
        let found = try await client.whilePresent { try await logs.topics(after: after, limit: limit, in: logstore) }
        let topics = found.topics
        let next = topics.count < limit ? "" : Data((topics.last ?? "").utf8).base64EncodedString()
        let texts = topics.map { topic in
            var text: [UInt8] = []
            JSONFields.append(text: topic, to: &text)
            return text
        }
        return Self.json(
            JSONFields.array(texts),
            headers: [
                ("x-log-count", String(topics.count)), ("x-log-nexttoken", next),
                ("x-log-progress", SLSQueryAnswer.progress(found.isComplete)),
            ])
    }

    /// Of GetLogs in both forms, and of GetHistograms.
    private func readQuery(_ fields: SLSFields) throws(LogServiceError) -> LogQuery {
        func moment(_ name: String) throws(LogServiceError) -> Int64 {
            guard let seconds = try fields.integer(name, in: 0...Int(UInt32.max)) else {
                throw .parameter("\(name) is missing.")
            }
            let part = try fields.integer(name + "Ns", in: 0...999_999_999) ?? 0
            return Int64(seconds) * 1_000_000_000 + Int64(part)
        }
        let from = try moment("from")
        let to = try moment("to")
        guard from < to else { throw LogServiceError(400, "InvalidTimeRange", "to must be later than from.") }
        var query = LogQuery(text: try fields.text("query") ?? "", times: from..<to)
        query.topic = try fields.text("topic").flatMap { $0.isEmpty ? nil : $0 }
        query.line = min(try fields.integer("line", in: 0...Int.max, code: "InvalidLine") ?? 100, 100)
        query.offset = try fields.integer("offset", in: 0...Int.max, code: "InvalidOffset") ?? 0
        query.isReverse = try fields.flag("reverse", code: "InvalidReverse") ?? false
        return query
    }
}
