// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import KeyManagement

/// Cryptography with symmetric keys: kms.md section 4.2.
extension RPCOperation {
    static let encrypt = RPCOperation.cryptography("Encrypt") { call in
        let plaintext = try call.required("Plaintext")
        let context = try call.encryptionContext()
        let (blob, use) = try call.keys.encrypt(plaintext, with: call.key(takesAlias: true).id, context: context)
        return .sealed(blob, use)
    }

    static let decrypt = RPCOperation.cryptography("Decrypt") { call in
        try call.checkNoRecipient()
        let blob = try call.base64("CiphertextBlob")
        let context = try call.encryptionContext()
        _ = try call.key(sealing: blob)
        let (plaintext, use) = try call.keys.decrypt(blob, context: context)
        var answer = JSONFields(use)
        answer.add(plaintext, "Plaintext")
        return RPCAnswer(answer)
    }

    static let generateDataKey = RPCOperation.cryptography("GenerateDataKey") { call in
        try call.checkNoRecipient()
        let (plaintext, blob, use) = try call.newDataKey()
        var answer = RPCAnswer.sealed(blob, use)
        answer.fields.add(plaintext, "Plaintext")
        return answer
    }

    static let generateDataKeyWithoutPlaintext = RPCOperation.cryptography("GenerateDataKeyWithoutPlaintext") { call in
        let (_, blob, use) = try call.newDataKey()
        return .sealed(blob, use)
    }

    static let generateAndExportDataKey = RPCOperation.cryptography("GenerateAndExportDataKey") { call in
        let export = try DataKeyExport(call)
        let (plaintext, blob, use) = try call.newDataKey()
        var answer = RPCAnswer.sealed(blob, use)
        answer.fields.add(try export.wrap(plaintext, call.keys), "ExportedDataKey")
        return answer
    }

    static let exportDataKey = RPCOperation.cryptography("ExportDataKey") { call in
        let export = try DataKeyExport(call)
        let blob = try call.base64("CiphertextBlob")
        let context = try call.encryptionContext()
        _ = try call.key(sealing: blob)
        let (plaintext, use) = try call.keys.decrypt(blob, context: context)
        var answer = JSONFields(use)
        answer.add(try export.wrap(plaintext, call.keys), "ExportedDataKey")
        return RPCAnswer(answer)
    }

    /// ReEncrypt: the answer names the key that opened the source.
    static let reEncrypt = RPCOperation.cryptography("ReEncrypt") { call in
        let blob = try call.base64("CiphertextBlob")
        _ = try call.required("DestinationKeyId")
        let sourceContext = try call.encryptionContext("SourceEncryptionContext")
        let targetContext = try call.encryptionContext("DestinationEncryptionContext")
        let plaintext: String
        let use: KeyUse
        if call.optional("SourceKeyId") != nil {
            let (version, algorithm) = (try call.required("SourceKeyVersionId"), try call.required("SourceEncryptionAlgorithm"))
            let source = try call.key("SourceKeyId", takesAlias: true, as: "ReEncryptFrom")
            let target = try call.key("DestinationKeyId", as: "ReEncryptTo")
            let opened = try call.keys.decryptAsymmetric(blob, with: source.id, version: version, algorithm: algorithm)
            (plaintext, use) = (opened.plain.base64EncodedString(), opened.use)
            return .sealed(try call.keys.encrypt(plaintext, with: target.id, context: targetContext).blob, use)
        }
        _ = try call.key(sealing: blob, as: "ReEncryptFrom")
        let target = try call.key("DestinationKeyId", as: "ReEncryptTo")
        (plaintext, use) = try call.keys.decrypt(blob, context: sourceContext)
        return .sealed(try call.keys.encrypt(plaintext, with: target.id, context: targetContext).blob, use)
    }
}

extension RPCAnswer {
    fileprivate static func sealed(_ blob: Data, _ use: KeyUse) -> RPCAnswer {
        var answer = JSONFields(use)
        answer.add(blob.base64EncodedString(), "CiphertextBlob")
        return RPCAnswer(answer)
    }
}

extension KeyCall {
    /// NumberOfBytes wins over KeySpec; neither means 32 bytes.
    fileprivate func newDataKey() throws -> (plaintext: String, blob: Data, use: KeyUse) {
        let count: Int
        switch optional("KeySpec") {
        case nil, "AES_256": count = 32
        case "AES_128": count = 16
        default: throw RPCError.invalid("KeySpec", "it is neither AES_256 nor AES_128")
        }
        let byteCount = try integer("NumberOfBytes", in: 1...1024) ?? count
        let context = try encryptionContext()
        return try keys.generateDataKey(with: key(takesAlias: true).id, byteCount: byteCount, context: context)
    }
}

/// Whom a data key is handed to.
private struct DataKeyExport {
    let publicKey: Data
    let algorithm: String
    let spec: String

    init(_ call: KeyCall) throws(RPCError) {
        publicKey = try call.base64("PublicKeyBlob")
        algorithm = try call.required("WrappingAlgorithm")
        spec = try call.required("WrappingKeySpec")
    }

    func wrap(_ dataKey: String, _ keys: KeyService) throws -> String {
        try keys.export(dataKey: dataKey, publicKey: publicKey, algorithm: algorithm, wrappingSpec: spec).base64EncodedString()
    }
}
