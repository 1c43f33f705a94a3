// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A key as everybody may see it: everything but its material. Times are Unix seconds.
///
/// Source: kms.md section 3.2; stored as docs/formats/keys.md says.
public struct KeyRecord: Codable, Sendable, Equatable {
    public let id: String
    /// Both empty for a key of the service.
    public let account: String
    public let region: String
    /// What a key of the service is for; nil for a customer's key.
    public let purpose: String?
    public let spec: KeySpec
    public let usage: KeyUsage
    public let origin: KeyOrigin
    public let createdAt: Int64
    public internal(set) var state: KeyState
    public internal(set) var description = ""
    /// Seconds between versions; nil without automatic rotation.
    public internal(set) var rotationInterval: Int64?
    /// When the newest version was made.
    public internal(set) var lastRotatedAt: Int64
    /// The newest version; nil before the first import.
    public internal(set) var newestVersion: UUID?
    public internal(set) var deleteAt: Int64?
    /// Of imported material; nil for never.
    public internal(set) var materialExpiresAt: Int64?
    public internal(set) var isDeletionProtected = false
    public internal(set) var deletionProtectionDescription = ""
    public internal(set) var tags: [String: String] = [:]
    /// The text of its key policy, if one was set.
    public internal(set) var policy: String?
    /// Tells imported material from any other without holding it.
    var importDigest: ImportDigest?

    struct ImportDigest: Codable, Sendable, Equatable {
        /// Version of the service's key `import-digests` that it was made with.
        var version: UUID
        var value: Data
    }

    init(
        id: String, account: String, region: String, purpose: String? = nil, spec: KeySpec, usage: KeyUsage, origin: KeyOrigin,
        createdAt: Int64
    ) {
        self.id = id
        self.account = account
        self.region = region
        self.purpose = purpose
        self.spec = spec
        self.usage = usage
        self.origin = origin
        self.createdAt = createdAt
        state = origin == .external ? .pendingImport : .enabled
        lastRotatedAt = createdAt
    }

    public var arn: String { "acs:kms:\(region):\(account):key/\(id)" }

    /// The version that new seals use; asymmetric keys have none (kms.md section 3.2).
    public var primaryVersion: UUID? { spec.isSymmetric ? newestVersion : nil }

    public var nextRotationAt: Int64? { rotationInterval.map { lastRotatedAt + $0 } }
}

/// A version of a key, as everybody may see it.
public struct KeyVersion: Sendable, Equatable {
    public let id: UUID
    /// Unix seconds.
    public let createdAt: Int64

    /// As the API writes it, and as ciphertexts begin.
    public var name: String { id.uuidString.lowercased() }
}

/// A version with its material wrapped by the root.
struct SealedVersion: Codable, Sendable, Equatable {
    let id: UUID
    /// From 1 on; several may be made within one second.
    let number: Int
    let createdAt: Int64
    /// nil once imported material was deleted or has expired.
    var sealed: Data?

    var version: KeyVersion { KeyVersion(id: id, createdAt: createdAt) }

    /// What the root authenticates with the material, so that no version can stand in for another; kms.md section 10.
    func context(of key: KeyRecord) -> Data {
        Data("cairn key version\n\(key.id)\n\(id.uuidString)\n\(key.spec.rawValue)\n\(createdAt)".utf8)
    }
}

extension KeyRecord {
    /// As callers see it: material that has expired is gone, also before the next maintenance erases it.
    func shown(at now: Int64) -> KeyRecord {
        guard let expiry = materialExpiresAt, expiry <= now, state == .enabled || state == .disabled else { return self }
        var record = self
        record.state = .pendingImport
        return record
    }
}
