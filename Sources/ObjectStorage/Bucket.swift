// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A bucket with everything set on it. Source: oss.md sections 1 and 11.
public struct Bucket: Codable, Sendable, Equatable {
    public var name: String
    /// Account that owns it.
    public var owner: String
    public var createdAt: Date
    public var region: String
    public internal(set) var storageClass = "Standard"
    /// `LRS` or `ZRS`: kept as told, without meaning on one machine.
    public internal(set) var redundancy = "LRS"
    public internal(set) var acl = CannedACL.private
    /// The bucket policy, byte for byte as it was put.
    public internal(set) var policy: String?
    public internal(set) var tags: [String: String] = [:]
    /// nil while it was never set.
    public internal(set) var versioning: Versioning?
    /// What objects get that ask for nothing themselves; nil: sealed under the service's key, and not shown.
    public internal(set) var encryption: EncryptionChoice?
    public internal(set) var lifecycle: Lifecycle?
    /// The policy in force; a policy that lapsed unlocked is nil here.
    public internal(set) var retention: RetentionPolicy?
    /// It has or had a policy: its files may carry the immutable flag.
    var wasRetained = false

    public enum Versioning: String, Codable, Sendable, Equatable {
        case enabled = "Enabled"
        case suspended = "Suspended"
    }
}

/// The access rights OSS lets one put on a bucket or an object by a single word.
public enum CannedACL: String, Codable, Sendable, Equatable {
    /// Of objects only: whatever the bucket has.
    case inherited = "default"
    case `private` = "private"
    case publicRead = "public-read"
    case publicReadWrite = "public-read-write"
}

/// What a bucket holds. Source: oss.md section 11, GetBucketStat.
public struct BucketStatistics: Codable, Sendable, Equatable {
    /// Current objects.
    public internal(set) var objects = 0
    /// Older versions, without delete markers.
    public internal(set) var noncurrentVersions = 0
    public internal(set) var deleteMarkers = 0
    /// Unfinished multipart uploads.
    public internal(set) var uploads = 0
    /// Plain bytes of current objects and older versions.
    public internal(set) var bytes: Int64 = 0

    public init() {}
}
