// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension MerkleTree {
    /// Judges whether `leafHash` is leaf `index` of the tree with this size and root.
    ///
    /// - Shape: the proof must have exactly the length that index and size call for, at most 64 hashes.
    /// - Source: RFC 9162 section 2.1.3.2.
    public static func verifyInclusion(
        leafHash: MerkleHash, index: UInt64, size: UInt64, proof: [MerkleHash], root: MerkleHash
    ) -> ProofVerdict {
        guard index < size else {
            return .refused(reason: "leaf \(index) is outside a tree of \(size) leaves")
        }
        let path = Array(PathToRoot(from: SubtreeAddress(level: 0, index: index), size: size))
        guard proof.count == path.count else {
            return .refused(reason: wrongLength(found: proof.count, expected: path.count))
        }
        var computed = leafHash
        for (step, hash) in zip(path, proof) {
            computed = step.siblingIsLeft ? nodeHash(hash, computed) : nodeHash(computed, hash)
        }
        guard computed == root else {
            return .refused(reason: "the proof leads to another root than that of the tree")
        }
        return .valid
    }

    /// Judges whether the tree of size `to` begins with all the leaves of the tree of size `from`.
    ///
    /// - Shape: the proof must have exactly the length that the sizes call for, at most 65 hashes. Between equal
    ///   sizes it is empty and the roots are equal; from size 0 it is empty and `fromRoot` is the empty root.
    /// - Source: RFC 9162 section 2.1.4.2; the cases of size 0, which it leaves open, are ours.
    public static func verifyConsistency(
        from: UInt64, to: UInt64, proof: [MerkleHash], fromRoot: MerkleHash, toRoot: MerkleHash
    ) -> ProofVerdict {
        guard from <= to else {
            return .refused(reason: "the tree cannot shrink from \(from) leaves to \(to)")
        }
        guard from != 0 || fromRoot == emptyRoot, to != 0 || toRoot == emptyRoot else {
            return .refused(reason: "a tree without leaves has only one root, and this is another")
        }
        guard from != 0, from != to else {
            guard proof.isEmpty else {
                return .refused(reason: wrongLength(found: proof.count, expected: 0))
            }
            guard from == 0 || fromRoot == toRoot else {
                return .refused(reason: "two trees of \(from) leaves have different roots")
            }
            return .valid
        }

        let start = lastSubtree(ofSize: from)
        let path = Array(PathToRoot(from: start, size: to))
        let startIsGiven = start.index != 0
        let expected = path.count + (startIsGiven ? 1 : 0)
        guard proof.count == expected, let first = startIsGiven ? proof.first : fromRoot else {
            return .refused(reason: wrongLength(found: proof.count, expected: expected))
        }
        var computedFrom = first
        var computedTo = first
        for (step, hash) in zip(path, proof.dropFirst(startIsGiven ? 1 : 0)) {
            if step.siblingIsLeft {
                computedFrom = nodeHash(hash, computedFrom)
                computedTo = nodeHash(hash, computedTo)
            } else {
                computedTo = nodeHash(computedTo, hash)
            }
        }
        guard computedFrom == fromRoot else {
            return .refused(reason: "the proof leads to another root than that of the smaller tree")
        }
        guard computedTo == toRoot else {
            return .refused(reason: "the proof leads to another root than that of the larger tree")
        }
        return .valid
    }

    private static func wrongLength(found: Int, expected: Int) -> String {
        "the proof has \(found) hashes where exactly \(expected) belong"
    }
}
