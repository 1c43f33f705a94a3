// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import MerkleLog

/// The definitions of RFC 9162 sections 2.1.1, 2.1.3.1 and 2.1.4.1 as they are written, over a whole array.
enum NaiveTree {
    static func root(_ leaves: ArraySlice<MerkleHash>) -> MerkleHash {
        guard let first = leaves.first else { return MerkleHash(SHA256.hash(data: [UInt8]())) }
        if leaves.count == 1 { return first }
        let middle = leaves.startIndex + split(leaves.count)
        return node(root(leaves[..<middle]), root(leaves[middle...]))
    }

    static func node(_ left: MerkleHash, _ right: MerkleHash) -> MerkleHash {
        MerkleHash(SHA256.hash(data: [1] + left.bytes + right.bytes))
    }

    static func inclusionProof(_ index: Int, _ leaves: ArraySlice<MerkleHash>) -> [MerkleHash] {
        guard leaves.count > 1 else { return [] }
        let half = split(leaves.count)
        let middle = leaves.startIndex + half
        return index < half
            ? inclusionProof(index, leaves[..<middle]) + [root(leaves[middle...])]
            : inclusionProof(index - half, leaves[middle...]) + [root(leaves[..<middle])]
    }

    static func consistencyProof(_ from: Int, _ leaves: ArraySlice<MerkleHash>) -> [MerkleHash] {
        from == 0 || from == leaves.count ? [] : subproof(from, leaves, true)
    }

    private static func subproof(_ from: Int, _ leaves: ArraySlice<MerkleHash>, _ isKnown: Bool) -> [MerkleHash] {
        if from == leaves.count { return isKnown ? [] : [root(leaves)] }
        let half = split(leaves.count)
        let middle = leaves.startIndex + half
        return from <= half
            ? subproof(from, leaves[..<middle], isKnown) + [root(leaves[middle...])]
            : subproof(from - half, leaves[middle...], false) + [root(leaves[..<middle])]
    }

    /// The largest power of two below `count`.
    private static func split(_ count: Int) -> Int {
        var half = 1
        while half * 2 < count { half *= 2 }
        return half
    }
}
