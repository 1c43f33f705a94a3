// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import KeyManagement
import LogEngine

/// Seals and opens the chunks of one file. Source: docs/formats/object.md.
///
/// AES: AES-256-GCM under the file's data key. SM4: SM4 in counter mode, then HMAC-SHA-256 cut to 16 bytes, under two keys
/// that are sealed behind the envelope.
struct PieceCipher {
    /// Plain bytes in a chunk; each is sealed alone, so that a range opens only what it needs.
    static let chunkSize = 64 << 10
    static let tagSize = 16
    private static let magicAES: StaticString = "CRNOBJT1"
    private static let magicSM4: StaticString = "CRNOSM41"
    /// Number of the piece that holds SM4's keys; no chunk has it.
    private static let keysNumber = UInt64.max
    private static let sm4KeysSize = 16 + 32

    /// Everything before chunk 0.
    let header: [UInt8]
    private let envelope: FileEnvelope
    private let binding: [UInt8]
    private let sm4: (cipher: SM4, mac: SymmetricKey)?

    /// A fresh cipher with fresh keys for the file `name`.
    init(_ sealing: ObjectKeys.Sealing, name: String) throws {
        binding = Array(name.utf8)
        let key = WatchedKey(sealing.wrapper)
        switch sealing.cipher {
        case .aes256:
            envelope = try FileEnvelope(magic: Self.magicAES, key: key)
            header = envelope.header
            sm4 = nil
        case .sm4:
            envelope = try FileEnvelope(magic: Self.magicSM4, key: key)
            var random = SystemRandomNumberGenerator()
            let keys = (0..<Self.sm4KeysSize).map { _ in UInt8.random(in: 0...255, using: &random) }
            header = envelope.header + envelope.seal(keys, nonce: Self.nonce(Self.keysNumber), authenticating: binding)
            sm4 = Self.sm4(keys)
        }
    }

    /// The most bytes a header can have.
    static let maximumHeader = FileEnvelope.maximumSize + sm4KeysSize + tagSize

    /// Reads a file's header.
    ///
    /// - Parameter prefix: the file's first ``maximumHeader`` bytes, or all of it.
    /// - Throws: what the key throws if it may not be used; ``FormatError`` for damage.
    init(reading prefix: [UInt8], _ sealing: ObjectKeys.Sealing, name: String) throws {
        binding = Array(name.utf8)
        let key = WatchedKey(sealing.wrapper)
        do {
            envelope = try FileEnvelope(
                reading: prefix, magic: sealing.cipher == .sm4 ? Self.magicSM4 : Self.magicAES, key: key)
        } catch { throw key.refusal ?? error }
        guard sealing.cipher == .sm4 else {
            header = envelope.header
            sm4 = nil
            return
        }
        let end = envelope.header.count + Self.sm4KeysSize + Self.tagSize
        guard prefix.count >= end else { throw FormatError.truncated }
        let keys = try envelope.open(
            prefix[envelope.header.count..<end], nonce: Self.nonce(Self.keysNumber), authenticating: binding)
        header = Array(prefix[..<end])
        sm4 = Self.sm4([UInt8](keys))
    }

    private static func sm4(_ keys: [UInt8]) -> (cipher: SM4, mac: SymmetricKey) {
        (SM4(key: Array(keys.prefix(16))), SymmetricKey(data: keys.dropFirst(16)))
    }

    private static func nonce(_ number: UInt64) -> AES.GCM.Nonce {
        let bytes = withUnsafeBytes(of: number.littleEndian) { Array($0) } + [0, 0, 0, 0]
        return try! AES.GCM.Nonce(data: bytes)
    }

    /// Bytes of a file with `size` plain bytes.
    func fileSize(_ size: Int64) -> Int64 {
        let chunk = Int64(Self.chunkSize)
        return Int64(header.count) + size + (size + chunk - 1) / chunk * Int64(Self.tagSize)
    }

    func offset(ofChunk number: Int64) -> Int64 {
        Int64(header.count) + number * Int64(Self.chunkSize + Self.tagSize)
    }

    func seal(_ chunk: UnsafeRawBufferPointer, number: Int64) -> Data {
        guard let sm4 else {
            return envelope.seal(chunk, nonce: Self.nonce(UInt64(number)), authenticating: binding)
        }
        var sealed = Data(chunk)
        sealed.withUnsafeMutableBytes { sm4.cipher.applyCounterMode($0, block: UInt64(number)) }
        sealed.append(contentsOf: tag(sealed, number, sm4.mac))
        return sealed
    }

    func open(_ sealed: ArraySlice<UInt8>, number: Int64) throws -> Data {
        guard let sm4 else {
            return try envelope.open(sealed, nonce: Self.nonce(UInt64(number)), authenticating: binding)
        }
        guard sealed.count >= Self.tagSize else { throw FormatError.truncated }
        var plain = Data(sealed.dropLast(Self.tagSize))
        let expected = tag(plain, number, sm4.mac)
        let difference = zip(expected, sealed.suffix(Self.tagSize)).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) }
        guard difference == 0 else { throw FormatError.notAuthentic }
        plain.withUnsafeMutableBytes { sm4.cipher.applyCounterMode($0, block: UInt64(number)) }
        return plain
    }

    private func tag(_ sealed: Data, _ number: Int64, _ key: SymmetricKey) -> some Sequence<UInt8> {
        var mac = HMAC<SHA256>(key: key)
        mac.update(data: envelope.fileID + binding)
        mac.update(data: withUnsafeBytes(of: UInt64(number).littleEndian) { Array($0) })
        mac.update(data: sealed)
        return Array(mac.finalize()).prefix(Self.tagSize)
    }
}
