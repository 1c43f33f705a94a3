// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import Logging
import Synchronization

/// A bucket of an S3-compatible store, written once under Object Lock. Source: s3.md section 11.
///
/// Plain bodies with their SHA-256 signed, never aws-chunked, and never multipart: see ``DeliveryTarget``.
final class S3Target: RemoteStoreTarget {
    let store: RemoteStore
    private let state = Mutex(State())

    /// Does the store refuse `If-None-Match: *` on a key that is there? Some ignore it and overwrite.
    enum WriteOnce: Sendable, Equatable {
        case untried
        case refuses
        case ignores
        /// It could not be tried.
        case unclear(String)
    }

    private struct State {
        var writeOnce = WriteOnce.untried
        /// Whether an object was seen to carry the lock it was put with, since the last check.
        var isLockSeen = false
    }

    init(store: RemoteStore) { self.store = store }

    // MARK: Writing

    func put(_ key: String, _ content: [UInt8], contentType: String) async throws -> PutReceipt {
        let facts = ContentFacts(content)
        // Where nothing is refused, what may have been done is looked at before it is done again: by the next delivery.
        let isRefused = try await writeOnce() == .refuses
        if !isRefused, let receipt = try await receiptOfExisting(key, content, facts) { return receipt }
        let action = "put `\(key)` into"
        // A second round only if the object that was in the way has gone meanwhile.
        for _ in 0..<2 {
            let until = store.clock.latest + Int64(bucket.retentionDays) * 86_400
            var headers = Self.headers(facts, contentType: contentType) + encryptionHeaders
            if store.demandsRetention {
                headers += [
                    ("x-amz-object-lock-mode", bucket.retentionMode.rawValue),
                    ("x-amz-object-lock-retain-until-date", until.iso8601),
                ]
            }
            let answer = try await store.send(
                action,
                .init(
                    method: "PUT", key: key, headers: headers, body: content, bodyHash: TextCoding.hex(facts.sha256),
                    isRepeatable: isRefused))
            switch answer.status {
            case 200:
                if let sum = answer["x-amz-checksum-sha256"], sum != facts.base64SHA256 {
                    throw RemoteError(
                        .damaged, action, store.place,
                        problem: "the store answers with another SHA-256 than was sent; the next attempt compares what it holds")
                }
                try checkEncryption(answer, action)
                let version = answer["x-amz-version-id"]
                try await checkFirstLock(key, version, until: until)
                store.logger.debug(
                    "object put", metadata: ["key": "\(key)", "version": "\(version ?? "none")", "bucket": "\(bucket.name)"])
                return PutReceipt(isNew: true, versionId: version)
            case 412: if let receipt = try await receiptOfExisting(key, content, facts) { return receipt }
            default: throw store.refusal(action, answer)
            }
        }
        throw RemoteError(
            .refused, action, store.place, problem: "the store says that the key is taken, and that there is no such object",
            status: 412, code: "PreconditionFailed")
    }

    private static func headers(_ facts: ContentFacts, contentType: String) -> [(name: String, value: String)] {
        [
            ("Content-Type", contentType), ("Content-MD5", facts.base64MD5), ("If-None-Match", "*"),
            ("x-amz-checksum-sha256", facts.base64SHA256),
        ]
    }

    private var encryptionHeaders: [(name: String, value: String)] {
        switch bucket.encryption {
        case .none: []
        case .aes256: [("x-amz-server-side-encryption", "AES256")]
        case .kms:
            [("x-amz-server-side-encryption", "aws:kms")]
                + (bucket.kmsKeyId.map { [("x-amz-server-side-encryption-aws-kms-key-id", $0)] } ?? [])
        }
    }

    /// What is there already counts if it is the same, encrypted and locked as it should be.
    private func receiptOfExisting(_ key: String, _ content: [UInt8], _ facts: ContentFacts) async throws -> PutReceipt? {
        let head = try await store.existing(key, content, headers: [("x-amz-checksum-mode", "ENABLED")]) { answer in
            // A checksum of parts has `-` and their number behind it, and says nothing here.
            if let sum = answer["x-amz-checksum-sha256"], !sum.contains("-") { return sum == facts.base64SHA256 }
            // Under SSE-KMS an ETag is not the MD5 even if it looks like one.
            let isKMS = answer["x-amz-server-side-encryption"]?.hasPrefix("aws:kms") ?? false
            guard !isKMS, answer["content-length"] != nil else { return nil }
            return facts.matches(etag: answer["etag"]) == true ? true : nil
        }
        guard let head else { return nil }
        let action = "deliver `\(key)` to"
        try checkEncryption(head, action)
        if store.demandsRetention { try checkLock(head, action, until: store.clock.latest) }
        return PutReceipt(isNew: false, versionId: head["x-amz-version-id"])
    }

    private func checkEncryption(_ answer: RemoteAnswer, _ action: String) throws {
        let held = answer["x-amz-server-side-encryption"]
        let isRight =
            switch bucket.encryption {
            case .none: true
            case .aes256: held != nil
            case .kms: held?.hasPrefix("aws:kms") ?? false
            }
        guard isRight else {
            throw RemoteError(
                .unprotected, action, store.place,
                problem:
                    "the object is there, but with encryption `\(held ?? "none")` in place of `\(bucket.encryption.rawValue)`: "
                    + "configure encryption in the store, or change `encryption`")
        }
    }

    /// The worst case: a store that takes lock headers, answers 200 and forgets them (s3.md section 11.5).
    private func checkFirstLock(_ key: String, _ version: String?, until: WireTime) async throws {
        guard store.demandsRetention, !state.withLock({ $0.isLockSeen }) else { return }
        let action = "see the retention of `\(key)` in"
        let answer = try await store.send(
            action, .init(method: "HEAD", key: key, query: version.map { [("versionId", $0)] } ?? []))
        guard answer.status == 200 else { throw store.refusal(action, answer) }
        try checkLock(answer, action, until: until - 1)
        state.withLock { $0.isLockSeen = true }
    }

    private func checkLock(_ answer: RemoteAnswer, _ action: String, until: WireTime) throws {
        let mode = answer["x-amz-object-lock-mode"]?.uppercased()
        let isStrict =
            mode == RemoteBucket.RetentionMode.compliance.rawValue
            || (mode == RemoteBucket.RetentionMode.governance.rawValue && bucket.retentionMode == .governance)
        let end = answer["x-amz-object-lock-retain-until-date"].flatMap(Self.time)
        guard isStrict, let end, end >= until else {
            throw RemoteError(
                .unprotected, action, store.place,
                problem: "the object is there, but with retention `\(mode ?? "none")` until "
                    + "`\(end?.iso8601 ?? "no date")` in place of `\(bucket.retentionMode.rawValue)`: the store ignores Object Lock "
                    + "headers, or the access key lacks s3:GetObjectRetention; use a bucket made with Object Lock")
        }
    }

    /// `2026-02-01T00:00:00Z`, with or without a fraction of a second.
    private static func time(_ text: String) -> WireTime? {
        guard text.utf8.count >= 20, text.hasSuffix("Z") || text.hasSuffix("+00:00") else { return nil }
        return WireTime(iso8601: text.prefix(19) + "Z")
    }

    // MARK: Write once

    static let probeKey = "cairn-write-once-probe"
    private static let probe = Array("This object is written a second time to see whether that is refused.\n".utf8)

    /// Finds out whether the store honours `If-None-Match: *`; some do only in buckets without versions.
    ///
    /// One fixed key, which the first probe ever makes. Where it is refused nothing is left behind; where it is not,
    /// a version of some bytes at each start.
    private func writeOnce() async throws -> WriteOnce {
        let known = state.withLock { $0.writeOnce }
        guard known == .untried else { return known }
        let result = try await tryWritingTwice()
        state.withLock { $0.writeOnce = result }
        if result != .refuses {
            store.logger.warning(
                "a store does not refuse to overwrite: each key is looked up before it is written, which leaves a moment between",
                metadata: ["bucket": "\(location)", "finding": "\(result)"])
        }
        return result
    }

    private func tryWritingTwice() async throws -> WriteOnce {
        let facts = ContentFacts(Self.probe)
        let action = "try whether overwriting is refused in"
        let head = try await store.send(action, .init(method: "HEAD", key: Self.probeKey))
        for isThere in head.status == 200 ? [true] : [false, true] {
            let answer = try await store.send(
                action,
                .init(
                    method: "PUT", key: Self.probeKey,
                    headers: Self.headers(facts, contentType: "text/plain") + encryptionHeaders, body: Self.probe,
                    bodyHash: TextCoding.hex(facts.sha256)))
            switch (answer.status, answer.code) {
            case (412, _): return .refuses
            case (200, _): if isThere { return .ignores }
            case (501, _), (403, "AccessDenied"): return .unclear("\(answer.status) \(answer.code ?? "")")
            default: throw store.refusal(action, answer)
            }
        }
        return .ignores
    }

    // MARK: Checking

    func check() async throws -> TargetProtection {
        // Tried anew, for a store may have been exchanged behind its address; but not where each try leaves a version.
        state.withLock { $0 = State(writeOnce: $0.writeOnce == .ignores ? .ignores : .untried) }
        let lock = try await lockOfBucket()
        let (versioning, versioningGap) = try await store.versioning()
        let (encryption, encryptionGap) = try await encryptionOfBucket()
        let writeOnce = try await writeOnce()
        var gaps = store.gapsOfConnection + [lock.gap, versioningGap, encryptionGap].compactMap { $0 }
        switch writeOnce {
        case .refuses: break
        case .ignores, .untried:
            gaps.append("the store does not refuse to overwrite an object: keys are looked up before they are written")
        case .unclear(let answer):
            gaps.append(
                "whether the store refuses to overwrite could not be tried (\(answer)): allow `\(Self.probeKey)` to be put")
        }
        if versioning != "Enabled", lock.retention == nil { gaps.append("without versions, who may write may overwrite") }
        return TargetProtection(
            location: location, retention: lock.retention, versioning: versioning, encryption: encryption,
            refusesOverwrite: writeOnce == .refuses, gaps: gaps,
            checkedAt: Date(timeIntervalSince1970: Double(store.clock.latest.secondsSince1970)))
    }

    private func lockOfBucket() async throws -> (retention: String?, gap: String?) {
        var byDefault: String?
        var isGovernance = bucket.retentionMode == .governance
        var unseen: String?
        switch try await store.setting("object-lock") {
        case .text(let text) where XMLScan.first("ObjectLockEnabled", in: text) == "Enabled":
            if let mode = XMLScan.first("Mode", in: text) {
                let period =
                    XMLScan.first("Days", in: text).map { "\($0) days" } ?? XMLScan.first("Years", in: text).map { "\($0) years" }
                byDefault = "\(mode), \(period ?? "?"), by the bucket's default"
                if !store.demandsRetention { isGovernance = mode == RemoteBucket.RetentionMode.governance.rawValue }
            }
        case .unseen(let answer): unseen = answer
        case .text, .absent:
            guard !store.demandsRetention else {
                throw RemoteError(
                    .unprotected, "deliver to", store.place,
                    problem:
                        "`retention-mode` demands \(bucket.retentionMode.rawValue), but the bucket has no Object Lock: use a "
                        + "bucket that was made with it")
            }
        }
        let retention =
            store.demandsRetention
            ? "\(bucket.retentionMode.rawValue), \(bucket.retentionDays) days, set on each object" : byDefault
        if let unseen, retention == nil { return (nil, "whether the bucket has Object Lock cannot be seen (\(unseen))") }
        guard retention != nil else { return (nil, "objects can be deleted: there is no retention") }
        return (
            retention, isGovernance ? "retention is GOVERNANCE: who may bypass it can delete objects before their time" : nil
        )
    }

    private func encryptionOfBucket() async throws -> (encryption: String?, gap: String?) {
        switch bucket.encryption {
        case .aes256: return ("AES256, set on each object", nil)
        case .kms: return ("aws:kms \(bucket.kmsKeyId ?? "with the store's own key"), set on each object", nil)
        case .none: break
        }
        switch try await store.setting("encryption") {
        case .text(let text):
            guard let algorithm = XMLScan.first("SSEAlgorithm", in: text) else { break }
            let key = XMLScan.first("KMSMasterKeyID", in: text).map { " " + $0 } ?? ""
            return (algorithm + key + ", by the bucket's default", nil)
        case .absent: break
        case .unseen(let answer): return (nil, "whether objects are encrypted at rest cannot be seen (\(answer))")
        }
        return (nil, "no encryption at rest is configured")
    }
}
