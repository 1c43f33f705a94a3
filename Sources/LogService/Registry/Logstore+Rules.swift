// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What a logstore may be, and what of it may change.
extension Logstore {
    func check() throws(LogServiceError) {
        guard RegistryName.isLogstore(name) else {
            throw .logstoreInvalid("logstore name \(RegistryName.quoted(name)) is invalid")
        }
        try Self.check(ttl, in: 1...3650, "ttl")
        // Without automatic splitting the limit means nothing, and clients send none or zero.
        try Self.check(maxSplitShard, in: autoSplit ? 1...256 : 0...256, "maxSplitShard")
        if let hotTTL, hotTTL < 7 || hotTTL > ttl { throw .logstoreInvalid("hot_ttl must be between 7 and ttl") }
        if let infrequentAccessTTL { try Self.check(infrequentAccessTTL, in: 1...3650, "infrequentAccessTTL") }
        guard mode == "standard" || mode == "query" else { throw .logstoreInvalid("mode must be standard or query") }
        guard ["", "None", "Metrics", "Event"].contains(telemetryType ?? "") else {
            throw .logstoreInvalid("telemetryType must be None, Metrics or Event")
        }
        guard (productType ?? "").utf8.count <= 128 else { throw .logstoreInvalid("productType is too long") }
        try encryption?.check()
    }

    private static func check(_ value: Int, in range: ClosedRange<Int>, _ name: String) throws(LogServiceError) {
        guard range.contains(value) else {
            throw .logstoreInvalid("\(name) must be between \(range.lowerBound) and \(range.upperBound)")
        }
    }

    /// Whether an update may make `new` of this.
    func checkChange(to new: Logstore) throws(LogServiceError) {
        let isSame =
            (new.id, new.project, new.name, new.account, new.createdAt, new.trail)
            == (id, project, name, account, createdAt, trail)
        guard isSame, new.index == index else {
            throw .parameter("name, owner, trail and index of a logstore are not changed by an update")
        }
        guard new.shards == shards else { throw .parameter("shardCount can not be changed by an update") }
        guard new.mode == mode else { throw .parameter("mode can not be changed") }
        if let encryption {
            var same = encryption
            same.isEnabled = new.encryption?.isEnabled ?? same.isEnabled
            guard new.encryption == same else { throw .parameter("encryption can only be switched on and off once it is set") }
        }
        try new.check()
    }
}

extension LogstoreEncryption {
    private static let types: Set = [
        "default", "m4", "sm4", "sm4_ecb", "sm4_cbc", "sm4_gcm", "aes_ecb", "aes_cbc", "aes_cfb", "aes_ofb", "aes_gcm",
    ]

    func check() throws(LogServiceError) {
        guard Self.types.contains(type) else { throw .logstoreInvalid("encrypt_type is unknown") }
        for value in [keyId, roleArn, regionId] {
            guard let value else { continue }
            guard (1...512).contains(value.utf8.count) else { throw .logstoreInvalid("user_cmk_info is invalid") }
        }
        guard keyId != nil || (roleArn == nil && regionId == nil) else {
            throw .logstoreInvalid("user_cmk_info has no cmk_key_id")
        }
    }
}
