// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CPKCS11
import Crypto
import Foundation
import Synchronization

/// A root that is an AES key on a PKCS#11 token: material goes in plain and comes out wrapped, the key itself stays.
final class TokenRoot: RootKey {
    private let module: PKCS11Module
    private let tokenLabel: String
    private let keyLabel: String
    /// Kept for the session to be opened again after the token was away.
    private let pin: SymmetricKey
    private let state: Mutex<State>

    private struct State {
        var session: PKCS11Session?
        /// The last session was lost, and none was opened since.
        var isAway = false
    }

    /// - Throws: ``KeyError/token(_:)`` with what is missing or refused.
    init(modulePath: String, tokenLabel: String, keyLabel: String, pin: String) throws(KeyError) {
        module = try PKCS11Module(path: modulePath)
        self.tokenLabel = tokenLabel
        self.keyLabel = keyLabel
        self.pin = SymmetricKey(taking: Array(pin.utf8))
        state = Mutex(State())
        try withSession { _ throws(KeyError) in }
    }

    func wrap(_ material: SymmetricKey, context: Data) throws -> Data {
        let nonce = AES.GCM.Nonce()
        let plain = material.withUnsafeBytes { Array($0) }
        let sealed = try withSession { session throws(KeyError) in
            try session.crypt(.seal, plain, nonce: Array(nonce), context: Array(context))
        }
        wipe(plain)
        return Data(nonce) + Data(sealed)
    }

    func unwrap(_ wrapped: Data, context: Data) throws -> SymmetricKey {
        guard wrapped.count > 12 + 16 else { throw KeyError.cannotUnwrap }
        let opened = try withSession { session throws(KeyError) in
            try session.crypt(.open, Array(wrapped.dropFirst(12)), nonce: Array(wrapped.prefix(12)), context: Array(context))
        }
        return SymmetricKey(taking: opened)
    }

    private func wipe(_ bytes: consuming [UInt8]) {
        var bytes = bytes
        bytes.withUnsafeMutableBytes { wipeMemory($0) }
    }

    /// Runs `body` alone; a session that the token has forgotten is opened again, once.
    private func withSession<Result: Sendable>(
        _ body: (PKCS11Session) throws(KeyError) -> Result
    ) throws(KeyError) -> Result {
        try state.withLock { state throws(KeyError) in
            if let session = state.session {
                do throws(KeyError) { return try body(session) } catch {
                    guard session.isLost else { throw error }
                    state = State(session: nil, isAway: true)
                }
            }
            let session = try open(isAway: state.isAway)
            state = State(session: session)
            return try body(session)
        }
    }

    private func open(isAway: Bool) throws(KeyError) -> PKCS11Session {
        do throws(KeyError) {
            return try PKCS11Session(module, tokenLabel: tokenLabel, keyLabel: keyLabel, pin: pin)
        } catch {
            // Some modules do not see a token again that was away until they are started anew. Sessions of other roots
            // in this process are lost with that, and opened again like this one.
            guard isAway else { throw error }
            try module.restart()
            return try PKCS11Session(module, tokenLabel: tokenLabel, keyLabel: keyLabel, pin: pin)
        }
    }
}
