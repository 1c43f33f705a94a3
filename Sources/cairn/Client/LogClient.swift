// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import AsyncHTTPClient
import Foundation
import LogService

/// A logstore of a project.
struct LogstorePlace: Equatable, Sendable {
    var project: String
    var logstore: String
}

/// Speaks SLS with a running service, signed.
struct LogClient: Sendable {
    let base: String
    private let sls: SLSClient

    private static let http: HTTPClient = {
        let authorities = ProcessInfo.processInfo.environment["CAIRN_CA_CERT"].flatMap { $0.isEmpty ? nil : $0 }
        return HTTPClient(configuration: SLSClient.httpConfiguration(caFile: authorities))
    }()

    /// - Parameter region: the embedded service takes any.
    init(endpoint: String, accessKeyId: String, secret: Secret, region: String) {
        base = endpoint
        sls = SLSClient(
            endpoint: endpoint,
            credentials: SLSCredentials(accessKeyId: accessKeyId, secret: secret), region: region,
            http: Self.http)
    }

    /// What GetLogs is asked (sls.md section 7.4). Times are seconds since 1970, the end is not included.
    struct Question {
        var query: String
        var from: Int64
        var to: Int64
        var line: Int
        var offset: Int
        var isNewestFirst: Bool
    }

    /// An answer of GetLogs.
    struct Page {
        var rows: [LogRow]
        var isComplete: Bool
        var hasSQL: Bool
        /// Of SQL its columns, in order.
        var keys: [String]
        /// The rows that SQL without a LIMIT was given at most; 0 if it had one.
        var implicitLimit: Int
        var processedRows: Int
    }

    func logs(_ question: Question, in place: LogstorePlace) async throws -> Page {
        let body = try JSONSerialization.data(withJSONObject: [
            "query": question.query, "from": question.from, "to": question.to, "line": question.line,
            "offset": question.offset, "reverse": question.isNewestFirst, "accurate": true, "powerSql": false,
        ])
        let answer = try await sls.send(
            "POST", project: place.project, path: "/logstores/\(place.logstore)/logs", body: Array(body),
            contentType: "application/json")
        guard let content = try? JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any],
            let meta = content["meta"] as? [String: Any], let data = content["data"] as? [[String: Any]]
        else { throw Failure.unreachable("\(base) did not answer in the words of SLS") }
        let keys = meta["keys"] as? [String] ?? []
        let hasSQL = meta["hasSQL"] as? Bool ?? false
        return Page(
            rows: data.map { LogRow($0, order: hasSQL ? keys : []) }, isComplete: meta["progress"] as? String == "Complete",
            hasSQL: hasSQL, keys: keys, implicitLimit: meta["limited"] as? Int ?? 0,
            processedRows: meta["processedRows"] as? Int ?? 0)
    }

    /// Numbers of the shards, read-only ones too.
    func shards(of place: LogstorePlace) async throws -> [Int] {
        let answer = try await sls.send("GET", project: place.project, path: "/logstores/\(place.logstore)/shards")
        let shards = (try? JSONSerialization.jsonObject(with: Data(answer.body))) as? [[String: Any]] ?? []
        return shards.compactMap { $0["shardID"] as? Int }
    }

    /// - Parameter position: `begin`, `end`, or seconds since 1970, the time of arrival.
    func cursor(_ position: String, shard: Int, of place: LogstorePlace) async throws -> String {
        let answer = try await sls.send(
            "GET", project: place.project, path: "/logstores/\(place.logstore)/shards/\(shard)",
            query: [("type", "cursor"), ("from", position)])
        let content = (try? JSONSerialization.jsonObject(with: Data(answer.body))) as? [String: Any]
        guard let cursor = content?["cursor"] as? String else {
            throw Failure.unreachable("\(base) gave no cursor of shard \(shard)")
        }
        return cursor
    }

    struct Pull {
        var rows: [LogRow]
        var next: String
        /// Nothing came, before any search was applied.
        var isAtEnd: Bool
    }

    /// The logs of a shard from a cursor on (PullLogs), a search applied by the service.
    func pull(shard: Int, from cursor: String, search: String?, of place: LogstorePlace) async throws -> Pull {
        var query = [("type", "log"), ("cursor", cursor), ("count", "1000")]
        if let search { query += [("query", search), ("pullMode", "scan_on_stream")] }
        let answer = try await sls.send(
            "GET", project: place.project, path: "/logstores/\(place.logstore)/shards/\(shard)", query: query,
            headers: [("Accept", "application/x-protobuf")])
        let next = answer["x-log-cursor"] ?? cursor
        var rows: [LogRow] = []
        for group in try Self.groups(in: answer.body) {
            let group = try LogGroupCodec.decode(group)
            rows += group.logs.map { LogRow($0, of: group) }
        }
        return Pull(rows: rows, next: next, isAtEnd: next == cursor)
    }

    /// The messages of a LogGroupList: field 1, again and again.
    private static func groups(in list: [UInt8]) throws -> [[UInt8]] {
        let torn = Failure.unreachable("the service sent logs that cannot be read")
        var groups: [[UInt8]] = []
        var at = 0
        while at < list.count {
            guard list[at] == 0x0A else { throw torn }
            at += 1
            var length = 0
            var shift = 0
            while true {
                guard at < list.count, shift < 35 else { throw torn }
                let byte = Int(list[at])
                at += 1
                length |= (byte & 0x7F) << shift
                if byte < 0x80 { break }
                shift += 7
            }
            guard length <= list.count - at else { throw torn }
            groups.append(Array(list[at..<at + length]))
            at += length
        }
        return groups
    }
}
