// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto

/// Keys of the space that shards divide: 32 lower-case hexadecimal digits.
enum ShardKey {
    static let greatest = String(repeating: "f", count: 32)

    /// - Returns: nil unless `text` is such a key, in either case.
    static func parse(_ text: String) -> String? {
        guard text.utf8.count == 32, text.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        return text.lowercased()
    }

    /// A key as it is, any other text by its MD5.
    static func place(of text: String) -> String {
        parse(text) ?? Insecure.MD5.hash(data: [UInt8](text.utf8)).map { hex($0, digits: 2) }.joined()
    }

    /// The begin of the range `index` of `count` equal ones: `index` · 2¹²⁸ / `count`, rounded down.
    static func boundary(_ index: Int, of count: Int) -> String {
        let count = UInt128(count)
        let index = UInt128(index)
        let lessOne = UInt128.max - count + 1  // 2¹²⁸ less one `count`
        // The quotient of one range does not fit, and is not needed: its begin is 0.
        return hex(index * (lessOne / count &+ 1) + index * (lessOne % count) / count)
    }

    /// - Returns: nil if there is no key between the two.
    static func middle(_ begin: String, _ end: String) -> String? {
        guard let low = UInt128(begin, radix: 16), let high = UInt128(end, radix: 16), high > low, high - low > 1 else {
            return nil
        }
        let width = high - low
        // The greatest key stands for the end of the space, one past it.
        let half = width / 2 + (end == greatest ? width % 2 : 0)
        return hex(low + half)
    }

    private static func hex(_ value: some FixedWidthInteger, digits: Int = 32) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }
}
