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
final class TreeStore: Sendable {
    fileprivate struct State {
        var range = CompactRange()
        var levels: [Level] = []
    }

    /// One file of hashes with the part that is not written yet.
    fileprivate struct Level {
        var path: String
        var writer: any WritableFile
        var reader: any ReadableFile
        var writtenCount: UInt64
        var waiting: [UInt8] = []

        var count: UInt64 { writtenCount + UInt64(waiting.count / MerkleHash.byteCount) }
    }

    private let folder: String
    private let disk: any Disk
    private let state: Mutex<State>

    /// Opens the tree as far as its files reach: at most `size` entries, see ``size``.
    init(folder: String, disk: any Disk, atMost size: UInt64) throws {
        self.folder = folder
        self.disk = disk
        try disk.createDirectory(folder)
        state = Mutex(State())
        try state.withLock { state in
            let entries = try Self.openLevelFile(folder + "/entries", disk: disk)
            state.levels.append(entries)
            try state.levels[0].cut(to: min(entries.writtenCount, size))
            let count = state.levels[0].writtenCount
            var level = 1
            while count >> UInt64(8 * level) > 0 {
                try state.openLevel(level, folder: folder, disk: disk)
                let full = count >> UInt64(8 * level)
                try state.levels[level].cut(to: min(state.levels[level].writtenCount, full))
                // A crash may have lost the end of a level: it follows from the level below.
                while state.levels[level].count < full {
                    let hash = try state.tileRoot(level: level - 1, tile: state.levels[level].count)
                    state.levels[level].append(hash)
                }
                level += 1
            }
            let hashes = try MerkleTree.subtreeCover(0..<count).map { try state.hash(level: $0.level, index: $0.index) }
            guard let range = CompactRange(size: count, hashes: hashes) else { throw TreeError.unreadable }
            state.range = range
        }
    }

    fileprivate static func openLevelFile(_ path: String, disk: any Disk) throws -> Level {
        if try disk.size(of: path) == nil {
            let file = try disk.create(path)
            try file.sync()
            file.close()
            try disk.syncDirectory(String(path[..<path.lastIndex(of: "/")!]))
        }
        let reader = try disk.openForReading(path)
        let writer = try disk.openForAppending(path)
        let size = try reader.size
        let whole = size - size % UInt64(MerkleHash.byteCount)
        if whole != size { try writer.truncate(to: whole) }
        return Level(path: path, writer: writer, reader: reader, writtenCount: whole / UInt64(MerkleHash.byteCount))
    }

    var size: UInt64 { state.withLock { $0.range.size } }

    var root: MerkleHash { state.withLock { $0.range.root } }

    /// Extends the tree. A failed write is kept in memory and tried again with the next append or sync.
    func append(_ entries: [MerkleHash]) throws {
        try state.withLock { state in
            for entry in entries {
                state.levels[0].append(entry)
                var completed: [(level: Int, hash: MerkleHash)] = []
                state.range.append(leafHash: MerkleTree.leafHash(entry: entry)) { level, _, hash in
                    if level % 8 == 0 { completed.append((level / 8, hash)) }
                }
                for (level, hash) in completed {
                    try state.openLevel(level, folder: folder, disk: disk)
                    state.levels[level].append(hash)
                }
            }
            for level in state.levels.indices { state.levels[level].flush() }
        }
    }

    func sync() throws {
        try state.withLock { state in
            for level in state.levels.indices {
                state.levels[level].flush()
                guard state.levels[level].waiting.isEmpty else {
                    throw DiskError(.full, doing: "write the tree", path: state.levels[level].path)
                }
                try state.levels[level].writer.sync()
            }
        }
    }

    func entries(_ range: Range<UInt64>) throws -> [MerkleHash] {
        try state.withLock { try $0.levels[0].hashes(range) }
    }

    /// Root of a complete, aligned subtree; the reader that proofs are made from.
    func hash(level: Int, index: UInt64) throws -> MerkleHash {
        try state.withLock { try $0.hash(level: level, index: index) }
    }

    /// The hashes of one tile, or nil if the tree has no such tile.
    func tile(level: Int, index: UInt64, width: Int) throws -> [MerkleHash]? {
        try state.withLock { state in
            guard level < state.levels.count, index < 1 << 55 else { return nil }
            let first = index * 256
            guard first + UInt64(width) <= state.levels[level].count else { return nil }
            let hashes = try state.levels[level].hashes(first..<first + UInt64(width))
            return level == 0 ? hashes.map { MerkleTree.leafHash(entry: $0) } : hashes
        }
    }
}

enum TreeError: Error, Equatable, CustomStringConvertible {
    case unreadable
    /// The signed checkpoint speaks of more events than the log holds.
    case behindCheckpoint(signed: UInt64, held: UInt64)
    /// The events no longer hash to what was signed.
    case contradictsCheckpoint(size: UInt64)

    var description: String {
        switch self {
        case .unreadable: "the tree's files cannot be read"
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
    fileprivate mutating func openLevel(_ level: Int, folder: String, disk: any Disk) throws {
        guard level == levels.count else { return }
        levels.append(try TreeStore.openLevelFile("\(folder)/level-\(level)", disk: disk))
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

    /// Writes what waits; on failure it goes on waiting.
    fileprivate mutating func flush() {
        guard !waiting.isEmpty else { return }
        do {
            try writer.append(waiting)
            writtenCount += UInt64(waiting.count / MerkleHash.byteCount)
            waiting.removeAll(keepingCapacity: true)
        } catch {
            try? writer.truncate(to: writtenCount * UInt64(MerkleHash.byteCount))
        }
    }

    fileprivate mutating func cut(to count: UInt64) throws {
        guard count < writtenCount else { return }
        try writer.truncate(to: count * UInt64(MerkleHash.byteCount))
        writtenCount = count
    }

    fileprivate func hashes(_ range: Range<UInt64>) throws -> [MerkleHash] {
        guard range.upperBound <= count else { throw TreeError.unreadable }
        let size = MerkleHash.byteCount
        var bytes: [UInt8] = []
        if range.lowerBound < writtenCount {
            let end = min(range.upperBound, writtenCount)
            bytes = try reader.read(count: Int(end - range.lowerBound) * size, at: range.lowerBound * UInt64(size))
        }
        if range.upperBound > writtenCount {
            let first = Int(max(range.lowerBound, writtenCount) - writtenCount) * size
            bytes += waiting[first..<Int(range.upperBound - writtenCount) * size]
        }
        return stride(from: 0, to: bytes.count, by: size).map { MerkleHash(bytes: bytes[$0..<$0 + size])! }
    }
}
