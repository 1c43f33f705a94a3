// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What protects the objects in a bucket, as the bucket itself told when it was asked.
public struct TargetProtection: Codable, Sendable, Equatable {
    /// Kind, bucket and address.
    public var location: String
    /// For people: `COMPLIANCE, 184 days for each object`; nil if nothing keeps objects from being deleted.
    public var retention: String?
    /// `Enabled`, `Suspended`; nil if there are no versions, or it could not be seen.
    public var versioning: String?
    /// `aws:kms <key>`, `KMS <key>`, `AES256`; nil if none is known of.
    public var encryption: String?
    /// Whether the store itself refuses to overwrite; else each key is looked up before it is written.
    public var refusesOverwrite: Bool
    /// What is not protected, a sentence each.
    public var gaps: [String]
    public var checkedAt: Date

    public init(
        location: String, retention: String? = nil, versioning: String? = nil, encryption: String? = nil,
        refusesOverwrite: Bool, gaps: [String] = [], checkedAt: Date
    ) {
        self.location = location
        self.retention = retention
        self.versioning = versioning
        self.encryption = encryption
        self.refusesOverwrite = refusesOverwrite
        self.gaps = gaps
        self.checkedAt = checkedAt
    }

    /// Whether two findings are the same but for their time.
    public func says(sameAs other: Self?) -> Bool {
        guard var other else { return false }
        other.checkedAt = checkedAt
        return self == other
    }
}
