// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// Retention (WORM) of a bucket: none → in progress, 24 hours → locked, which only ever grows. Both states protect.
/// Source: oss.md section 14.
extension EmbeddedObjectStore {
    /// - Throws: `.retentionExists`, `.invalidRetentionDays`, `.retentionExcludesVersioning`.
    public func initiateRetention(bucket: String, days: Int) throws -> RetentionPolicy {
        guard RetentionPolicy.allowedDays.contains(days) else { throw ObjectError.invalidRetentionDays(days) }
        let changed = try metadata.transact { transaction in
            try table.changeBucket(bucket, in: transaction) { [clock, now] bucket in
                guard bucket.retention == nil else { throw ObjectError.retentionExists(bucket: bucket.name) }
                bucket.retention = RetentionPolicy(
                    id: Data((0..<16).map { _ in UInt8.random(in: 0...255) }).upperHex, state: .inProgress, days: days,
                    createdAt: now(), initiatedFrom: clock.now)
            }
        }
        guard let policy = changed.retention else { throw ObjectError.noSuchRetention(bucket: bucket) }
        return policy
    }

    /// The policy in force.
    ///
    /// - Throws: `.noSuchRetention`, also when an unlocked policy lapsed.
    public func retention(bucket: String) throws -> RetentionPolicy {
        guard let policy = try requiredBucket(bucket).retention else { throw ObjectError.noSuchRetention(bucket: bucket) }
        return policy
    }

    private func change(_ bucket: String, id: String?, _ change: (inout RetentionPolicy?) throws -> Void) throws {
        try metadata.transact { transaction in
            _ = try table.changeBucket(bucket, in: transaction) { bucket in
                guard let policy = bucket.retention, id == nil || policy.id == id else {
                    throw ObjectError.noSuchRetention(bucket: bucket.name)
                }
                try change(&bucket.retention)
            }
        }
    }

    /// - Throws: `.retentionLocked`, `.noSuchRetention`.
    public func abortRetention(bucket: String) throws {
        // That a locked one stays is judged where buckets are changed.
        try change(bucket, id: nil) { $0 = nil }
    }

    /// Locks it.
    ///
    /// - Throws: `.noSuchRetention`, `.retentionLocked` if it is already.
    public func completeRetention(bucket: String, id: String) throws {
        try change(bucket, id: id) { policy in
            guard policy?.state == .inProgress else { throw ObjectError.retentionLocked(bucket: bucket) }
            policy?.state = .locked
        }
    }

    /// - Throws: `.noSuchRetention`, `.retentionNotLocked`, `.retentionShortened`, `.invalidRetentionDays`.
    public func extendRetention(bucket: String, id: String, days: Int) throws {
        guard RetentionPolicy.allowedDays.contains(days) else { throw ObjectError.invalidRetentionDays(days) }
        try change(bucket, id: id) { policy in
            guard policy?.state == .locked else { throw ObjectError.retentionNotLocked(bucket: bucket) }
            guard let old = policy?.days, days >= old else {
                throw ObjectError.retentionShortened(bucket: bucket, days: days)
            }
            policy?.days = days
        }
    }

    /// When an object becomes free, in retention time; nil if it is.
    public func protectionEnd(of object: StoredObject) throws -> Date? {
        table.protectionEnd(of: object, policy: try requiredBucket(object.bucket).retention).map(Date.init(milliseconds:))
    }
}
