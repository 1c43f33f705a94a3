// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine
import Testing

@Suite struct `A pattern without case` {
    private static func lowercase(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    /// The same, one place after the other.
    private static func places(_ text: [UInt8], _ bytes: [UInt8]) -> [Int] {
        guard text.count <= bytes.count else { return [] }
        return (0...bytes.count - text.count).filter { place in
            text.indices.allSatisfy { lowercase(bytes[place + $0]) == text[$0] }
        }
    }

    @Test(arguments: UInt64(1)...200) func `is found wherever it stands, and nowhere else`(seed: UInt64) {
        var random = Seeded(seed)
        // Few letters, so that it is often nearly there; the sign beside a letter differs from it as its capital does.
        let letters = Array("aAbB@`1[{\u{0}".utf8)
        let bytes = (0..<random.below(90)).map { _ in letters[random.below(letters.count)] }
        let text = (0...random.below([1, 2, 4, 11][random.below(4)])).map { _ in
            Self.lowercase(letters[random.below(letters.count)])
        }
        let expected = Self.places(text, bytes)
        let pattern = CaselessPattern(text)
        bytes.withUnsafeBytes { bytes in
            for start in 0...bytes.count {
                #expect(pattern.place(in: bytes, from: start) == expected.first { $0 >= start }, "seed \(seed), from \(start)")
            }
        }
    }
}
