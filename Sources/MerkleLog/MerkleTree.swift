// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto

/// Hashes, roots and proofs of an append-only tree.
///
/// Nothing is stored here. A `reader` closure gives the root of any complete, aligned subtree (level 0: the leaf
/// hash), and each operation asks it for at most about two hashes a level. What the reader throws passes through.
///
/// - Source: RFC 9162 section 2.1.
public enum MerkleTree {
    /// The root of a tree without leaves, SHA-256 of nothing.
    ///
    /// - Source: RFC 9162 section 2.1.1.
    public static let emptyRoot = MerkleHash(SHA256().finalize())

    // MARK: Hashes

    /// The leaf hash of an entry of any length, SHA-256(0x00 ‖ entry).
    ///
    /// - Source: RFC 9162 section 2.1.1.
    public static func leafHash(entry: some Collection<UInt8>) -> MerkleHash {
        var hasher = SHA256()
        withUnsafeBytes(of: UInt8(0)) { hasher.update(bufferPointer: $0) }
        let done: Void? = entry.withContiguousStorageIfAvailable {
            hasher.update(bufferPointer: UnsafeRawBufferPointer($0))
        }
        if done == nil {
            Array(entry).withUnsafeBytes { hasher.update(bufferPointer: $0) }
        }
        return MerkleHash(hasher.finalize())
    }

    /// The leaf hash of an entry that is itself a SHA-256 value, as every entry in Cairn is.
    ///
    /// - Source: RFC 9162 section 2.1.1.
    public static func leafHash(entry: MerkleHash) -> MerkleHash {
        withUnsafeTemporaryAllocation(byteCount: 1 + MerkleHash.byteCount, alignment: 8) { message in
            message.storeBytes(of: 0, toByteOffset: 0, as: UInt8.self)
            message.storeBytes(of: entry, toByteOffset: 1, as: MerkleHash.self)
            return hash(message)
        }
    }

    /// The hash of an interior node, SHA-256(0x01 ‖ left ‖ right).
    ///
    /// The message is laid out on the stack; the only allocation is the one swift-crypto makes for its context.
    ///
    /// - Source: RFC 9162 section 2.1.1.
    public static func nodeHash(_ left: MerkleHash, _ right: MerkleHash) -> MerkleHash {
        withUnsafeTemporaryAllocation(byteCount: 1 + 2 * MerkleHash.byteCount, alignment: 8) { message in
            message.storeBytes(of: 1, toByteOffset: 0, as: UInt8.self)
            message.storeBytes(of: left, toByteOffset: 1, as: MerkleHash.self)
            message.storeBytes(of: right, toByteOffset: 1 + MerkleHash.byteCount, as: MerkleHash.self)
            return hash(message)
        }
    }

    private static func hash(_ message: UnsafeMutableRawBufferPointer) -> MerkleHash {
        var hasher = SHA256()
        hasher.update(bufferPointer: UnsafeRawBufferPointer(message))
        return MerkleHash(hasher.finalize())
    }

    // MARK: Roots

    /// The root of the first `size` leaves.
    ///
    /// - Throws: only what `reader` throws.
    /// - Source: RFC 9162 section 2.1.1.
    public static func root(
        size: UInt64, reader: (_ level: Int, _ index: UInt64) throws -> MerkleHash
    ) throws -> MerkleHash {
        try fold(subtreeCover(0..<size).map { try reader($0.level, $0.index) })
    }

    /// The minimal run of complete, aligned subtrees that tile a range of leaves, from left to right.
    ///
    /// - Shape: at most 126 addresses, none for an empty range.
    public static func subtreeCover(_ range: Range<UInt64>) -> [SubtreeAddress] {
        var cover: [SubtreeAddress] = []
        var start = range.lowerBound
        while start < range.upperBound {
            // The largest subtree that both starts here and fits in what is left.
            let fitting = 63 - (range.upperBound - start).leadingZeroBitCount
            let level = min(start.trailingZeroBitCount, fitting)
            cover.append(SubtreeAddress(level: level, index: start >> UInt64(level)))
            start += 1 << UInt64(level)
        }
        return cover
    }

    /// Joins subtree roots of falling size into one root: the right edge of the tree, smallest first.
    static func fold(_ roots: [MerkleHash]) -> MerkleHash {
        guard var result = roots.last else { return emptyRoot }
        for root in roots.dropLast().reversed() {
            result = nodeHash(root, result)
        }
        return result
    }

    // MARK: Proofs

    /// The hashes that lead from leaf `index` to the root of the first `size` leaves, the leaf's sibling first.
    ///
    /// - Throws: `MerkleTreeError.indexOutsideTree`, and what `reader` throws.
    /// - Source: RFC 9162 section 2.1.3.1.
    public static func inclusionProof(
        index: UInt64, size: UInt64, reader: (_ level: Int, _ index: UInt64) throws -> MerkleHash
    ) throws -> [MerkleHash] {
        guard index < size else { throw MerkleTreeError.indexOutsideTree(index: index, size: size) }
        return try siblings(of: SubtreeAddress(level: 0, index: index), size: size, reader: reader)
    }

    /// The hashes that show the first `from` leaves to be unchanged among the first `to`.
    ///
    /// - Shape: empty when the sizes are equal or `from` is 0, for then there is nothing to show.
    /// - Throws: `MerkleTreeError.sizesOutOfOrder`, and what `reader` throws.
    /// - Source: RFC 9162 section 2.1.4.1.
    public static func consistencyProof(
        from: UInt64, to: UInt64, reader: (_ level: Int, _ index: UInt64) throws -> MerkleHash
    ) throws -> [MerkleHash] {
        guard from <= to else { throw MerkleTreeError.sizesOutOfOrder(from: from, to: to) }
        guard from > 0, from < to else { return [] }
        let start = lastSubtree(ofSize: from)
        let path = try siblings(of: start, size: to, reader: reader)
        // A tree of 2^n leaves is one subtree, and its root is known to the verifier already.
        return start.index == 0 ? path : [try reader(start.level, start.index)] + path
    }

    /// The smallest subtree on the right edge of a tree, where a consistency proof begins.
    static func lastSubtree(ofSize size: UInt64) -> SubtreeAddress {
        let level = size.trailingZeroBitCount
        return SubtreeAddress(level: level, index: (size >> UInt64(level)) - 1)
    }

    private static func siblings(
        of start: SubtreeAddress, size: UInt64, reader: (_ level: Int, _ index: UInt64) throws -> MerkleHash
    ) throws -> [MerkleHash] {
        try PathToRoot(from: start, size: size).map { step in
            let sibling = step.sibling
            let firstLeaf = sibling.index << UInt64(sibling.level)
            if (size - firstLeaf) >> UInt64(sibling.level) != 0 {
                return try reader(sibling.level, sibling.index)
            }
            return try fold(subtreeCover(firstLeaf..<size).map { try reader($0.level, $0.index) })
        }
    }
}
