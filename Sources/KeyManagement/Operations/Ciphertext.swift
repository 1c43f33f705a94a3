// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// What Encrypt and its like give out; source: kms.md section 4.2, docs/formats/keys.md.
///
/// ```
/// version id in ASCII (36) · nonce (12) · ciphertext · tag (16)
/// ```
struct Ciphertext {
    static let limit = 16_384

    let version: UUID
    private let box: Data

    init(_ bytes: Data) throws(KeyError) {
        guard bytes.count >= 36 + 12 + 16, bytes.count <= Self.limit,
            let version = UUID(uuidString: String(decoding: bytes.prefix(36), as: UTF8.self)),
            bytes.prefix(36).elementsEqual(version.uuidString.lowercased().utf8)
        else { throw Self.refusal }
        self.version = version
        box = Data(bytes.dropFirst(36))
    }

    /// - Throws: ``KeyError/invalid(_:_:)``, the same for a change, another context and another key.
    func open(_ key: SymmetricKey, _ context: EncryptionContext) throws(KeyError) -> Data {
        guard let box = try? AES.GCM.SealedBox(combined: box),
            let plain = try? AES.GCM.open(box, using: key, authenticating: Self.authenticated(version, context))
        else { throw Self.refusal }
        return plain
    }

    static func seal(_ plain: Data, _ version: UUID, _ key: SymmetricKey, _ context: EncryptionContext) throws -> Data {
        let box = try AES.GCM.seal(plain, using: key, authenticating: authenticated(version, context))
        return Data(version.uuidString.lowercased().utf8) + box.combined!
    }

    /// The version keeps apart two keys of the same imported material.
    private static func authenticated(_ version: UUID, _ context: EncryptionContext) -> Data {
        Data(version.uuidString.lowercased().utf8) + [0x0A] + context.canonical
    }

    private static let refusal = KeyError.invalid(
        "CiphertextBlob", "it was changed, belongs to another encryption context, or was not made here")
}
