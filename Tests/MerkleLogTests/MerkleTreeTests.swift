// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import MerkleLog
import Testing

@Suite struct `A Merkle tree` {
    /// The eight entries and roots of the Certificate Transparency reference implementation, which RFC 6962 logs share.
    private static let knownEntries: [[UInt8]] = [
        [], [0x00], [0x10], [0x20, 0x21], [0x30, 0x31], [0x40, 0x41, 0x42, 0x43],
        Array(0x50...0x57), Array(0x60...0x6f),
    ]
    private static let knownRoots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    @Test func `has the published roots`() {
        var range = CompactRange()
        #expect(MerkleTree.emptyRoot.description == Self.knownRoots[0])
        #expect(range.root.description == Self.knownRoots[0])
        for (entry, root) in zip(Self.knownEntries, Self.knownRoots.dropFirst()) {
            range.append(leafHash: MerkleTree.leafHash(entry: entry))
            #expect(range.root.description == root)
        }
    }

    @Test func `hashes an entry that is a hash like the same bytes`() {
        let entry = MerkleTree.emptyRoot
        #expect(MerkleTree.leafHash(entry: entry) == MerkleTree.leafHash(entry: entry.bytes))
        #expect(MerkleTree.leafHash(entry: [1, 2, 3]) == MerkleTree.leafHash(entry: [1, 2, 3].lazy.map { UInt8($0) }))
        #expect(MerkleTree.nodeHash(entry, entry.flipped()) == NaiveTree.node(entry, entry.flipped()))
    }

    @Test(arguments: 0...70) func `has the root of its definition`(size: Int) throws {
        let tree = SampleTree(size: size)
        #expect(try MerkleTree.root(size: tree.size, reader: tree.read) == tree.root)
    }

    @Test(arguments: 1...70) func `proves each leaf as its definition does, and nothing else`(size: Int) throws {
        let tree = SampleTree(size: size)
        let root = tree.root
        for index in 0..<size {
            let leaf = tree.leaves[index]
            let proof = try MerkleTree.inclusionProof(index: UInt64(index), size: tree.size, reader: tree.read)
            #expect(proof == NaiveTree.inclusionProof(index, tree.leaves[...]))

            func verdict(_ leaf: MerkleHash, _ index: Int, _ proof: [MerkleHash], _ root: MerkleHash) -> ProofVerdict {
                MerkleTree.verifyInclusion(
                    leafHash: leaf, index: UInt64(index), size: tree.size, proof: proof, root: root)
            }
            #expect(verdict(leaf, index, proof, root) == .valid)
            #expect(!verdict(leaf.flipped(bit: 9), index, proof, root).isValid)
            #expect(!verdict(leaf, index, proof, root.flipped(bit: 200)).isValid)
            for other in 0...size where other != index {
                #expect(!verdict(leaf, other, proof, root).isValid)
            }
            for bad in damaged(proof, extra: root) {
                #expect(!verdict(leaf, index, bad, root).isValid)
            }
        }
    }

    @Test(arguments: 0...70) func `proves that it continues each smaller tree, and nothing else`(size: Int) throws {
        let tree = SampleTree(size: size)
        let root = tree.root
        for from in 0...size {
            let fromRoot = tree.prefix(from).root
            let proof = try MerkleTree.consistencyProof(from: UInt64(from), to: tree.size, reader: tree.read)
            #expect(proof == NaiveTree.consistencyProof(from, tree.leaves[...]))

            func verdict(_ proof: [MerkleHash], _ fromRoot: MerkleHash, _ toRoot: MerkleHash) -> ProofVerdict {
                MerkleTree.verifyConsistency(
                    from: UInt64(from), to: tree.size, proof: proof, fromRoot: fromRoot, toRoot: toRoot)
            }
            #expect(verdict(proof, fromRoot, root) == .valid)
            #expect(!verdict(proof, fromRoot.flipped(bit: 255), root).isValid)
            if from > 0 { #expect(!verdict(proof, fromRoot, root.flipped(bit: 3)).isValid) }
            for bad in damaged(proof, extra: root) {
                #expect(!verdict(bad, fromRoot, root).isValid)
            }
            for other in 1..<max(size, 1) where other != from && from > 0 {
                let verdict = MerkleTree.verifyConsistency(
                    from: UInt64(other), to: tree.size, proof: proof, fromRoot: fromRoot, toRoot: root)
                #expect(!verdict.isValid)
            }
        }
    }

    @Test func `has no proofs outside itself`() throws {
        let tree = SampleTree(size: 5)
        #expect(throws: MerkleTreeError.indexOutsideTree(index: 5, size: 5)) {
            try MerkleTree.inclusionProof(index: 5, size: 5, reader: tree.read)
        }
        #expect(throws: MerkleTreeError.indexOutsideTree(index: 0, size: 0)) {
            try MerkleTree.inclusionProof(index: 0, size: 0, reader: tree.read)
        }
        #expect(throws: MerkleTreeError.sizesOutOfOrder(from: 5, to: 4)) {
            try MerkleTree.consistencyProof(from: 5, to: 4, reader: tree.read)
        }
        #expect(throws: OutsideTree.self) {
            try MerkleTree.inclusionProof(index: 0, size: 8, reader: tree.read)
        }
    }

    @Test func `without leaves has one root and is continued by any tree`() {
        let empty = MerkleTree.emptyRoot
        let other = empty.flipped()
        func verdict(_ to: UInt64, _ proof: [MerkleHash], _ fromRoot: MerkleHash, _ toRoot: MerkleHash) -> Bool {
            MerkleTree.verifyConsistency(from: 0, to: to, proof: proof, fromRoot: fromRoot, toRoot: toRoot).isValid
        }
        #expect(verdict(0, [], empty, empty))
        #expect(verdict(9, [], empty, other))
        #expect(!verdict(0, [], empty, other))
        #expect(!verdict(0, [], other, other))
        #expect(!verdict(9, [], other, other))
        #expect(!verdict(9, [other], empty, other))
    }

    @Test func `takes numbers at the edge of 64 bits without a trap`() throws {
        let hash = MerkleTree.emptyRoot
        let edges: [UInt64] = [
            0, 1, 2, 3, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, .max - 2, .max - 1, .max,
        ]
        for first in edges {
            for second in edges {
                for count in [0, 1, 62, 63, 64, 65, 66, 1000] {
                    let proof = [MerkleHash](repeating: hash, count: count)
                    #expect(
                        !MerkleTree.verifyInclusion(
                            leafHash: hash, index: first, size: second, proof: proof, root: hash.flipped()
                        ).isValid)
                    _ = MerkleTree.verifyConsistency(
                        from: first, to: second, proof: proof, fromRoot: hash, toRoot: hash.flipped())
                }
                guard first < second else { continue }
                let path = try MerkleTree.inclusionProof(index: first, size: second) { _, _ in hash }
                #expect(path.count <= 64)
                let consistency = try MerkleTree.consistencyProof(from: first, to: second) { _, _ in hash }
                #expect(consistency.count <= 65)
                #expect(MerkleTree.subtreeCover(first..<second).count <= 126)
            }
        }
    }
}

@Suite struct `A subtree cover` {
    @Test func `tiles every small range with the fewest aligned subtrees`() {
        // fewest[n] for a range: dynamic programming over every aligned subtree.
        for start in 0...40 {
            var fewest = [0]
            for end in start...80 {
                if end > start {
                    var best = Int.max
                    for level in 0...6 {
                        let width = 1 << level
                        if end % width == 0, end - width >= start { best = min(best, fewest[end - width - start] + 1) }
                    }
                    fewest.append(best)
                }
                let cover = MerkleTree.subtreeCover(UInt64(start)..<UInt64(end))
                var next = UInt64(start)
                for subtree in cover {
                    #expect(subtree.index << UInt64(subtree.level) == next)
                    next += 1 << UInt64(subtree.level)
                }
                #expect(next == UInt64(end))
                #expect(cover.count == fewest[end - start])
            }
        }
    }

    @Test func `reaches the end of 64 bits`() {
        #expect(MerkleTree.subtreeCover(0..<UInt64.max).count == 64)
        #expect(MerkleTree.subtreeCover(1..<UInt64.max).count == 126)
        #expect(MerkleTree.subtreeCover(0..<(1 << 63)) == [SubtreeAddress(level: 63, index: 0)])
        #expect(MerkleTree.subtreeCover(.max..<(.max)).isEmpty)
    }
}
