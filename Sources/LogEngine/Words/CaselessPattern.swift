// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Finds a run of bytes in others, whatever the case of `A` to `Z`, eight places at a time.
package struct CaselessPattern: Sendable {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// In lower case.
    private let text: [UInt8]
    /// The first byte and the last one in each place of a word, and which bits of theirs do not matter.
    private let first: (byte: UInt64, ignored: UInt64)
    private let last: (byte: UInt64, ignored: UInt64)

    /// - Parameter text: in lower case; not empty.
    package init(_ text: [UInt8]) {
        func spread(_ byte: UInt8) -> (UInt64, UInt64) {
            let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            return (UInt64(byte) &* Self.ones, isLetter ? 0x20 &* Self.ones : 0)
        }
        self.text = text
        first = spread(text[0])
        last = spread(text[text.count - 1])
    }

    /// The first place from `start` on where it stands.
    package func place(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        let distance = text.count - 1
        var place = start
        // A byte of the difference is 0 where both ends fit.
        while place + distance + 8 <= bytes.count {
            let one = (bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self) | first.ignored) ^ first.byte
            let other = (bytes.loadUnaligned(fromByteOffset: place + distance, as: UInt64.self) | last.ignored) ^ last.byte
            let difference = one | other
            if (difference &- Self.ones) & ~difference & Self.tops != 0 {
                for candidate in place..<place + 8 where stands(at: candidate, in: bytes) { return candidate }
            }
            place += 8
        }
        while place + distance < bytes.count {
            if stands(at: place, in: bytes) { return place }
            place += 1
        }
        return nil
    }

    private func stands(at place: Int, in bytes: UnsafeRawBufferPointer) -> Bool {
        for index in text.indices where WordHasher.lowercase(bytes[place + index]) != text[index] { return false }
        return true
    }
}
