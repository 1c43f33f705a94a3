// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// A customer's key for use inside Cairn: it wraps the data keys of objects and logstores.
///
/// Every call asks the key's state: disable the key, and what it protects is unreadable from the next call on; enable
/// it, and it is readable again. Make one with `KeyService.customerKey`, and keep it for as long as you like.
public struct CustomerKey: DataKeyWrapper {
    private let cell: KeyCell
    private let now: @Sendable () -> Int64
    private let open: @Sendable (KeyCell, UUID) throws -> SymmetricKey

    init(
        _ cell: KeyCell, now: @escaping @Sendable () -> Int64, open: @escaping @Sendable (KeyCell, UUID) throws -> SymmetricKey
    ) {
        self.cell = cell
        self.now = now
        self.open = open
    }

    /// The key as it is now.
    public var record: KeyRecord { cell.record }

    /// Whether the key could be used now; costs no disk access.
    ///
    /// - Throws: ``KeyError/rejected(_:)`` with the state, or ``KeyError/keyNotFound(_:)`` once it is deleted.
    public func checkUsable() throws(KeyError) { try cell.checkUsable(at: now) }

    /// - Shape of `wrapped`: kind (1 byte, 2) ‖ version id (16) ‖ nonce (12) ‖ ciphertext (32) ‖ tag (16) = 77 bytes.
    ///   Source: docs/formats/envelope.md.
    /// - Throws: as ``checkUsable()``.
    public func newDataKey(context: some DataProtocol) throws -> DataKey {
        let (version, key) = try cell.material(of: nil, at: now, open: open)
        let data = SymmetricKey(size: .bits256)
        let wrapped = try data.withUnsafeBytes { try SealedForm.customer.seal($0, version, key, context: context) }
        return DataKey(key: data, wrapped: wrapped)
    }

    /// - Throws: as ``checkUsable()``; ``KeyError/cannotUnwrap`` for what this key did not wrap, or was changed.
    public func unwrap(_ wrapped: some DataProtocol, context: some DataProtocol) throws -> SymmetricKey {
        let bytes = [UInt8](wrapped)
        guard let version = SealedForm.customer.version(of: bytes) else {
            try checkUsable()
            throw KeyError.cannotUnwrap
        }
        let key: SymmetricKey
        do { key = try cell.material(of: version, at: now, open: open).key } catch KeyError.versionNotFound {
            throw KeyError.cannotUnwrap
        }
        var opened = try SealedForm.customer.open(bytes, version, key, context: context)
        guard opened.count == 32 else { throw KeyError.cannotUnwrap }
        return SymmetricKey(taking: &opened)
    }
}
