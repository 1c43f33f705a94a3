// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What the store refuses, or finds damaged.
public enum ObjectError: Error, Equatable, CustomStringConvertible {
    case noSuchBucket(String)
    case invalidBucketName(String)
    case invalidKey(String)
    case bucketAlreadyExists(String)
    /// Objects, versions, delete markers or unfinished uploads remain.
    case bucketNotEmpty(String)
    /// The content does not have the MD5 that came with it; nothing is stored.
    case digestMismatch(key: String)
    /// The content does not have the CRC-64 that came with it; nothing is stored.
    case checksumMismatch(key: String)
    /// What is stored is not what was written.
    case objectDamaged(bucket: String, key: String, offset: Int64)
    /// The row of an object or bucket (`key` empty) was changed behind the store; mutations get ``objectImmutable``.
    case rowDamaged(bucket: String, key: String)

    /// Overwriting is forbidden by the caller.
    case objectAlreadyExists(key: String)
    case noSuchObject(bucket: String, key: String)
    case noSuchVersion(key: String, versionId: String)
    /// Retention protects it.
    case objectImmutable(bucket: String, key: String)

    case noSuchUpload(uploadId: String)
    case invalidPartNumber(Int)
    /// Complete names a part that is not there, or has another ETag, or names none.
    case invalidPart(number: Int)
    case invalidPartOrder
    /// A part other than the last has less than ``MultipartUpload/minimumPartSize`` bytes.
    case partTooSmall(number: Int, size: Int64)

    case positionNotEqualToLength(key: String, length: Int64)
    case objectNotAppendable(key: String)
    /// Objects that grew by appends cannot be copied, except onto themselves.
    case appendableNotCopied(key: String)

    case retentionExists(bucket: String)
    /// None, or none with this id.
    case noSuchRetention(bucket: String)
    /// A locked policy is neither aborted nor locked again.
    case retentionLocked(bucket: String)
    case invalidRetentionDays(Int)
    /// Only a locked policy can be extended.
    case retentionNotLocked(bucket: String)
    /// A period can only be extended.
    case retentionShortened(bucket: String, days: Int)
    /// A bucket has retention or versioning, never both.
    case retentionExcludesVersioning(bucket: String)

    /// This store was not given any customer's keys.
    case noCustomerKeys
    /// There are buckets, but the key that seals their rows is gone from the metadata.
    case rowKeyMissing

    public var description: String {
        switch self {
        case .noSuchBucket(let name): "there is no bucket `\(name)`"
        case .invalidBucketName(let name):
            "`\(name)` is not a bucket name: 3 to 63 of a-z, 0-9 and -, neither first nor last a -"
        case .invalidKey(let key):
            "`\(key)` is not an object key: 1 to 1023 bytes, not beginning with / or \\, without NUL and U+10FFFF"
        case .bucketAlreadyExists(let name): "the bucket name `\(name)` is taken"
        case .bucketNotEmpty(let name): "the bucket `\(name)` is not empty"
        case .digestMismatch(let key): "the content of `\(key)` does not have the MD5 that came with it"
        case .checksumMismatch(let key): "the content of `\(key)` does not have the CRC-64 that came with it"
        case .objectDamaged(let bucket, let key, let offset):
            "damaged: object `\(key)` of bucket `\(bucket)` at byte \(offset)"
        case .rowDamaged(let bucket, let key):
            "damaged: the metadata of \(key.isEmpty ? "" : "object `\(key)` of ")bucket `\(bucket)` was changed from outside"
        case .objectAlreadyExists(let key): "`\(key)` exists, and overwriting it was forbidden by the request"
        case .noSuchObject(let bucket, let key): "there is no object `\(key)` in bucket `\(bucket)`"
        case .noSuchVersion(let key, let versionId): "`\(key)` has no version `\(versionId)`"
        case .objectImmutable(let bucket, let key):
            "object `\(key)` of bucket `\(bucket)` is protected by retention: it can be read, not changed or deleted"
        case .noSuchUpload(let uploadId): "there is no multipart upload `\(uploadId)`: it was completed, aborted or never begun"
        case .invalidPartNumber(let number): "\(number) is not a part number: 1 to 10000"
        case .invalidPart(let number): "part \(number) is not there, or has another ETag"
        case .invalidPartOrder: "the parts are not in ascending order of their numbers"
        case .partTooSmall(let number, let size):
            "part \(number) has \(size) bytes: every part but the last has at least \(MultipartUpload.minimumPartSize)"
        case .positionNotEqualToLength(let key, let length): "`\(key)` can only be appended to at \(length), its length"
        case .objectNotAppendable(let key): "`\(key)` was not created by an append"
        case .appendableNotCopied(let key): "`\(key)` grew by appends: it cannot be copied, except onto itself"
        case .retentionExists(let bucket): "the bucket `\(bucket)` has a retention policy already"
        case .noSuchRetention(let bucket): "the bucket `\(bucket)` has no such retention policy"
        case .retentionLocked(let bucket): "the retention policy of bucket `\(bucket)` is locked"
        case .invalidRetentionDays(let days): "\(days) is not a retention period: 1 to 25550 days"
        case .retentionNotLocked(let bucket): "the retention policy of bucket `\(bucket)` is not locked yet"
        case .retentionShortened(let bucket, let days):
            "the retention of bucket `\(bucket)` cannot become \(days) days: it can only be extended"
        case .retentionExcludesVersioning(let bucket):
            "the bucket `\(bucket)` can have retention or versioning, not both"
        case .noCustomerKeys: "this store has no customer keys: SSE-KMS is not possible"
        case .rowKeyMissing:
            "the metadata lacks the key that seals the rows of objects: restore the metadata from a backup"
        }
    }
}

/// The upload was finished or abandoned, or one of its writes failed: it takes nothing more.
public struct UploadEnded: Error, Equatable, CustomStringConvertible {
    public var key: String

    public var description: String { "the upload of `\(key)` is over, or one of its writes failed: begin it again" }
}
