// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import MerkleLog
import TestSupport
import Testing

@Suite struct `A compact range` {
    @Test func `grows leaf by leaf like its tree and reports each node once`() throws {
        let tree = SampleTree(size: 200)
        var range = CompactRange()
        var plain = CompactRange()
        var nodes: [SubtreeAddress: MerkleHash] = [:]
        for (index, leaf) in tree.leaves.enumerated() {
            range.append(leafHash: leaf) { level, index, hash in
                #expect(nodes.updateValue(hash, forKey: SubtreeAddress(level: level, index: index)) == nil)
            }
            plain.append(leafHash: leaf)
            #expect(range == plain)
            #expect(range.size == UInt64(index + 1))
            #expect(range.hashes.count == range.size.nonzeroBitCount)
            #expect(range.root == NaiveTree.root(tree.leaves[...index]))
            let cover = MerkleTree.subtreeCover(0..<range.size)
            let frontier = try cover.map { try tree.read(level: $0.level, index: $0.index) }
            #expect(range.hashes == frontier)
            #expect(CompactRange(size: range.size, hashes: frontier) == range)
        }
        var expected = 0
        for level in 1...7 {
            for index in 0..<UInt64(200 >> level) {
                expected += 1
                #expect(try nodes[SubtreeAddress(level: level, index: index)] == tree.read(level: level, index: index))
            }
        }
        #expect(nodes.count == expected)
    }

    @Test func `takes whole subtrees where they fit`() throws {
        let tree = SampleTree(size: 130)
        var random = SeededGenerator(state: 42)
        for _ in 0..<200 {
            var range = CompactRange()
            while range.size < tree.size {
                let level = Int.random(in: 0...7, using: &random)
                let end = range.size + (1 << UInt64(level))
                let isAligned = range.size % (1 << UInt64(level)) == 0
                guard end <= tree.size else { continue }
                let before = range
                if isAligned {
                    let subtree = try tree.read(level: level, index: range.size >> UInt64(level))
                    try range.append(subtree: subtree, level: level)
                } else {
                    #expect(throws: MerkleTreeError.subtreeNotAligned(level: level, size: range.size)) {
                        try range.append(subtree: MerkleTree.emptyRoot, level: level)
                    }
                    #expect(range == before)
                }
            }
            #expect(range.root == tree.root)
        }
    }

    @Test func `is refused with too few or too many hashes`() {
        let hash = MerkleTree.emptyRoot
        #expect(CompactRange(size: 0, hashes: []) == CompactRange())
        #expect(CompactRange(size: 0, hashes: [hash]) == nil)
        #expect(CompactRange(size: 6, hashes: [hash]) == nil)
        #expect(CompactRange(size: 6, hashes: [hash, hash, hash]) == nil)
        #expect(CompactRange(size: .max, hashes: .init(repeating: hash, count: 64)) == nil)
    }

    @Test func `says so when it is full or the level is absurd`() throws {
        let hash = MerkleTree.emptyRoot
        var full = try #require(CompactRange(size: CompactRange.maximumSize, hashes: .init(repeating: hash, count: 63)))
        #expect(throws: MerkleTreeError.treeTooLarge(size: full.size)) { try full.append(subtree: hash, level: 0) }
        var half = CompactRange()
        try half.append(subtree: hash, level: 62)
        #expect(throws: MerkleTreeError.treeTooLarge(size: half.size)) { try half.append(subtree: hash, level: 62) }
        for level in [-1, 63, 64, Int.max, Int.min] {
            #expect(throws: MerkleTreeError.self) { try half.append(subtree: hash, level: level) }
        }
    }

    @Test func `traps only when a leaf is added past its end`() async {
        await #expect(processExitsWith: .failure) {
            let hashes = [MerkleHash](repeating: MerkleTree.emptyRoot, count: 63)
            var full = CompactRange(size: CompactRange.maximumSize, hashes: hashes)
            full?.append(leafHash: MerkleTree.emptyRoot)
        }
    }
}
