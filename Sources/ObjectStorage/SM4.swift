// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The block cipher SM4 (GB/T 32907-2016), in counter mode: for objects that ask for SM4 by name.
///
/// Table lookups, so not constant in time against whoever shares the processor's caches: AES is the default for a reason.
package struct SM4: Sendable {
    private let roundKeys: [UInt32]

    /// - Parameter key: 16 bytes.
    package init(key: [UInt8]) {
        precondition(key.count == 16)
        let system: [UInt32] = [0xA3B1_BAC6, 0x56AA_3350, 0x677D_9197, 0xB270_22DC]
        var words = (0..<4).map { index in
            key[index * 4..<index * 4 + 4].reduce(0 as UInt32) { $0 << 8 | UInt32($1) } ^ system[index]
        }
        roundKeys = (0..<32).map { round in
            // The constants are (4 · round + byte) · 7, one byte after another.
            let constant = (0..<4).reduce(0 as UInt32) { $0 << 8 | UInt32((4 * round + $1) * 7 & 0xFF) }
            let mixed = Self.substituted(words[1] ^ words[2] ^ words[3] ^ constant)
            let next = words[0] ^ mixed ^ rotated(mixed, 13) ^ rotated(mixed, 23)
            words = [words[1], words[2], words[3], next]
            return next
        }
    }

    /// Adds the key stream of one chunk; the same call takes it away again.
    ///
    /// - Parameter block: number of the chunk; the counter block is `block` ‖ number of 16 bytes within it, both
    ///   64 bits, big-endian.
    package func applyCounterMode(_ bytes: UnsafeMutableRawBufferPointer, block: UInt64) {
        Self.tables.withUnsafeBufferPointer { tables in
            roundKeys.withUnsafeBufferPointer { keys in
                var offset = 0
                var counter: UInt64 = 0
                while offset < bytes.count {
                    let stream = Self.encrypt(block, counter, keys, tables)
                    if offset + 16 <= bytes.count {
                        for half in 0..<2 {
                            let place = offset + half * 8
                            let word = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                            let key = half == 0 ? stream.0.bigEndian : stream.1.bigEndian
                            bytes.storeBytes(of: word ^ key, toByteOffset: place, as: UInt64.self)
                        }
                    } else {
                        for index in offset..<bytes.count {
                            let half = index - offset < 8 ? stream.0 : stream.1
                            bytes[index] ^= UInt8(truncatingIfNeeded: half >> UInt64(56 - (index - offset) % 8 * 8))
                        }
                    }
                    offset += 16
                    counter += 1
                }
            }
        }
    }

    /// One block.
    package func encrypt(_ high: UInt64, _ low: UInt64) -> (UInt64, UInt64) {
        Self.tables.withUnsafeBufferPointer { tables in
            roundKeys.withUnsafeBufferPointer { Self.encrypt(high, low, $0, tables) }
        }
    }

    private static func encrypt(
        _ high: UInt64, _ low: UInt64, _ keys: UnsafeBufferPointer<UInt32>, _ tables: UnsafeBufferPointer<UInt32>
    ) -> (UInt64, UInt64) {
        var a = UInt32(truncatingIfNeeded: high >> 32)
        var b = UInt32(truncatingIfNeeded: high)
        var c = UInt32(truncatingIfNeeded: low >> 32)
        var d = UInt32(truncatingIfNeeded: low)
        for round in 0..<32 {
            let input = b ^ c ^ d ^ keys[round]
            let next =
                a ^ tables[Int(input >> 24)] ^ tables[256 + Int(input >> 16 & 0xFF)]
                ^ tables[512 + Int(input >> 8 & 0xFF)] ^ tables[768 + Int(input & 0xFF)]
            (a, b, c, d) = (b, c, d, next)
        }
        return (UInt64(d) << 32 | UInt64(c), UInt64(b) << 32 | UInt64(a))
    }

    // MARK: Tables

    private static let substitution: [UInt8] = {
        func product(_ left: Int, _ right: Int) -> Int {
            (0..<8).reduce((result: 0, multiple: left)) { state, bit in
                let multiple = state.multiple << 1
                return (
                    state.result ^ (right >> bit & 1) * state.multiple, multiple & 0x100 == 0 ? multiple : multiple ^ 0x1F5
                )
            }.result
        }
        /// The circulant matrix of 0xA7, and 0xD3 added.
        func affine(_ input: Int) -> Int {
            (0..<8).reduce(0xD3) { result, row in
                let mask = (0xA7 << row | 0xA7 >> (8 - row)) & 0xFF
                return result ^ ((mask & input).nonzeroBitCount & 1) << row
            }
        }
        var inverse = [Int](repeating: 0, count: 256)
        for left in 1..<256 {
            for right in left..<256 where product(left, right) == 1 {
                inverse[left] = right
                inverse[right] = left
            }
        }
        return (0..<256).map { UInt8(affine(inverse[affine($0)])) }
    }()

    /// Substitution and mixing of one byte in each of the four places.
    private static let tables: [UInt32] = (0..<4).flatMap { place in
        substitution.map { byte in
            let word = UInt32(byte) << UInt32(24 - place * 8)
            return word ^ rotated(word, 2) ^ rotated(word, 10) ^ rotated(word, 18) ^ rotated(word, 24)
        }
    }

    private static func substituted(_ word: UInt32) -> UInt32 {
        (0..<4).reduce(0 as UInt32) { $0 << 8 | UInt32(substitution[Int(word >> UInt32(24 - $1 * 8) & 0xFF)]) }
    }
}

private func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word << count | word >> (32 - count) }
