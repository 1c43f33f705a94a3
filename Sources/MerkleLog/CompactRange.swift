// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The right edge of a tree: all that is needed to append to it and to know its root.
///
/// - Shape: the roots of the tree's perfect subtrees, largest first, one for each 1 bit of `size`.
/// - Source: RFC 9162 section 2.1.2 (the stack of its algorithm).
public struct CompactRange: Sendable, Hashable {
    /// The largest tree this type handles, 2^63 − 1 leaves.
    public static let maximumSize = UInt64.max >> 1

    /// The number of leaves so far.
    public private(set) var size: UInt64
    /// The roots of the perfect subtrees, largest first.
    public private(set) var hashes: [MerkleHash]

    /// A tree without leaves.
    public init() {
        size = 0
        hashes = []
    }

    /// Takes up a tree where it was left; `nil` if the count of hashes does not fit the size.
    ///
    /// - Shape: `hashes` are the roots at `MerkleTree.subtreeCover(0..<size)`, in that order.
    public init?(size: UInt64, hashes: [MerkleHash]) {
        guard size <= Self.maximumSize, hashes.count == size.nonzeroBitCount else { return nil }
        self.size = size
        self.hashes = hashes
    }

    /// The root of the tree as it stands.
    public var root: MerkleHash {
        MerkleTree.fold(hashes)
    }

    /// Adds one leaf: one hash on average, 63 at most.
    public mutating func append(leafHash: MerkleHash) {
        append(leafHash: leafHash) { _, _, _ in }
    }

    /// Adds one leaf and hands each interior node that it completes to `onNode`, lowest level (1) first.
    public mutating func append(
        leafHash: MerkleHash, onNode: (_ level: Int, _ index: UInt64, _ hash: MerkleHash) -> Void
    ) {
        precondition(size < Self.maximumSize, "a compact range holds at most 2^63 - 1 leaves")
        push(leafHash, level: 0, onNode: onNode)
    }

    /// Adds 2^level leaves at once, by the root of the subtree they form.
    ///
    /// - Throws: `MerkleTreeError.subtreeNotAligned` unless `size` is a multiple of 2^level and level is 0...62;
    ///   `.treeTooLarge` past `maximumSize`. The range is then unchanged.
    public mutating func append(subtree: MerkleHash, level: Int) throws(MerkleTreeError) {
        guard (0...62).contains(level), size.trailingZeroBitCount >= level else {
            throw .subtreeNotAligned(level: level, size: size)
        }
        guard Self.maximumSize - size >= 1 << UInt64(level) else {
            throw .treeTooLarge(size: size)
        }
        push(subtree, level: level) { _, _, _ in }
    }

    /// Merges as many equal neighbours as the addition carries over bits of the size.
    @inline(__always)
    private mutating func push(
        _ hash: MerkleHash, level: Int, onNode: (_ level: Int, _ index: UInt64, _ hash: MerkleHash) -> Void
    ) {
        var node = hash
        var nodeLevel = level
        var index = size >> UInt64(level)
        while index & 1 == 1 {
            node = MerkleTree.nodeHash(hashes.removeLast(), node)
            nodeLevel += 1
            index >>= 1
            onNode(nodeLevel, index, node)
        }
        hashes.append(node)
        size += 1 << UInt64(level)
    }
}
