// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// Whatever wraps data keys: a key of the service, or a customer's key.
///
/// A wrapper keeps no plain key of its own account: each call asks the key's state, so that a key which was disabled
/// a moment ago opens nothing any more.
public protocol DataKeyWrapper: Sendable {
    /// A fresh AES-256 key with its wrapped form, which is at most 1024 bytes.
    ///
    /// - Parameter context: bound as authenticated data; the same bytes are needed to unwrap.
    /// - Throws: ``KeyError``; for a customer's key also why it cannot be used.
    func newDataKey(context: some DataProtocol) throws -> DataKey

    func unwrap(_ wrapped: some DataProtocol, context: some DataProtocol) throws -> SymmetricKey
}
