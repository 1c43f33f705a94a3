// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService
import ObjectStorage

/// A trail's logstore in a project of another log service. Source: sls.md section 16.
///
/// Delivery is at least once: a batch whose answer was lost is sent again, and the service cannot tell.
public struct RemoteLogTarget: LogDeliveryTarget {
    /// Around now, in milliseconds: the service takes a log's time in the last 7 days and the next 15 minutes. Less a margin
    /// for the way there and for clocks.
    private static let accepted: (past: Int64, future: Int64) = ((7 * 24 - 1) * 3_600_000, 10 * 60_000)

    private let service: RemoteLogService
    private let logstore: String
    private let now: @Sendable () -> Date

    public init(service: RemoteLogService, logstore: String, now: @escaping @Sendable () -> Date) {
        self.service = service
        self.logstore = logstore
        self.now = now
    }

    private var path: String { "/logstores/\(logstore)" }

    public var location: String { "logstore `\(logstore)` of \(service.project.place)" }

    /// Those of the vendor's own producers, less what is added to each event.
    public var batchLimits: LogBatchLimits { LogBatchLimits(bytes: (512 - 160) << 10, count: 4096) }

    // MARK: Making what is missing

    public func prepare() async throws -> LogTargetReadiness {
        var gaps: [String] = []
        let endpoint = service.project.endpoint
        if !endpoint.isTLS, !endpoint.isLoopback {
            gaps.append("the connection is plain http: who listens reads everything")
        }
        if try await isMissing("look at a logstore of", path) {
            try await make("make a logstore in", "/logstores", try logstoreObject())
        }
        for (what, path, collection, object) in [
            ("the index", path + "/index", path + "/index", TrailIndex.json),
            (
                "the dashboard", "/dashboards/" + TrailDashboard.name(logstore: logstore), "/dashboards",
                try TrailDashboard.json(logstore: logstore)
            ),
        ] {
            do {
                if try await isMissing("look at \(what) of a logstore of", path) {
                    try await make("make \(what) of a logstore of", collection, object)
                }
            } catch let error as RemoteError where error.kind == .refused {
                // Events are kept without it, and it can be made later.
                gaps.append("\(what) is missing or cannot be seen: \(error)")
            }
        }
        return LogTargetReadiness(location: location, gaps: gaps, checkedAt: now())
    }

    private func isMissing(_ action: String, _ path: String) async throws -> Bool {
        do {
            _ = try await service.send(action, "GET", path)
            return false
        } catch let error as RemoteError {
            guard let code = error.code, code.hasSuffix("NotExist"), !code.hasPrefix("Project") else { throw error }
            return true
        }
    }

    private func make(_ action: String, _ path: String, _ object: Data) async throws {
        do {
            _ = try await service.send(action, "POST", path, body: [UInt8](object), contentType: "application/json")
        } catch let error as RemoteError where error.code?.hasSuffix("AlreadyExist") ?? false {
            // Another attempt, or somebody, made it.
        }
    }

    private func logstoreObject() throws -> Data {
        var object: [String: Any] = [
            "logstoreName": logstore, "ttl": EmbeddedLogTarget.retentionDays, "shardCount": EmbeddedLogTarget.shards,
            "autoSplit": true, "maxSplitShard": EmbeddedLogTarget.mostShards, "enable_tracking": false, "appendMeta": false,
            "mode": "standard",
        ]
        if let encryption = service.project.encryption {
            var settings: [String: Any] = ["enable": true, "encrypt_type": encryption.type]
            if let key = encryption.key {
                settings["user_cmk_info"] = ["cmk_key_id": key.id, "arn": key.roleARN, "region_id": key.region]
            }
            object["encrypt_conf"] = settings
        }
        return try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
    }

    // MARK: Delivering

    public func deliver(_ events: ArraySlice<LogEvent>, stream: String) async throws {
        let present = Int64(now().timeIntervalSince1970 * 1000)
        // What is older is found by the time in the event itself.
        let accepted = present - Self.accepted.past...present + Self.accepted.future
        let group = LogGroup(events: events) { accepted.contains($0) ? $0 : present }
        let raw = LogGroupCodec.encode(group)
        do {
            _ = try await service.send(
                "deliver events into", "POST", path + "/shards/lb",
                headers: [("x-log-compresstype", "lz4"), ("x-log-bodyrawsize", String(raw.count))],
                body: LogCompression.lz4.compress(raw), contentType: "application/x-protobuf")
        } catch let error as RemoteError {
            throw LogsRefused(status: error.status ?? 0, code: error.code ?? "", message: error.problem) ?? error
        }
    }

    public func lastSequence(of stream: String) async throws -> UInt64? { nil }

    /// The logstore is its owner's already.
    public func release() async throws {}
}
