// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto

/// A SHA-256, kept inline.
public struct EventDigest: Hashable, Sendable {
    public static let byteCount = 32

    // Four words in memory order; their value has no meaning of its own.
    private var words: (UInt64, UInt64, UInt64, UInt64)

    /// The digest of `data`.
    public init(hashing data: UnsafeRawBufferPointer) {
        var hasher = SHA256()
        hasher.update(bufferPointer: data)
        words = (0, 0, 0, 0)
        let digest = hasher.finalize()
        withUnsafeMutableBytes(of: &words) { target in
            digest.withUnsafeBytes { target.copyMemory(from: $0) }
        }
    }

    /// A digest that was computed before; nil unless there are exactly 32 bytes.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        words = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    }

    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var copy = words
        return try Swift.withUnsafeBytes(of: &copy, body)
    }

    public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    public static func == (left: Self, right: Self) -> Bool { left.words == right.words }

    public func hash(into hasher: inout Hasher) {
        // A cryptographic hash is uniform already: one word tells as much as four.
        hasher.combine(words.0)
    }
}

extension EventDigest: CustomStringConvertible {
    /// Lower-case hexadecimal.
    public var description: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
