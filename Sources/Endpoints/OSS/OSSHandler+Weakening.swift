// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ObjectStorage
import Trails

/// Which changes of a bucket take protection from the trails that deliver into it.
extension OSSHandler {
    /// Called before the change, as what it takes away can only be seen while it is there.
    ///
    /// - Returns: called after the change, what it weakened; see `CallRecord.weakening`.
    func weakening(of operation: OSSOperation, on bucket: Bucket?) throws -> () throws -> String? {
        guard let bucket else { return { nil } }
        switch operation {
        case .putBucket, .bucketSetting(.putACL):
            return try told(bucket, "the privacy of the bucket of") {
                let now = try services.objects.bucket(bucket.name)?.acl
                return now != bucket.acl && now != .private
            }
        case .deleteBucket: return try told(bucket, "the bucket of")
        case .bucketSetting(.abortRetention): return try told(bucket, "the retention policy of the bucket of")
        case .bucketSetting(.deleteEncryption) where bucket.encryption?.keyId != nil,
            .bucketSetting(.putEncryption) where bucket.encryption?.keyId != nil:
            return try told(bucket, "the encryption under the owner's key of what is yet to come from") {
                try services.objects.bucket(bucket.name)?.encryption?.keyId != bucket.encryption?.keyId
            }
        case .bucketSetting(.putLifecycle):
            return try told(bucket, "objects, once they are old enough, of") {
                try services.objects.bucket(bucket.name)?.lifecycle != bucket.lifecycle
            }
        case .bucketSetting(.putPolicy), .bucketSetting(.deletePolicy):
            let permitted = try trails(of: bucket).filter { mayDeliver($0, into: bucket) }
            return {
                guard let now = try services.objects.bucket(bucket.name) else { return nil }
                let shutOut = permitted.filter { !mayDeliver($0, into: now) }.map(\.name)
                return shutOut.isEmpty ? nil : "shuts out the delivery of " + shutOut.joined(separator: ", ")
            }
        default: return { nil }
        }
    }

    private func told(
        _ bucket: Bucket, _ what: String, if isSo: @escaping () throws -> Bool = { true }
    ) throws -> () throws -> String? {
        let names = try trails(of: bucket).map(\.name).joined(separator: ", ")
        return { try !names.isEmpty && isSo() ? "takes \(what) \(names)" : nil }
    }

    private func trails(of bucket: Bucket) throws -> [Trail] {
        try services.trails.trails(account: bucket.owner).filter {
            $0.ossBucketName == bucket.name && !services.targets.isRemote($0.ossBucketName, account: $0.accountId)
        }
    }

    private func mayDeliver(_ trail: Trail, into bucket: Bucket) -> Bool {
        let permission = DeliveryPermission(authorizer: services.authorizer, now: services.now)
        return (try? permission.check(bucket, keyPrefix: trail.ossKeyPrefix, account: trail.accountId)) != nil
    }
}
