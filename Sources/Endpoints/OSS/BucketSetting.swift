// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// An operation on what is set on a bucket, by its name in events and, behind `oss:`, in policies.
///
/// Source: oss.md sections 11, 14 and 16.
enum BucketSetting: String, Sendable, CaseIterable {
    case getStat = "GetBucketStat"
    case getACL = "GetBucketAcl"
    case putACL = "PutBucketAcl"
    case getPolicy = "GetBucketPolicy"
    case putPolicy = "PutBucketPolicy"
    case deletePolicy = "DeleteBucketPolicy"
    case getEncryption = "GetBucketEncryption"
    case putEncryption = "PutBucketEncryption"
    case deleteEncryption = "DeleteBucketEncryption"
    case getVersioning = "GetBucketVersioning"
    case putVersioning = "PutBucketVersioning"
    case getLifecycle = "GetBucketLifecycle"
    case putLifecycle = "PutBucketLifecycle"
    case deleteLifecycle = "DeleteBucketLifecycle"
    case getTagging = "GetBucketTagging"
    case putTagging = "PutBucketTagging"
    case deleteTagging = "DeleteBucketTagging"
    case getRetention = "GetBucketWorm"
    case initiateRetention = "InitiateBucketWorm"
    case abortRetention = "AbortBucketWorm"
    case completeRetention = "CompleteBucketWorm"
    case extendRetention = "ExtendBucketWorm"

    var isWrite: Bool { !rawValue.hasPrefix("Get") }

    /// By sub-resource, then method; the first sub-resource that a request has decides. `POST ?wormId` locks, with
    /// `wormExtend` it lengthens, and `POST ?worm` begins (oss.md section 14).
    private static let table: [(subresource: String, operations: [String: BucketSetting])] = [
        ("wormExtend", ["POST": .extendRetention]),
        ("wormId", ["POST": .completeRetention]),
        ("worm", ["GET": .getRetention, "POST": .initiateRetention, "DELETE": .abortRetention]),
        ("acl", ["GET": .getACL, "PUT": .putACL]),
        ("policy", ["GET": .getPolicy, "PUT": .putPolicy, "DELETE": .deletePolicy]),
        ("encryption", ["GET": .getEncryption, "PUT": .putEncryption, "DELETE": .deleteEncryption]),
        ("versioning", ["GET": .getVersioning, "PUT": .putVersioning]),
        ("lifecycle", ["GET": .getLifecycle, "PUT": .putLifecycle, "DELETE": .deleteLifecycle]),
        ("tagging", ["GET": .getTagging, "PUT": .putTagging, "DELETE": .deleteTagging]),
        ("stat", ["GET": .getStat]),
    ]

    /// Nil if the request asks for none of these.
    init?(method: String, subresources: Set<String>) {
        guard let row = Self.table.first(where: { subresources.contains($0.subresource) }),
            let setting = row.operations[method]
        else { return nil }
        self = setting
    }
}
