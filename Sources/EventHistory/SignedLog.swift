// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import KeyManagement
import MerkleLog
import Metadata
import Synchronization

/// The log as others see it: its name, its key, its checkpoints.
///
/// A checkpoint larger than every one before is on disk before it is shown, and at the next opening what is held must
/// hash to it: the log never signs two checkpoints that contradict each other.
public final class SignedLog: Sendable {
    private struct Identity: Codable {
        var origin: String
        var sealedKey: Data
    }

    private let signer: NoteSigner
    private let tree: TreeStore
    private let disk: any Disk
    private let path: String
    private let newest: Mutex<(checkpoint: Checkpoint, note: SignedNote)?>

    init(folder: String, disk: any Disk, key: ServiceKey, metadata: Metadata, tree: TreeStore) throws {
        self.tree = tree
        self.disk = disk
        path = folder + "/checkpoint"
        let context = Data("log signing key".utf8)
        let identity = try metadata.transact { transaction in
            if let identity = try transaction.value(Identity.self, at: "log/identity") { return identity }
            var random = SystemRandomNumberGenerator()
            let name = String(UInt32.random(in: .min ... .max, using: &random), radix: 16)
            let sealed = try key.seal(Curve25519.Signing.PrivateKey().rawRepresentation, context: context)
            let identity = Identity(origin: "cairn-log/" + name, sealedKey: Data(sealed))
            try transaction.put(identity, at: "log/identity")
            return identity
        }
        let raw = try key.unseal(identity.sealedKey, context: context)
        signer = try NoteSigner(name: identity.origin, privateKey: Curve25519.Signing.PrivateKey(rawRepresentation: raw))
        newest = Mutex(nil)
        if let bytes = try disk.readAll(path, limit: 64 << 10) {
            let note = try SignedNote(parsing: bytes)
            let checkpoint = try Checkpoint(verifying: note, with: signer.verifier, origin: signer.name)
            guard checkpoint.size <= tree.size else {
                throw TreeError.behindCheckpoint(signed: checkpoint.size, held: tree.size)
            }
            guard try tree.root(size: checkpoint.size) == checkpoint.root else {
                throw TreeError.contradictsCheckpoint(size: checkpoint.size)
            }
            newest.withLock { $0 = (checkpoint, note) }
        }
    }

    public var origin: String { signer.name }
    /// What a verifier needs to know: name, key id and public key.
    public var verifierKey: String { signer.verifierKey }

    /// Signs a text that speaks for this log, such as a digest of a delivery.
    public func sign(text: String) throws -> SignedNote { try signer.sign(text: text) }

    /// The checkpoint of everything recorded so far; the newest signed one while the disk takes no other.
    public func checkpoint() throws -> SignedNote {
        do { return try checkpoint(size: tree.size) } catch let error as DiskError {
            guard let newest = newest.withLock({ $0 }) else { throw error }
            return newest.note
        }
    }

    /// The checkpoint of the first `size` events.
    public func checkpoint(size: UInt64) throws -> SignedNote {
        try newest.withLock { newest in
            if let newest, newest.checkpoint.size == size { return newest.note }
            let checkpoint = try Checkpoint(
                origin: signer.name, size: size, root: try tree.root(size: size))
            let note = try checkpoint.signed(by: signer)
            if size > newest?.checkpoint.size ?? 0 || newest == nil {
                try tree.sync()
                try disk.replace(path, with: Array(note.encoded.utf8))
                newest = (checkpoint, note)
            }
            return note
        }
    }
}
