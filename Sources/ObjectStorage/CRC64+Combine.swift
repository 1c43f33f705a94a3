// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension CRC64 {
    /// The checksum of `first` followed by `second`, from the checksums of both: a prefix of n bytes multiplies by
    /// x^8n over GF(2), so a product modulo the polynomial replaces reading the content again. Source: oss.md section 9.
    ///
    /// - Parameter secondLength: bytes of `second`.
    public static func combine(_ first: UInt64, _ second: UInt64, secondLength: Int64) -> UInt64 {
        var power = one
        var rest = UInt64(secondLength)
        // The exponent in bits is eight times the length.
        var bit = 3
        while rest != 0 {
            if rest & 1 == 1 { power = product(powers[bit], power) }
            rest >>= 1
            bit += 1
        }
        return product(power, first) ^ second
    }

    /// x^0; bits are reflected, the highest is the lowest power.
    private static let one: UInt64 = 1 << 63

    /// x^(2^n) modulo the polynomial.
    private static let powers: [UInt64] = {
        var powers = [one >> 1]
        for _ in 1..<(64 + 3) { powers.append(product(powers.last!, powers.last!)) }
        return powers
    }()

    private static func product(_ left: UInt64, _ right: UInt64) -> UInt64 {
        var result: UInt64 = 0
        var multiple = right
        var mask = one
        while mask != 0 {
            if left & mask != 0 { result ^= multiple }
            multiple = multiple & 1 == 1 ? multiple >> 1 ^ polynomial : multiple >> 1
            mask >>= 1
        }
        return result
    }
}
