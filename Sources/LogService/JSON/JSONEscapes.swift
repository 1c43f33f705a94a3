// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What the escapes of a JSON string stand for.
///
/// Nothing is refused: an escape that JSON does not have stays as it is written, half of a surrogate pair becomes U+FFFD.
enum JSONEscapes {
    /// Appends the characters of a string, which is given without its quotes.
    static func decode(_ string: UnsafeRawBufferPointer, into text: ScratchBytes) {
        var place = 0
        while place < string.count {
            var run = place
            while run < string.count, string[run] != JSONBytes.backslash { run += 1 }
            text.append(UnsafeRawBufferPointer(rebasing: string[place..<run]))
            place = run
            guard place + 1 < string.count else {
                text.append(UnsafeRawBufferPointer(rebasing: string[place...]))
                return
            }
            let escape = string[place + 1]
            if escape == UInt8(ascii: "u"), let unit = unit(in: string, at: place) {
                place += 6
                appendScalar(unit, in: string, next: &place, to: text)
            } else if let plain = character(escape) {
                text.append(plain)
                place += 2
            } else {
                text.append(UnsafeRawBufferPointer(rebasing: string[place..<place + 2]))
                place += 2
            }
        }
    }

    private static func character(_ escape: UInt8) -> UInt8? {
        switch escape {
        case JSONBytes.quote, JSONBytes.backslash, UInt8(ascii: "/"): escape
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "t"): 0x09
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        default: nil
        }
    }

    /// The number of a `\uXXXX` at `place`; nil if there is none.
    private static func unit(in string: UnsafeRawBufferPointer, at place: Int) -> UInt32? {
        guard place + 6 <= string.count, string[place] == JSONBytes.backslash, string[place + 1] == UInt8(ascii: "u") else {
            return nil
        }
        var value: UInt32 = 0
        for byte in string[place + 2..<place + 6] {
            guard let digit = hexDigit(byte) else { return nil }
            value = value << 4 | digit
        }
        return value
    }

    private static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    /// Takes the second half of a surrogate pair from `next`, if it is there.
    private static func appendScalar(
        _ unit: UInt32, in string: UnsafeRawBufferPointer, next: inout Int, to text: ScratchBytes
    ) {
        var value = unit
        if 0xD800..<0xDC00 ~= unit, let low = Self.unit(in: string, at: next), 0xDC00..<0xE000 ~= low {
            value = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
            next += 6
        }
        let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { text.append(byte) }
    }
}
