// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The place of a complete, aligned subtree.
///
/// - Shape: `level` 0 is a leaf; the subtree holds the 2^level leaves that start at index · 2^level.
public struct SubtreeAddress: Sendable, Hashable {
    /// The height above the leaves, 0...63.
    public let level: Int
    /// The position among the subtrees of this level, from the left.
    public let index: UInt64

    /// Names a subtree; nothing is checked here.
    public init(level: Int, index: UInt64) {
        self.level = level
        self.index = index
    }
}
