// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import ObjectStorage

extension Settings {
    /// The part of the configuration file that has no flags: buckets of other stores, by the name that trails use.
    static let remoteBucketsName = "remote-buckets"

    private static let keys = [
        "kind", "endpoint", "region", "bucket", "access-key-id", "access-key-secret-file", "access-key-secret-env",
        "session-token-file", "session-token-env", "role-arn", "sts-endpoint", "path-style", "encryption", "kms-key-id",
        "retention-mode", "retention-days", "ca-file", "allow-http",
    ]

    /// - Parameter configuration: text of the YAML file.
    static func readRemoteBuckets(_ configuration: String?) throws(SettingsError) -> [RemoteBucket] {
        try RemoteEntryReader.entries(
            of: remoteBucketsName, in: configuration, kind: "remote bucket", known: keys
        ) { (name) throws(SettingsError) in
            guard EmbeddedObjectStore.isBucketName(name) else {
                throw .badFile(
                    "`\(name)` in `\(remoteBucketsName)` is not a bucket name that a trail can have: 3 to 63 of a-z, "
                        + "0-9 and -")
            }
        } read: { (entry) throws(SettingsError) in
            try entry.bucket()
        }
    }
}

extension RemoteEntryReader {
    fileprivate func bucket() throws(SettingsError) -> RemoteBucket {
        guard let kind = try choice("kind", RemoteBucket.Kind.self) else { throw wrong("`kind` is missing: s3 or oss") }
        let endpoint = try endpoint("endpoint", required("endpoint"))
        let region = try text(
            "region", required("region"), allowed: Self.isNameByte, count: 1...64, "a region id such as cn-hangzhou or eu-west-1")
        if kind == .oss, region.hasPrefix("oss-") {
            throw invalid("region", region, "the region id without `oss-`: \(region.dropFirst(4))")
        }
        let real = try text(
            "bucket", value("bucket") ?? name, allowed: { Self.isNameByte($0) || (kind == .s3 && $0 == 0x2E) }, count: 3...63,
            "the name of a bucket")
        if kind == .s3, value("role-arn") != nil, value("sts-endpoint") != nil {
            throw wrong("`role-arn` is for kind oss; for s3 give a session token, renewed in its file by whoever issues it")
        }
        let access = try access(endpoint)
        let isPathStyle = try flag("path-style")
        if isPathStyle == true, endpoint.host.hasSuffix("aliyuncs.com") {
            throw invalid("path-style", "true", "false: OSS takes no path style")
        }
        var bucket = RemoteBucket(
            name: name, kind: kind, endpoint: endpoint, region: region, bucket: real, accessKeyId: access.accessKeyId,
            secret: access.secret,
            isPathStyle: isPathStyle)
        bucket.sessionToken = access.sessionToken
        bucket.role = access.role
        bucket.caFile = access.caFile
        try setEncryption(&bucket)
        try setRetention(&bucket)
        return bucket
    }

    private func setEncryption(_ bucket: inout RemoteBucket) throws(SettingsError) {
        bucket.kmsKeyId = try value("kms-key-id").map { (id) throws(SettingsError) in
            try text("kms-key-id", id, allowed: Self.isVisible, count: 1...2048, "the id of a KMS key")
        }
        bucket.encryption =
            try choice("encryption", RemoteBucket.Encryption.self) ?? (bucket.kmsKeyId == nil ? .none : .kms)
        guard bucket.kmsKeyId == nil || bucket.encryption == .kms else {
            throw wrong("`kms-key-id` is for `encryption: kms`, but that is `\(bucket.encryption.rawValue)`")
        }
    }

    private func setRetention(_ bucket: inout RemoteBucket) throws(SettingsError) {
        let range = bucket.kind == .oss ? 1...25_550 : 1...36_500
        let mode = try choice("retention-mode", RemoteBucket.RetentionMode.self)
        if let text = value("retention-days") {
            guard let days = Int(text), range.contains(days) else {
                throw invalid("retention-days", text, "days, from \(range.lowerBound) to \(range.upperBound)")
            }
            guard mode != RemoteBucket.RetentionMode.none else {
                throw wrong("`retention-days` without retention: leave them out, or set `retention-mode: COMPLIANCE`")
            }
            bucket.retentionDays = days
            bucket.retentionMode = mode ?? .compliance
        } else if let mode, mode != .none {
            throw wrong("`retention-mode: \(mode.rawValue)` needs `retention-days`")
        }
        if bucket.kind == .oss, bucket.retentionMode == .governance {
            throw invalid("retention-mode", "GOVERNANCE", "COMPLIANCE or none: OSS has no other")
        }
    }
}
