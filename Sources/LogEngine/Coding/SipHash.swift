// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// SipHash-c-d, keyed: term hashes reveal nothing of the terms without the store's key, and nobody can aim for a
/// collision.
///
/// - Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012). The store uses 1-3; the published
///   vectors of 2-4 hold the code.
public struct SipHash: Sendable {
    private let k0: UInt64
    private let k1: UInt64
    private let compressionRounds: Int
    private let finalRounds: Int

    public init(_ k0: UInt64, _ k1: UInt64, compressionRounds: Int = 1, finalRounds: Int = 3) {
        self.k0 = k0
        self.k1 = k1
        self.compressionRounds = compressionRounds
        self.finalRounds = finalRounds
    }

    /// - Parameter tweak: changes the second key half; a cheap way to hash within a numbered domain.
    public func hash(_ bytes: UnsafeRawBufferPointer, tweak: UInt64 = 0) -> UInt64 {
        let k1 = self.k1 ^ tweak
        var v0 = k0 ^ 0x736f_6d65_7073_6575
        var v1 = k1 ^ 0x646f_7261_6e64_6f6d
        var v2 = k0 ^ 0x6c79_6765_6e65_7261
        var v3 = k1 ^ 0x7465_6462_7974_6573

        @inline(__always) func round() {
            v0 &+= v1
            v1 = (v1 << 13 | v1 >> 51) ^ v0
            v0 = v0 << 32 | v0 >> 32
            v2 &+= v3
            v3 = (v3 << 16 | v3 >> 48) ^ v2
            v0 &+= v3
            v3 = (v3 << 21 | v3 >> 43) ^ v0
            v2 &+= v1
            v1 = (v1 << 17 | v1 >> 47) ^ v2
            v2 = v2 << 32 | v2 >> 32
        }

        var offset = 0
        let whole = bytes.count & ~7
        while offset < whole {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            v3 ^= word
            for _ in 0..<compressionRounds { round() }
            v0 ^= word
            offset += 8
        }
        var last = UInt64(truncatingIfNeeded: bytes.count) << 56
        var shift: UInt64 = 0
        while offset < bytes.count {
            last |= UInt64(bytes[offset]) << shift
            shift += 8
            offset += 1
        }
        v3 ^= last
        for _ in 0..<compressionRounds { round() }
        v0 ^= last
        v2 ^= 0xff
        for _ in 0..<finalRounds { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }
}

/// Hashes the values of one account's fields.
///
/// The account is part of every hash, so one account's terms never meet another's.
public struct TermHasher: Sendable {
    private let sip: SipHash

    public init(store: SipHash, account: String) {
        var account = account
        let seed = account.withUTF8 { store.hash(UnsafeRawBufferPointer($0)) }
        sip = SipHash(seed, seed &* 0x9E37_79B9_7F4A_7C15 | 1)
    }

    public func hash(field: UInt8, value: UnsafeRawBufferPointer) -> UInt64 {
        sip.hash(value, tweak: UInt64(field) << 56)
    }

    public func hash(field: UInt8, value: String) -> UInt64 {
        var value = value
        return value.withUTF8 { hash(field: field, value: UnsafeRawBufferPointer($0)) }
    }
}
