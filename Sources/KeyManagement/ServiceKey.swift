// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// A key that wraps data keys; its material never leaves this value.
public struct ServiceKey: DataKeyWrapper {
    public let id: UUID
    private let key: SymmetricKey

    package init(id: UUID, key: SymmetricKey) {
        self.id = id
        self.key = key
    }

    /// A fresh AES-256 key with its wrapped form.
    ///
    /// - Shape of `wrapped`: version (1 byte, 1) ‖ key id (16) ‖ nonce (12) ‖ ciphertext (32) ‖ tag (16) = 77 bytes.
    ///   Source: docs/formats/envelope.md.
    /// - Parameter context: bound as authenticated data; the same bytes are needed to unwrap.
    public func newDataKey(context: some DataProtocol) throws -> DataKey {
        let data = SymmetricKey(size: .bits256)
        return DataKey(key: data, wrapped: try data.withUnsafeBytes { try seal(Data($0), context: context) })
    }

    /// - Throws: ``KeyError/cannotUnwrap``.
    public func unwrap(_ wrapped: some DataProtocol, context: some DataProtocol) throws -> SymmetricKey {
        let key = try unseal(wrapped, context: context)
        // A sealed secret of another size is not a data key.
        guard key.count == 32 else { throw KeyError.cannotUnwrap }
        return SymmetricKey(data: key)
    }

    /// Seals a small secret (an access key's secret, the log's signing key) directly under this key.
    public func seal(_ secret: some DataProtocol, context: some DataProtocol) throws -> [UInt8] {
        [1] + withUnsafeBytes(of: id.uuid) { Array($0) }
            + [UInt8](try AES.GCM.seal(secret, using: key, authenticating: context).combined!)
    }

    public func unseal(_ sealed: some DataProtocol, context: some DataProtocol) throws -> Data {
        let bytes = [UInt8](sealed)
        guard bytes.count > 17, bytes[0] == 1, bytes[1..<17].elementsEqual(withUnsafeBytes(of: id.uuid) { Array($0) }),
            let box = try? AES.GCM.SealedBox(combined: bytes[17...]),
            let opened = try? AES.GCM.open(box, using: key, authenticating: context)
        else { throw KeyError.cannotUnwrap }
        return opened
    }
}

/// A data key in the clear beside its wrapped form, which is what gets stored.
public struct DataKey: Sendable {
    public let key: SymmetricKey
    public let wrapped: [UInt8]
}
