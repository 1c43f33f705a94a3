// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// Rows of buckets: what is set on them, their retention, and what they hold.
extension ObjectTable {
    // MARK: Reading

    /// The bucket as it is now: a policy that lapsed is gone.
    ///
    /// - Throws: ``ObjectError/noSuchBucket(_:)``, ``ObjectError/rowDamaged(bucket:key:)``.
    func bucketRow(_ name: String, in transaction: Metadata.Transaction) throws -> Bucket {
        guard let bucket = try bucket(transaction.entry(RowPath.bucket(name))) else { throw ObjectError.noSuchBucket(name) }
        return bucket
    }

    func bucket(_ entry: Metadata.Entry?) throws -> Bucket? {
        guard let entry else { return nil }
        let found = rows.read(Bucket.self, entry)
        guard found.isIntact, var bucket = found.value else {
            let name = String(entry.key.dropFirst(RowPath.bucket("").count))
            report.damage(bucket: name, key: "", what: "the row of the bucket was changed from outside")
            throw ObjectError.rowDamaged(bucket: name, key: "")
        }
        if let policy = bucket.retention, !policy.isInForce(at: now()) { bucket.retention = nil }
        return bucket
    }

    // MARK: Changing

    /// - Returns: the bucket, and whether it is new.
    func createBucket(_ bucket: Bucket, in transaction: Metadata.Transaction) throws -> (bucket: Bucket, isNew: Bool) {
        let path = RowPath.bucket(bucket.name)
        if let existing = try self.bucket(transaction.entry(path)) { return (existing, false) }
        try transaction.put(bucket, at: path, sealedBy: rows)
        return (bucket, true)
    }

    /// The only way to change a bucket; retention only ever changes as its rules allow.
    @discardableResult
    func changeBucket(_ name: String, in transaction: Metadata.Transaction, _ change: (inout Bucket) throws -> Void) throws
        -> Bucket
    {
        let old = try bucketRow(name, in: transaction)
        var new = old
        try change(&new)
        if let policy = old.retention, policy.state == .locked {
            guard let next = new.retention, next.id == policy.id, next.state == .locked, next.days >= policy.days else {
                throw ObjectError.retentionLocked(bucket: name)
            }
        }
        if new.retention != nil {
            guard new.versioning == nil else { throw ObjectError.retentionExcludesVersioning(bucket: name) }
            new.wasRetained = true
        }
        if new != old { try transaction.put(new, at: RowPath.bucket(name), sealedBy: rows) }
        return new
    }

    /// - Throws: ``ObjectError/bucketNotEmpty(_:)`` while anything is in it, readable or not.
    func deleteBucket(_ name: String, in transaction: Metadata.Transaction) throws {
        _ = try bucketRow(name, in: transaction)
        for prefix in contentPrefixes(name) + [RowPath.uploads(name)] {
            guard try transaction.entries(prefix: prefix, limit: 1).isEmpty else { throw ObjectError.bucketNotEmpty(name) }
        }
        try transaction.delete(RowPath.bucket(name))
        try transaction.delete(RowPath.statistics(name))
    }

    // MARK: Statistics

    func statistics(_ entry: Metadata.Entry?, bucket: String) -> BucketStatistics {
        guard let entry else { return BucketStatistics() }
        let found = rows.read(BucketStatistics.self, entry)
        guard found.isIntact, let value = found.value else {
            report.damage(bucket: bucket, key: "", what: "the row of the bucket's statistics was changed from outside")
            return BucketStatistics()
        }
        return value
    }

    func countUploads(_ difference: Int, bucket: String, in transaction: Metadata.Transaction) throws {
        var tally = Tally()
        tally.uploads = difference
        try tally.apply(to: bucket, table: self, in: transaction)
    }

    /// Differences of one transaction.
    struct Tally {
        var objects = 0
        var noncurrentVersions = 0
        var deleteMarkers = 0
        var uploads = 0
        var bytes: Int64 = 0

        mutating func add(_ object: StoredObject) { count(object, 1) }
        mutating func remove(_ object: StoredObject) { count(object, -1) }

        private mutating func count(_ object: StoredObject, _ sign: Int) {
            if object.noncurrentFrom == nil { objects += sign } else { noncurrentVersions += sign }
            bytes += Int64(sign) * object.size
        }

        func apply(to bucket: String, table: ObjectTable, in transaction: Metadata.Transaction) throws {
            guard objects != 0 || noncurrentVersions != 0 || deleteMarkers != 0 || uploads != 0 || bytes != 0 else { return }
            let path = RowPath.statistics(bucket)
            var statistics = table.statistics(try transaction.entry(path), bucket: bucket)
            statistics.objects = max(0, statistics.objects + objects)
            statistics.noncurrentVersions = max(0, statistics.noncurrentVersions + noncurrentVersions)
            statistics.deleteMarkers = max(0, statistics.deleteMarkers + deleteMarkers)
            statistics.uploads = max(0, statistics.uploads + uploads)
            statistics.bytes = max(0, statistics.bytes + bytes)
            try transaction.put(statistics, at: path, sealedBy: table.rows)
        }
    }
}
