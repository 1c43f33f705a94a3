// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// Wraps and opens the material of keys; the top of the chain.
protocol RootKey: Sendable {
    /// - Returns: nonce (12) ‖ ciphertext ‖ tag (16): AES-256-GCM.
    func wrap(_ material: SymmetricKey, context: Data) throws -> Data

    /// - Throws: ``KeyError/cannotUnwrap`` for what this root did not wrap in this context.
    func unwrap(_ wrapped: Data, context: Data) throws -> SymmetricKey
}

/// A root whose key is in this process: of a file or a passphrase.
struct LocalRoot: RootKey {
    private let key: SymmetricKey

    init(_ key: SymmetricKey) { self.key = key }

    func wrap(_ material: SymmetricKey, context: Data) throws -> Data {
        try material.withUnsafeBytes { try AES.GCM.seal($0, using: key, authenticating: context).combined! }
    }

    func unwrap(_ wrapped: Data, context: Data) throws -> SymmetricKey {
        guard let box = try? AES.GCM.SealedBox(combined: wrapped),
            var opened = try? AES.GCM.open(box, using: key, authenticating: context)
        else { throw KeyError.cannotUnwrap }
        return SymmetricKey(taking: &opened)
    }
}
