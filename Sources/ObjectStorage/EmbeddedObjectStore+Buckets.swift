// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// Buckets and what can be set on them. All of these throw ``ObjectError/noSuchBucket(_:)``.
extension EmbeddedObjectStore {
    public func createBucket(_ name: String, owner: String) throws -> Bucket {
        try createBucket(name, owner: owner, acl: nil, storageClass: nil, redundancy: nil)
    }

    /// Makes a bucket; making one's own again changes at most its ACL.
    ///
    /// - Parameter acl: nil leaves an existing bucket's as it is; a new one is private.
    /// - Throws: `.bucketAlreadyExists` if another account has the name; `.invalidBucketName`.
    public func createBucket(
        _ name: String, owner: String, acl: CannedACL?, storageClass: String?, redundancy: String?
    ) throws -> Bucket {
        guard Self.isBucketName(name) else { throw ObjectError.invalidBucketName(name) }
        // Before the row: a crash in between leaves an empty folder, not a bucket that takes no object.
        try files.disk.createDirectory(files.folder(name))
        return try metadata.transact { transaction in
            var new = Bucket(name: name, owner: owner, createdAt: now(), region: region)
            new.storageClass = storageClass ?? new.storageClass
            new.redundancy = redundancy ?? new.redundancy
            new.acl = acl ?? new.acl
            let (bucket, isNew) = try table.createBucket(new, in: transaction)
            guard bucket.owner == owner else { throw ObjectError.bucketAlreadyExists(name) }
            guard !isNew, let acl else { return bucket }
            return try table.changeBucket(name, in: transaction) { $0.acl = acl }
        }
    }

    public static func isBucketName(_ name: String) -> Bool {
        let isAllowed = name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        return isAllowed && (3...63).contains(name.utf8.count) && !name.hasPrefix("-") && !name.hasSuffix("-")
    }

    public func bucket(_ name: String) throws -> Bucket? {
        try table.bucket(metadata.entry(RowPath.bucket(name)))
    }

    /// Buckets of one account, by name. One whose row was changed from outside is reported and left out.
    public func buckets(owner: String) throws -> [Bucket] { try allBuckets().filter { $0.owner == owner } }

    func allBuckets() throws -> [Bucket] {
        try metadata.entries(prefix: RowPath.bucket("")).compactMap { entry in
            do { return try table.bucket(entry) } catch {
                guard error is ObjectError else { throw error }
                return nil
            }
        }
    }

    func requiredBucket(_ name: String) throws -> Bucket {
        guard let bucket = try bucket(name) else { throw ObjectError.noSuchBucket(name) }
        return bucket
    }

    /// Also while its retention is locked, if only it is empty (oss.md section 14).
    ///
    /// - Throws: `.bucketNotEmpty`.
    public func deleteBucket(_ name: String) throws {
        try metadata.transact { try table.deleteBucket(name, in: $0) }
    }

    public func statistics(bucket: String) throws -> BucketStatistics {
        _ = try requiredBucket(bucket)
        return table.statistics(try metadata.entry(RowPath.statistics(bucket)), bucket: bucket)
    }

    private func change(_ bucket: String, _ change: (inout Bucket) -> Void) throws {
        try metadata.transact { _ = try table.changeBucket(bucket, in: $0, change) }
    }

    public func setACL(_ acl: CannedACL, bucket: String) throws { try change(bucket) { $0.acl = acl } }

    /// - Parameter document: kept byte for byte; nil removes it.
    public func setPolicy(_ document: String?, bucket: String) throws { try change(bucket) { $0.policy = document } }

    public func setTags(_ tags: [String: String], bucket: String) throws { try change(bucket) { $0.tags = tags } }

    /// - Throws: `.retentionExcludesVersioning`.
    public func setVersioning(_ versioning: Bucket.Versioning, bucket: String) throws {
        try change(bucket) { $0.versioning = versioning }
    }

    /// - Parameter lifecycle: run by ``maintain()``; nil removes it.
    public func setLifecycle(_ lifecycle: Lifecycle?, bucket: String) throws { try change(bucket) { $0.lifecycle = lifecycle } }

    /// For new objects that ask for nothing themselves; whether the key exists is asked by them, not here.
    public func setEncryption(_ choice: EncryptionChoice?, bucket: String) throws {
        try change(bucket) { $0.encryption = choice }
    }
}
