// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A customer key of the trail's own, able to work.
struct UsableKey: Safeguard {
    let what = "key"
    let wanted = "an enabled customer key"
    let evidence = "DescribeKey"

    func inspect(_ site: ProtectionSite) async throws -> Finding {
        guard let key = try await find(site) else {
            if let reference = site.keyReference { throw Failure.no("there is no key `\(reference)`") }
            return .wanting("none")
        }
        guard key.usage == "ENCRYPT/DECRYPT", !key.spec.hasPrefix("RSA"), !key.spec.hasPrefix("EC_") else {
            throw Failure.no("the key \(key.id) cannot encrypt objects: it is \(key.spec) for \(key.usage)")
        }
        guard key.origin != "EXTERNAL" else {
            throw Failure.no("the material of the key \(key.id) was imported: such a key cannot be rotated automatically")
        }
        site.key = key
        return Finding(text: "\(key.state), \(key.spec), \(key.id)", isInPlace: key.state == "Enabled")
    }

    func establish(_ site: ProtectionSite, _ finding: Finding) async throws {
        guard let key = site.key else {
            let answer = try await site.api.call(
                "CreateKey",
                [
                    ("KeySpec", "Aliyun_AES_256"), ("KeyUsage", "ENCRYPT/DECRYPT"), ("Description", description(site)),
                    ("EnableAutomaticRotation", "true"), ("RotationInterval", AutomaticRotation.interval),
                ], of: .keys)
            site.key = (answer["KeyMetadata"] as? [String: Any]).map(KeyMetadata.init)
            return
        }
        if key.state == "PendingDeletion" { _ = try await site.api.call("CancelKeyDeletion", [("KeyId", key.id)], of: .keys) }
        if try await site.api.key(key.id)?.state == "Disabled" {
            _ = try await site.api.call("EnableKey", [("KeyId", key.id)], of: .keys)
        }
    }

    private func find(_ site: ProtectionSite) async throws -> KeyMetadata? {
        if let key = site.key { return try await site.api.key(key.id) }
        if let key = try await site.api.key(site.keyReference ?? site.alias) { return key }
        guard site.keyReference == nil else { return nil }
        // A run that was cut off before it named its key left one with this description.
        for id in try await site.api.keyIds() {
            if let key = try await site.api.key(id), key.description == description(site), key.state == "Enabled",
                key.origin == "Aliyun_KMS", key.spec == "Aliyun_AES_256"
            {
                return key
            }
        }
        return nil
    }

    private func description(_ site: ProtectionSite) -> String {
        "Encrypts what the trail \(site.trail) delivers (cairn protect)"
    }
}

/// New material for the key at least once a year.
struct AutomaticRotation: Safeguard {
    static let interval = "365d"

    let what = "key rotation"
    let wanted = "automatic, every 365 days or more often"
    let evidence = "DescribeKey"

    func inspect(_ site: ProtectionSite) async throws -> Finding {
        guard let key = try await site.currentKey() else { return .wanting("no key") }
        let isYearly = (key.rotationSeconds ?? .max) <= 365 * 86_400
        return Finding(text: key.rotation, isInPlace: key.automaticRotation == "Enabled" && isYearly)
    }

    func establish(_ site: ProtectionSite, _ finding: Finding) async throws {
        guard let key = site.key else { return }
        _ = try await site.api.call(
            "UpdateRotationPolicy",
            [("KeyId", key.id), ("EnableAutomaticRotation", "true"), ("RotationInterval", Self.interval)], of: .keys)
    }
}

/// A key that is not scheduled for deletion by mistake.
struct KeyDeletionProtection: Safeguard {
    let what = "key deletion protection"
    let wanted = "on"
    let evidence = "DescribeKey"

    func inspect(_ site: ProtectionSite) async throws -> Finding {
        guard let key = try await site.currentKey() else { return .wanting("no key") }
        return Finding(text: key.isProtectedFromDeletion ? "on" : "off", isInPlace: key.isProtectedFromDeletion)
    }

    func establish(_ site: ProtectionSite, _ finding: Finding) async throws {
        guard let key = site.key else { return }
        _ = try await site.api.call(
            "SetDeletionProtection",
            [
                ("ProtectedResourceArn", key.arn), ("EnableDeletionProtection", "true"),
                ("DeletionProtectionDescription", "What the trail \(site.trail) delivered is encrypted under this key."),
            ], of: .keys)
    }
}

/// A name by which people and the next run find the key.
struct KeyAlias: Safeguard {
    let what = "key alias"
    let wanted: String
    let evidence = "ListAliases"

    func inspect(_ site: ProtectionSite) async throws -> Finding {
        let target = try await site.api.aliases().first { $0.value.contains(site.alias) }?.key
        guard let target else { return .wanting("none") }
        return target == site.key?.id ? .inPlace(site.alias) : .wanting("\(site.alias) of \(target)")
    }

    func establish(_ site: ProtectionSite, _ finding: Finding) async throws {
        guard let key = site.key else { return }
        let exists = try await site.api.aliases().contains { $0.value.contains(site.alias) }
        _ = try await site.api.call(
            exists ? "UpdateAlias" : "CreateAlias", [("AliasName", site.alias), ("KeyId", key.id)], of: .keys)
    }
}

extension ProtectionSite {
    /// The key as the service tells of it now.
    fileprivate func currentKey() async throws -> KeyMetadata? {
        guard let key else { return nil }
        return try await api.key(key.id)
    }
}
