// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import CryptoExtras
import Foundation

/// What a client needs to wrap key material for its import.
public struct ImportParameters: Sendable {
    public let token: Data
    /// SubjectPublicKeyInfo, DER.
    public let publicKey: Data
    /// Unix seconds.
    public let expiresAt: Int64
}

/// Bring your own key; source: kms.md section 4.5.
extension KeyService {
    /// A fresh public key and token for one import, valid for 24 hours.
    public func importParameters(for id: String, algorithm: String, wrappingSpec: String) throws -> ImportParameters {
        try checkExternal(cell(id).record)
        guard wrappingSpec == "RSA_2048" else { throw KeyError.invalid("WrappingKeySpec", "it is not RSA_2048") }
        guard let algorithm = WrappingAlgorithm(rawValue: algorithm) else {
            throw KeyError.invalid("WrappingAlgorithm", "it is not one of RSA_2048")
        }
        let key = try _RSA.Encryption.PrivateKey(keySize: .bits2048)
        var der = key.derRepresentation
        let secret = SymmetricKey(taking: &der)
        let token = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
        let expiresAt = now + ImportOffer.lifetime
        var offer = ImportOffer(
            tokenHash: ImportOffer.hash(token), algorithm: algorithm, expiresAt: expiresAt, sealed: Data())
        try change(cell(id)) { content in
            offer.sealed = try seal(secret, context: offer.context(of: content.record))
            content.offers = content.offers.suffix(ImportOffer.limit - 1) + [offer]
        }
        return ImportParameters(token: token, publicKey: key.publicKey.derRepresentation, expiresAt: expiresAt)
    }

    /// Takes material in. A later import into the same key must bring the same material.
    ///
    /// - Parameters:
    ///   - wrapped: 32 bytes, for the public key that belongs to the token.
    ///   - expiresAt: Unix seconds, 0 for never.
    public func importMaterial(_ wrapped: Data, token: Data, expiresAt: Int64, into id: String) throws {
        let cell = try cell(id)
        let record = cell.record
        try checkExternal(record)
        if let refusal = KeyAction.importMaterial.refusal(in: record.state) { throw refusal }
        guard expiresAt == 0 || expiresAt > now else { throw KeyError.invalid("KeyMaterialExpireUnix", "it is in the past") }
        let material = try unwrap(wrapped, token: token, cell)
        let digests = try serviceKey("import-digests")
        let digest = try material.withUnsafeBytes { bytes in
            try digests.digest(Data(id.utf8) + bytes, version: record.importDigest?.version)
        }
        try change(id, .importMaterial) { content in
            if let first = content.record.importDigest {
                guard first.version == digest.version, isEqual(first.value, digest.value) else {
                    throw KeyError.invalidKeyMaterial("it is not the material that was imported first")
                }
                let context = content.versions[0].context(of: content.record)
                content.versions[0].sealed = try seal(material, context: context)
            } else {
                content.record.importDigest = .init(version: digest.version, value: digest.value)
                try addVersion(to: &content, material: material)
            }
            content.record.materialExpiresAt = expiresAt == 0 ? nil : expiresAt
            if content.record.state == .pendingImport { content.record.state = .enabled }
        }
    }

    /// Erases imported material, in memory and on disk. The key waits for the same material again.
    public func deleteMaterial(of id: String) throws {
        try checkExternal(cell(id).record)
        try change(cell(id)) { $0.eraseMaterial() }
    }

    private func checkExternal(_ record: KeyRecord) throws(KeyError) {
        guard record.origin == .external else { throw .originNotSupported }
    }

    private func unwrap(_ wrapped: Data, token: Data, _ cell: KeyCell) throws -> SymmetricKey {
        let content = cell.content
        let hash = ImportOffer.hash(token)
        guard let offer = content.offers.first(where: { $0.tokenHash == hash }) else { throw KeyError.invalidImportToken }
        guard offer.expiresAt > now else { throw KeyError.expiredImportToken }
        let secret = try root.withLock { root in
            // The one in force now: a change of root rewraps it.
            guard let offer = cell.content.offers.first(where: { $0.tokenHash == hash }) else {
                throw KeyError.invalidImportToken
            }
            return try root.key.unwrap(offer.sealed, context: offer.context(of: content.record))
        }
        let key = try secret.withUnsafeBytes { try _RSA.Encryption.PrivateKey(derRepresentation: Data($0)) }
        // One answer for every way to be wrong: which one it was is nobody's business.
        guard var plain = try? key.decrypt(wrapped, padding: offer.algorithm.padding), plain.count == 32 else {
            throw KeyError.invalidKeyMaterial("it is not 32 bytes that were wrapped with the import parameters")
        }
        return SymmetricKey(taking: &plain)
    }

    private func isEqual(_ one: Data, _ other: Data) -> Bool {
        SymmetricKey(data: one) == SymmetricKey(data: other)
    }
}
