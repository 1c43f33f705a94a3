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

/// A data key in the clear beside its wrapped form, which is what gets stored.
public struct DataKey: Sendable {
    public let key: SymmetricKey
    public let wrapped: [UInt8]
}

/// The form of everything that is sealed directly by a version of a key; source: docs/formats/envelope.md.
///
/// ```
/// kind (1) · version id (16) · nonce (12) · ciphertext · tag (16)
/// ```
enum SealedForm: UInt8 {
    /// By a key of the service; authenticates the context alone.
    case service = 1
    /// By a customer's key; authenticates kind ‖ version id ‖ context.
    case customer = 2

    private func authenticated(_ version: UUID, _ context: some DataProtocol) -> Data {
        switch self {
        case .service: Data(context)
        case .customer: Data([rawValue]) + withUnsafeBytes(of: version.uuid) { Data($0) } + Data(context)
        }
    }

    func seal(_ secret: some DataProtocol, _ version: UUID, _ key: SymmetricKey, context: some DataProtocol) throws -> [UInt8] {
        let box = try AES.GCM.seal(secret, using: key, authenticating: authenticated(version, context))
        var sealed: [UInt8] = [rawValue]
        sealed.reserveCapacity(1 + 16 + 12 + box.ciphertext.count + 16)
        withUnsafeBytes(of: version.uuid) { sealed.append(contentsOf: $0) }
        sealed.append(contentsOf: box.nonce)
        sealed.append(contentsOf: box.ciphertext)
        sealed.append(contentsOf: box.tag)
        return sealed
    }

    /// The version that sealed it, or nil if it has not this form.
    func version(of sealed: [UInt8]) -> UUID? {
        guard sealed.count >= 1 + 16 + 12 + 16, sealed[0] == rawValue else { return nil }
        return sealed.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(fromByteOffset: 1, as: uuid_t.self)) }
    }

    func open(_ sealed: [UInt8], _ version: UUID, _ key: SymmetricKey, context: some DataProtocol) throws(KeyError) -> Data {
        guard
            let box = try? AES.GCM.SealedBox(combined: sealed[17...]),
            let opened = try? AES.GCM.open(box, using: key, authenticating: authenticated(version, context))
        else { throw .cannotUnwrap }
        return opened
    }
}
