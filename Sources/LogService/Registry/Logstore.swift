// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Logs of one kind, with their shards, their index and how long they are kept; source: sls.md section 7.2.
public struct Logstore: Codable, Sendable, Equatable {
    /// Unique for ever: a logstore made anew under an old name has another.
    public var id: String
    public var project: String
    public var name: String
    public var account: String
    /// Days; 3650 is for ever.
    public var ttl: Int
    public var shards: [Shard]
    public var autoSplit: Bool
    public var maxSplitShard: Int
    /// Takes logs from browsers, without a signature.
    public var enableTracking: Bool
    /// Adds the client's address and the time of receipt to each log.
    public var appendMeta: Bool
    public var telemetryType: String?
    /// Days in each tier of storage; told back, all logs lie in one.
    public var hotTTL: Int?
    public var infrequentAccessTTL: Int?
    /// `standard`, or `query` for one without SQL.
    public var mode: String
    public var productType: String?
    public var encryption: LogstoreEncryption?
    /// The index object as the client sent it.
    public var index: Data?
    /// Seconds since 1970; nil if a client never set the index.
    public var indexModifiedAt: Int64?
    /// Seconds since 1970.
    public var createdAt: Int64
    public var modifiedAt: Int64
    /// ARN of the trail whose events it takes: nobody but the service writes to it or deletes from it.
    public var trail: String?
    /// Whether others than a trail wrote to it, ever; nil if that is not known, of one made by an earlier version.
    public private(set) var hasOtherLogs: Bool?

    public init(
        id: String = UUID().uuidString, project: String, name: String, account: String, ttl: Int, shards: [Shard],
        autoSplit: Bool = false, maxSplitShard: Int = 0, enableTracking: Bool = false, appendMeta: Bool = false,
        telemetryType: String? = nil, hotTTL: Int? = nil, infrequentAccessTTL: Int? = nil, mode: String = "standard",
        productType: String? = nil, encryption: LogstoreEncryption? = nil, index: Data? = nil, createdAt: Int64,
        trail: String? = nil
    ) {
        self.id = id
        self.project = project
        self.name = name
        self.account = account
        self.ttl = ttl
        self.shards = shards
        self.autoSplit = autoSplit
        self.maxSplitShard = maxSplitShard
        self.enableTracking = enableTracking
        self.appendMeta = appendMeta
        self.telemetryType = telemetryType
        self.hotTTL = hotTTL
        self.infrequentAccessTTL = infrequentAccessTTL
        self.mode = mode
        self.productType = productType
        self.encryption = encryption
        self.index = index
        self.createdAt = createdAt
        modifiedAt = createdAt
        self.trail = trail
        hasOtherLogs = false
    }

    mutating func noteOtherLogs() { hasOtherLogs = true }

    /// Whether a trail may have it: of what others wrote, nobody could tell whether the trail delivered it.
    public var mayBecomeTrails: Bool { trail != nil || hasOtherLogs == false }

    var retention: LogRetention { LogRetention(days: ttl) }

    /// As GetLogstore tells it, and as an update must repeat it: shards that can be written.
    public var shardCount: Int { shards.writable.count }
}

/// How a logstore's logs are encrypted; source: sls.md section 15.
public struct LogstoreEncryption: Codable, Sendable, Equatable {
    public var isEnabled: Bool
    /// As sent: `default`, `sm4`, `m4`, …
    public var type: String
    /// The customer's key, in the service's place; nil for a key of the service.
    public var keyId: String?
    public var roleArn: String?
    public var regionId: String?

    public init(isEnabled: Bool, type: String, keyId: String? = nil, roleArn: String? = nil, regionId: String? = nil) {
        self.isEnabled = isEnabled
        self.type = type
        self.keyId = keyId
        self.roleArn = roleArn
        self.regionId = regionId
    }
}
