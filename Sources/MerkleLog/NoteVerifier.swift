// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto

/// A public key we trust, and the judgement whether a note is signed by it.
///
/// - Shape: as text `<name>+<8 lowercase hex digits of the key id>+<base64 of 0x01 ‖ 32-byte Ed25519 key>`.
/// - Source: C2SP signed-note v1.0.0, "Signatures", read 2026-07-22.
public struct NoteVerifier: Sendable {
    /// The byte that stands for Ed25519 in key ids and verifier keys.
    static let ed25519Type: UInt8 = 0x01

    /// The key's name, for a log its origin.
    public let name: String
    /// The first four bytes of SHA-256(name ‖ newline ‖ type ‖ public key).
    public let keyID: UInt32
    private let publicKey: Curve25519.Signing.PublicKey

    /// Trusts a key under a name.
    ///
    /// - Throws: `LogTextError.malformed` if the name is not a key name.
    public init(name: String, publicKey: Curve25519.Signing.PublicKey) throws(LogTextError) {
        guard name.isKeyName else {
            throw .malformed(.keyName, reason: "it is empty or has a space, a plus sign or a control character")
        }
        self.name = name
        self.publicKey = publicKey
        let identity = Array(name.utf8) + [0x0A, Self.ed25519Type] + publicKey.rawRepresentation
        let hash = MerkleHash(SHA256.hash(data: identity))
        keyID = hash.bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Reads a verifier key.
    ///
    /// - Throws: `LogTextError.malformed` for another form, another algorithm, or a key id that is not the key's.
    public init(verifierKey: String) throws(LogTextError) {
        guard verifierKey.utf8.count <= 1024 else { throw .tooLarge(.verifierKey, limit: 1024) }
        // Base64 has plus signs of its own, so only the first two part the fields.
        let fields = verifierKey.utf8.split(
            separator: UInt8(ascii: "+"), maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3 else {
            throw .malformed(.verifierKey, reason: "it is not a name, a key id and a key joined by plus signs")
        }
        guard let blob = Base64.decode(fields[2]), blob.count == 33, blob[0] == Self.ed25519Type else {
            throw .malformed(.verifierKey, reason: "the key is not base64 of an Ed25519 key of 32 bytes")
        }
        let key: Curve25519.Signing.PublicKey
        do {
            key = try Curve25519.Signing.PublicKey(rawRepresentation: blob.dropFirst())
        } catch {
            throw .keyFailure(reason: "\(error)")
        }
        try self.init(name: String(Substring(fields[0])), publicKey: key)
        guard fields[1].elementsEqual(keyIDText.utf8) else {
            throw .malformed(.verifierKey, reason: "the key id does not belong to this name and key")
        }
    }

    /// The key as text, for those who are to trust it.
    public var verifierKey: String {
        "\(name)+\(keyIDText)+\(Base64.encode([Self.ed25519Type] + publicKey.rawRepresentation))"
    }

    /// Accepts the note if at least one signature is by this key and every one that claims so verifies.
    ///
    /// Signatures by other keys are ignored, even those that share only the name or only the key id.
    ///
    /// - Throws: `LogTextError.badSignature` or `.notSigned`.
    public func verify(_ note: SignedNote) throws(LogTextError) {
        let text = Array(note.text.utf8)
        var isSigned = false
        for signature in note.signatures where signature.keyID == keyID && signature.name.hasSameBytes(as: name) {
            guard publicKey.isValidSignature(signature.signature, for: text) else {
                throw .badSignature(keyName: name)
            }
            isSigned = true
        }
        guard isSigned else { throw .notSigned(keyName: name) }
    }

    private var keyIDText: String {
        let digits = String(keyID, radix: 16)
        return String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }
}
