// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import LogService

/// Requests to one project of a log service, signed with version 4.
struct LogRequests: Sendable {
    static let project = "bench-project"
    static let logstore = "bench-events"
    private static let region = "local-1"

    let port: Int

    /// Line and headers of a request, to be sent within minutes.
    func head(
        _ method: String, _ path: String, query: [(String, String)] = [], headers: [(String, String)] = [], body: [UInt8] = []
    ) -> String {
        let host = "\(Self.project).127.0.0.1:\(port)"
        var headers = headers
        SLSSigner.signV4(
            method: method, host: host, path: path, query: query, headers: &headers, body: body,
            credentials: SLSCredentials(accessKeyId: MeasuredServer.keyId, secret: Secret(MeasuredServer.secret)),
            region: Self.region, date: .now())
        let encoded = WireParameters(query.map { .init($0.0, $0.1) }).encodedQuery
        let lines = headers.map { "\($0.0): \($0.1)\r\n" }.joined()
        return "\(method) \(path)\(encoded.isEmpty ? "" : "?" + encoded) HTTP/1.1\r\nHost: \(host)\r\n\(lines)"
            + "Content-Length: \(body.count)\r\n\r\n"
    }

    // MARK: Writing

    /// Lines of NDJSON as logs like those of a trail: each an event in one JSON field.
    ///
    /// - Parameter time: of a log, by its place in the batch.
    func put(_ lines: [UInt8], time: (Int) -> UInt32, _ connection: PlainConnection) throws {
        let logs = lines.split(separator: UInt8(ascii: "\n")).enumerated().map { place, line in
            Log(time: time(place), contents: [.init(TrailIndex.field, String(decoding: line, as: UTF8.self))])
        }
        let raw = LogGroupCodec.encode(LogGroup(logs: logs, topic: "actiontrail_audit_event"))
        let body = LogCompression.lz4.compress(raw)
        let headers = [
            ("Content-Type", "application/x-protobuf"), ("x-log-bodyrawsize", String(raw.count)),
            ("x-log-compresstype", LogCompression.lz4.rawValue),
        ]
        let path = "/logstores/\(Self.logstore)/shards/lb"
        try check(try connection.exchange(head("POST", path, headers: headers, body: body), body), "PutLogs")
    }

    /// Makes the project and a logstore with the index of a trail's.
    func create(_ connection: PlainConnection) throws {
        func post(_ path: String, _ body: [UInt8]) throws {
            let head = head("POST", path, headers: [("Content-Type", "application/json")], body: body)
            try check(try connection.exchange(head, body), "POST \(path)")
        }
        try post("/", Array("{\"projectName\":\"\(Self.project)\",\"description\":\"\"}".utf8))
        try post("/logstores", Array("{\"logstoreName\":\"\(Self.logstore)\",\"ttl\":3650,\"shardCount\":2}".utf8))
        try post("/logstores/\(Self.logstore)/index", [UInt8](TrailIndex.json))
    }

    private func check(_ answer: (status: Int, body: [UInt8]), _ what: String) throws {
        guard answer.status == 200 else {
            throw BenchError("\(what): HTTP \(answer.status): \(String(decoding: answer.body.prefix(300), as: UTF8.self))")
        }
    }

    /// The least that can be asked of a logstore, which opens it if nobody has yet.
    func openLogstore(_ connection: PlainConnection) throws {
        let head = head("GET", "/logstores/\(Self.logstore)/shards/0", query: [("type", "cursor"), ("from", "begin")])
        try check(try connection.exchange(head), "GetCursor")
    }

    // MARK: Asking

    func ask(_ question: LogQuestion, _ connection: PlainConnection) throws -> LogFinding {
        let (from, to) = (question.times.lowerBound, question.times.upperBound)
        switch question.kind {
        case .histogram:
            let head = head(
                "GET", "/logstores/\(Self.logstore)",
                query: [("type", "histogram"), ("from", "\(from)"), ("to", "\(to)"), ("query", question.text)])
            return try LogFinding(ofHistogram: try timed { try connection.exchange(head) })
        case .rows:
            let body: [String: Any] = ["from": from, "to": to, "query": question.text, "line": 50, "reverse": true]
            let bytes = [UInt8](try JSONSerialization.data(withJSONObject: body))
            let head = head(
                "POST", "/logstores/\(Self.logstore)/logs", headers: [("Content-Type", "application/json")], body: bytes)
            return try LogFinding(ofRows: try timed { try connection.exchange(head, bytes) })
        }
    }

    private func timed(_ exchange: () throws -> (status: Int, body: [UInt8])) throws -> LogFinding.Answer {
        let begin = Date()
        let answer = try exchange()
        return .init(status: answer.status, body: answer.body, milliseconds: Date().timeIntervalSince(begin) * 1000)
    }
}
