// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto

/// A private key and its name, which together sign notes.
///
/// - Source: C2SP signed-note v1.0.0, "Ed25519 signatures", read 2026-07-22.
public struct NoteSigner: Sendable {
    /// The public half, for those who check.
    public let verifier: NoteVerifier
    private let privateKey: Curve25519.Signing.PrivateKey

    /// - Throws: `LogTextError.malformed` if the name is not a key name.
    public init(name: String, privateKey: Curve25519.Signing.PrivateKey) throws(LogTextError) {
        self.privateKey = privateKey
        verifier = try NoteVerifier(name: name, publicKey: privateKey.publicKey)
    }

    /// The key's name, for a log its origin.
    public var name: String { verifier.name }

    /// The public half as text, `<name>+<key id>+<key>`.
    public var verifierKey: String { verifier.verifierKey }

    /// Signs a text that ends in a newline.
    ///
    /// - Throws: `LogTextError.malformed` or `.tooLarge` for a text that cannot be a note's; `.keyFailure`.
    public func sign(text: String) throws(LogTextError) -> SignedNote {
        let signature: [UInt8]
        do {
            signature = Array(try privateKey.signature(for: Array(text.utf8)))
        } catch {
            throw .keyFailure(reason: "\(error)")
        }
        let line = try NoteSignature(name: name, keyID: verifier.keyID, signature: signature)
        return try SignedNote(text: text, signatures: [line])
    }
}
