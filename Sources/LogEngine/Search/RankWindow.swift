// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A bit for each of a run of ranks: how a search joins conditions.
package struct RankWindow {
    /// Ranks in a window.
    package static let size = 8192

    /// The rank of the first bit, a multiple of ``size``.
    package private(set) var base: Int
    package var words: [UInt64]

    package init(base: Int) {
        self.base = base
        words = [UInt64](repeating: 0, count: Self.size / 64)
    }

    package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    /// Makes it another window, without ranks.
    mutating func clear(base: Int) {
        self.base = base
        for index in words.indices { words[index] = 0 }
    }

    /// Sets the bits of a range of ranks, as far as they are within the window.
    package mutating func insert(_ ranks: Range<Int>) {
        let within = ranks.clamped(to: base..<base + Self.size)
        words.setBits(within.lowerBound - base..<within.upperBound - base)
    }

    package mutating func insert(_ rank: Int) {
        words[(rank - base) >> 6] |= 1 << UInt64((rank - base) & 63)
    }

    /// Keeps what is in both.
    package mutating func formIntersection(_ other: RankWindow) {
        for index in words.indices { words[index] &= other.words[index] }
    }

    /// Keeps the ranks that are wanted.
    mutating func filter(_ isWanted: (Int) throws -> Bool) rethrows {
        for index in words.indices {
            var rest = words[index]
            while rest != 0 {
                let bit = rest.trailingZeroBitCount
                rest &= rest &- 1
                if try !isWanted(base + index << 6 + bit) { words[index] &= ~(1 << UInt64(bit)) }
            }
        }
    }

    /// Takes out the first rank of a direction.
    package mutating func pop(_ direction: SearchDirection) -> Int? {
        switch direction {
        case .oldestFirst:
            guard let index = words.firstIndex(where: { $0 != 0 }) else { return nil }
            let bit = words[index].trailingZeroBitCount
            words[index] &= words[index] &- 1
            return base + index << 6 + bit
        case .newestFirst:
            guard let index = words.lastIndex(where: { $0 != 0 }) else { return nil }
            let bit = 63 - words[index].leadingZeroBitCount
            words[index] &= ~(1 << UInt64(bit))
            return base + index << 6 + bit
        }
    }

    package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
}
