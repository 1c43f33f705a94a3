// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Goes through a JSON text part by part: a phrase (keys, punctuation, quotation marks, `true`, `false`, `null`), then the
/// value behind it (what is within the marks of a text that is no key, or a number).
///
/// Parts are side by side: all phrases and values one after the other are the text. For other bytes the parts have no
/// meaning, but that still holds.
package struct RecordParts {
    package struct Part {
        package var phrase: Range<Int>
        /// Nil only in the last part.
        package var value: Range<Int>?
    }

    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")
    private static let colon = UInt8(ascii: ":")

    private let bytes: UnsafeRawBufferPointer
    private var place = 0
    private var isAtEnd = false

    package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// As ``next()`` would be with this phrase; nil if the next one is another.
    ///
    /// Looks at the phrase once, instead of finding out where it ends.
    @inline(__always)
    mutating func next(ifPhraseIs phrase: UnsafeRawBufferPointer) -> Part? {
        let start = place
        let end = start + phrase.count
        guard !isAtEnd, phrase.count > 0, end <= bytes.count,
            memcmp(bytes.baseAddress! + start, phrase.baseAddress!, phrase.count) == 0
        else { return nil }
        if end == bytes.count {
            isAtEnd = true
            return Part(phrase: start..<end, value: nil)
        }
        if bytes[end - 1] == Self.quote {
            let valueEnd = endOfText(from: end)
            // It may be a key here.
            if valueEnd + 1 < bytes.count, bytes[valueEnd + 1] == Self.colon { return nil }
            place = valueEnd
            return Part(phrase: start..<end, value: end..<valueEnd)
        }
        let valueEnd = endOfNumber(from: end)
        guard valueEnd > end, Self.precedesNumber(bytes[end - 1]), isEndOfNumber(valueEnd) else { return nil }
        place = valueEnd
        return Part(phrase: start..<end, value: end..<valueEnd)
    }

    package mutating func next() -> Part? {
        guard !isAtEnd else { return nil }
        let start = place
        var cursor = place
        // The mark that ends the value before.
        if cursor > 0, cursor < bytes.count, bytes[cursor] == Self.quote { cursor += 1 }
        while cursor < bytes.count {
            let byte = bytes[cursor]
            if byte == Self.quote {
                let end = endOfText(from: cursor + 1)
                if end + 1 < bytes.count, bytes[end + 1] == Self.colon {
                    cursor = end + 2
                    continue
                }
                place = end
                return Part(phrase: start..<cursor + 1, value: cursor + 1..<end)
            }
            if byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "-") {
                let end = endOfNumber(from: cursor)
                if cursor > 0, Self.precedesNumber(bytes[cursor - 1]), isEndOfNumber(end) {
                    place = end
                    return Part(phrase: start..<cursor, value: cursor..<end)
                }
                cursor = end
                continue
            }
            cursor += 1
        }
        isAtEnd = true
        return Part(phrase: start..<bytes.count, value: nil)
    }

    // A number stands between marks that part words as well: no word is cut.

    private static func precedesNumber(_ byte: UInt8) -> Bool {
        byte == colon || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "[")
    }

    private func isEndOfNumber(_ place: Int) -> Bool {
        guard place < bytes.count else { return true }
        return bytes[place] == UInt8(ascii: ",") || bytes[place] == UInt8(ascii: "]") || bytes[place] == UInt8(ascii: "}")
    }

    private func endOfNumber(from start: Int) -> Int {
        var end = start
        while end < bytes.count, Self.isOfNumber(bytes[end]) { end += 1 }
        return end
    }

    /// A digit, or one of `+-.eE`.
    @inline(__always)
    private static func isOfNumber(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "+")
            || byte | 0x20 == UInt8(ascii: "e")
    }

    /// Where the mark is that ends a text, or the end of the bytes; eight bytes a step.
    @inline(__always)
    private func endOfText(from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var cursor = start
        while cursor + 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: cursor, as: UInt64.self))
            let marks = word ^ (ones &* UInt64(Self.quote))
            let escapes = word ^ (ones &* UInt64(Self.backslash))
            // The lowest bit is exact; what a borrow puts above it is not looked at.
            let found = ((marks &- ones) & ~marks | (escapes &- ones) & ~escapes) & tops
            guard found != 0 else {
                cursor += 8
                continue
            }
            cursor += found.trailingZeroBitCount >> 3
            if bytes[cursor] == Self.quote { return cursor }
            cursor += 2
        }
        while cursor < bytes.count {
            if bytes[cursor] == Self.quote { return cursor }
            cursor += bytes[cursor] == Self.backslash ? 2 : 1
        }
        return bytes.count
    }
}
