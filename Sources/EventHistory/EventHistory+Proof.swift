// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import LogEngine
import MerkleLog

extension EventHistory {
    /// The log's name, key and checkpoints.
    public var signedLog: SignedLog { log }

    /// Proof that an event is in the log: its path to a checkpoint of all that is recorded now.
    ///
    /// - Parameter embedEvent: put the event's bytes into the proof's extra line, so that one file is enough.
    public func proof(of record: StoredRecord, embedEvent: Bool) throws -> TransparencyProof {
        let note = try log.checkpoint()
        let checkpoint = try Checkpoint(text: note.text)
        guard record.sequence < checkpoint.size else {
            throw HistoryError.notYetSigned(sequence: record.sequence, size: checkpoint.size)
        }
        return try TransparencyProof(
            extra: embedEvent ? record.bytes : [], index: record.sequence,
            path: try MerkleTree.inclusionProof(index: record.sequence, size: checkpoint.size, reader: tree.hash),
            checkpoint: note)
    }

    public func consistencyProof(from: UInt64, to: UInt64) throws -> [MerkleHash] {
        try MerkleTree.consistencyProof(from: from, to: to, reader: tree.hash)
    }

    /// Roots of the perfect subtrees that tile a run of events; see ``MerkleTree/subtreeCover(_:)``.
    public func subtrees(of range: Range<UInt64>) throws -> [MerkleHash] {
        try MerkleTree.subtreeCover(range).map { try tree.hash(level: $0.level, index: $0.index) }
    }

    /// The hashes of a tile, or nil if the log has no such tile.
    public func tile(level: Int, index: UInt64, width: Int) throws -> [MerkleHash]? {
        try tree.tile(level: level, index: index, width: width)
    }

    /// The commitments of a run of events.
    public func commitments(_ range: Range<UInt64>) throws -> [MerkleHash]? {
        range.upperBound <= tree.size ? try tree.entries(range) : nil
    }

    /// The commitment of bytes that claim to be an event: the tree's entry.
    public static func commitment(of bytes: UnsafeRawBufferPointer) -> MerkleHash {
        var hasher = SHA256()
        hasher.update(bufferPointer: bytes)
        return MerkleHash(hasher.finalize())
    }
}
