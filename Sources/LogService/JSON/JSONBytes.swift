// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Steps over JSON text by its bytes. Each takes a place within `text` or at its end and never reads past it.
enum JSONBytes {
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    @inline(__always)
    static func skipBlanks(in text: UnsafeRawBufferPointer, from place: Int) -> Int {
        var place = place
        while place < text.count, isBlank(text[place]) { place += 1 }
        return place
    }

    /// Where the closing quote of a string stands whose first character is at `place`; nil if there is none.
    @inline(__always)
    static func endOfString(
        in text: UnsafeRawBufferPointer, from place: Int, isEscaped: inout Bool
    ) -> Int? {
        var place = place
        let end = text.count
        while place < end {
            if place &+ 8 <= end {
                let word = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                let quotes = word ^ (ones &* UInt64(quote))
                let escapes = word ^ (ones &* UInt64(backslash))
                // The lowest mark is exact: a borrow only goes upwards from a byte that is one.
                let found = ((quotes &- ones) & ~quotes | (escapes &- ones) & ~escapes) & tops
                guard found != 0 else {
                    place &+= 8
                    continue
                }
                place &+= found.trailingZeroBitCount &>> 3
            }
            switch text[place] {
            case quote: return place
            case backslash:
                isEscaped = true
                place &+= 2
            default: place &+= 1
            }
        }
        return nil
    }

    /// Past the end of an object or array that begins at `place`, whatever is in it: only brackets are counted, of either kind,
    /// so that no depth is too much. Nil if it does not end.
    static func endOfContainer(in text: UnsafeRawBufferPointer, from place: Int) -> Int? {
        var place = place
        var depth = 0
        var isEscaped = false
        while place < text.count {
            switch text[place] {
            case quote:
                guard let end = endOfString(in: text, from: place + 1, isEscaped: &isEscaped) else { return nil }
                place = end
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { return place + 1 }
            default: break
            }
            place += 1
        }
        return nil
    }

    /// Past the end of a number, `true`, `false` or `null`. Nil if it is none of them, or if the text ends with it: what is
    /// missing may have been more digits.
    @inline(__always)
    static func endOfPlainValue(in text: UnsafeRawBufferPointer, from place: Int) -> (end: Int, kind: JSONLeaf.Kind)? {
        var end = place
        while end < text.count, isPlain(text[end]) { end += 1 }
        guard end < text.count, end > place else { return nil }
        let value = UnsafeRawBufferPointer(rebasing: text[place..<end])
        switch value[0] {
        case UInt8(ascii: "t"): return value.elementsEqual("true".utf8) ? (end, .boolean) : nil
        case UInt8(ascii: "f"): return value.elementsEqual("false".utf8) ? (end, .boolean) : nil
        case UInt8(ascii: "n"): return value.elementsEqual("null".utf8) ? (end, .null) : nil
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return (end, .number)
        default: return nil
        }
    }

    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10 || (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
    }
}
