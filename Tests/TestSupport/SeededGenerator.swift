// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// SplitMix64: the same numbers for the same state, so that a seed in a failure message is enough to see it again.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// - Parameter state: a seed. Of states that lie a multiple of the step apart, one gives the other's numbers.
    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    package mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
    package mutating func chance(_ part: Int, of whole: Int) -> Bool { below(whole) < part }
    package mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }
}
