// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService

/// Logstores; source: sls.md section 7.2.
extension SLSHandler {
    func createLogstore() async throws -> WireAnswer {
        let fields = try SLSFields(json: body)
        let name = try fields.filled("logstoreName")
        if try fields.flag("enableModify") ?? false {
            throw LogServiceError(403, "NotSupported", "enableModify must be false: logstores are append-only")
        }
        let now = services.wireNow.secondsSince1970
        let encryption = try fields.object("encrypt_conf").map { try readEncryption($0, names: .creation) }
        if let encryption { try authorizeKey(of: encryption) }
        try await services.logs.createLogstore(
            Logstore(
                id: UUID().uuidString, project: project, name: name, account: caller.accountId,
                ttl: try fields.integer("ttl", in: Self.days) ?? 30,
                shards: LogRegistry.initialShards(count: try fields.integer("shardCount", in: 1...100) ?? 2, at: now),
                autoSplit: try fields.flag("autoSplit") ?? false,
                maxSplitShard: try fields.integer("maxSplitShard", in: Self.splitShards) ?? 64,
                enableTracking: try fields.flag("enable_tracking") ?? false,
                appendMeta: try fields.flag("appendMeta") ?? false,
                telemetryType: try fields.text("telemetryType"), hotTTL: try fields.integer("hot_ttl", in: Self.hotDays),
                infrequentAccessTTL: try fields.integer("infrequentAccessTTL", in: Self.days),
                mode: try Self.mode(try fields.text("mode")) ?? "standard", productType: try fields.text("productType"),
                encryption: encryption, index: nil, createdAt: now, trail: nil))
        return Self.empty
    }

    private static let days = 1...3650
    private static let hotDays = 7...3650
    private static let splitShards = 1...256

    private static func mode(_ text: String?) throws(LogServiceError) -> String? {
        switch text {
        case nil, "": nil
        case "standard", "query": text
        // Its older name.
        case "lite": "query"
        default: throw .parameter("mode must be standard or query.")
        }
    }

    func update(_ logstore: Logstore) async throws -> WireAnswer {
        let fields = try SLSFields(json: body)
        if let name = try fields.text("logstoreName"), name != logstore.name {
            throw LogServiceError.parameter("A logstore cannot be renamed.")
        }
        if let count = try fields.integer("shardCount"), count != logstore.writableShards {
            throw LogServiceError.parameter("shardCount cannot be changed: split or merge the shards.")
        }
        if let mode = try Self.mode(try fields.text("mode")), mode != logstore.mode {
            throw LogServiceError.parameter("The mode of a logstore cannot be changed.")
        }
        if try fields.flag("enableModify") ?? false {
            throw LogServiceError(403, "NotSupported", "enableModify must be false: logstores are append-only")
        }
        let ttl = try fields.integer("ttl", in: Self.days)
        let autoSplit = try fields.flag("autoSplit")
        let maxSplitShard = try fields.integer("maxSplitShard", in: Self.splitShards)
        let tracks = try fields.flag("enable_tracking")
        let appendsMeta = try fields.flag("appendMeta")
        let hot = try fields.integer("hot_ttl", in: Self.hotDays)
        let infrequent = try fields.integer("infrequentAccessTTL", in: Self.days)
        let encryption = try fields.object("encrypt_conf").map { try readEncryption($0, names: .creation) }
        if let encryption, encryption != logstore.encryption {
            try authorizeKey(of: encryption)
            try await services.logs.updateEncryption(encryption, of: logstore)
        }
        _ = try registry.updateLogstore(logstore.name, project: logstore.project) { logstore in
            if let ttl { logstore.ttl = ttl }
            if let autoSplit { logstore.autoSplit = autoSplit }
            if let maxSplitShard { logstore.maxSplitShard = maxSplitShard }
            if let tracks { logstore.enableTracking = tracks }
            if let appendsMeta { logstore.appendMeta = appendsMeta }
            if let hot { logstore.hotTTL = hot }
            if let infrequent { logstore.infrequentAccessTTL = infrequent }
        }
        return Self.empty
    }

    func delete(_ logstore: Logstore) async throws -> WireAnswer {
        try await services.logs.remove(try registry.deleteLogstore(logstore.name, project: logstore.project))
        return Self.empty
    }

    func describe(_ logstore: Logstore) -> WireAnswer {
        var fields = JSONFields()
        fields.add(logstore.name, "logstoreName")
        fields.add(logstore.ttl, "ttl")
        fields.add(logstore.writableShards, "shardCount")
        fields.add(logstore.enableTracking, "enable_tracking")
        fields.add(logstore.autoSplit, "autoSplit")
        fields.add(logstore.maxSplitShard, "maxSplitShard")
        fields.add(logstore.appendMeta, "appendMeta")
        fields.add(logstore.telemetryType, "telemetryType")
        if let days = logstore.hotTTL { fields.add(days, "hot_ttl") }
        if let days = logstore.infrequentAccessTTL { fields.add(days, "infrequentAccessTTL") }
        fields.add(logstore.mode, "mode")
        fields.add(false, "enableModify")
        fields.add(logstore.productType, "productType")
        if let encryption = logstore.encryption { fields.add(Self.fields(of: encryption), "encrypt_conf") }
        fields.add(logstore.createdAt, "createTime")
        fields.add(logstore.modifiedAt, "lastModifyTime")
        return Self.json(fields)
    }

    func listLogstores() throws -> WireAnswer {
        let name = try parameters.text("logstoreName") ?? ""
        let mode = try Self.mode(try parameters.text("mode"))
        let type = try parameters.text("telemetryType").map(Self.kind)
        let all = try registry.logstores(project: project).filter { logstore in
            (name.isEmpty || logstore.name.contains(name)) && (mode == nil || logstore.mode == mode)
                && (type == nil || Self.kind(logstore.telemetryType ?? "") == type)
        }
        let (offset, size) = try page(defaultSize: 500)
        let shown = all.dropFirst(offset).prefix(size)
        var answer = JSONFields()
        answer.add(shown.count, "count")
        answer.add(all.count, "total")
        answer.add(texts: shown.map(\.name), "logstores")
        return Self.json(answer)
    }

    /// `None` and nothing both mean logs.
    private static func kind(_ telemetryType: String) -> String { telemetryType == "None" ? "" : telemetryType }

    // MARK: Metering, which has no meaning where nobody is billed

    func meteringMode() -> WireAnswer {
        var fields = JSONFields()
        fields.add("ChargeByFunction", "meteringMode")
        return Self.json(fields)
    }

    func updateMeteringMode() throws -> WireAnswer {
        guard try SLSFields(json: body).filled("meteringMode") == "ChargeByFunction" else {
            throw LogServiceError(400, "NotSupported", "The metering mode is ChargeByFunction and cannot be changed here.")
        }
        return Self.empty
    }
}

extension Logstore {
    fileprivate var writableShards: Int { shards.count { $0.isWritable } }
}
