// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import CryptoExtras
import Foundation

/// Asymmetric cryptography; source: kms.md section 4.6. Signatures and ciphertexts are in their standard forms.
extension KeyService {
    /// - Parameter digest: of the message, made by the caller: 32 bytes.
    /// - Returns: for ECDSA a DER sequence of two integers.
    public func sign(
        _ digest: Data, with id: String, version: String, algorithm: String
    ) throws -> (signature: Data, use: KeyUse) {
        let (record, uuid, material) = try material(of: id, version, .signVerify)
        let (hash, padding) = try signing(record, algorithm, digest)
        let signature = try material.withUnsafeBytes { bytes in
            guard let padding else {
                return try P256.Signing.PrivateKey(rawRepresentation: bytes).signature(for: hash).derRepresentation
            }
            return try _RSA.Signing.PrivateKey(derRepresentation: bytes).signature(for: hash, padding: padding).rawRepresentation
        }
        return (signature, KeyUse(record, uuid))
    }

    public func verify(
        _ signature: Data, of digest: Data, with id: String, version: String, algorithm: String
    ) throws -> (isValid: Bool, use: KeyUse) {
        let (record, uuid, material) = try material(of: id, version, .signVerify)
        let (hash, padding) = try signing(record, algorithm, digest)
        let isValid = try material.withUnsafeBytes { bytes in
            guard let padding else {
                guard let parsed = try? P256.Signing.ECDSASignature(derRepresentation: signature) else { return false }
                return try P256.Signing.PrivateKey(rawRepresentation: bytes).publicKey.isValidSignature(parsed, for: hash)
            }
            return try _RSA.Signing.PrivateKey(derRepresentation: bytes).publicKey.isValidSignature(
                .init(rawRepresentation: signature), for: hash, padding: padding)
        }
        return (isValid, KeyUse(record, uuid))
    }

    public func encryptAsymmetric(
        _ plain: Data, with id: String, version: String, algorithm: String
    ) throws -> (ciphertext: Data, use: KeyUse) {
        let (record, uuid, material) = try material(of: id, version, .encryptDecrypt)
        let padding = try encryption(record, algorithm)
        let key = try material.withUnsafeBytes { try _RSA.Encryption.PrivateKey(derRepresentation: $0) }
        guard let ciphertext = try? key.publicKey.encrypt(plain, padding: padding) else {
            throw KeyError.invalid("Plaintext", "it is too long for this key and algorithm")
        }
        return (ciphertext, KeyUse(record, uuid))
    }

    public func decryptAsymmetric(
        _ ciphertext: Data, with id: String, version: String, algorithm: String
    ) throws -> (plain: Data, use: KeyUse) {
        let (record, uuid, material) = try material(of: id, version, .encryptDecrypt)
        let padding = try encryption(record, algorithm)
        let key = try material.withUnsafeBytes { try _RSA.Encryption.PrivateKey(derRepresentation: $0) }
        guard let plain = try? key.decrypt(ciphertext, padding: padding) else {
            throw KeyError.invalid("CiphertextBlob", "it was changed, or not made with this key and algorithm")
        }
        return (plain, KeyUse(record, uuid))
    }

    /// - Returns: PEM, `BEGIN PUBLIC KEY`.
    public func publicKey(of id: String, version: String) throws -> (pem: String, use: KeyUse) {
        let (record, uuid, material) = try material(of: id, version, nil)
        let pem = try material.withUnsafeBytes { bytes in
            record.spec == .p256
                ? try P256.Signing.PrivateKey(rawRepresentation: bytes).publicKey.pemRepresentation
                : try _RSA.Signing.PrivateKey(derRepresentation: bytes).publicKey.pemRepresentation
        }
        return (pem, KeyUse(record, uuid))
    }

    /// The state first, then what the key is, then its version.
    private func material(
        of id: String, _ version: String, _ usage: KeyUsage?
    ) throws -> (KeyRecord, UUID, SymmetricKey) {
        let cell = try cell(id)
        try cell.checkUsable { now }
        let record = cell.record
        guard !record.spec.isSymmetric else { throw KeyError.notSupported("this operation is for asymmetric keys") }
        guard usage == nil || record.usage == usage else {
            throw KeyError.notSupported("the key is for \(record.usage.rawValue)")
        }
        let found = try self.version(version, of: id)
        return (record, found.id, try cell.material(of: found.id, at: { now }, open: opener).key)
    }

    /// - Returns: the digest as one, and the padding of RSA; nil for ECDSA.
    private func signing(
        _ record: KeyRecord, _ algorithm: String, _ digest: Data
    ) throws(KeyError) -> (SHA256Digest, _RSA.Signing.Padding?) {
        let padding: _RSA.Signing.Padding?
        switch (algorithm, record.spec) {
        case ("ECDSA_SHA_256", .p256): padding = nil
        case ("RSA_PSS_SHA_256", .rsa2048), ("RSA_PSS_SHA_256", .rsa3072), ("RSA_PSS_SHA_256", .rsa4096): padding = .PSS
        case ("RSA_PKCS1_SHA_256", .rsa2048), ("RSA_PKCS1_SHA_256", .rsa3072), ("RSA_PKCS1_SHA_256", .rsa4096):
            padding = .insecurePKCS1v1_5
        default: throw .invalid("Algorithm", "\(record.spec.rawValue) does not sign with it")
        }
        guard let digest = SHA256Digest(known: digest) else { throw .invalid("Digest", "it is not the 32 bytes of SHA-256") }
        return (digest, padding)
    }

    private func encryption(_ record: KeyRecord, _ algorithm: String) throws(KeyError) -> _RSA.Encryption.Padding {
        guard record.spec.modulusBits != nil, let algorithm = WrappingAlgorithm(rawValue: algorithm), algorithm != .pkcs1 else {
            throw .invalid("Algorithm", "\(record.spec.rawValue) does not encrypt with it")
        }
        return algorithm.padding
    }
}

extension SHA256Digest {
    /// A digest that somebody else has made. The library makes them of messages only, but signs nothing else.
    ///
    /// A digest is its 32 bytes and nothing more; were that to change, nil is the answer, and a test fails.
    init?(known bytes: Data) {
        guard bytes.count == SHA256Digest.byteCount, MemoryLayout<SHA256Digest>.size == SHA256Digest.byteCount else { return nil }
        let digest = Array(bytes).withUnsafeBytes { $0.loadUnaligned(as: SHA256Digest.self) }
        guard digest.elementsEqual(bytes) else { return nil }
        self = digest
    }
}
