// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import KeyManagement
import ObjectStorage
import Trails

/// The bucket that a trail names: it is there, the service may write to it, and what encrypts it can be used.
enum TrailBucket {
    /// - Throws: codes of actiontrail.md section 6.4.
    static func check(_ name: String, prefix: String, in context: RPCContext) throws {
        guard !name.isEmpty else { return }
        let services = context.services
        // What is at a remote store is found out at delivery, and told by GetTrailStatus.
        guard !services.targets.isRemote(name, account: context.accountId) else { return }
        guard EmbeddedObjectStore.isBucketName(name) else {
            throw RPCError(400, "InvalidBucketNameException", "The specified OSS bucket name is not valid.")
        }
        guard let bucket = try services.objects.bucket(name) else {
            throw RPCError(404, "BucketDoesNotExistException", "The specified OSS bucket \(name) does not exist.")
        }
        do {
            try DeliveryPermission(authorizer: services.authorizer, now: services.now)
                .check(bucket, keyPrefix: prefix, account: context.accountId)
        } catch let error as DeliveryForbidden {
            throw RPCError(403, "InsufficientBucketPolicyException", "\(error)")
        }
        try checkKey(of: bucket, in: services)
    }

    /// A key that cannot be used now would leave the trail waiting from its first event on.
    private static func checkKey(of bucket: Bucket, in services: EndpointServices) throws {
        guard let rule = bucket.encryption, rule.algorithm == .kms, let key = rule.keyId else { return }
        do {
            try services.keys.customerKey(key, account: bucket.owner, region: services.region).checkUsable()
        } catch let error as KeyError {
            throw RPCError(
                400, "InvalidDeliveryConfigurationException",
                "The key \(key), which encrypts the OSS bucket \(bucket.name), cannot be used: \(error)")
        }
    }

    /// Whether the bucket can be seen to be there.
    static func exists(_ trail: Trail, in services: EndpointServices) throws -> Bool {
        guard !trail.ossBucketName.isEmpty else { return false }
        if services.targets.isRemote(trail.ossBucketName, account: trail.accountId) {
            return try services.trails.deliveryState(of: trail).protection != nil
        }
        return try services.objects.bucket(trail.ossBucketName) != nil
    }
}

extension JSONFields {
    /// What guards a trail's objects where they are delivered to, as it was last seen. Cairn's own.
    init(_ protection: TargetProtection) {
        self.init()
        add(protection.location, "Location")
        add(protection.retention, "Retention")
        add(protection.versioning, "Versioning")
        add(protection.encryption, "Encryption")
        add(texts: protection.gaps, "Gaps")
        add(wireTime(protection.checkedAt), "CheckedAt")
    }
}
