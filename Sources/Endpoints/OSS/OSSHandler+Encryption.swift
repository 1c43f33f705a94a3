// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import KeyManagement
import ObjectStorage

/// Encryption as asked for and as told: oss.md section 16.
extension OSSHandler {
    /// Reads a bucket's rule. A key id that no key has yet names a key to be made; see docs/decisions/0013.
    ///
    /// - Throws: also for a key that is not the bucket's account's: a rule that no object could be put under.
    func encryptionRule(_ xml: XMLElement, of bucket: Bucket) async throws -> EncryptionChoice {
        guard xml.name == "ServerSideEncryptionRule", let rule = xml["ApplyServerSideEncryptionByDefault"],
            let algorithm = rule.value("SSEAlgorithm")
        else { throw Self.malformed("ServerSideEncryptionRule/ApplyServerSideEncryptionByDefault/SSEAlgorithm is missing") }
        let choice = try Self.choice(
            algorithm, keyId: rule.value("KMSMasterKeyID"), dataCipher: rule.value("KMSDataEncryption"))
        guard let keyId = choice.keyId else { return choice }
        do {
            try checkKey(keyId, of: bucket)
        } catch KeyError.keyNotFound where UUID(uuidString: keyId) != nil {
            try await makeKey(keyId, for: bucket)
            return choice
        }
        // The key itself: an alias could be taken away, or be given to another key.
        let record = try services.keys.find(keyId, account: bucket.owner, region: services.region)
        return .kms(keyId: record.id, dataCipher: choice.dataCipher)
    }

    /// The key that was chosen, else the account's default key, which is made when it is first needed.
    func keyId(of choice: EncryptionChoice, in bucket: Bucket) async throws -> String {
        if let keyId = choice.keyId { return keyId }
        let (record, isNew) = try services.keys.defaultKey(of: "oss", account: bucket.owner, region: services.region)
        if isNew {
            await services.recorder.record(
                makingOfKey(
                    record.id, by: .service("oss.aliyuncs.com", accountId: bucket.owner),
                    .init("AliasName", "alias/acs/oss")))
        }
        return record.id
    }

    private func makingOfKey(_ keyId: String, by caller: Caller, _ parameter: WireParameters.Parameter) -> CallRecord {
        var record = CallRecord(call.request, requestId: OSSPort.makeRequestId(), serviceName: "Kms")
        record.eventName = "CreateKey"
        record.caller = caller
        record.isWrite = true
        record.parameters = [.init("KeyId", keyId), parameter]
        return record
    }

    /// A call of its own, by permission and in the history.
    private func makeKey(_ keyId: String, for bucket: Bucket) async throws {
        let region = services.region
        let verdict = try services.authorizer.decide(
            caller, [AccessRequest("kms:CreateKey", on: "acs:kms:\(region):\(bucket.owner):key")],
            in: RequestCircumstances(call.request, at: services.wireNow))
        // Whoever may make no keys is told that there is none.
        guard case .allowed = verdict, caller.accountId == bucket.owner else { throw KeyError.keyNotFound(keyId) }
        var record = makingOfKey(keyId, by: caller, .init("Bucket", bucket.name))
        try services.recorder.begin(&record)
        var new = NewKey()
        new.id = keyId
        new.description = "Made for the bucket \(bucket.name), whose encryption rule named it."
        _ = try services.keys.createKey(new, account: bucket.owner, region: region)
        await services.recorder.record(record)
    }

    /// What an object's own headers ask for; nil if nothing, so that the bucket's rule stands.
    func encryptionOfHeaders() throws(OSSError) -> EncryptionChoice? {
        let keyId = call.request.header("x-oss-server-side-encryption-key-id")
        let dataCipher = call.request.header("x-oss-server-side-data-encryption")
        guard let algorithm = call.request.header("x-oss-server-side-encryption") else {
            guard keyId == nil, dataCipher == nil else {
                throw .invalidArgument(
                    "A key needs x-oss-server-side-encryption: KMS.", name: "x-oss-server-side-encryption", value: "")
            }
            return nil
        }
        return try Self.choice(algorithm, keyId: keyId, dataCipher: dataCipher)
    }

    /// Whoever writes under a customer's key, or reads what was written so, needs that permission of KMS besides
    /// (oss.md section 16); asked before the answer begins. Policies can tell it from a call of the KMS API by
    /// `kms:ViaService`, a condition key of our own.
    func authorize(_ operation: String, key keyId: String, of bucket: Bucket) throws {
        let keys = services.keys
        let record = try keys.find(keyId, account: bucket.owner, region: services.region)
        let policy = try record.policy.map { ResourcePolicy(try PolicyDocument(parsing: $0, as: .key), owner: record.account) }
        let verdict = try services.authorizer.decide(
            caller,
            [AccessRequest("kms:" + operation, on: record.arn, conditions: ["kms:ViaService": ["oss.aliyuncs.com"]])],
            in: RequestCircumstances(call.request, at: services.wireNow), resourcePolicy: policy)
        switch verdict {
        case .allowed: try checkKey(record.id, of: bucket)
        case .denied(let denial), .undecided(let denial): throw OSSError(denial)
        }
    }

    private static func choice(_ algorithm: String, keyId: String?, dataCipher: String?) throws(OSSError) -> EncryptionChoice {
        let unknown = OSSError(
            400, "InvalidEncryptionAlgorithmError", "The encryption algorithm is none of AES256, KMS and SM4.")
        guard let known = EncryptionChoice.Algorithm(rawValue: algorithm) else { throw unknown }
        guard known == .kms || (keyId == nil && dataCipher == nil) else {
            throw .invalidArgument("Only KMS takes a key.", name: "KMSMasterKeyID", value: keyId ?? dataCipher ?? "")
        }
        switch known {
        case .aes256: return .aes256
        case .sm4: return .sm4
        case .kms:
            guard let dataCipher else { return .kms(keyId: keyId) }
            guard let cipher = EncryptionChoice.DataCipher(rawValue: dataCipher) else { throw unknown }
            return .kms(keyId: keyId, dataCipher: cipher)
        }
    }

    private func checkKey(_ keyId: String, of bucket: Bucket) throws {
        try services.keys.customerKey(keyId, account: bucket.owner, region: services.region).checkUsable()
    }

    /// Elements of a rule, in GetBucketEncryption and GetBucketInfo.
    static func describe(_ rule: EncryptionChoice, _ xml: inout XMLText) {
        xml.element("SSEAlgorithm", rule.algorithm.rawValue)
        if let keyId = rule.keyId { xml.element("KMSMasterKeyID", keyId) }
        if let cipher = rule.dataCipher { xml.element("KMSDataEncryption", cipher.rawValue) }
    }

    /// Headers of answers about an object; none if nothing was asked for, though it is encrypted all the same.
    static func headers(of choice: EncryptionChoice?) -> [(name: String, value: String)] {
        guard let choice else { return [] }
        var headers = [("x-oss-server-side-encryption", choice.algorithm.rawValue)]
        if let keyId = choice.keyId { headers.append(("x-oss-server-side-encryption-key-id", keyId)) }
        if let cipher = choice.dataCipher { headers.append(("x-oss-server-side-data-encryption", cipher.rawValue)) }
        return headers.map { (name: $0.0, value: $0.1) }
    }
}

extension OSSError {
    /// Codes of oss.md sections 10 and 16.
    init(_ error: KeyError) {
        switch error {
        case .keyNotFound, .aliasNotFound: self.init(404, "KeyNotFound", "\(error)")
        case .rejected(.disabled): self.init(409, "KeyDisabled", "\(error)")
        case .rejected(.pendingDeletion): self.init(409, "KeyPendingDeletion", "\(error)")
        case .invalid: self.init(400, "InvalidArgument", "\(error)")
        default: self.init(409, "KmsKeyUnavailable", "\(error)")
        }
    }
}
