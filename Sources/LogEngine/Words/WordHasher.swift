// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Finds the words of a record and hashes them under the store's key.
///
/// A word is a run of bytes that are no delimiters, which are those of the log service by default, with control characters
/// and the backslash, whose escape is skipped. `A` to `Z` count as `a` to `z`. A word's hash has 32 bits, never 0.
public struct WordHasher: Sendable {
    private static let delimiters = Array(", '\";=()[]{}?@&<>/:\\".utf8)
    private static let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
    private static let backslash = UInt8(ascii: "\\")

    private let seed: UInt64
    /// Each byte in lower case; 0 for a delimiter.
    private let lower: [UInt8]

    init(store: SipHash) {
        seed = Array("words".utf8).withUnsafeBytes { store.hash($0) }
        lower = (0...255).map { (byte: UInt8) in
            Self.isDelimiter(byte) ? 0 : Self.lowercase(byte)
        }
    }

    package static func isDelimiter(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F || delimiters.contains(byte) }

    static func lowercase(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }

    /// Visits each word, with repeats.
    ///
    /// - Parameter hasEscapes: false for text that is no JSON, in which a backslash parts words and nothing else.
    @inline(__always)
    func forEachWord(
        in bytes: UnsafeRawBufferPointer, hasEscapes: Bool = true, _ visit: (_ hash: UInt32, _ range: Range<Int>) -> Void
    ) {
        lower.withUnsafeBufferPointer { lower in
            var hash = seed
            var start = -1
            var place = 0
            let end = bytes.count
            while place < end {
                let byte = bytes[place]
                let plain = lower[Int(byte)]
                if plain != 0 {
                    if start < 0 {
                        start = place
                        hash = seed
                    }
                    hash = (hash ^ UInt64(plain)) &* Self.multiplier
                    place += 1
                } else {
                    if start >= 0 {
                        visit(Self.finish(hash), start..<place)
                        start = -1
                    }
                    guard hasEscapes, byte == Self.backslash else {
                        place += 1
                        continue
                    }
                    place += place + 1 < end && bytes[place + 1] == UInt8(ascii: "u") ? 6 : 2
                }
            }
            if start >= 0 { visit(Self.finish(hash), start..<end) }
        }
    }

    @inline(__always)
    private static func finish(_ hash: UInt64) -> UInt32 {
        let mixed = (hash ^ hash >> 32) &* multiplier
        return max(1, UInt32(truncatingIfNeeded: mixed >> 32))
    }
}
