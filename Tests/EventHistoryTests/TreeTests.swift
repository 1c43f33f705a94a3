// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import EventHistory
import Foundation
import Glibc
import LogEngine
import MerkleLog
import Testing

@Suite struct `The tree` {
    private func entry(_ number: Int) -> MerkleHash {
        MerkleHash(bytes: (0..<32).map { UInt8(truncatingIfNeeded: number >> (8 * ($0 % 4))) })!
    }

    private func root(_ count: Int) -> MerkleHash {
        var range = CompactRange()
        for number in 0..<count { range.append(leafHash: MerkleTree.leafHash(entry: entry(number))) }
        return range.root
    }

    /// Every root of the past, as read from the files.
    private func problem(_ tree: TreeStore) throws -> String? {
        for size in Set([1, 2, 255, 256, 257, 300, 512, 700, 66_000, Int(tree.size)]) where size <= tree.size {
            guard try MerkleTree.root(size: UInt64(size), reader: tree.hash) == root(size) else { return "size \(size)" }
        }
        return nil
    }

    @Test(arguments: [0, 1, 100, 255, 256, 257, 300, 600, 65_536, 66_000])
    func `goes on after it was cut and opened again`(cut: Int) throws {
        let disk = MemoryDisk()
        let count = cut < 1000 ? 900 : 66_500
        let tree = try TreeStore(folder: "tree", disk: disk, atMost: 0)
        tree.append((0..<count).map(entry))
        try tree.sync()
        let again = try TreeStore(folder: "tree", disk: disk, atMost: UInt64(cut))
        #expect(again.size == UInt64(cut))
        again.append((cut..<count + 600).map(entry))
        #expect(try problem(again) == nil)
        #expect(again.root == root(count + 600))
        #expect(try TreeStore(folder: "tree", disk: disk, atMost: .max).size == UInt64(count + 600))
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `is computed again after a power loss`(seed: UInt64) throws {
        let disk = MemoryDisk()
        let tree = try TreeStore(folder: "tree", disk: disk, atMost: 0)
        tree.append((0..<700).map(entry))
        try tree.sync()
        tree.append((700..<1500).map(entry))
        let lost = disk.afterPowerLoss(seed: seed)
        if seed % 3 == 0 { try lost.remove("tree/level-1") }
        let again = try TreeStore(folder: "tree", disk: lost, atMost: 700)
        #expect(again.size == 700, "seed \(seed)")
        again.append((700..<1500).map(entry))
        #expect(try problem(again) == nil, "seed \(seed)")
    }

    @Test(arguments: ["entries", "level-1", "level-2"], [0, 1, 2, 3])
    func `falls behind nothing while the disk is full`(file: String, kind: Int) throws {
        let disk = MemoryDisk()
        let tree = try TreeStore(folder: "tree", disk: disk, atMost: 0)
        tree.append((0..<200).map(entry))
        disk.setFault { operation, path in
            guard path.hasSuffix(file), [.append, .create, .sync, .truncate].contains(operation) else { return nil }
            switch kind {
            case 0: return .lost(errno: ENOSPC)
            case 1: return .torn(bytes: 45, errno: EIO)
            case 2: return operation == .append ? .kept(errno: EIO) : operation == .truncate ? .lost(errno: EIO) : nil
            default: return operation == .sync ? .lost(errno: EIO) : nil
            }
        }
        for first in stride(from: 200, to: 66_000, by: 700) { tree.append((first..<min(first + 700, 66_000)).map(entry)) }
        #expect(throws: (any Error).self) { try tree.sync() }
        #expect(tree.root == root(66_000))
        #expect(try problem(tree) == nil)
        disk.setFault(nil)
        tree.append((66_000..<66_100).map(entry))
        try tree.sync()
        let after = try TreeStore(folder: "tree", disk: disk.afterPowerLoss(seed: 1), atMost: .max)
        #expect(after.size == 66_100)
        #expect(try problem(after) == nil)
    }

    /// docs/formats/tree.md, worked example.
    @Test func `has the files of its format page`() throws {
        let disk = MemoryDisk()
        let tree = try TreeStore(folder: "tree", disk: disk, atMost: 0)
        tree.append((0..<700).map(entry))
        #expect(try ["entries", "level-1", "level-2"].map { try disk.size(of: "tree/" + $0) } == [22_400, 64, nil])
        #expect(MerkleTree.subtreeCover(0..<700).map { 1 << $0.level } == [512, 128, 32, 16, 8, 4])
    }

    @Test func `grows with the events, proves each, and goes on after reopening`() async throws {
        let world = try World(tailRows: 400)
        var history = try world.open()
        var seen: [Checkpoint] = []
        var next = 0
        for (round, size) in [1, 1, 254, 1, 300, 7, 500, 100].enumerated() {
            _ = try await history.record(events(next..<next + size), account: account)
            next += size
            #expect(history.treeSize == UInt64(next))
            #expect(try history.treeProblem(step: 37) == nil, "round \(round)")
            let checkpoint = try Checkpoint(text: history.signedLog.checkpoint().text)
            for old in seen {
                let proof = try history.consistencyProof(from: old.size, to: checkpoint.size)
                #expect(
                    MerkleTree.verifyConsistency(
                        from: old.size, to: checkpoint.size, proof: proof, fromRoot: old.root, toRoot: checkpoint.root
                    ).isValid)
            }
            seen.append(checkpoint)
            if round % 2 == 1 {
                history.close()
                history = try world.open()
            }
        }
        #expect(try history.treeProblem() == nil)
        history.close()
    }

    @Test func `keeps its promise: a journal that lost its end is refused`() async throws {
        let world = try World()
        let history = try world.open()
        _ = try await history.record(events(0..<10), account: account)
        let lengths = try world.disk.list("data/history/journal").map {
            ($0, try world.disk.size(of: "data/history/journal/\($0)") ?? 0)
        }
        _ = try await history.record(events(10..<20), account: account)
        _ = try history.signedLog.checkpoint()
        history.close()
        for (name, length) in lengths { try world.disk.openForAppending("data/history/journal/\(name)").truncate(to: length) }
        #expect(throws: TreeError.behindCheckpoint(signed: 20, held: 10)) { try world.open() }
    }

    @Test func `is refused when it does not hash to what was signed`() async throws {
        let world = try World(tailRows: 100)
        var history = try world.open()
        for first in stride(from: 0, to: 400, by: 100) {
            _ = try await history.record(events(first..<first + 100), account: account)
        }
        _ = try history.signedLog.checkpoint()
        history.close()
        history = try world.open()
        while history.statistics.waitingTails > 0 { try await Task.sleep(for: .milliseconds(20)) }
        history.close()
        world.disk.flipBit(in: "data/tree/entries", at: 299 * 32)
        #expect(throws: TreeError.self) { try world.open() }
    }

    @Test func `never signs what a changed file says`() async throws {
        let world = try World()
        let history = try world.open()
        _ = try await history.record(events(0..<300), account: account)
        _ = try history.signedLog.checkpoint()
        world.disk.flipBit(in: "data/tree/entries", at: 270 * 32)
        _ = try await history.record(events(300..<310), account: account)
        #expect(throws: TreeError.self) { try history.signedLog.checkpoint(size: 305) }
        #expect(try Checkpoint(text: history.signedLog.checkpoint().text).size == 310)
        history.close()
    }
}
