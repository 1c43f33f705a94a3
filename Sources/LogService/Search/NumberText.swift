// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Numbers as they are written: an optional sign, digits, and for a double a fraction and an exponent. Nothing around them.
enum NumberText {
    /// No number that means something is longer.
    private static let longest = 512
    private static let powersOfTen = (0...22).map { (power: Int) in
        (0..<power).reduce(1.0) { product, _ in product * 10 }
    }

    static func isNumber(_ text: String) -> Bool { double(text) != nil }

    static func long(_ text: String) -> Int64? {
        var text = text
        return text.withUTF8 { long(UnsafeRawBufferPointer($0)) }
    }

    static func double(_ text: String) -> Double? {
        var text = text
        return text.withUTF8 { double(UnsafeRawBufferPointer($0)) }
    }

    /// Nil also for what 64 bits do not hold.
    static func long(_ text: UnsafeRawBufferPointer) -> Int64? {
        let sign = signLength(text)
        guard text.count > sign else { return nil }
        let isNegative = text[0] == UInt8(ascii: "-")
        var value: Int64 = 0
        for byte in text[sign...] {
            let digit = Int64(byte) - 0x30
            guard 0...9 ~= digit else { return nil }
            let (tenfold, overflows) = value.multipliedReportingOverflow(by: 10)
            let (next, overflowsToo) = tenfold.addingReportingOverflow(isNegative ? -digit : digit)
            guard !overflows, !overflowsToo else { return nil }
            value = next
        }
        return value
    }

    /// Nil also for what is too large for a double.
    static func double(_ text: UnsafeRawBufferPointer) -> Double? {
        guard text.count <= longest else { return nil }
        var place = signLength(text)
        var digits: UInt64 = 0
        var count = 0
        var scale = 0
        var hasPoint = false
        while place < text.count {
            let byte = text[place]
            if byte &- 0x30 < 10 {
                // More than 18 digits may not fit; those numbers go the long way below.
                if count < 18 { digits = digits * 10 + UInt64(byte &- 0x30) }
                count += 1
                if hasPoint { scale -= 1 }
            } else if byte == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
            } else {
                break
            }
            place += 1
        }
        guard count > 0, let exponent = exponent(text, from: place) else { return nil }
        scale += exponent
        if count <= 18, digits < 1 << 53, -22...22 ~= scale {
            // Both are exact, so that one operation rounds correctly.
            let value = scale < 0 ? Double(digits) / powersOfTen[-scale] : Double(digits) * powersOfTen[scale]
            return text[0] == UInt8(ascii: "-") ? -value : value
        }
        guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else { return nil }
        return value
    }

    private static func signLength(_ text: UnsafeRawBufferPointer) -> Int {
        guard let first = text.first else { return 0 }
        return first == UInt8(ascii: "-") || first == UInt8(ascii: "+") ? 1 : 0
    }

    /// 0 if the text ends at `place`; nil if there is anything but an exponent.
    private static func exponent(_ text: UnsafeRawBufferPointer, from place: Int) -> Int? {
        guard place < text.count else { return 0 }
        guard text[place] | 0x20 == UInt8(ascii: "e") else { return nil }
        guard let value = long(UnsafeRawBufferPointer(rebasing: text[(place + 1)...])) else { return nil }
        return Int(min(max(value, -1_000_000), 1_000_000))
    }
}
