// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A small generator whose numbers never change between releases of Swift or of Cairn.
///
/// - Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
package struct SplitMix64: Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    /// A stream of its own for each purpose, so that drawing more in one leaves the others as they were.
    package init(seed: UInt64, stream: UInt64) {
        var mixer = SplitMix64(seed: seed &+ stream &* 0xD1B5_4A32_D192_ED03)
        state = mixer.next()
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    package mutating func next(below bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    package mutating func next(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + next(below: range.count)
    }

    package mutating func chance(perMille: Int) -> Bool {
        next(below: 1000) < perMille
    }

    package mutating func text(_ count: Int, of alphabet: Alphabet) -> String {
        let letters = alphabet.letters
        return String(decoding: (0..<count).map { _ in letters[next(below: letters.count)] }, as: UTF8.self)
    }

    /// A UUID in the upper-case form the service uses for request ids.
    package mutating func uuid() -> String {
        var bytes = [UInt8](repeating: 0, count: uuidLength)
        bytes.withUnsafeMutableBufferPointer { writeUUID(into: $0.baseAddress!) }
        return String(decoding: bytes, as: UTF8.self)
    }

    package mutating func writeUUID(into bytes: UnsafeMutablePointer<UInt8>) {
        let high = next() & ~0xF000 | 0x5000
        let low = next() & ~(3 << 62) | (2 << 62)
        var place = 0
        for digit in 0..<32 {
            if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                bytes[place] = UInt8(ascii: "-")
                place += 1
            }
            let word = digit < 16 ? high : low
            let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (digit & 15))) & 15
            bytes[place] = nibble < 10 ? 0x30 + nibble : 0x37 + nibble
            place += 1
        }
    }
}

package let uuidLength = 36

/// The letters an identifier is made of.
package enum Alphabet: Sendable {
    case digits, hexadecimal, lowercase, mixed

    package var letters: [UInt8] {
        switch self {
        case .digits: Array("0123456789".utf8)
        case .hexadecimal: Array("0123456789abcdef".utf8)
        case .lowercase: Array("0123456789abcdefghijklmnopqrstuvwxyz".utf8)
        case .mixed: Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        }
    }
}
