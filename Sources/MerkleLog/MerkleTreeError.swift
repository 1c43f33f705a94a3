// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A request for something the tree cannot have.
public enum MerkleTreeError: Error, Equatable {
    /// No leaf has this index in a tree of this size.
    case indexOutsideTree(index: UInt64, size: UInt64)
    /// A consistency proof runs from a smaller or equal size to a larger one.
    case sizesOutOfOrder(from: UInt64, to: UInt64)
    /// A subtree of this level may only follow a multiple of 2^level leaves.
    case subtreeNotAligned(level: Int, size: UInt64)
    /// The tree would pass `CompactRange.maximumSize`.
    case treeTooLarge(size: UInt64)
}

extension MerkleTreeError: CustomStringConvertible {
    /// One sentence for a person.
    public var description: String {
        switch self {
        case .indexOutsideTree(let index, let size):
            "Leaf \(index) is outside a tree of \(size) leaves."
        case .sizesOutOfOrder(let from, let to):
            "A consistency proof cannot run from size \(from) back to size \(to)."
        case .subtreeNotAligned(let level, let size):
            "A subtree of level \(level) cannot follow \(size) leaves."
        case .treeTooLarge(let size):
            "A tree of \(size) leaves cannot take more."
        }
    }
}
