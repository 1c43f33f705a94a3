// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The siblings met on the way from a node up to the root, lowest first.
///
/// Prover and verifier both walk it, so they cannot disagree about the length or the sides of a proof.
///
/// - Shape: at most 64 steps, whatever the numbers. A left sibling is always a complete subtree; the one right
///   sibling at the edge of the tree may be cut short by the tree's size.
/// - Source: RFC 9162 section 2.1.3.2 step 4, with the levels that have no sibling skipped before and not after.
struct PathToRoot: Sequence, IteratorProtocol {
    struct Step {
        let sibling: SubtreeAddress
        let siblingIsLeft: Bool
    }

    private var level: Int
    private var node: UInt64
    private var lastNode: UInt64

    /// - Precondition: `size` > 0, and the node `start` holds a leaf of the tree.
    init(from start: SubtreeAddress, size: UInt64) {
        level = start.level
        node = start.index
        lastNode = (size - 1) >> UInt64(start.level)
    }

    mutating func next() -> Step? {
        while lastNode != 0 {
            defer {
                level += 1
                node >>= 1
                lastNode >>= 1
            }
            if node & 1 == 1 {
                return Step(sibling: SubtreeAddress(level: level, index: node - 1), siblingIsLeft: true)
            }
            if node < lastNode {
                return Step(sibling: SubtreeAddress(level: level, index: node + 1), siblingIsLeft: false)
            }
        }
        return nil
    }
}
