// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

/// Time-based one-time passwords: RFC 6238 with SHA-1, 30 seconds and six digits, as every authenticator has them.
package enum OneTimePassword {
    package static let stepSeconds: Int64 = 30
    /// How many steps a device's clock may be off.
    static let drift: Int64 = 1

    package static func code(seed: some Sequence<UInt8>, step: Int64) -> String {
        let counter = withUnsafeBytes(of: UInt64(bitPattern: step).bigEndian) { Array($0) }
        let mac = Array(
            HMAC<Insecure.SHA1>.authenticationCode(for: counter, using: SymmetricKey(data: Array(seed))))
        let offset = Int(mac[19] & 0xf)
        let number = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
        let digits = String(number % 1_000_000)
        return String(repeating: "0", count: 6 - digits.count) + digits
    }

    /// The step whose code it is, at about this time and after the last one that was used; nil if there is none.
    static func step(of code: String, seed: some Sequence<UInt8>, at seconds: Int64, after used: Int64) -> Int64? {
        let now = seconds / stepSeconds
        var found: Int64?
        for step in now - drift...now + drift where ConstantTime.equal(self.code(seed: seed, step: step), code) && step > used {
            found = step
        }
        return found
    }

    /// RFC 4648, without padding.
    package static func base32(_ bytes: some Collection<UInt8>) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        var text: [UInt8] = []
        var bits = 0
        var value: UInt32 = 0
        for byte in bytes {
            value = value << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(alphabet[Int(value >> UInt32(bits)) & 31])
            }
            value &= (1 << UInt32(bits)) - 1
        }
        if bits > 0 { text.append(alphabet[Int(value << UInt32(5 - bits)) & 31]) }
        return String(decoding: text, as: UTF8.self)
    }
}
