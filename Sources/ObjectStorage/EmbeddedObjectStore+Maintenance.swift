// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// Work that time brings: lifecycle rules and immutable flags.
extension EmbeddedObjectStore {
    private static let pageSize = 500

    /// Runs every bucket's lifecycle, in retention time, and brings immutable flags in line with retention.
    ///
    /// Goes through the rows of buckets that have rules or retention, a page at a time; each removal is a transaction of
    /// its own, through the same guard as every other. For the background, each hour or so.
    @discardableResult
    public func maintain() throws -> MaintenanceResult {
        var result = MaintenanceResult()
        for bucket in try allBuckets() {
            for rule in bucket.lifecycle?.rules ?? [] where rule.isEnabled { try run(rule, in: bucket, &result) }
            if bucket.wasRetained && files.isImmutableFlagSupported { try alignFlags(in: bucket, &result) }
        }
        return result
    }

    // MARK: Lifecycle

    private func run(_ rule: LifecycleRule, in bucket: Bucket, _ result: inout MaintenanceResult) throws {
        if let due = rule.expiration {
            try forEachObject(bucket, rule.prefix) { object in
                guard isDue(due, since: object.retainedFrom), carries(object, rule.tags) else { return }
                if try expire(.delete, of: object, &result) { result.expiredObjects += 1 }
            }
        }
        if rule.noncurrentDays != nil || rule.removesExpiredDeleteMarkers { try runOnVersions(rule, in: bucket, &result) }
        if let due = rule.abortsUploads {
            try forEachUpload(bucket.name, rule.prefix) { upload in
                guard isDue(due, since: upload.initiatedFrom) else { return }
                try abortMultipart(bucket: bucket.name, key: upload.key, uploadId: upload.uploadId)
                result.abortedUploads += 1
            }
        }
    }

    private func isDue(_ due: LifecycleRule.Due, since start: Int64) -> Bool {
        switch due {
        case .days(let days): clock.now >= start + Int64(clamping: days) * RetentionPolicy.millisecondsPerDay
        case .date(let date): clock.now >= date.milliseconds
        case .createdBefore(let date): start < date.milliseconds
        }
    }

    private func carries(_ object: StoredObject, _ tags: [String: String]) -> Bool {
        tags.allSatisfy { object.tags[$0.key] == $0.value }
    }

    private func runOnVersions(_ rule: LifecycleRule, in bucket: Bucket, _ result: inout MaintenanceResult) throws {
        var (key, versionId) = ("", "")
        while true {
            let page = try versions(
                bucket: bucket.name, prefix: rule.prefix, afterKey: key, afterVersionId: versionId, limit: Self.pageSize)
            for (index, version) in page.enumerated() {
                switch version.content {
                case .object(let object):
                    guard let days = rule.noncurrentDays, let since = object.noncurrentFrom,
                        isDue(.days(days), since: since), carries(object, rule.tags)
                    else { continue }
                    if try expire(.deleteVersion(version.versionId), of: object, &result) { result.expiredVersions += 1 }
                case .deleteMarker(let marker):
                    guard rule.removesExpiredDeleteMarkers, version.isLatest else { continue }
                    // Alone of its key: neither here nor on the next page another version of it follows.
                    var following = page.dropFirst(index + 1).first
                    if following == nil {
                        following = try versions(
                            bucket: bucket.name, prefix: rule.prefix, afterKey: marker.key, afterVersionId: marker.versionId,
                            limit: 1
                        ).first
                    }
                    guard following?.key.utf8.elementsEqual(marker.key.utf8) != true else { continue }
                    let outcome = try deleteObject(bucket: bucket.name, key: marker.key, versionId: marker.versionId)
                    if outcome.isDeleteMarker { result.removedDeleteMarkers += 1 }
                }
            }
            guard page.count == Self.pageSize, let last = page.last else { return }
            (key, versionId) = (last.key, last.versionId)
        }
    }

    /// - Returns: false if retention keeps the object, or it is another by now.
    private func expire(_ change: ObjectTable.Change, of object: StoredObject, _ result: inout MaintenanceResult) throws -> Bool {
        do {
            let outcome = try metadata.transact { transaction -> ObjectTable.Outcome? in
                // Replaced since the page was read: not what the rule was about.
                guard
                    case .object(let now)? = try table.lookup(
                        bucket: object.bucket, key: object.key, versionId: object.versionId, in: transaction),
                    now.isSame(as: object)
                else { return nil }
                return try table.apply(change, bucket: object.bucket, key: object.key, in: transaction)
            }
            guard let outcome else { return false }
            follow(outcome)
            return true
        } catch {
            switch error as? ObjectError {
            case .objectImmutable, .rowDamaged:
                result.keptByRetention += 1
                return false
            default: throw error
            }
        }
    }

    // MARK: Immutable flags

    private func alignFlags(in bucket: Bucket, _ result: inout MaintenanceResult) throws {
        try forEachObject(bucket, "") { object in
            let shouldBe = table.protectionEnd(of: object, policy: bucket.retention) != nil
            for piece in try table.pieces(of: object, in: metadata)
            where files.isImmutable(bucket.name, piece.file) != shouldBe {
                if files.setImmutable(bucket.name, piece.file, shouldBe) { result.flagsChanged += 1 }
            }
        }
    }

    // MARK: Paging

    /// Current objects with `prefix`; what was changed from outside is left alone.
    private func forEachObject(_ bucket: Bucket, _ prefix: String, _ body: (StoredObject) throws -> Void) throws {
        var marker = ""
        while true {
            let page = try objects(bucket: bucket.name, prefix: prefix, after: marker, limit: Self.pageSize)
            for object in page where !object.isRowDamaged { try body(object) }
            guard page.count == Self.pageSize, let last = page.last else { return }
            marker = last.key
        }
    }

    private func forEachUpload(_ bucket: String, _ prefix: String, _ body: (MultipartUpload) throws -> Void) throws {
        var (key, id) = ("", "")
        while true {
            let page = try multipartUploads(
                bucket: bucket, prefix: prefix, afterKey: key, afterUploadId: id, limit: Self.pageSize)
            for upload in page { try body(upload) }
            guard page.count == Self.pageSize, let last = page.last else { return }
            (key, id) = (last.key, last.uploadId)
        }
    }
}
