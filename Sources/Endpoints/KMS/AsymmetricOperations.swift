// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import KeyManagement

/// Asymmetric keys: kms.md section 4.6.
extension RPCOperation {
    static let asymmetricSign = RPCOperation.cryptography("AsymmetricSign") { call in
        let digest = try call.base64("Digest")
        let (version, algorithm) = try call.versionAndAlgorithm()
        let (signature, use) = try call.keys.sign(
            digest, with: call.key(takesAlias: true).id, version: version, algorithm: algorithm)
        var answer = JSONFields(use)
        answer.add(signature.base64EncodedString(), "Value")
        return RPCAnswer(answer)
    }

    static let asymmetricVerify = RPCOperation.cryptography("AsymmetricVerify") { call in
        let (digest, signature) = (try call.base64("Digest"), try call.base64("Value"))
        let (version, algorithm) = try call.versionAndAlgorithm()
        let (isValid, use) = try call.keys.verify(
            signature, of: digest, with: call.key(takesAlias: true).id, version: version, algorithm: algorithm)
        var answer = JSONFields(use)
        answer.add(isValid, "Value")
        return RPCAnswer(answer)
    }

    static let asymmetricEncrypt = RPCOperation.cryptography("AsymmetricEncrypt") { call in
        let plain = try call.base64("Plaintext")
        let (version, algorithm) = try call.versionAndAlgorithm()
        let (ciphertext, use) = try call.keys.encryptAsymmetric(
            plain, with: call.key(takesAlias: true).id, version: version, algorithm: algorithm)
        var answer = JSONFields(use)
        answer.add(ciphertext.base64EncodedString(), "CiphertextBlob")
        return RPCAnswer(answer)
    }

    static let asymmetricDecrypt = RPCOperation.cryptography("AsymmetricDecrypt") { call in
        try call.checkNoRecipient()
        let ciphertext = try call.base64("CiphertextBlob")
        let (version, algorithm) = try call.versionAndAlgorithm()
        let (plain, use) = try call.keys.decryptAsymmetric(
            ciphertext, with: call.key(takesAlias: true).id, version: version, algorithm: algorithm)
        var answer = JSONFields(use)
        answer.add(plain.base64EncodedString(), "Plaintext")
        return RPCAnswer(answer)
    }

    static let getPublicKey = RPCOperation.cryptography("GetPublicKey") { call in
        let version = try call.required("KeyVersionId")
        let (pem, use) = try call.keys.publicKey(of: call.key(takesAlias: true).id, version: version)
        var answer = JSONFields(use)
        answer.add(pem, "PublicKey")
        return RPCAnswer(answer)
    }
}

extension KeyCall {
    fileprivate func versionAndAlgorithm() throws(RPCError) -> (version: String, algorithm: String) {
        (try required("KeyVersionId"), try required("Algorithm"))
    }
}
