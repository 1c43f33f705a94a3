// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Objects that grow. Source: oss.md section 12, AppendObject.
///
/// No file is ever written twice: an append is a file of its own. When the last two files are of a size, or grow towards the
/// end, the next append takes them, and what before them is no larger, into its own file. So an object has about log n
/// files besides its large ones, and each byte is written about log n times.
extension EmbeddedObjectStore {
    /// Files of this size are left alone.
    private static let settledSize: Int64 = 64 << 20

    /// Begins an append at `position`, which is the object's length; at 0 it makes the object, and only then attributes
    /// and options count.
    ///
    /// - Throws: `.noSuchBucket`, `.invalidKey`, `.positionNotEqualToLength`, `.objectNotAppendable`, `.objectImmutable`: now
    ///   and again at `finish`; what the customer's key throws.
    public func beginAppend(
        bucket name: String, key: String, position: Int64, attributes: ObjectAttributes, options: PutOptions = .init()
    ) throws -> ObjectWriter {
        let bucket = try requiredBucket(name)
        try Self.check(key: key)
        try table.checkPut(bucket: bucket, key: key, forbidsOverwrite: false, in: metadata)
        guard let base = try object(bucket: name, key: key) else {
            guard position == 0 else { throw ObjectError.positionNotEqualToLength(key: key, length: 0) }
            return try beginFirst(bucket: bucket, key: key, attributes: attributes, options: options)
        }
        guard base.type == .appendable else { throw ObjectError.objectNotAppendable(key: key) }
        guard position == base.size else { throw ObjectError.positionNotEqualToLength(key: key, length: base.size) }
        let sealing = try sealing(of: base)
        let piece = try PieceWriter(store: self, bucket: name, sealing: sealing)
        var kept = try table.pieces(of: base, in: metadata)
        let merged = Self.tail(kept)
        do {
            for old in kept.suffix(merged) {
                var reader = try PieceReader(old, range: 0..<old.size, in: name, files: files, sealing: sealing)
                while let bytes = try reader.next() { try bytes.withUnsafeBytes { try piece.append($0) } }
            }
        } catch is PieceReader.Damage {
            throw ObjectError.objectDamaged(
                bucket: name, key: key, offset: kept.dropLast(merged).reduce(0) { $0 + $1.size })
        }
        kept.removeLast(merged)
        return ContentWriter(key: key, piece: piece) { [self, kept] written in
            var object = base
            object.pieces = kept + [written.piece]
            object.size = base.size + written.size
            object.crc64 = CRC64.combine(base.crc64, written.crc64, secondLength: written.size)
            object.etag = Self.etag(object)
            object.modifiedAt = now()
            do { return try commit(.rewrite(object, base: base), bucket: name, key: key) } catch let conflict
                as ObjectTable.Conflict
            {
                throw ObjectError.positionNotEqualToLength(key: key, length: conflict.current?.size ?? 0)
            }
        }
    }

    private func beginFirst(bucket: Bucket, key: String, attributes: ObjectAttributes, options: PutOptions) throws
        -> ObjectWriter
    {
        let sealing = try keys.sealing(options.encryption ?? bucket.encryption, account: bucket.owner)
        let piece = try PieceWriter(store: self, bucket: bucket.name, sealing: sealing)
        return ContentWriter(key: key, piece: piece) { [self] written in
            var object = newObject(
                .appendable, bucket: bucket, key: key, attributes: attributes, options: options, sealing: sealing,
                pieces: [written.piece])
            object.crc64 = written.crc64
            object.etag = Self.etag(object)
            do { return try commit(.put(object, forbidsOverwrite: true), bucket: bucket.name, key: key) } catch {
                guard case ObjectError.objectAlreadyExists? = error as? ObjectError else { throw error }
                // Another first append was quicker.
                let current = try self.object(bucket: bucket.name, key: key)
                throw ObjectError.positionNotEqualToLength(key: key, length: current?.size ?? 0)
            }
        }
    }

    /// How many files at the end the next append takes into its own.
    static func tail(_ pieces: [StoredObject.Piece]) -> Int {
        guard pieces.count > 1, pieces[pieces.count - 2].size <= pieces[pieces.count - 1].size else { return 0 }
        var count = 0
        var sum: Int64 = 0
        for piece in pieces.reversed() {
            guard piece.size < settledSize, count == 0 || piece.size <= sum else { break }
            count += 1
            sum += piece.size
        }
        return count
    }

    /// Opaque, and another for other content: MD5 cannot be carried on over appends.
    private static func etag(_ object: StoredObject) -> String {
        ObjectTable.hex(object.crc64) + ObjectTable.hex(UInt64(object.size))
    }
}
