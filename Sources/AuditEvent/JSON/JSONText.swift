// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Turns the inside of a JSON string into the text it stands for.
enum JSONText {
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte &- 48)
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte &- 87)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte &- 55)
        default: nil
        }
    }

    /// Decodes escapes of a string that was scanned before. The result is never longer than `content`.
    /// Half of a surrogate pair becomes U+FFFD.
    static func decode(_ content: UnsafeRawBufferPointer, into target: UnsafeMutablePointer<UInt8>) -> Int {
        var read = 0
        var written = 0
        while read < content.count {
            let byte = content[read]
            guard byte == UInt8(ascii: "\\"), read + 1 < content.count else {
                target[written] = byte
                written += 1
                read += 1
                continue
            }
            let escape = content[read + 1]
            read += 2
            switch escape {
            case UInt8(ascii: "b"): target[written] = 0x08
            case UInt8(ascii: "f"): target[written] = 0x0C
            case UInt8(ascii: "n"): target[written] = 0x0A
            case UInt8(ascii: "r"): target[written] = 0x0D
            case UInt8(ascii: "t"): target[written] = 0x09
            case UInt8(ascii: "u"):
                let scalar = decodeScalar(content, &read)
                written += encode(scalar, target + written)
                continue
            default: target[written] = escape
            }
            written += 1
        }
        return written
    }

    private static func unit(_ content: UnsafeRawBufferPointer, _ at: Int) -> UInt32? {
        guard at + 4 <= content.count else { return nil }
        var value: UInt32 = 0
        for index in at..<at + 4 {
            guard let digit = hexValue(content[index]) else { return nil }
            value = value << 4 | digit
        }
        return value
    }

    private static func decodeScalar(_ content: UnsafeRawBufferPointer, _ read: inout Int) -> UInt32 {
        guard let first = unit(content, read) else { return 0xFFFD }
        read += 4
        guard 0xD800...0xDFFF ~= first else { return first }
        guard first < 0xDC00, read + 6 <= content.count, content[read] == UInt8(ascii: "\\"),
            content[read + 1] == UInt8(ascii: "u"), let second = unit(content, read + 2),
            0xDC00...0xDFFF ~= second
        else { return 0xFFFD }
        read += 6
        return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
    }

    private static func encode(_ scalar: UInt32, _ target: UnsafeMutablePointer<UInt8>) -> Int {
        func tail(_ shift: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: 0x80 | scalar >> shift & 0x3F) }
        switch scalar {
        case 0..<0x80:
            target[0] = UInt8(truncatingIfNeeded: scalar)
            return 1
        case 0x80..<0x800:
            target[0] = UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6)
            target[1] = tail(0)
            return 2
        case 0x800..<0x10000:
            target[0] = UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12)
            target[1] = tail(6)
            target[2] = tail(0)
            return 3
        default:
            target[0] = UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18)
            target[1] = tail(12)
            target[2] = tail(6)
            target[3] = tail(0)
            return 4
        }
    }
}
