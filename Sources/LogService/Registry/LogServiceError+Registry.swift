// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Refusals of the registry; source: sls.md section 5, and for the codes of quotas, dashboards, saved searches and
/// checkpoints of others the codes that the vendor's clients look for.
extension LogServiceError {
    static func projectExists(_ name: String) -> LogServiceError {
        .init(400, "ProjectAlreadyExist", "project \(name) already exists")
    }
    static func logstoreExists(_ name: String) -> LogServiceError {
        .init(400, "LogStoreAlreadyExist", "logstore \(name) already exists")
    }
    static func logstoreInvalid(_ message: String) -> LogServiceError { .init(400, "LogStoreInfoInvalid", message) }
    static func quota(_ message: String) -> LogServiceError { .init(400, "ProjectQuotaExceed", message) }

    static let noIndex = LogServiceError(400, "IndexConfigNotExist", "index config doesn't exist")
    static let indexExists = LogServiceError(400, "IndexAlreadyExist", "log store index is already created")
    static func indexInvalid(_ message: String) -> LogServiceError { .init(400, "IndexInfoInvalid", message) }

    static func noShard(_ id: Int, status: Int = 400) -> LogServiceError {
        .init(status, "ShardNotExist", "shard \(id) does not exist")
    }
    static let noWritableShard = LogServiceError(400, "LogStoreWithoutShard", "logstore has no shard that can be written")

    static func noGroup(_ name: String) -> LogServiceError {
        .init(404, "ConsumerGroupNotExist", "consumer group \(name.prefix(64)) does not exist")
    }
    static func groupExists(_ name: String) -> LogServiceError {
        .init(400, "ConsumerGroupAlreadyExist", "consumer group \(name) already exists")
    }
    static func tooManyGroups(limit: Int) -> LogServiceError {
        .init(400, "ConsumerGroupQuotaExceed", "a logstore has at most \(limit) consumer groups")
    }
    static func noConsumer(_ name: String) -> LogServiceError {
        .init(404, "ConsumerNotExist", "consumer \(name.prefix(64)) does not exist in the consumer group")
    }
    static func otherConsumer(shard: Int) -> LogServiceError {
        .init(400, "ConsumerNotMatch", "shard \(shard) is not held by this consumer")
    }
    static let checkpointInvalid = LogServiceError(400, "InvalidShardCheckPoint", "shard checkpoint not encoded by base64")

    /// A logstore of a trail is kept from everybody but the service.
    static func usedByTrail(_ logstore: String, _ trail: String) -> LogServiceError {
        .init(403, "Unauthorized", "logstore \(logstore) holds the events of trail \(trail); this is not allowed while it does")
    }

    /// A logstore whose logs a trail's events could not be told from.
    public static func notForTrail(_ logstore: String) -> LogServiceError {
        .init(
            400, "LogStoreAlreadyExist",
            "logstore \(logstore) exists and holds, or held, logs that no trail delivered: events among them could not be told "
                + "from delivered ones. Delete it, or choose another project")
    }
}
