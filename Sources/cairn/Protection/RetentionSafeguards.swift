// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import ObjectStorage

/// The retention policy of a bucket; source: oss.md section 14.
struct BucketRetention {
    var id: String
    var isLocked: Bool
    var days: Int

    /// nil if the bucket has none, or is not there.
    static func read(_ site: ProtectionSite) async throws -> BucketRetention? {
        guard let text = try await site.question("worm") else { return nil }
        guard let id = XMLScan.first("WormId", in: text),
            let days = XMLScan.first("RetentionPeriodInDays", in: text).flatMap({ Int($0) })
        else {
            throw Failure.no("the retention policy of the bucket \(site.bucket) cannot be read")
        }
        return BucketRetention(id: id, isLocked: XMLScan.first("State", in: text) == "Locked", days: days)
    }

    var text: String { "\(days) days, \(isLocked ? "locked" : "not locked")" }
}

/// A retention policy long enough, which for a day can still be taken back.
struct RetentionPolicy: Safeguard {
    let what = "retention policy"
    let wanted: String
    let evidence = "GetBucketWorm"

    func inspect(_ site: ProtectionSite) async throws -> Finding {
        guard let retention = try await BucketRetention.read(site) else { return .wanting("none") }
        // One that is locked is extended as the lock is: with consent.
        return Finding(text: retention.text, isInPlace: retention.isLocked || retention.days >= site.days)
    }

    func establish(_ site: ProtectionSite, _ finding: Finding) async throws {
        if try await BucketRetention.read(site) != nil {
            _ = try await site.buckets.send("DELETE", bucket: site.bucket, query: [("worm", "")])
        }
        _ = try await site.buckets.send(
            "POST", bucket: site.bucket, query: [("worm", "")],
            body:
                "<InitiateWormConfiguration><RetentionPeriodInDays>\(site.days)</RetentionPeriodInDays></InitiateWormConfiguration>"
        )
    }
}

/// The policy cannot be taken back any more, by nobody.
struct RetentionLock: Safeguard {
    let what = "retention lock"
    let wanted: String
    let evidence = "GetBucketWorm"

    func inspect(_ site: ProtectionSite) async throws -> Finding {
        guard let retention = try await BucketRetention.read(site) else { return .wanting("no policy") }
        return Finding(text: retention.text, isInPlace: retention.isLocked && retention.days >= site.days)
    }

    func establish(_ site: ProtectionSite, _ finding: Finding) async throws {
        guard let retention = try await BucketRetention.read(site) else { return }
        guard retention.isLocked else {
            _ = try await site.buckets.send("POST", bucket: site.bucket, query: [("wormId", retention.id)])
            return
        }
        _ = try await site.buckets.send(
            "POST", bucket: site.bucket, query: [("wormId", retention.id), ("wormExtend", "")],
            body: "<ExtendWormConfiguration><RetentionPeriodInDays>\(site.days)</RetentionPeriodInDays></ExtendWormConfiguration>"
        )
    }

    func consequence(_ site: ProtectionSite, _ finding: Finding) -> String? {
        // A policy that is there already may be longer.
        let days = max(site.days, Int(finding.text.prefix { $0.isNumber }) ?? 0)
        let end = Date().addingTimeInterval(Double(days) * 86_400).ISO8601Format().prefix(10)
        return "From now on nobody, root included, can delete or overwrite an object of the bucket \(site.bucket) "
            + "before \(days) days after it was written (what is written today: until \(end)), and this can never be "
            + "shortened or taken back while the bucket holds an object."
    }
}
