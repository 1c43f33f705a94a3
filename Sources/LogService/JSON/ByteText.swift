// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Bytes compared with bytes.
enum ByteText {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080
    private static let caseBit: UInt8 = 0x20

    /// Whether `part` stands in `text` at `place`, where there are as many bytes.
    @inline(__always)
    static func equal(_ text: UnsafeRawBufferPointer, _ place: Int, _ part: UnsafeRawBufferPointer) -> Bool {
        guard let a = text.baseAddress, let b = part.baseAddress else { return part.isEmpty }
        return memcmp(a + place, b, part.count) == 0
    }

    @inline(__always)
    static func equal(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        a.count == b.count && equal(a, 0, b)
    }

    /// Whether `part` may stand anywhere in `text`, letters in either case. A no is certain; with a yes, other signs may be there
    /// that differ as the cases of a letter do.
    ///
    /// - Parameter part: not empty.
    static func mayContain(_ text: UnsafeRawBufferPointer, _ part: UnsafeRawBufferPointer) -> Bool {
        let last = part.count - 1
        let places = text.count - last
        let first = ones &* UInt64(part[0] | caseBit)
        let final = ones &* UInt64(part[last] | caseBit)
        var place = 0
        // Most places are ruled out by the first and the last byte, eight of them at a time.
        while place &+ 8 <= places {
            let firsts =
                UInt64(littleEndian: text.loadUnaligned(fromByteOffset: place, as: UInt64.self)) | ones &* UInt64(caseBit)
            let finals =
                UInt64(littleEndian: text.loadUnaligned(fromByteOffset: place &+ last, as: UInt64.self)) | ones &* UInt64(caseBit)
            let differing = (firsts ^ first) | (finals ^ final)
            var marks = (differing &- ones) & ~differing & tops
            while marks != 0 {
                let candidate = place &+ marks.trailingZeroBitCount &>> 3
                if mayBe(part, in: text, at: candidate) { return true }
                marks &= marks &- 1
            }
            place &+= 8
        }
        while place < places {
            if mayBe(part, in: text, at: place) { return true }
            place &+= 1
        }
        return false
    }

    @inline(__always)
    private static func mayBe(_ part: UnsafeRawBufferPointer, in text: UnsafeRawBufferPointer, at place: Int) -> Bool {
        for index in 0..<part.count where (text[place &+ index] ^ part[index]) & ~caseBit != 0 { return false }
        return true
    }
}
