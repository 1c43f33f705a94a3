// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The SM3 hash, which the SDKs offer as an alternative to SHA-256 (`ACS3-HMAC-SM3`).
///
/// Source: GB/T 32905-2016; names of constants and functions are the standard's. Check values: section A of the
/// standard, and actiontrail.md section 3.5 for "abc".
package enum SM3 {
    package static let blockByteCount = 64

    package static func hash(_ message: [UInt8]) -> [UInt8] {
        var v: [UInt32] = [
            0x7380_166f, 0x4914_b2b9, 0x1724_42d7, 0xda8a_0600, 0xa96f_30bc, 0x1631_38aa, 0xe38d_ee4d, 0xb0fb_0e4e,
        ]
        let wholeBytes = message.count / blockByteCount * blockByteCount
        for start in stride(from: 0, to: wholeBytes, by: blockByteCount) {
            compress(&v, message[start..<(start + blockByteCount)])
        }
        var tail = Array(message[wholeBytes...])
        tail.append(0x80)
        while tail.count % blockByteCount != blockByteCount - 8 { tail.append(0) }
        let bitCount = UInt64(message.count) * 8
        tail += (0..<8).map { UInt8(truncatingIfNeeded: bitCount >> (56 - 8 * UInt64($0))) }
        for start in stride(from: 0, to: tail.count, by: blockByteCount) {
            compress(&v, tail[start..<(start + blockByteCount)])
        }
        return v.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * UInt32($0))) } }
    }

    private static func compress(_ v: inout [UInt32], _ block: ArraySlice<UInt8>) {
        var w = [UInt32](repeating: 0, count: 68)
        for (place, byte) in block.enumerated() { w[place / 4] = w[place / 4] << 8 | UInt32(byte) }
        for j in 16..<68 {
            let x = w[j - 16] ^ w[j - 9] ^ rotate(w[j - 3], 15)
            w[j] = x ^ rotate(x, 15) ^ rotate(x, 23) ^ rotate(w[j - 13], 7) ^ w[j - 6]
        }
        var (a, b, c, d, e, f, g, h) = (v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7])
        for j in 0..<64 {
            let t: UInt32 = j < 16 ? 0x79cc_4519 : 0x7a87_9d8a
            let ss1 = rotate(rotate(a, 12) &+ e &+ rotate(t, j % 32), 7)
            let ss2 = ss1 ^ rotate(a, 12)
            let ff = j < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c)
            let gg = j < 16 ? e ^ f ^ g : (e & f) | (~e & g)
            let tt1 = ff &+ d &+ ss2 &+ (w[j] ^ w[j + 4])
            let tt2 = gg &+ h &+ ss1 &+ w[j]
            (d, c, b, a) = (c, rotate(b, 9), a, tt1)
            (h, g, f, e) = (g, rotate(f, 19), e, tt2 ^ rotate(tt2, 9) ^ rotate(tt2, 17))
        }
        for (place, word) in [a, b, c, d, e, f, g, h].enumerated() { v[place] ^= word }
    }

    private static func rotate(_ word: UInt32, _ count: Int) -> UInt32 {
        count == 0 ? word : word << UInt32(count) | word >> UInt32(32 - count)
    }
}
