// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// What a new key shall be.
public struct NewKey: Sendable {
    /// `Aliyun_AES_256` if nil.
    public var spec: String?
    /// nil for what the kind of key can do, signing first.
    public var usage: String?
    public var origin: String?
    public var protectionLevel: String?
    public var description = ""
    public var rotates = false
    /// Such as `365d`; needed to rotate.
    public var rotationInterval: String?
    public var tags: [String: String] = [:]
    public var policy: String?
    /// The id the key is to have, a UUID in lower case; a fresh one if nil.
    public var id: String?

    public init() {}
}

extension KeyService {
    /// Makes a key; source: kms.md section 4.1.
    public func createKey(_ new: NewKey, account: String, region: String) throws -> KeyRecord {
        let record = try record(of: new, account: account, region: region)
        // RSA takes its time: not while others wait.
        let material = record.origin == .service ? try record.spec.makeMaterial() : nil
        return try writing.withLock { _ in
            guard keys(account: account, region: region).count < limits.keys else {
                throw KeyError.limitExceeded("keys in an account and region", limit: limits.keys)
            }
            // Ids are unique in the service, whoever owns the key.
            guard table.withLock({ $0.customers[record.id] }) == nil else { throw KeyError.keyNotFound(record.id) }
            var content = KeyCell.Content(record: record, versions: [], offers: [])
            if let material { try addVersion(to: &content, material: material) }
            return try insert(content).record
        }
    }

    private func record(of new: NewKey, account: String, region: String) throws(KeyError) -> KeyRecord {
        switch new.protectionLevel {
        case nil, "", "SOFTWARE": break
        case "HSM": throw .protectionLevelNotSupported("HSM")
        default: throw .invalid("ProtectionLevel", "it is neither SOFTWARE nor HSM")
        }
        guard let spec = KeySpec(rawValue: new.spec ?? KeySpec.aes256.rawValue) else {
            let built = KeySpec.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalid("KeySpec", "it is none of \(built)")
        }
        guard let usage = KeyUsage(rawValue: new.usage ?? spec.usages[0].rawValue), spec.usages.contains(usage) else {
            throw .invalid("KeyUsage", "\(spec.rawValue) is for \(spec.usages.map(\.rawValue).joined(separator: " or "))")
        }
        guard let origin = KeyOrigin(rawValue: new.origin ?? KeyOrigin.service.rawValue) else {
            throw .invalid("Origin", "it is neither Aliyun_KMS nor EXTERNAL")
        }
        guard origin == .service || spec.isSymmetric else { throw .invalid("Origin", "only symmetric material is imported") }
        try KeyRules.check(description: new.description)
        try KeyRules.check(tags: new.tags)
        if let policy = new.policy { try KeyRules.check(policy: policy) }
        var record = KeyRecord(
            id: try new.id.map(KeyRules.checked(id:)) ?? Self.newId(), account: account, region: region, spec: spec, usage: usage,
            origin: origin, createdAt: now)
        record.description = new.description
        record.tags = new.tags
        record.policy = new.policy
        if new.rotates {
            guard spec.isSymmetric, origin == .service else {
                throw .invalid("EnableAutomaticRotation", "keys of this kind do not rotate by themselves")
            }
            guard let interval = new.rotationInterval else {
                throw .invalid("RotationInterval", "it is needed for automatic rotation")
            }
            record.rotationInterval = try KeyRules.rotationInterval(interval)
        }
        return record
    }

    public func enableKey(_ id: String) throws { try set(.enabled, id, .enableOrDisable) }

    /// From the next call on the key opens nothing; its plain material is wiped from memory.
    public func disableKey(_ id: String) throws { try set(.disabled, id, .enableOrDisable) }

    private func set(_ state: KeyState, _ id: String, _ action: KeyAction) throws {
        try change(id, action) { $0.record.state = state }
    }

    /// - Parameter days: 7 to 366.
    public func scheduleDeletion(of id: String, days: Int) throws {
        guard 7...366 ~= days else { throw KeyError.invalid("PendingWindowInDays", "it is not a number from 7 to 366") }
        let now = now
        try change(id, .scheduleDeletion) { content in
            guard !content.record.isDeletionProtected else { throw KeyError.deletionProtected(id) }
            content.record.state = .pendingDeletion
            content.record.deleteAt = now + Int64(days) * KeyRules.day
        }
    }

    /// The key is enabled again; one whose material has to be imported waits for it.
    public func cancelDeletion(of id: String) throws {
        try change(id, .cancelDeletion) { content in
            let hasMaterial = content.versions.contains { $0.sealed != nil }
            content.record.state = hasMaterial ? .enabled : .pendingImport
            content.record.deleteAt = nil
        }
    }

    public func setDescription(_ description: String, of id: String) throws {
        try KeyRules.check(description: description)
        try change(id, .edit) { $0.record.description = description }
    }

    /// - Parameter description: why; kept while the protection is on.
    public func setDeletionProtection(_ isProtected: Bool, description: String?, of id: String) throws {
        if let description { try KeyRules.check(description: description) }
        try change(id, .edit) { content in
            content.record.isDeletionProtected = isProtected
            if isProtected {
                content.record.deletionProtectionDescription = description ?? content.record.deletionProtectionDescription
            } else {
                content.record.deletionProtectionDescription = ""
            }
        }
    }

    /// Keeps the text; whoever authorises reads it.
    public func setPolicy(_ policy: String, of id: String) throws {
        try KeyRules.check(policy: policy)
        try change(id, .edit) { $0.record.policy = policy }
    }

    // MARK: Tags

    public func tag(_ id: String, with tags: [String: String]) throws {
        try change(id, .edit) { content in
            let all = content.record.tags.merging(tags) { _, new in new }
            try KeyRules.check(tags: all)
            content.record.tags = all
        }
    }

    /// - Parameter keys: nil for all of them; unknown ones are no error.
    public func untag(_ id: String, keys: [String]?) throws {
        try change(id, .edit) { content in
            guard let keys else { return content.record.tags = [:] }
            for key in keys { content.record.tags[key] = nil }
        }
    }

    /// Changes a customer's key in whose state the action is possible.
    func change<Result>(_ id: String, _ action: KeyAction, _ body: (inout KeyCell.Content) throws -> Result) throws -> Result {
        try change(cell(id)) { content in
            if let refusal = action.refusal(in: content.record.state) { throw refusal }
            return try body(&content)
        }
    }
}
