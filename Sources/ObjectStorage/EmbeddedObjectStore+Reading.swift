// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation

/// Reading content back: a range opens only the files and chunks it needs.
extension EmbeddedObjectStore {
    /// Reads part of an object; replacing or deleting it meanwhile does no harm.
    ///
    /// - Throws: `.objectDamaged` naming the place, if what is stored is not what was written; what the customer's key
    ///   throws; what `sink` throws.
    public func read(_ object: StoredObject, range: Range<Int64>, into sink: (Data) async throws -> Void) async throws {
        let sealing = try sealing(of: object)
        let parts = try parts(of: object, range)
        try await files.reading(parts.map(\.piece.file), bucket: object.bucket) {
            for part in parts {
                try await withDamage(of: object, part) {
                    var reader = try PieceReader(
                        part.piece, range: part.range, in: object.bucket, files: files, sealing: sealing)
                    while let bytes = try reader.next() { try await sink(bytes) }
                }
            }
        }
    }

    /// How its files are sealed; asks for the bucket only if a customer's key is concerned.
    func sealing(of object: StoredObject) throws -> ObjectKeys.Sealing {
        try keys.sealing(object.encryption, keyId: object.keyId) { try requiredBucket(object.bucket).owner }
    }

    private struct Part {
        var piece: StoredObject.Piece
        /// Where the piece begins in the object.
        var start: Int64
        /// In the piece.
        var range: Range<Int64>
    }

    private func parts(of object: StoredObject, _ range: Range<Int64>) throws -> [Part] {
        let range = range.clamped(to: 0..<object.size)
        var parts: [Part] = []
        var start: Int64 = 0
        for piece in try table.pieces(of: object, in: metadata) {
            let part = range.clamped(to: start..<start + piece.size)
            // An empty object has no chunk; its header is looked at all the same.
            if !part.isEmpty || object.size == 0 {
                parts.append(Part(piece: piece, start: start, range: part.lowerBound - start..<part.upperBound - start))
            }
            start += piece.size
        }
        guard start == object.size else { throw ObjectError.rowDamaged(bucket: object.bucket, key: object.key) }
        return parts
    }

    private func withDamage(of object: StoredObject, _ part: Part, _ body: () async throws -> Void) async throws {
        do { try await body() } catch let damage as PieceReader.Damage {
            throw ObjectError.objectDamaged(bucket: object.bucket, key: object.key, offset: part.start + damage.offset)
        } catch let error as DiskError {
            // Replaced or deleted since the row was read, or lost.
            guard error.code == .notFound, try isNamed(part.piece.file, by: object) else { throw error }
            throw ObjectError.objectDamaged(bucket: object.bucket, key: object.key, offset: part.start)
        }
    }

    private func isNamed(_ file: String, by object: StoredObject) throws -> Bool {
        guard case .object(let now) = try lookup(bucket: object.bucket, key: object.key, versionId: object.versionId) else {
            return false
        }
        return try table.pieces(of: now, in: metadata).contains { $0.file == file }
    }
}
