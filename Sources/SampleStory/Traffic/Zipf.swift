// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Draws ranks of which the n-th is drawn with a weight of `1 / n ^ exponent`, or with weights as given.
///
/// - Source: Vose, "A Linear Algorithm for Generating Random Numbers with a Given Distribution", IEEE Transactions on
///   Software Engineering 17 (1991): a draw is one random number and one look into a table.
package struct Zipf: Sendable {
    /// Of 2^32, how many draws of a place stay there; the others go to its alias.
    private var stays: [UInt32] = []
    private var aliases: [UInt32] = []

    /// - Parameter exponent: in thirty-seconds, so that square roots give the same weights on every machine.
    package init(_ count: Int, exponent: Int) {
        self.init(weights: (1...count).map { 1 / Zipf.power(Double($0), exponent) })
    }

    package init(weights: [Double]) {
        precondition(!weights.isEmpty && weights.count < 1 << 32)
        let mean = weights.reduce(0, +) / Double(weights.count)
        var parts = weights.map { $0 / mean }
        var small = parts.indices.filter { parts[$0] < 1 }
        var large = parts.indices.filter { parts[$0] >= 1 }
        stays = Array(repeating: .max, count: parts.count)
        aliases = parts.indices.map { UInt32($0) }
        while let low = small.popLast(), let high = large.last {
            stays[low] = UInt32(parts[low] * 0x1p32)
            aliases[low] = UInt32(high)
            parts[high] -= 1 - parts[low]
            if parts[high] < 1 {
                large.removeLast()
                small.append(high)
            }
        }
    }

    package func next(using generator: inout SplitMix64) -> Int {
        let drawn = generator.next()
        let place = Int(((drawn >> 32) &* UInt64(stays.count)) >> 32)
        return UInt32(truncatingIfNeeded: drawn) < stays[place] ? place : Int(aliases[place])
    }

    /// - Parameter exponent: in thirty-seconds.
    package static func power(_ base: Double, _ exponent: Int) -> Double {
        var result = 1.0
        for _ in 0..<exponent / 32 { result *= base }
        var root = base
        for bit in [16, 8, 4, 2, 1] {
            root = root.squareRoot()
            if exponent & bit != 0 { result *= root }
        }
        return result
    }
}
