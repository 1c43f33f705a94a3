// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// One signature line of a note.
///
/// - Shape: `— <name> <base64 of big-endian keyID ‖ signature>`.
/// - Source: C2SP signed-note v1.0.0, "Format".
public struct NoteSignature: Sendable {
    /// The name of the key that signed, without spaces and `+`.
    public let name: String
    /// A short, unprotected hint at which key of that name it was.
    public let keyID: UInt32
    /// What the key's algorithm made of the note's text; at least one byte.
    public let signature: [UInt8]

    /// - Throws: `LogTextError.malformed` for a name that is not a key name or a signature without bytes.
    public init(name: String, keyID: UInt32, signature: [UInt8]) throws(LogTextError) {
        guard name.isKeyName else {
            throw .malformed(.keyName, reason: "it is empty or has a space, a plus sign or a control character")
        }
        guard !signature.isEmpty else {
            throw .malformed(.note, reason: "a signature is empty")
        }
        self.name = name
        self.keyID = keyID
        self.signature = signature
    }

    private static let dash = Array("— ".utf8)

    /// Reads a signature line without its newline.
    init(line: some Collection<UInt8>) throws(LogTextError) {
        guard line.starts(with: Self.dash) else {
            throw .malformed(.note, reason: "a signature line does not begin with an em dash and a space")
        }
        let rest = line.dropFirst(Self.dash.count)
        guard let space = rest.firstIndex(of: UInt8(ascii: " ")) else {
            throw .malformed(.note, reason: "a signature line has no base64 part")
        }
        guard let blob = Base64.decode(rest[space...].dropFirst()), blob.count > 4 else {
            throw .malformed(.note, reason: "a signature is not base64 of a key id and at least one byte")
        }
        try self.init(
            name: String(decoding: rest[..<space], as: UTF8.self),
            keyID: blob.prefix(4).reduce(0) { $0 << 8 | UInt32($1) },
            signature: Array(blob.dropFirst(4)))
    }

    /// The signature line with its newline.
    var line: String {
        "— \(name) \(Base64.encode(withUnsafeBytes(of: keyID.bigEndian) { Array($0) } + signature))\n"
    }
}
