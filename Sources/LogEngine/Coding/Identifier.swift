// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A UUID as text (36 characters, all of its letters in one case) and as 16 bytes.
enum Identifier {
    static let textLength = 36
    static let size = 16

    enum Case { case lower, upper }

    /// Writes the 16 bytes; nil for another text. Without letters, it counts as upper case.
    static func parse(_ text: UnsafeRawBufferPointer, into target: UnsafeMutablePointer<UInt8>) -> Case? {
        guard text.count == textLength else { return nil }
        var place = 0
        var cases: UInt8 = 0
        var isGood = true
        @inline(__always) func digit(_ byte: UInt8) -> UInt8 {
            let decimal = byte &- UInt8(ascii: "0")
            if decimal < 10 { return decimal }
            let letter = (byte | 0x20) &- UInt8(ascii: "a")
            if letter >= 6 { isGood = false }
            cases |= byte & 0x20 == 0 ? 2 : 1
            return letter &+ 10
        }
        for index in 0..<size {
            if index == 4 || index == 6 || index == 8 || index == 10 {
                if text[place] != UInt8(ascii: "-") { return nil }
                place += 1
            }
            target[index] = digit(text[place]) << 4 | digit(text[place + 1])
            place += 2
        }
        guard isGood, cases != 3 else { return nil }
        return cases == 1 ? .lower : .upper
    }

    /// Writes the 36 characters.
    static func write(_ bytes: UnsafeRawBufferPointer, _ letters: Case, into target: UnsafeMutablePointer<UInt8>) {
        let first = letters == .lower ? UInt8(ascii: "a") - 10 : UInt8(ascii: "A") - 10
        var place = 0
        @inline(__always) func put(_ digit: UInt8) {
            target[place] = digit < 10 ? digit + UInt8(ascii: "0") : digit + first
            place += 1
        }
        for index in 0..<size {
            if index == 4 || index == 6 || index == 8 || index == 10 {
                target[place] = UInt8(ascii: "-")
                place += 1
            }
            put(bytes[index] >> 4)
            put(bytes[index] & 15)
        }
    }
}
