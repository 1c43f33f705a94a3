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
    case getRetention = "GetBucketWorm"
    case initiateRetention = "InitiateBucketWorm"
    case abortRetention = "AbortBucketWorm"
    case completeRetention = "CompleteBucketWorm"
    case extendRetention = "ExtendBucketWorm"

    var isWrite: Bool { !rawValue.hasPrefix("Get") }

    /// Nil if the request asks for none of these.
    init?(method: String, subresources: Set<String>) {
        func one(_ name: String, _ operations: [String: BucketSetting]) -> BucketSetting?? {
            subresources.contains(name) ? .some(operations[method]) : nil
        }
        // `POST ?wormId` locks, with `wormExtend` it lengthens, and `POST ?worm` begins (oss.md section 14).
        let found: BucketSetting?? =
            one("wormExtend", ["POST": .extendRetention])
            ?? one("wormId", ["POST": .completeRetention])
            ?? one("worm", ["GET": .getRetention, "POST": .initiateRetention, "DELETE": .abortRetention])
            ?? one("acl", ["GET": .getACL, "PUT": .putACL])
            ?? one("policy", ["GET": .getPolicy, "PUT": .putPolicy, "DELETE": .deletePolicy])
            ?? one("encryption", ["GET": .getEncryption, "PUT": .putEncryption, "DELETE": .deleteEncryption])
            ?? one("versioning", ["GET": .getVersioning, "PUT": .putVersioning])
            ?? one("stat", ["GET": .getStat])
        guard let setting = found ?? nil else { return nil }
        self = setting
    }
}
