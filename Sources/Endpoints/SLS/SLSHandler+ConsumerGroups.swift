// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine
import LogService

/// Consumer groups; source: sls.md section 8. The SDKs read bare arrays, whatever the published samples show.
extension SLSHandler {
    func runOnGroup(_ operation: SLSOperation, of logstore: Logstore) async throws -> WireAnswer {
        let name = operation.item ?? ""
        let (store, project) = (logstore.name, logstore.project)
        switch operation.name {
        case .createConsumerGroup:
            let fields = try SLSFields(json: body)
            try registry.createGroup(
                ConsumerGroup(
                    name: try fields.filled("consumerGroup"), timeout: try timeout(fields) ?? 60,
                    order: try fields.flag("order") ?? false),
                logstore: store, project: project)
            return Self.empty
        case .updateConsumerGroup:
            let fields = try SLSFields(json: body)
            try registry.updateGroup(
                name, timeout: try timeout(fields), order: try fields.flag("order"), logstore: store, project: project)
            return Self.empty
        case .deleteConsumerGroup:
            try registry.deleteGroup(name, logstore: store, project: project)
            return Self.empty
        case .heartBeat:
            let (consumer, reported) = (try parameters.filled("consumer"), try heldShards())
            let held = try await LongWork.read { [registry, logs = services.logs] in
                try registry.heartbeat(consumer, held: reported, group: name, logstore: store, project: project) {
                    // Where nothing was read yet there is no checkpoint.
                    try logs.isRead(shard: $0, upTo: $1.isEmpty ? 0 : try Self.cursor($1), in: logstore)
                }
            }
            return Self.json(JSONFields.array(held.map { Array(String($0).utf8) }))
        case .getCheckPoint:
            let shard = try parameters.integer("shard", in: 0...Int.max)
            return Self.answer(
                try registry.checkpoints(group: name, shard: shard, logstore: store, project: project))
        case .updateCheckPoint:
            try updateCheckpoint(of: name, logstore)
            return Self.empty
        default:
            let groups = try registry.groups(logstore: store, project: project).map { group in
                var fields = JSONFields()
                fields.add(group.name, "name")
                fields.add(group.timeout, "timeout")
                fields.add(group.order, "order")
                return fields.finished
            }
            return Self.json(JSONFields.array(groups))
        }
    }

    /// Seconds after which a consumer that says nothing is gone.
    private func timeout(_ fields: SLSFields) throws(LogServiceError) -> Int? {
        try fields.integer("timeout", in: 1...86_400)
    }

    private func heldShards() throws(LogServiceError) -> [Int] {
        guard case .array(let elements) = try SLSFields.value(json: body.isEmpty ? Array("[]".utf8) : body) else {
            throw LogServiceError(400, "JsonInfoInvalid", "The body must be an array of shards.")
        }
        var held: [Int] = []
        for element in elements {
            guard case .integer(let shard) = element, let shard = Int(exactly: shard) else {
                throw LogServiceError(400, "JsonInfoInvalid", "The body must be an array of shards.")
            }
            held.append(shard)
        }
        return held
    }

    private func updateCheckpoint(of group: String, _ logstore: Logstore) throws {
        let fields = try SLSFields(json: body)
        guard let shard = try fields.integer("shard", in: 0...Int.max) else {
            throw LogServiceError.parameter("shard is missing.")
        }
        guard logstore.shards.contains(where: { $0.id == shard }) else {
            throw LogServiceError(404, "ShardNotExist", "shard \(shard) does not exist")
        }
        let checkpoint = try fields.text("checkpoint") ?? ""
        do { _ = try Self.cursor(checkpoint) } catch {
            throw LogServiceError(400, "InvalidShardCheckPoint", "The checkpoint is no cursor.")
        }
        try registry.updateCheckpoint(
            checkpoint, shard: shard, consumer: try parameters.text("consumer") ?? "",
            force: try parameters.flag("forceSuccess") ?? false, group: group, logstore: logstore.name,
            project: logstore.project)
    }

    private static func answer(_ checkpoints: [ConsumerCheckpoint]) -> WireAnswer {
        let entries = checkpoints.map { checkpoint in
            var fields = JSONFields()
            fields.add(checkpoint.shard, "shard")
            fields.add(checkpoint.checkpoint, "checkpoint")
            fields.add(checkpoint.updateTime, "updateTime")
            fields.add(checkpoint.consumer, "consumer")
            return fields.finished
        }
        return json(JSONFields.array(entries))
    }
}
