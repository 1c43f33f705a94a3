// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CMemory

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// ActionTrail's records hold their parameters as an object, `requestParameters`, and once more as a text of that object,
/// `requestParameterJson`.
enum RepeatedObject {
    static let textKey = Array(#""requestParameterJson":""#.utf8)
    private static let objectKey = Array(#""requestParameters":{"#.utf8)
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    /// Where the first object of parameters begins.
    static func start(in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress,
            let key = objectKey.withUnsafeBytes({ memmem(base, bytes.count, $0.baseAddress!, $0.count) })
        else { return nil }
        return UnsafeRawPointer(key) - base + objectKey.count - 1
    }

    /// How many bytes of `bytes`, with a backslash before each quotation mark and backslash, are `text`; nil if none.
    ///
    /// None either where the text would have words that the object has not: if the object has escapes of other characters, or
    /// the text does not end with a bracket.
    static func length(of text: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer) -> Int? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        guard text.last == UInt8(ascii: "}") else { return nil }
        var (place, length) = (0, 0)
        while place < text.count {
            // Eight bytes that need no backslash are compared at once.
            if place + 8 <= text.count, length + 8 <= bytes.count {
                let word = bytes.loadUnaligned(fromByteOffset: length, as: UInt64.self)
                let marks = word ^ (ones &* UInt64(quote))
                let escapes = word ^ (ones &* UInt64(backslash))
                let found = ((marks &- ones) & ~marks | (escapes &- ones) & ~escapes) & tops
                let plain = UInt64(littleEndian: found).trailingZeroBitCount >> 3
                let other = text.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                let different = UInt64(littleEndian: word ^ other)
                guard different == 0 || different.trailingZeroBitCount >> 3 >= plain else { return nil }
                place += plain
                length += plain
                if plain == 8 { continue }
            }
            guard length < bytes.count, place < text.count else { return nil }
            let byte = bytes[length]
            if byte == quote || byte == backslash {
                guard text[place] == backslash, place + 1 < text.count else { return nil }
                place += 1
            }
            guard text[place] == byte else { return nil }
            place += 1
            length += 1
            guard byte == backslash else { continue }
            // What is escaped has a backslash itself in the text, as the escape has.
            guard length < bytes.count, bytes[length] == quote || bytes[length] == backslash, place + 1 < text.count,
                text[place] == backslash, text[place + 1] == bytes[length]
            else { return nil }
            place += 2
            length += 1
        }
        return length
    }

    /// `bytes` with the text of `object`, a range of them, put in at `place`.
    static func putting(textOf object: Range<Int>, at place: Int, into bytes: UnsafeRawBufferPointer) -> [UInt8] {
        // Each byte of the object is escaped at most once.
        [UInt8](unsafeUninitializedCapacity: bytes.count + 2 * object.count) { whole, count in
            func put(_ part: Range<Int>) {
                guard !part.isEmpty else { return }
                memcpy(whole.baseAddress! + count, bytes.baseAddress! + part.lowerBound, part.count)
                count += part.count
            }
            put(0..<place)
            for byte in bytes[object] {
                if byte == quote || byte == backslash {
                    whole[count] = backslash
                    count += 1
                }
                whole[count] = byte
                count += 1
            }
            put(place..<bytes.count)
        }
    }
}
