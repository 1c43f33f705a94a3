// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import KeyManagement

/// Which key wraps the data keys of an object.
struct ObjectKeys: Sendable {
    let service: ServiceKey
    let customerKey: CustomerKeyLookup?

    /// How the files of one object are sealed.
    struct Sealing {
        /// What was asked for, by the object or its bucket.
        var choice: EncryptionChoice?
        /// The customer's key; nil: the service's.
        var keyId: String?
        var wrapper: any DataKeyWrapper

        var cipher: EncryptionChoice.DataCipher { choice?.cipher ?? .aes256 }
    }

    /// For a new object.
    func sealing(_ choice: EncryptionChoice?, account: String) throws -> Sealing {
        guard let choice, choice.algorithm == .kms else { return Sealing(choice: choice, keyId: nil, wrapper: service) }
        guard let customerKey else { throw ObjectError.noCustomerKeys }
        let key = try customerKey(choice.keyId, account)
        return Sealing(choice: choice, keyId: key.id, wrapper: key.wrapper)
    }

    /// For an object that was sealed with `keyId`.
    func sealing(_ choice: EncryptionChoice?, keyId: String?, account: () throws -> String) throws -> Sealing {
        guard let keyId else { return Sealing(choice: choice, keyId: nil, wrapper: service) }
        guard let customerKey else { throw ObjectError.noCustomerKeys }
        return Sealing(choice: choice, keyId: keyId, wrapper: try customerKey(keyId, account()).wrapper)
    }
}

/// Passes on to a wrapper, and keeps what it throws: an envelope only says that it cannot be opened, but "disabled" is
/// another thing than "damaged".
final class WatchedKey: DataKeyWrapper, @unchecked Sendable {
    // Used by one thread at a time.
    private let wrapper: any DataKeyWrapper
    private(set) var refusal: (any Error)?

    init(_ wrapper: any DataKeyWrapper) { self.wrapper = wrapper }

    func newDataKey(context: some DataProtocol) throws -> DataKey { try wrapper.newDataKey(context: context) }

    func unwrap(_ wrapped: some DataProtocol, context: some DataProtocol) throws -> SymmetricKey {
        do { return try wrapper.unwrap(wrapped, context: context) } catch {
            if error as? KeyError != .cannotUnwrap { refusal = error }
            throw error
        }
    }
}
