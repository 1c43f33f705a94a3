// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import Metadata

/// Multipart uploads: each part is a file, encrypted as it arrives; completing names the files in order and moves no
/// content. Source: oss.md section 13.
extension EmbeddedObjectStore {
    /// - Throws: `.noSuchBucket`, `.invalidKey`, `.objectAlreadyExists`; what the customer's key throws.
    public func beginMultipart(
        bucket name: String, key: String, attributes: ObjectAttributes, options: PutOptions = .init()
    ) throws -> MultipartUpload {
        let bucket = try requiredBucket(name)
        try Self.check(key: key)
        if options.forbidsOverwrite && bucket.versioning == nil, try object(bucket: name, key: key) != nil {
            throw ObjectError.objectAlreadyExists(key: key)
        }
        // Encryption and attributes are those of this moment, whatever the bucket's rule is when it is completed.
        let sealing = try keys.sealing(options.encryption ?? bucket.encryption, account: bucket.owner)
        var options = options
        options.encryption = sealing.choice
        options.storageClass = options.storageClass ?? bucket.storageClass
        let upload = MultipartUpload(
            bucket: name, key: key, uploadId: Data((0..<16).map { _ in UInt8.random(in: 0...255) }).upperHex,
            initiatedAt: now(), attributes: attributes, options: options, keyId: sealing.keyId, initiatedFrom: clock.now)
        try metadata.transact { transaction in
            _ = try table.bucketRow(name, in: transaction)
            try transaction.put(upload, at: RowPath.upload(name, key, upload.uploadId), sealedBy: rows)
            try table.countUploads(1, bucket: name, in: transaction)
        }
        return upload
    }

    /// - Throws: `.noSuchUpload`, also if it is of another key.
    public func multipartUpload(bucket: String, key: String, uploadId: String) throws -> MultipartUpload {
        try upload(metadata.entry(RowPath.upload(bucket, key, uploadId)), uploadId)
    }

    private func upload(_ entry: Metadata.Entry?, _ uploadId: String) throws -> MultipartUpload {
        guard let entry else { throw ObjectError.noSuchUpload(uploadId: uploadId) }
        return try intact(MultipartUpload.self, entry)
    }

    private func intact<Value: Decodable>(_ type: Value.Type, _ entry: Metadata.Entry) throws -> Value {
        let found = rows.read(type, entry)
        guard found.isIntact, let value = found.value else {
            let bucket = String(entry.key.split(separator: "/")[1])
            report.damage(bucket: bucket, key: "", what: "the row of a multipart upload was changed from outside")
            throw ObjectError.rowDamaged(bucket: bucket, key: "")
        }
        return value
    }

    /// Begins a part; a part of the same number is replaced when it is finished.
    ///
    /// - Throws: `.noSuchUpload`, `.invalidPartNumber`; what the customer's key throws.
    public func beginPart(bucket: String, key: String, uploadId: String, number: Int) throws -> PartWriter {
        guard MultipartUpload.partNumbers.contains(number) else { throw ObjectError.invalidPartNumber(number) }
        let upload = try multipartUpload(bucket: bucket, key: key, uploadId: uploadId)
        let sealing = try keys.sealing(upload.options.encryption, keyId: upload.keyId) { try requiredBucket(bucket).owner }
        let piece = try PieceWriter(store: self, bucket: bucket, sealing: sealing)
        return ContentWriter(key: key, piece: piece) { [self] written in
            let part = StoredPart(
                number: number, size: written.size, md5: written.md5, crc64: written.crc64, modifiedAt: now(),
                file: written.piece.file)
            let path = RowPath.part(bucket, uploadId, number)
            let replaced = try metadata.transact { transaction in
                // Completed or aborted meanwhile: nobody would ever ask for this part.
                _ = try self.upload(transaction.entry(RowPath.upload(bucket, key, uploadId)), uploadId)
                let old = try transaction.entry(path)
                try transaction.put(part, at: path, sealedBy: rows)
                return old
            }
            if let replaced, let old = rows.read(StoredPart.self, replaced).value { files.remove([old.file], bucket: bucket) }
            return part
        }
    }

    /// Parts by number, after one.
    ///
    /// - Throws: `.noSuchUpload`.
    public func parts(bucket: String, key: String, uploadId: String, after number: Int, limit: Int) throws -> [StoredPart] {
        _ = try multipartUpload(bucket: bucket, key: key, uploadId: uploadId)
        let number = min(max(number, 0), MultipartUpload.partNumbers.upperBound)
        return try metadata.entries(
            prefix: RowPath.parts(bucket, uploadId), after: RowPath.part(bucket, uploadId, number), limit: limit
        ).map { try intact(StoredPart.self, $0) }
    }

    /// Unfinished uploads by key, then id; after one upload or, with an empty id, after all of a key.
    public func multipartUploads(bucket: String, prefix: String, afterKey: String, afterUploadId: String, limit: Int) throws
        -> [MultipartUpload]
    {
        _ = try requiredBucket(bucket)
        let position =
            afterKey.isEmpty ? "" : RowPath.upload(bucket, afterKey, afterUploadId.isEmpty ? "~" : afterUploadId)
        return try metadata.entries(
            prefix: RowPath.uploads(bucket) + RowPath.escaped(prefix), after: position, limit: limit
        ).map { try intact(MultipartUpload.self, $0) }
    }

    /// Makes the parts one object, by one transaction; parts that are not named go.
    ///
    /// - Parameter parts: nil takes all that were uploaded.
    /// - Throws: `.noSuchUpload`, `.invalidPart`, `.invalidPartOrder`, `.partTooSmall`, `.objectImmutable`,
    ///   `.objectAlreadyExists`; then the upload is as it was.
    public func completeMultipart(
        bucket name: String, key: String, uploadId: String, parts chosen: [PartChoice]?, forbidsOverwrite: Bool = false
    ) throws -> StoredObject {
        let (outcome, unused) = try metadata.transact { transaction in
            let bucket = try table.bucketRow(name, in: transaction)
            let upload = try upload(transaction.entry(RowPath.upload(name, key, uploadId)), uploadId)
            let all = try transaction.entries(prefix: RowPath.parts(name, uploadId)).map { try intact(StoredPart.self, $0) }
            let used = try Self.choose(chosen, from: all)
            let sealing = ObjectKeys.Sealing(choice: upload.options.encryption, keyId: upload.keyId, wrapper: keys.service)
            var object = newObject(
                .multipart, bucket: bucket, key: key, attributes: upload.attributes, options: upload.options,
                sealing: sealing, pieces: used.map { .init(file: $0.file, size: $0.size) })
            object.partCount = used.count
            object.crc64 = used.dropFirst().reduce(used[0].crc64) { CRC64.combine($0, $1.crc64, secondLength: $1.size) }
            var digest = Insecure.MD5()
            for part in used { digest.update(data: part.md5) }
            object.etag = Data(digest.finalize()).upperHex + "-\(used.count)"
            let outcome = try table.apply(
                .put(object, forbidsOverwrite: forbidsOverwrite || upload.options.forbidsOverwrite), bucket: name, key: key,
                in: transaction)
            try forget(upload, parts: all, in: transaction)
            let names = Set(used.map(\.file))
            return (outcome, all.map(\.file).filter { !names.contains($0) })
        }
        follow(outcome)
        files.remove(unused, bucket: name)
        guard let stored = outcome.stored else { throw ObjectError.noSuchObject(bucket: name, key: key) }
        return stored
    }

    /// The parts that Complete means, in order.
    private static func choose(_ chosen: [PartChoice]?, from all: [StoredPart]) throws -> [StoredPart] {
        var used = all
        if let chosen {
            let byNumber = Dictionary(uniqueKeysWithValues: all.map { ($0.number, $0) })
            guard zip(chosen, chosen.dropFirst()).allSatisfy({ $0.number < $1.number }) else {
                throw ObjectError.invalidPartOrder
            }
            used = try chosen.map { choice in
                let etag = choice.etag.filter { $0 != "\"" }.uppercased()
                guard let part = byNumber[choice.number], part.etag == etag else {
                    throw ObjectError.invalidPart(number: choice.number)
                }
                return part
            }
        }
        guard !used.isEmpty else { throw ObjectError.invalidPart(number: 0) }
        for part in used.dropLast() where part.size < MultipartUpload.minimumPartSize {
            throw ObjectError.partTooSmall(number: part.number, size: part.size)
        }
        return used
    }

    private func forget(_ upload: MultipartUpload, parts: [StoredPart], in transaction: Metadata.Transaction) throws {
        for part in parts { try transaction.delete(RowPath.part(upload.bucket, upload.uploadId, part.number)) }
        try transaction.delete(RowPath.upload(upload.bucket, upload.key, upload.uploadId))
        try table.countUploads(-1, bucket: upload.bucket, in: transaction)
    }

    /// Parts are not objects: retention does not hold them.
    ///
    /// - Throws: `.noSuchUpload`.
    public func abortMultipart(bucket: String, key: String, uploadId: String) throws {
        let parts = try metadata.transact { transaction in
            let upload = try upload(transaction.entry(RowPath.upload(bucket, key, uploadId)), uploadId)
            let parts = try transaction.entries(prefix: RowPath.parts(bucket, uploadId))
                .compactMap { rows.read(StoredPart.self, $0).value }
            try forget(upload, parts: parts, in: transaction)
            return parts
        }
        files.remove(parts.map(\.file), bucket: bucket)
    }
}
