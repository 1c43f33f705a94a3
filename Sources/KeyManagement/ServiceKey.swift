// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// A key of the service itself: nobody outside can use, see or stop it. It wraps with its newest version and opens
/// with any.
public struct ServiceKey: DataKeyWrapper {
    private let cell: KeyCell
    private let open: @Sendable (KeyCell, UUID) throws -> SymmetricKey

    init(_ cell: KeyCell, open: @escaping @Sendable (KeyCell, UUID) throws -> SymmetricKey) {
        self.cell = cell
        self.open = open
    }

    /// A key of known parts, for the worked examples of docs/formats.
    ///
    /// - Parameter id: of its only version.
    package init(id: UUID, key: SymmetricKey) {
        var record = KeyRecord(
            id: id.uuidString.lowercased(), account: "", region: "", purpose: "example", spec: .aes256, usage: .encryptDecrypt,
            origin: .service, createdAt: 0)
        record.newestVersion = id
        let version = SealedVersion(id: id, number: 1, createdAt: 0, sealed: Data())
        self.init(KeyCell(.init(record: record, versions: [version], offers: []), material: key)) { _, _ in
            throw KeyError.cannotUnwrap
        }
    }

    /// Of the version that wraps at present.
    public var id: UUID { cell.record.newestVersion! }

    /// A fresh AES-256 key with its wrapped form.
    ///
    /// - Shape of `wrapped`: kind (1 byte, 1) ‖ version id (16) ‖ nonce (12) ‖ ciphertext (32) ‖ tag (16) = 77 bytes.
    ///   Source: docs/formats/envelope.md.
    /// - Parameter context: bound as authenticated data; the same bytes are needed to unwrap.
    public func newDataKey(context: some DataProtocol) throws -> DataKey {
        let data = SymmetricKey(size: .bits256)
        return DataKey(key: data, wrapped: try data.withUnsafeBytes { try seal($0, context: context) })
    }

    /// Whether something was wrapped by a key of the service, whichever, and not by a customer's.
    public static func hasWrapped(_ wrapped: some DataProtocol) -> Bool { wrapped.first == SealedForm.service.rawValue }

    /// - Throws: ``KeyError/cannotUnwrap``.
    public func unwrap(_ wrapped: some DataProtocol, context: some DataProtocol) throws -> SymmetricKey {
        var key = try unseal(wrapped, context: context)
        // A sealed secret of another size is not a data key.
        guard key.count == 32 else { throw KeyError.cannotUnwrap }
        return SymmetricKey(taking: &key)
    }

    /// Seals a small secret (an access key's secret, the log's signing key) directly under this key.
    public func seal(_ secret: some DataProtocol, context: some DataProtocol) throws -> [UInt8] {
        let (version, key) = try material(nil)
        return try SealedForm.service.seal(secret, version, key, context: context)
    }

    public func unseal(_ sealed: some DataProtocol, context: some DataProtocol) throws -> Data {
        let bytes = [UInt8](sealed)
        guard let version = SealedForm.service.version(of: bytes) else { throw KeyError.cannotUnwrap }
        let key: SymmetricKey
        do { key = try material(version).key } catch KeyError.versionNotFound { throw KeyError.cannotUnwrap }
        return try SealedForm.service.open(bytes, version, key, context: context)
    }

    /// HMAC-SHA256 of `message`, with the version that made it.
    func digest(_ message: some DataProtocol, version: UUID?) throws -> (version: UUID, value: Data) {
        let (version, key) = try material(version)
        return (version, Data(HMAC<SHA256>.authenticationCode(for: message, using: key)))
    }

    /// Keys of the service have neither disabled states nor expiring material.
    private func material(_ version: UUID?) throws -> (version: UUID, key: SymmetricKey) {
        try cell.material(of: version, at: { 0 }, open: open)
    }
}
