// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A text and the signatures under it.
///
/// Holding a `SignedNote` says nothing about trust: that is for `NoteVerifier` to judge.
///
/// - Shape: the text, which ends in a newline; an empty line; one signature line or more. There is one spelling only,
///   so what was parsed is written back byte for byte.
/// - Source: C2SP signed-note v1.0.0, "Format", read 2026-07-22.
public struct SignedNote: Sendable {
    /// The largest note that is read or made, in bytes, signatures included.
    public static let maximumByteCount = 65_536
    /// The largest number of signatures; the specification asks for at least 16.
    public static let maximumSignatureCount = 64

    /// What is signed, with its final newline and without the empty line.
    public let text: String
    /// The signature lines, in their order.
    public let signatures: [NoteSignature]

    /// Puts signatures under a text, without judging them.
    ///
    /// - Throws: `LogTextError.malformed` or `.tooLarge` if the note could not be parsed again.
    public init(text: String, signatures: [NoteSignature]) throws(LogTextError) {
        guard text.utf8.last == UInt8(ascii: "\n") else {
            throw .malformed(.note, reason: "the text does not end in a newline")
        }
        guard text.utf8.allSatisfy({ $0 >= 0x20 || $0 == UInt8(ascii: "\n") }) else {
            throw .malformed(.note, reason: "the text has a control character")
        }
        guard (1...Self.maximumSignatureCount).contains(signatures.count) else {
            throw .malformed(.note, reason: "it has \(signatures.count) signatures")
        }
        self.text = text
        self.signatures = signatures
        guard encoded.utf8.count <= Self.maximumByteCount else {
            throw .tooLarge(.note, limit: Self.maximumByteCount)
        }
    }

    /// Reads a whole note.
    ///
    /// - Throws: `LogTextError.tooLarge` before looking at the bytes; `.malformed` for anything but the exact form.
    public init(parsing bytes: some Collection<UInt8>) throws(LogTextError) {
        guard bytes.count <= Self.maximumByteCount else {
            throw .tooLarge(.note, limit: Self.maximumByteCount)
        }
        guard let string = String(validating: bytes, as: UTF8.self) else {
            throw .malformed(.note, reason: "it is not UTF-8")
        }
        try self.init(parsing: string)
    }

    /// Reads a whole note.
    ///
    /// - Throws: as the initialiser for bytes.
    public init(parsing string: String) throws(LogTextError) {
        guard string.utf8.count <= Self.maximumByteCount else {
            throw .tooLarge(.note, limit: Self.maximumByteCount)
        }
        let newline = UInt8(ascii: "\n")
        let bytes = Array(string.utf8)
        // Text may have empty lines of its own; signatures cannot, so the last empty line is the border.
        guard let border = bytes.indices.dropFirst().last(where: { bytes[$0] == newline && bytes[$0 - 1] == newline })
        else {
            throw .malformed(.note, reason: "no empty line parts text and signatures")
        }
        guard border + 1 < bytes.count, bytes.last == newline else {
            throw .malformed(.note, reason: "the last signature line does not end in a newline")
        }
        let lines = bytes[(border + 1)...].dropLast().split(separator: newline, omittingEmptySubsequences: false)
        guard lines.count <= Self.maximumSignatureCount else {
            throw .malformed(.note, reason: "it has \(lines.count) signatures")
        }
        var signatures: [NoteSignature] = []
        for line in lines {
            signatures.append(try NoteSignature(line: line))
        }
        try self.init(text: String(decoding: bytes[..<border], as: UTF8.self), signatures: signatures)
    }

    /// The whole note, as it is stored and sent.
    public var encoded: String {
        signatures.reduce(into: text + "\n") { $0 += $1.line }
    }
}

extension SignedNote: Equatable {
    /// Equality of the encoded bytes.
    public static func == (left: SignedNote, right: SignedNote) -> Bool {
        left.encoded.hasSameBytes(as: right.encoded)
    }
}
