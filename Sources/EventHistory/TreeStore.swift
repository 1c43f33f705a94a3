// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import MerkleLog
import Synchronization

/// The Merkle tree on disk: the commitments of all events ever recorded, and the hashes above them.
///
/// ```
/// tree/entries    32 bytes an event: SHA-256 of its bytes; entry n at 32 n
/// tree/level-1…   32 bytes each: roots of full tiles of the level below; tile N of level L at 8192 N
/// tree/checkpoint the newest signed checkpoint
/// ```
/// Appended to by the sequencer after the journal's commit; synced before a checkpoint is signed and before the
/// records behind it leave the replayed part of the journal. What is missing after a crash is computed again.
/// Source: docs/formats/tree.md.
package final class TreeStore: Sendable {
    fileprivate struct State {
        var range = CompactRange()
        var levels: [Level] = []
    }

    /// One file of hashes with the part that is not written yet.
    fileprivate struct Level {
        let path: String
        let disk: any Disk
        /// nil until something is to be written to a level that was empty when the tree was opened.
        var files: (writer: any WritableFile, reader: any ReadableFile)?
        var writtenCount: UInt64 = 0
        /// What the last sync made durable; what lies past it may be lost if a sync fails.
        var syncedCount: UInt64 = 0
        var needsSync = true
        /// The file may have bytes past `writtenCount`, of a write that failed.
        var mustCut = false
        var waiting: [UInt8] = []

        var count: UInt64 { writtenCount + UInt64(waiting.count / MerkleHash.byteCount) }
    }

    private let folder: String
    private let disk: any Disk
    private let state: Mutex<State>

    /// Opens the tree as far as its files reach: at most `size` entries, see ``size``.
    package init(folder: String, disk: any Disk, atMost size: UInt64) throws {
        self.folder = folder
        self.disk = disk
        try disk.createDirectory(folder)
        state = Mutex(State())
        try state.withLock { state in
            state.addLevel(in: folder, disk: disk)
            try state.levels[0].open(keeping: size)
            let count = state.levels[0].writtenCount
            while count >> UInt64(8 * state.levels.count) > 0 {
                let level = state.levels.count
                let full = count >> UInt64(8 * level)
                state.addLevel(in: folder, disk: disk)
                try state.levels[level].open(keeping: full)
                // A crash may have lost the end of a level: it follows from the level below.
                while state.levels[level].count < full {
                    let hash = try state.tileRoot(level: level - 1, tile: state.levels[level].count)
                    state.levels[level].append(hash)
                }
            }
            let hashes = try MerkleTree.subtreeCover(0..<count).map { try state.hash(level: $0.level, index: $0.index) }
            guard let range = CompactRange(size: count, hashes: hashes) else { throw TreeError.unreadable }
            state.range = range
        }
    }

    package var size: UInt64 { state.withLock { $0.range.size } }

    package var root: MerkleHash { state.withLock { $0.range.root } }

    /// The root of the first `size` entries. One read from the files is compared with the tree in memory: what is
    /// signed never depends on a disk that changed bytes.
    package func root(size: UInt64) throws -> MerkleHash {
        let (held, heldRoot) = state.withLock { ($0.range.size, $0.range.root) }
        guard size <= held else { throw TreeError.unreadable }
        guard size < held else { return heldRoot }
        let root = try MerkleTree.root(size: size, reader: hash)
        let proof = try MerkleTree.consistencyProof(from: size, to: held, reader: hash)
        guard
            MerkleTree.verifyConsistency(from: size, to: held, proof: proof, fromRoot: root, toRoot: heldRoot).isValid
        else { throw TreeError.changed(size: size) }
        return root
    }

    /// Extends the tree. A failed write is kept in memory and tried again with the next append or sync, so that the
    /// tree never falls behind the journal.
    package func append(_ entries: [MerkleHash]) {
        state.withLock { state in
            for entry in entries {
                state.levels[0].append(entry)
                var completed: [(level: Int, hash: MerkleHash)] = []
                state.range.append(leafHash: MerkleTree.leafHash(entry: entry)) { level, _, hash in
                    if level % 8 == 0 { completed.append((level / 8, hash)) }
                }
                for (level, hash) in completed {
                    if level == state.levels.count { state.addLevel(in: folder, disk: disk) }
                    state.levels[level].append(hash)
                }
            }
            for level in state.levels.indices { try? state.levels[level].flush() }
        }
    }

    /// Makes everything appended so far durable.
    package func sync() throws {
        try state.withLock { state in
            for level in state.levels.indices { try state.levels[level].sync() }
        }
    }

    package func entries(_ range: Range<UInt64>) throws -> [MerkleHash] {
        try state.withLock { try $0.levels[0].hashes(range) }
    }

    /// Root of a complete, aligned subtree; the reader that proofs are made from.
    package func hash(level: Int, index: UInt64) throws -> MerkleHash {
        try state.withLock { try $0.hash(level: level, index: index) }
    }

    /// The hashes of one tile, or nil if the tree has no such tile.
    package func tile(level: Int, index: UInt64, width: Int) throws -> [MerkleHash]? {
        try state.withLock { state in
            guard level < state.levels.count, index < 1 << 55 else { return nil }
            let first = index * 256
            guard first + UInt64(width) <= state.levels[level].count else { return nil }
            let hashes = try state.levels[level].hashes(first..<first + UInt64(width))
            return level == 0 ? hashes.map { MerkleTree.leafHash(entry: $0) } : hashes
        }
    }
}

package enum TreeError: Error, Equatable, CustomStringConvertible {
    case unreadable
    /// The files do not hash to the tree in memory.
    case changed(size: UInt64)
    /// The signed checkpoint speaks of more events than the log holds.
    case behindCheckpoint(signed: UInt64, held: UInt64)
    /// The events no longer hash to what was signed.
    case contradictsCheckpoint(size: UInt64)

    package var description: String {
        switch self {
        case .unreadable: "the tree's files cannot be read"
        case .changed(let size): "the tree's files do not hash to the log of \(size) events: they were changed"
        case .behindCheckpoint(let signed, let held):
            "a checkpoint was signed for \(signed) events, but only \(held) are held: "
                + "part of the journal is missing; restore it before starting"
        case .contradictsCheckpoint(let size):
            "the events held do not hash to the checkpoint signed at size \(size): "
                + "the journal or the tree was changed; restore them before starting"
        }
    }
}

extension TreeStore.State {
    fileprivate mutating func addLevel(in folder: String, disk: any Disk) {
        let name = levels.isEmpty ? "entries" : "level-\(levels.count)"
        levels.append(TreeStore.Level(path: folder + "/" + name, disk: disk))
    }

    /// Root of a full tile.
    fileprivate func tileRoot(level: Int, tile: UInt64) throws -> MerkleHash {
        try combined(level: level, first: tile * 256, height: 8)
    }

    fileprivate func hash(level: Int, index: UInt64) throws -> MerkleHash {
        let height = level % 8
        return try combined(level: level / 8, first: index << UInt64(height), height: height)
    }

    private func combined(level: Int, first: UInt64, height: Int) throws -> MerkleHash {
        guard level < levels.count else { throw TreeError.unreadable }
        var hashes = try levels[level].hashes(first..<first + 1 << UInt64(height))
        if level == 0 { hashes = hashes.map { MerkleTree.leafHash(entry: $0) } }
        while hashes.count > 1 {
            hashes = stride(from: 0, to: hashes.count, by: 2).map { MerkleTree.nodeHash(hashes[$0], hashes[$0 + 1]) }
        }
        return hashes[0]
    }
}

extension TreeStore.Level {
    fileprivate mutating func append(_ hash: MerkleHash) {
        hash.withUnsafeBytes { waiting.append(contentsOf: $0) }
    }

    /// Opens or makes the file, and cuts off what lies past `limit` hashes.
    fileprivate mutating func open(keeping limit: UInt64) throws {
        if try disk.size(of: path) == nil {
            let file = try disk.create(path)
            do {
                try file.sync()
                try disk.syncDirectory(String(path[..<path.lastIndex(of: "/")!]))
            } catch {
                try? disk.remove(path)
                throw error
            }
            file.close()
        }
        let reader = try disk.openForReading(path)
        let writer = try disk.openForAppending(path)
        let size = try reader.size
        let kept = min(size / UInt64(MerkleHash.byteCount), limit)
        if kept * UInt64(MerkleHash.byteCount) != size { try writer.truncate(to: kept * UInt64(MerkleHash.byteCount)) }
        files = (writer, reader)
        writtenCount = kept
        syncedCount = kept
        needsSync = true
    }

    /// Writes what waits; on failure it goes on waiting.
    fileprivate mutating func flush() throws {
        guard !waiting.isEmpty else { return }
        if files == nil { try open(keeping: 0) }
        guard let files else { return }
        if mustCut { try files.writer.truncate(to: writtenCount * UInt64(MerkleHash.byteCount)) }
        mustCut = true
        try files.writer.append(waiting)
        mustCut = false
        writtenCount += UInt64(waiting.count / MerkleHash.byteCount)
        needsSync = true
        waiting.removeAll(keepingCapacity: true)
    }

    fileprivate mutating func sync() throws {
        try flush()
        guard needsSync, let files else { return }
        do { try files.writer.sync() } catch {
            // The system may have thrown away what it could not write, and the next sync would not say so: what
            // came after the last good sync is written again.
            let size = UInt64(MerkleHash.byteCount)
            waiting = try files.reader.read(count: Int((writtenCount - syncedCount) * size), at: syncedCount * size) + waiting
            writtenCount = syncedCount
            mustCut = true
            throw error
        }
        syncedCount = writtenCount
        needsSync = false
    }

    fileprivate func hashes(_ range: Range<UInt64>) throws -> [MerkleHash] {
        guard range.upperBound <= count else { throw TreeError.unreadable }
        let size = MerkleHash.byteCount
        var bytes: [UInt8] = []
        if range.lowerBound < writtenCount {
            let end = min(range.upperBound, writtenCount)
            guard let reader = files?.reader else { throw TreeError.unreadable }
            bytes = try reader.read(count: Int(end - range.lowerBound) * size, at: range.lowerBound * UInt64(size))
        }
        if range.upperBound > writtenCount {
            let first = Int(max(range.lowerBound, writtenCount) - writtenCount) * size
            bytes += waiting[first..<Int(range.upperBound - writtenCount) * size]
        }
        return stride(from: 0, to: bytes.count, by: size).map { MerkleHash(bytes: bytes[$0..<$0 + size])! }
    }
}
