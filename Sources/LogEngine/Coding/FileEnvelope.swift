// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CZlib
import Crypto
import Foundation
import KeyManagement

/// The opening of every encrypted file, and the sealing of its frames.
///
/// ```
/// magic (8) · wrapped key length (u16) · file id (16) · wrapped data key · CRC-32 of all before (u32)
/// ```
/// Each file has a data key of its own, wrapped by a key of the service and bound to magic and file id. Source:
/// docs/formats/envelope.md.
public struct FileEnvelope: Sendable {
    public static let maximumSize = 8 + 2 + 16 + 1024 + 4
    /// With the wrapped key of version 1.
    static let usualSize = 8 + 2 + 16 + 77 + 4

    public let header: [UInt8]
    public let fileID: [UInt8]
    private let key: SymmetricKey

    /// A fresh envelope with a fresh key.
    public init(magic: StaticString, key: some DataKeyWrapper) throws {
        let magicBytes = magic.withUTF8Buffer { Array($0) }
        precondition(magicBytes.count == 8)
        var random = SystemRandomNumberGenerator()
        let id = (0..<2).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } }
        let dataKey = try key.newDataKey(context: magicBytes + id)
        var writer = ByteWriter(bytes: magicBytes)
        writer.put(UInt16(dataKey.wrapped.count))
        writer.bytes += id + dataKey.wrapped
        writer.put(Self.checksum(writer.bytes))
        header = writer.bytes
        fileID = id
        self.key = dataKey.key
    }

    /// An envelope of known parts, for the worked examples of docs/formats.
    package init(header: [UInt8], key: SymmetricKey) {
        self.header = header
        fileID = Array(header[10..<26])
        self.key = key
    }

    /// Reads an envelope from the first bytes of a file.
    ///
    /// - Throws: ``FormatError``; `.notAuthentic` if the header is whole but belongs to another key; `KeyError` if the key
    ///   cannot be used now, which says nothing about the file.
    public init(reading prefix: [UInt8], magic: StaticString, key: some DataKeyWrapper) throws {
        let magicBytes = magic.withUTF8Buffer { Array($0) }
        guard prefix.count >= 26 else { throw FormatError.truncated }
        guard prefix.starts(with: magicBytes) else { throw FormatError.badMagic }
        let wrappedCount = Int(prefix[8]) | Int(prefix[9]) << 8
        let end = 26 + wrappedCount
        guard prefix.count >= end + 4 else { throw FormatError.truncated }
        header = Array(prefix[..<(end + 4)])
        fileID = Array(prefix[10..<26])
        var stored = ByteWriter()
        stored.put(Self.checksum(Array(prefix[..<end])))
        guard prefix[end..<end + 4].elementsEqual(stored.bytes) else { throw FormatError.badChecksum }
        do { self.key = try key.unwrap(prefix[26..<end], context: magicBytes + fileID) } catch KeyError.cannotUnwrap {
            throw FormatError.notAuthentic
        }
    }

    /// For files that hold one sealed piece: their key is used once.
    public static let onlyNonce = try! AES.GCM.Nonce(data: [UInt8](repeating: 0, count: 12))

    /// - Parameter nonce: unique under this file's key: random for files that grow, the block's number for files
    ///   written in one go.
    /// - Returns: ciphertext ‖ tag (16).
    public func seal(_ plain: some DataProtocol, nonce: AES.GCM.Nonce, authenticating extra: [UInt8]) -> Data {
        // The only failures are of sizes beyond 2^36 bytes.
        let box = try! AES.GCM.seal(plain, using: key, nonce: nonce, authenticating: fileID + extra)
        return box.ciphertext + box.tag
    }

    public func open(_ sealed: ArraySlice<UInt8>, nonce: AES.GCM.Nonce, authenticating extra: [UInt8]) throws(FormatError)
        -> Data
    {
        guard sealed.count >= 16 else { throw .truncated }
        guard
            let box = try? AES.GCM.SealedBox(
                nonce: nonce, ciphertext: sealed.dropLast(16), tag: sealed.suffix(16)),
            let plain = try? AES.GCM.open(box, using: key, authenticating: fileID + extra)
        else { throw .notAuthentic }
        return plain
    }

    package static func checksum(_ bytes: [UInt8]) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32(0, bytes, UInt32(bytes.count)))
    }
}
