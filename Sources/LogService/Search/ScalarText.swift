// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Characters of UTF-8 text, one Unicode scalar each.
enum ScalarText {
    /// The scalar at `place` and its bytes. A byte that is no UTF-8 counts as one character, above all that Unicode has.
    @inline(__always)
    static func scalar(in text: UnsafeRawBufferPointer, at place: Int) -> (value: UInt32, length: Int) {
        let first = text[place]
        return first < 0x80 ? (UInt32(first), 1) : longScalar(in: text, at: place)
    }

    private static func longScalar(in text: UnsafeRawBufferPointer, at place: Int) -> (value: UInt32, length: Int) {
        let first = text[place]
        let invalid = (value: 0x11_0000 + UInt32(first), length: 1)
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard first >= 0xC2, place + length <= text.count else { return invalid }
        var value = UInt32(first) & (0x7F >> UInt32(length))
        for byte in text[place + 1..<place + length] {
            guard byte & 0xC0 == 0x80 else { return invalid }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        // Neither surrogates, nor what is too large, nor what takes more bytes than it needs.
        guard Unicode.Scalar(value) != nil, value >= (length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000) else { return invalid }
        return (value, length)
    }

    @inline(__always)
    static func lowercase(ascii byte: UInt8) -> UInt8 { byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte }

    /// The lower case of a character where that is one character. Two characters whose lower case is ASCII, the Kelvin sign and
    /// the dotted capital I, keep theirs: an ASCII word is to have ASCII letters only, as in the engine's word index.
    @inline(__always)
    static func lowercase(_ scalar: UInt32) -> UInt32 {
        scalar < 0x80 ? UInt32(lowercase(ascii: UInt8(scalar))) : longLowercase(scalar)
    }

    private static func longLowercase(_ scalar: UInt32) -> UInt32 {
        // Neither Chinese, Japanese and Yi nor Korean have case.
        guard !(0x2E80..<0xA640 ~= scalar), !(0xAC00..<0xD800 ~= scalar), let character = Unicode.Scalar(scalar) else {
            return scalar
        }
        let mapping = character.properties.lowercaseMapping.unicodeScalars
        guard let lower = mapping.first, mapping.dropFirst().isEmpty, lower.value >= 0x80 else { return scalar }
        return lower.value
    }

    /// A Han ideograph.
    static func isChinese(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x4E00..<0xA000, 0x3400..<0x4DC0, 0xF900..<0xFB00, 0x20000..<0x32400: true
        default: false
        }
    }
}
