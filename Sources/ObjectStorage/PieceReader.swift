// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import LogEngine

/// Reads a range of one file of an object, chunk by chunk.
///
/// Chunks are read some at a time; between those the key is asked again, so that a customer's key which was disabled
/// opens nothing more.
struct PieceReader {
    private static let batch: Int64 = 16
    private static let chunkSize = Int64(PieceCipher.chunkSize)

    private let file: any ReadableFile
    private let fileSize: Int64
    private let prefix: [UInt8]
    private let sealing: ObjectKeys.Sealing
    private let name: String
    private var cipher: PieceCipher
    /// Where to go on, and where to end, in the piece.
    private var position: Int64
    private let end: Int64
    /// What was read and not yet opened.
    private var sealed: ArraySlice<UInt8> = []

    /// The piece is not what was written, from this offset in it on.
    struct Damage: Error {
        var offset: Int64
    }

    /// - Throws: ``Damage``, `DiskError`, what the key throws.
    init(
        _ piece: StoredObject.Piece, range: Range<Int64>, in bucket: String, files: ObjectFiles, sealing: ObjectKeys.Sealing
    ) throws {
        file = try files.disk.openForReading(files.path(bucket, piece.file))
        fileSize = Int64(clamping: try file.size)
        prefix = try file.read(count: Int(min(fileSize, Int64(PieceCipher.maximumHeader))), at: 0)
        self.sealing = sealing
        name = piece.file
        cipher = try Self.open(prefix, sealing, name, at: 0)
        guard fileSize == cipher.fileSize(piece.size) else {
            // Cut short or longer: everything before the end that is there may well be whole.
            throw Damage(offset: min(piece.size, max(0, fileSize - Int64(cipher.header.count))))
        }
        position = range.lowerBound
        end = range.upperBound
    }

    private static func open(_ prefix: [UInt8], _ sealing: ObjectKeys.Sealing, _ name: String, at offset: Int64) throws
        -> PieceCipher
    {
        do { return try PieceCipher(reading: prefix, sealing, name: name) } catch {
            guard error is FormatError else { throw error }
            throw Damage(offset: offset)
        }
    }

    /// The next bytes, at most a chunk; nil at the end of the range.
    mutating func next() throws -> Data? {
        guard position < end else { return nil }
        let chunk = position / Self.chunkSize
        let start = chunk * Self.chunkSize
        if sealed.isEmpty { try fill(from: chunk) }
        let count = min(sealed.count, PieceCipher.chunkSize + PieceCipher.tagSize)
        guard let plain = try? cipher.open(sealed.prefix(count), number: chunk) else { throw Damage(offset: start) }
        sealed = sealed.dropFirst(count)
        let upper = min(end, start + Int64(plain.count))
        guard position < upper else { throw Damage(offset: start) }
        defer { position = upper }
        if position == start && upper == start + Int64(plain.count) { return plain }
        return plain.dropFirst(Int(position - start)).prefix(Int(upper - position))
    }

    private mutating func fill(from chunk: Int64) throws {
        if sealing.keyId != nil { cipher = try Self.open(prefix, sealing, name, at: position) }
        let last = min((end - 1) / Self.chunkSize, chunk + Self.batch - 1)
        let offset = cipher.offset(ofChunk: chunk)
        let stop = min(cipher.offset(ofChunk: last + 1), fileSize)
        guard let bytes = try? file.read(count: Int(stop - offset), at: UInt64(offset)) else {
            throw Damage(offset: chunk * Self.chunkSize)
        }
        sealed = bytes[...]
    }
}
