// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import KeyManagement
import LogEngine

/// Imported material: kms.md section 4.5.
extension RPCOperation {
    static let getParametersForImport = RPCOperation.key("GetParametersForImport", isWrite: true) { call in
        let (algorithm, spec) = (try call.required("WrappingAlgorithm"), try call.required("WrappingKeySpec"))
        let (key, keys) = (try call.key(), call.keys)
        let parameters = try await LongWork.run {
            try keys.importParameters(for: key.id, algorithm: algorithm, wrappingSpec: spec)
        }
        var answer = JSONFields()
        answer.add(key.id, "KeyId")
        answer.add(parameters.token.base64EncodedString(), "ImportToken")
        answer.add(parameters.publicKey.base64EncodedString(), "PublicKey")
        answer.add(wireTime(parameters.expiresAt), "TokenExpireTime")
        return RPCAnswer(answer)
    }

    static let importKeyMaterial = RPCOperation.key("ImportKeyMaterial", isWrite: true) { call in
        let wrapped = try call.base64("EncryptedKeyMaterial")
        let token = try call.required("ImportToken")
        guard let expiry = try call.integer("KeyMaterialExpireUnix", in: 0...253_402_300_799) else {
            throw RPCError.missingParameter("KeyMaterialExpireUnix")
        }
        let key = try call.key()
        try call.keys.importMaterial(
            wrapped, token: Data(base64Encoded: token) ?? Data(), expiresAt: Int64(expiry), into: key.id)
        return RPCAnswer()
    }

    static let deleteKeyMaterial = RPCOperation.key("DeleteKeyMaterial", isWrite: true) { call in
        let key = try call.key()
        try call.keys.deleteMaterial(of: key.id)
        return RPCAnswer(weakening: try call.weakening(of: key, "deletes the material of"))
    }
}
