// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What a log commits to when it signs: its name, its size and its root.
///
/// - Shape: as text the origin, the size in decimal, the root in base64, then extension lines, each with a newline.
/// - Source: C2SP tlog-checkpoint v1.0.0, "Note text", read 2026-07-22.
public struct Checkpoint: Sendable {
    /// The unique name of the log.
    public let origin: String
    /// The number of leaves.
    public let size: UInt64
    /// The root of a tree of that size.
    public let root: MerkleHash
    /// Further signed lines, opaque here; the specification discourages them.
    public let extensions: [String]

    /// - Throws: `LogTextError.malformed` if the origin or an extension is not a line: empty, or with a newline
    ///   or other control character; `.tooLarge` if no note could hold the text.
    public init(origin: String, size: UInt64, root: MerkleHash, extensions: [String] = []) throws(LogTextError) {
        guard origin.isNoteLine else {
            throw .malformed(.checkpoint, reason: "the origin is empty or has a control character")
        }
        guard extensions.allSatisfy({ $0.isNoteLine }) else {
            throw .malformed(.checkpoint, reason: "an extension line is empty or has a control character")
        }
        self.origin = origin
        self.size = size
        self.root = root
        self.extensions = extensions
        guard text.utf8.count < SignedNote.maximumByteCount else {
            throw .tooLarge(.checkpoint, limit: SignedNote.maximumByteCount)
        }
    }

    /// Reads a checkpoint from the text of a note, signatures not included. The text is not trusted by that.
    ///
    /// - Throws: `LogTextError.tooLarge`, or `.malformed` for anything but the exact form.
    public init(text: String) throws(LogTextError) {
        guard text.utf8.count < SignedNote.maximumByteCount else {
            throw .tooLarge(.checkpoint, limit: SignedNote.maximumByteCount)
        }
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard lines.count >= 4, lines.last?.isEmpty == true else {
            throw .malformed(.checkpoint, reason: "it has fewer than three lines that end in a newline")
        }
        guard let size = UInt64(strictDecimal: lines[1]) else {
            throw .malformed(.checkpoint, reason: "the tree size is not a decimal number of 64 bits")
        }
        guard let root = MerkleHash(base64Bytes: lines[2]) else {
            throw .malformed(.checkpoint, reason: "the root is not base64 of 32 bytes")
        }
        try self.init(
            origin: String(Substring(lines[0])), size: size, root: root,
            extensions: lines[3...].dropLast().map { String(Substring($0)) })
    }

    /// Takes a checkpoint only if the note is signed by the given key and is of the given log.
    ///
    /// - Throws: `LogTextError`; the signature is checked before the text is read.
    public init(verifying note: SignedNote, with verifier: NoteVerifier, origin: String) throws(LogTextError) {
        try verifier.verify(note)
        try self.init(text: note.text)
        guard self.origin.hasSameBytes(as: origin) else {
            throw .wrongOrigin(expected: origin, found: self.origin)
        }
    }

    /// Takes a checkpoint only if the note parses, is signed by the given key and is of the given log.
    ///
    /// - Throws: `LogTextError`.
    public init(verifying note: String, with verifier: NoteVerifier, origin: String) throws(LogTextError) {
        try self.init(verifying: try SignedNote(parsing: note), with: verifier, origin: origin)
    }

    /// The text that is signed.
    public var text: String {
        extensions.reduce(into: "\(origin)\n\(size)\n\(root.base64)\n") { $0 += "\($1)\n" }
    }

    /// Signs the checkpoint.
    ///
    /// A log must not sign two checkpoints that are inconsistent; seeing to it is the caller's part.
    ///
    /// - Throws: `LogTextError.wrongOrigin` if the key is not named like the log; `.tooLarge`; `.keyFailure`.
    public func signed(by signer: NoteSigner) throws(LogTextError) -> SignedNote {
        guard signer.name.hasSameBytes(as: origin) else {
            throw .wrongOrigin(expected: signer.name, found: origin)
        }
        return try signer.sign(text: text)
    }
}

extension Checkpoint: Equatable {
    /// Equality of the text's bytes.
    public static func == (left: Checkpoint, right: Checkpoint) -> Bool {
        left.text.hasSameBytes(as: right.text)
    }
}
