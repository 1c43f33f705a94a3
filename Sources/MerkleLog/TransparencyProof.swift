// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A file that shows one entry to be in a log, checked without asking the log.
///
/// - Shape: `c2sp.org/tlog-proof@v1`, perhaps `extra <base64>`, `index <n>`, the inclusion path one base64 hash a line
///   from the leaf's sibling up, an empty line, and the checkpoint with its signatures verbatim.
/// - Source: C2SP tlog-proof, "Format", read 2026-07-22.
public struct TransparencyProof: Sendable, Equatable {
    /// The suffix of such files.
    public static let fileSuffix = ".tlog-proof"
    /// The largest proof that is read or made, in bytes.
    public static let maximumByteCount = 2 * SignedNote.maximumByteCount
    /// The largest number of hashes; a tree of 64-bit size never needs more.
    public static let maximumPathCount = 64

    private static let header = "c2sp.org/tlog-proof@v1"

    /// Bytes for the application, covered by no signature; empty when the file has none.
    public let extra: [UInt8]
    /// The entry's place in the log.
    public let index: UInt64
    /// The inclusion path, from the leaf's sibling up.
    public let path: [MerkleHash]
    /// The checkpoint as it was signed; not trusted until `verify`.
    public let checkpoint: SignedNote

    /// Gathers a proof, without judging it.
    ///
    /// - Throws: `LogTextError.malformed` for more than 64 hashes or a note that is not a checkpoint; `.tooLarge`.
    public init(
        extra: [UInt8] = [], index: UInt64, path: [MerkleHash], checkpoint: SignedNote
    ) throws(LogTextError) {
        guard path.count <= Self.maximumPathCount else {
            throw .malformed(.proof, reason: "its path has more than \(Self.maximumPathCount) hashes")
        }
        _ = try Checkpoint(text: checkpoint.text)
        self.extra = extra
        self.index = index
        self.path = path
        self.checkpoint = checkpoint
        guard extra.count < Self.maximumByteCount, encoded.utf8.count <= Self.maximumByteCount else {
            throw .tooLarge(.proof, limit: Self.maximumByteCount)
        }
    }

    /// Reads a whole proof.
    ///
    /// - Throws: `LogTextError.tooLarge` before looking at the bytes; `.malformed` for anything but the exact form.
    public init(parsing bytes: some Collection<UInt8>) throws(LogTextError) {
        guard bytes.count <= Self.maximumByteCount else {
            throw .tooLarge(.proof, limit: Self.maximumByteCount)
        }
        var rest = Array(bytes)[...]

        guard let first = Self.nextLine(&rest), first.elementsEqual(Self.header.utf8) else {
            throw .malformed(.proof, reason: "the first line is not \(Self.header)")
        }

        var line = Self.nextLine(&rest)
        var extra: [UInt8] = []
        if let text = line.flatMap({ Self.value(of: $0, after: "extra ") }) {
            guard let decoded = Base64.decode(text), !decoded.isEmpty else {
                throw .malformed(.proof, reason: "the extra data is not base64 of at least one byte")
            }
            extra = decoded
            line = Self.nextLine(&rest)
        }

        guard let text = line.flatMap({ Self.value(of: $0, after: "index ") }), let index = UInt64(strictDecimal: text)
        else {
            throw .malformed(.proof, reason: "no line gives the index as a decimal number of 64 bits")
        }

        var path: [MerkleHash] = []
        while true {
            guard let line = Self.nextLine(&rest) else {
                throw .malformed(.proof, reason: "no empty line parts the path and the checkpoint")
            }
            if line.isEmpty { break }
            guard path.count < Self.maximumPathCount else {
                throw .malformed(.proof, reason: "its path has more than \(Self.maximumPathCount) hashes")
            }
            guard let hash = MerkleHash(base64Bytes: line) else {
                throw .malformed(.proof, reason: "a line of the path is not base64 of 32 bytes")
            }
            path.append(hash)
        }

        try self.init(extra: extra, index: index, path: path, checkpoint: try SignedNote(parsing: rest))
    }

    /// Reads a whole proof.
    ///
    /// - Throws: as the initialiser for bytes.
    public init(parsing string: String) throws(LogTextError) {
        try self.init(parsing: string.utf8)
    }

    /// The whole file.
    public var encoded: String {
        var text = "\(Self.header)\n"
        if !extra.isEmpty { text += "extra \(Base64.encode(extra))\n" }
        text += "index \(index)\n"
        for hash in path { text += "\(hash.base64)\n" }
        return text + "\n" + checkpoint.encoded
    }

    /// Judges whether the log of this key, by its own signature, has the leaf at `index`.
    ///
    /// - Parameter origin: the log's name, when the key is not named like the log.
    public func verify(leafHash: MerkleHash, verifier: NoteVerifier, origin: String? = nil) -> ProofVerdict {
        let signed: Checkpoint
        do {
            signed = try Checkpoint(verifying: checkpoint, with: verifier, origin: origin ?? verifier.name)
        } catch {
            return .refused(reason: error.description)
        }
        return MerkleTree.verifyInclusion(
            leafHash: leafHash, index: index, size: signed.size, proof: path, root: signed.root)
    }

    private static func nextLine(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        defer { rest = rest[(end + 1)...] }
        return rest[..<end]
    }

    private static func value(of line: ArraySlice<UInt8>, after word: String) -> ArraySlice<UInt8>? {
        line.starts(with: word.utf8) ? line.dropFirst(word.utf8.count) : nil
    }
}
