// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import ObjectStorage

/// The bucket that the trail delivers to.
struct ExistingBucket: Safeguard {
    let what = "bucket"
    let wanted = "there"
    let evidence = "GetBucketInfo"

    func inspect(_ site: ProtectionSite) async throws -> Finding {
        guard let info = try await site.question("bucketInfo") else { return .wanting("none") }
        return .inPlace("made \(XMLScan.first("CreationDate", in: info) ?? "?")")
    }

    func establish(_ site: ProtectionSite, _ finding: Finding) async throws {
        _ = try await site.buckets.send("PUT", bucket: site.bucket, headers: [WireHeader("x-oss-acl", "private")])
    }
}

/// Nobody outside the account reaches the bucket. Who let others in has to decide about it: this is not changed here.
struct PrivateBucket: Safeguard {
    let what = "bucket access"
    let wanted = "private, no policy for others"
    let evidence = "GetBucketAcl, GetBucketPolicy"

    func inspect(_ site: ProtectionSite) async throws -> Finding {
        guard let acl = try await site.question("acl") else { return .wanting("no bucket") }
        let grant = XMLScan.first("Grant", in: acl) ?? "?"
        guard grant == "private" else {
            throw Failure.no(
                "the bucket \(site.bucket) is \(grant): make it private first, with: cairn bucket acl \(site.bucket) private")
        }
        guard let policy = try await site.question("policy") else { return .inPlace("private, no policy") }
        let strangers = try await strangers(in: policy, site)
        guard strangers.isEmpty else {
            throw Failure.no(
                "the policy of the bucket \(site.bucket) lets in \(strangers.joined(separator: ", ")): see it with "
                    + "`cairn bucket policy \(site.bucket)`, and change or remove it first")
        }
        return .inPlace("private, policy for this account only")
    }

    func establish(_ site: ProtectionSite, _ finding: Finding) async throws {}

    /// Principals of allowing statements that are not of this account.
    private func strangers(in policy: String, _ site: ProtectionSite) async throws -> [String] {
        guard let document = try JSONSerialization.jsonObject(with: Data(policy.utf8)) as? [String: Any],
            let statements = document["Statement"] as? [[String: Any]] ?? (document["Statement"] as? [String: Any]).map({ [$0] })
        else { return ["nobody knows whom: it cannot be read"] }
        let users = try await site.api.pages("ListUsers", container: "Users", item: "User", of: .access)
        let own = Set(users.compactMap { $0["UserId"] as? String } + [site.accountId])
        var strangers: Set<String> = []
        for statement in statements where statement["Effect"] as? String != "Deny" {
            var principals =
                statement["Principal"] as? [String] ?? (statement["Principal"] as? String).map { [$0] } ?? []
            if principals.isEmpty { principals = ["*"] }
            for principal in principals {
                let isOwn = own.contains(principal) || principal.hasPrefix("arn:sts::\(site.accountId):")
                if !isOwn { strangers.insert(principal == "*" ? "everybody (*)" : principal) }
            }
        }
        return strangers.sorted()
    }
}

/// What is delivered from now on is encrypted under the key, whoever writes it.
struct BucketEncryption: Safeguard {
    let what = "bucket encryption"
    let wanted = "SSE-KMS with the key"
    let evidence = "GetBucketEncryption"

    func inspect(_ site: ProtectionSite) async throws -> Finding {
        guard let rule = try await site.question("encryption") else { return .wanting("none") }
        let algorithm = XMLScan.first("SSEAlgorithm", in: rule) ?? "?"
        let key = XMLScan.first("KMSMasterKeyID", in: rule) ?? ""
        guard algorithm == "KMS" else { return .wanting(algorithm) }
        guard key == site.key?.id else { return .wanting("SSE-KMS with \(key.isEmpty ? "the account's default key" : key)") }
        return .inPlace(wanted)
    }

    func establish(_ site: ProtectionSite, _ finding: Finding) async throws {
        guard let key = site.key else { return }
        _ = try await site.buckets.send(
            "PUT", bucket: site.bucket, query: [("encryption", "")],
            body: "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm>"
                + "<KMSMasterKeyID>\(key.id)</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>")
    }
}
