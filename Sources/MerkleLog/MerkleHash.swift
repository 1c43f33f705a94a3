// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto

/// A SHA-256 value: an entry, a leaf hash, an interior node or a root.
///
/// - Shape: 32 bytes stored inline, in four words that hold the bytes in memory order; copying never allocates.
public struct MerkleHash: Sendable, Hashable {
    /// How many bytes each hash has.
    public static let byteCount = 32

    // Memory order, not numeric order: only `withUnsafeBytes` gives them meaning.
    private let word0, word1, word2, word3: UInt64

    /// Takes exactly 32 bytes; any other count gives `nil`.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        let contiguous = bytes.withContiguousStorageIfAvailable { MerkleHash(raw: UnsafeRawBufferPointer($0)) }
        self = contiguous ?? Array(bytes).withUnsafeBytes { MerkleHash(raw: $0) }
    }

    /// Keeps the 32 bytes of a digest.
    public init(_ digest: SHA256.Digest) {
        self = digest.withUnsafeBytes { MerkleHash(raw: $0) }
    }

    /// Reads standard, padded, canonical base64 (RFC 4648 section 4) of 32 bytes; anything else gives `nil`.
    public init?(base64: String) {
        self.init(base64Bytes: base64.utf8)
    }

    init?(base64Bytes: some Collection<UInt8>) {
        guard base64Bytes.count == 44, let bytes = Base64.decode(base64Bytes) else { return nil }
        self.init(bytes: bytes)
    }

    private init(raw: UnsafeRawBufferPointer) {
        word0 = raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
        word1 = raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        word2 = raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        word3 = raw.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
    }

    /// Lends the 32 bytes for the duration of a call.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try Swift.withUnsafeBytes(of: self, body)
    }

    /// A copy of the 32 bytes.
    public var bytes: [UInt8] {
        withUnsafeBytes { Array($0) }
    }

    /// Standard padded base64, 44 characters.
    public var base64: String {
        Base64.encode(bytes)
    }
}

extension MerkleHash: CustomStringConvertible {
    /// Lowercase hexadecimal, 64 characters.
    public var description: String {
        let digits = Array("0123456789abcdef".utf8)
        let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }
}
