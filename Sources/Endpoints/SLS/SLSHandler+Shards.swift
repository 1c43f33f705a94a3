// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird
import LogEngine
import LogService

/// Shards, and reading one log after another; source: sls.md sections 7.8 and 8.
extension SLSHandler {
    static func answer(_ shards: [Shard]) -> WireAnswer {
        let shards = shards.map { shard in
            var fields = JSONFields()
            fields.add(shard.id, "shardID")
            fields.add(shard.isWritable ? "readwrite" : "readonly", "status")
            fields.add(shard.beginKey, "inclusiveBeginKey")
            fields.add(shard.endKey, "exclusiveEndKey")
            fields.add(shard.createdAt, "createTime")
            return fields.finished
        }
        return json(JSONFields.array(shards))
    }

    /// The shard that the path names.
    func shard(_ operation: SLSOperation, of logstore: Logstore) throws(LogServiceError) -> Int {
        guard let shard = operation.shard, logstore.shards.contains(where: { $0.id == shard }) else {
            throw LogServiceError(400, "ShardNotExist", "shard \(operation.shard.map(String.init) ?? "") does not exist")
        }
        return shard
    }

    func changeShards(_ operation: SLSOperation, of logstore: Logstore) throws -> WireAnswer {
        let id = try shard(operation, of: logstore)
        switch operation.name {
        case .splitShard:
            let key = try parameters.text("key").flatMap { $0.isEmpty ? nil : $0 }
            return Self.answer(try registry.splitShard(id, at: key, logstore: logstore.name, project: logstore.project))
        case .mergeShards:
            return Self.answer(try registry.mergeShards(id, logstore: logstore.name, project: logstore.project))
        default:
            _ = try registry.deleteShard(id, logstore: logstore.name, project: logstore.project)
            return Self.empty
        }
    }

    // MARK: Cursors

    /// Base64 of a decimal number, because clients look into it.
    static func text(of cursor: UInt64) -> String { Data(String(cursor).utf8).base64EncodedString() }

    static func cursor(_ text: String) throws(LogServiceError) -> UInt64 {
        guard let bytes = Data(base64Encoded: text), !bytes.isEmpty,
            bytes.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let cursor = UInt64(String(decoding: bytes, as: UTF8.self))
        else { throw LogServiceError(400, "InvalidCursor", "The cursor is invalid.") }
        return cursor
    }

    func getCursor(_ shard: Int, of logstore: Logstore) async throws -> WireAnswer {
        let from = try parameters.filled("from")
        let place: LogCursor
        switch from.lowercased() {
        case "begin": place = .begin
        case "end": place = .end
        default:
            guard let seconds = Int64(from) else {
                throw LogServiceError.parameter("from must be begin, end or a time in seconds.")
            }
            place = .receivedAt(seconds)
        }
        var fields = JSONFields()
        fields.add(Self.text(of: try await services.logs.cursor(place, shard: shard, in: logstore)), "cursor")
        return Self.json(fields)
    }

    func getCursorTime(of logstore: Logstore) async throws -> WireAnswer {
        let cursor = try Self.cursor(try parameters.filled("cursor"))
        var fields = JSONFields()
        fields.add(try await services.logs.receiveTime(ofCursor: cursor, in: logstore), "cursor_time")
        return Self.json(fields)
    }

    // MARK: PullLogs

    private static let maximumGroups = 1000

    func pullLogs(_ shard: Int, of logstore: Logstore, _ client: ClientConnection) async throws -> WireAnswer {
        let from = try Self.cursor(try parameters.filled("cursor"))
        let end = try parameters.text("end_cursor").flatMap { $0.isEmpty ? nil : $0 }.map(Self.cursor)
        let count = min(try parameters.integer("count", in: 1...Int.max) ?? Self.maximumGroups, Self.maximumGroups)
        let query = try parameters.text("query").flatMap { $0.isEmpty ? nil : $0 }
        let logs = services.logs
        let pulled = try await client.whilePresent {
            try await logs.pull(shard: shard, from: from, to: end, count: count, query: query, in: logstore)
        }
        let (body, compressed) = try await LongWork.read {
            let body = LogGroupCodec.encode(list: pulled.groups)
            return (body, compress(body))
        }
        var (bytes, headers) = compressed
        headers += [
            ("Content-Type", "application/x-protobuf"), ("x-log-count", String(pulled.groups.count)),
            ("x-log-cursor", Self.text(of: pulled.next)), ("x-log-bodyrawsize", String(body.count)),
        ]
        if let last = pulled.last { headers.append(("x-log-read-last-cursor", String(last))) }
        if query != nil {
            headers += [
                ("x-log-rawdatacount", String(pulled.rawLogs)), ("x-log-rawdatalines", String(pulled.rawLogs)),
                ("x-log-rawdatasize", String(pulled.rawBytes)), ("x-log-failedlines", "0"),
                ("x-log-resultlines", String(pulled.groups.reduce(0) { $0 + $1.logs.count })),
            ]
        }
        return WireAnswer(status: 200, headers: headers, body: bytes)
    }
}
