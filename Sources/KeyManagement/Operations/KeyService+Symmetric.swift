// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import CryptoExtras
import Foundation

/// A key and the version of it that did something.
public struct KeyUse: Sendable, Equatable {
    public let keyId: String
    public let version: String

    init(_ record: KeyRecord, _ version: UUID) {
        keyId = record.id
        self.version = version.uuidString.lowercased()
    }
}

/// Cryptography with symmetric keys; source: kms.md section 4.2. Each asks the key's state.
extension KeyService {
    static let plaintextLimit = 6144

    /// - Parameter plaintext: any text; ``decrypt(_:context:)`` gives the very same. At most 6144 bytes, which are those
    ///   of the decoded text if it is Base64.
    public func encrypt(_ plaintext: String, with id: String, context: EncryptionContext) throws -> (blob: Data, use: KeyUse) {
        let cell = try cell(id)
        let (version, key) = try material(of: cell)
        let size = Data(base64Encoded: plaintext)?.count ?? plaintext.utf8.count
        guard size <= Self.plaintextLimit else {
            throw KeyError.invalid("Plaintext", "it is longer than \(Self.plaintextLimit) bytes")
        }
        return (try Ciphertext.seal(Data(plaintext.utf8), version, key, context), KeyUse(cell.record, version))
    }

    /// - Throws: ``KeyError/keyNotFound(_:)`` for a ciphertext of an unknown key.
    public func decrypt(_ blob: Data, context: EncryptionContext) throws -> (plaintext: String, use: KeyUse) {
        let ciphertext = try Ciphertext(blob)
        guard let cell = table.withLock({ $0.versions[ciphertext.version] }) else {
            throw KeyError.keyNotFound(ciphertext.version.uuidString.lowercased())
        }
        let (version, key) = try cell.material(of: ciphertext.version, at: { now }, open: opener)
        var plain = try ciphertext.open(key, context)
        defer { plain.wipe() }
        return (String(decoding: plain, as: UTF8.self), KeyUse(cell.record, version))
    }

    /// A fresh data key as Base64, and sealed.
    ///
    /// - Parameter byteCount: 1 to 1024.
    public func generateDataKey(
        with id: String, byteCount: Int, context: EncryptionContext
    ) throws -> (plaintext: String, blob: Data, use: KeyUse) {
        guard 1...1024 ~= byteCount else { throw KeyError.invalid("NumberOfBytes", "it is not a number from 1 to 1024") }
        let text = SymmetricKey(size: .init(bitCount: byteCount * 8)).withUnsafeBytes { Data($0).base64EncodedString() }
        let (blob, use) = try encrypt(text, with: id, context: context)
        return (text, blob, use)
    }

    /// Seals a data key for the holder of an RSA key.
    ///
    /// - Parameters:
    ///   - dataKey: Base64, as ``generateDataKey(with:byteCount:context:)`` and ``decrypt(_:context:)`` give it.
    ///   - publicKey: SubjectPublicKeyInfo, DER.
    public func export(
        dataKey: String, publicKey: Data, algorithm: String, wrappingSpec: String
    ) throws -> Data {
        guard wrappingSpec == "RSA_2048" else { throw KeyError.invalid("WrappingKeySpec", "it is not RSA_2048") }
        guard let algorithm = WrappingAlgorithm(rawValue: algorithm), algorithm != .pkcs1 else {
            throw KeyError.invalid("WrappingAlgorithm", "it is neither RSAES_OAEP_SHA_256 nor RSAES_OAEP_SHA_1")
        }
        guard let key = try? _RSA.Encryption.PublicKey(derRepresentation: publicKey), key.keySizeInBits == 2048 else {
            throw KeyError.invalid("PublicKeyBlob", "it is not the DER of an RSA public key of 2048 bits")
        }
        guard var plain = Data(base64Encoded: dataKey) else {
            throw KeyError.invalid("CiphertextBlob", "what it holds is not a data key")
        }
        defer { plain.wipe() }
        guard let wrapped = try? key.encrypt(plain, padding: algorithm.padding) else {
            throw KeyError.invalid("NumberOfBytes", "the data key is too long for the public key")
        }
        return wrapped
    }

    /// The material of a symmetric key in a state to be used.
    private func material(of cell: KeyCell) throws -> (version: UUID, key: SymmetricKey) {
        try cell.checkUsable { now }
        guard cell.record.spec.isSymmetric else {
            throw KeyError.notSupported("this operation is for symmetric keys")
        }
        return try cell.material(of: nil, at: { now }, open: opener)
    }
}
