// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import Logging
import Synchronization

/// A bucket of OSS, or of a store that speaks OSS, written once under BucketWorm. Source: oss.md section 18.
final class OSSTarget: RemoteStoreTarget {
    let store: RemoteStore
    /// Whether a bucket refuses to overwrite: with versions it ignores the header, and makes another version.
    private let refusesOverwrite = Mutex<Bool?>(nil)

    init(store: RemoteStore) { self.store = store }

    // MARK: Writing

    func put(_ key: String, _ content: [UInt8], contentType: String) async throws -> PutReceipt {
        let facts = ContentFacts(content)
        if refusesOverwrite.withLock({ $0 }) == nil { _ = try await lookAtVersioning() }
        // Where nothing is refused, what may have been done is looked at before it is done again: by the next delivery.
        let isRefused = refusesOverwrite.withLock { $0 } ?? false
        if !isRefused, let receipt = try await receiptOfExisting(key, content, facts) { return receipt }
        let action = "put `\(key)` into"
        var headers = [
            ("Content-Type", contentType), ("Content-MD5", facts.base64MD5), ("x-oss-forbid-overwrite", "true"),
        ]
        switch bucket.encryption {
        case .none: break
        case .aes256: headers.append(("x-oss-server-side-encryption", "AES256"))
        case .kms:
            headers.append(("x-oss-server-side-encryption", "KMS"))
            if let key = bucket.kmsKeyId { headers.append(("x-oss-server-side-encryption-key-id", key)) }
        }
        // A second round only if the object that was in the way has gone meanwhile.
        for _ in 0..<2 {
            let answer = try await store.send(
                action, .init(method: "PUT", key: key, headers: headers, body: content, isRepeatable: isRefused))
            switch (answer.status, answer.code) {
            case (200, _):
                // No checksum is no error, a wrong one is.
                if let sum = answer["x-oss-hash-crc64ecma"], sum != String(facts.crc64) {
                    throw RemoteError(
                        .damaged, action, store.place,
                        problem: "the store answers with another CRC-64 than what was sent has; the next attempt compares what "
                            + "it holds")
                }
                try checkEncryption(answer, action)
                let version = answer["x-oss-version-id"]
                store.logger.debug(
                    "object put", metadata: ["key": "\(key)", "version": "\(version ?? "none")", "bucket": "\(bucket.name)"])
                return PutReceipt(isNew: true, versionId: version)
            case (409, "FileAlreadyExists"), (409, "FileImmutable"):
                if let receipt = try await receiptOfExisting(key, content, facts) { return receipt }
            default: throw store.refusal(action, answer)
            }
        }
        throw RemoteError(
            .refused, action, store.place, problem: "the store says that the key is taken, and that there is no such object",
            status: 409, code: "FileAlreadyExists")
    }

    private func receiptOfExisting(_ key: String, _ content: [UInt8], _ facts: ContentFacts) async throws -> PutReceipt? {
        let head = try await store.existing(key, content) { answer in
            guard answer["content-length"] != nil else { return nil }
            if let sum = answer["x-oss-hash-crc64ecma"], sum != String(facts.crc64) { return false }
            // A CRC alone can be made to match; the MD5 in the ETag of a plain put has to match as well.
            let isPlain = answer["x-oss-object-type"] ?? "Normal" == "Normal"
            return isPlain && facts.matches(etag: answer["etag"]) == true ? true : nil
        }
        guard let head else { return nil }
        try checkEncryption(head, "deliver `\(key)` to")
        return PutReceipt(isNew: false, versionId: head["x-oss-version-id"])
    }

    private func checkEncryption(_ answer: RemoteAnswer, _ action: String) throws {
        let held = answer["x-oss-server-side-encryption"]
        let isRight =
            switch bucket.encryption {
            case .none: true
            case .aes256: held != nil
            case .kms:
                held == "KMS"
                    && (bucket.kmsKeyId == nil
                        || answer["x-oss-server-side-encryption-key-id"].map { $0 == bucket.kmsKeyId } ?? true)
            }
        guard isRight else {
            throw RemoteError(
                .unprotected, action, store.place,
                problem:
                    "the object is there, but with encryption `\(held ?? "none")` in place of `\(bucket.encryption.rawValue)`"
                    + (bucket.kmsKeyId.map { " with the key `\($0)`" } ?? ""))
        }
    }

    // MARK: Checking

    func check() async throws -> TargetProtection {
        let worm = try await wormOfBucket()
        let (versioning, versioningGap) = try await lookAtVersioning()
        let (encryption, encryptionGap) = try await encryptionOfBucket()
        let refuses = refusesOverwrite.withLock { $0 ?? false }
        var gaps = store.gapsOfConnection + [worm.gap, versioningGap, encryptionGap].compactMap { $0 }
        if !refuses {
            gaps.append(
                "a bucket with versions does not refuse to overwrite: keys are looked up before they are written")
        }
        return TargetProtection(
            location: location, retention: worm.retention, versioning: versioning, encryption: encryption,
            refusesOverwrite: refuses, gaps: gaps,
            checkedAt: Date(timeIntervalSince1970: Double(store.clock.latest.secondsSince1970)))
    }

    /// Where versioning cannot be seen, keys are looked up first: that is right with and without versions.
    private func lookAtVersioning() async throws -> (status: String?, gap: String?) {
        let (status, gap) = try await store.versioning()
        refusesOverwrite.withLock { $0 = status == nil && gap == nil }
        return (status, gap)
    }

    private func wormOfBucket() async throws -> (retention: String?, gap: String?) {
        func demanded(_ problem: String) -> RemoteError {
            RemoteError(
                .unprotected, "deliver to", store.place,
                problem: "`retention-days` demands \(bucket.retentionDays) days of WORM, but \(problem)")
        }
        switch try await store.setting("worm") {
        case .text(let text):
            let state = XMLScan.first("State", in: text) ?? "?"
            let days = XMLScan.first("RetentionPeriodInDays", in: text).flatMap { Int($0) } ?? 0
            guard state == "Locked" else {
                let problem = "the bucket's WORM policy is \(state), which lapses after a day: lock it"
                guard !store.demandsRetention else { throw demanded(problem) }
                return (nil, problem)
            }
            guard !store.demandsRetention || days >= bucket.retentionDays else {
                throw demanded("the bucket's locked policy is for \(days) days: extend it")
            }
            return ("WORM Locked, \(days) days", nil)
        case .absent:
            guard !store.demandsRetention else { throw demanded("the bucket has no WORM policy: set one and lock it") }
            return (nil, "objects can be deleted: the bucket has no WORM policy")
        case .unseen(let answer):
            guard !store.demandsRetention else {
                throw demanded("it cannot be seen (\(answer)): the access key needs oss:GetBucketWorm")
            }
            return (nil, "whether the bucket has a WORM policy cannot be seen (\(answer))")
        }
    }

    private func encryptionOfBucket() async throws -> (encryption: String?, gap: String?) {
        switch bucket.encryption {
        case .aes256: return ("AES256, set on each object", nil)
        case .kms: return ("KMS \(bucket.kmsKeyId ?? "with the account's own key"), set on each object", nil)
        case .none: break
        }
        switch try await store.setting("encryption") {
        case .text(let text):
            guard let algorithm = XMLScan.first("SSEAlgorithm", in: text), algorithm != "None" else { break }
            let key = XMLScan.first("KMSMasterKeyID", in: text).map { $0.isEmpty ? "" : " " + $0 } ?? ""
            return (algorithm + key + ", by the bucket's default", nil)
        case .absent: break
        case .unseen(let answer): return (nil, "whether objects are encrypted at rest cannot be seen (\(answer))")
        }
        return (nil, "no encryption at rest is configured")
    }
}
