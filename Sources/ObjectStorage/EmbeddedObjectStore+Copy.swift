// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Copies within the store. Source: oss.md section 12, CopyObject.
extension EmbeddedObjectStore {
    /// Copies an object, also onto itself to change its attributes; then, unless there are versions or another
    /// encryption is asked for, no content moves. The copy is a normal object (an appendable one stays so), encrypted as
    /// asked here or by the bucket's rule: nothing of the source's encryption, tags or ACL is inherited.
    ///
    /// - Parameters:
    ///   - source: as looked up; the caller has judged conditions on it.
    ///   - attributes: nil keeps the source's.
    /// - Throws: as ``beginPut(bucket:key:attributes:options:)``, and as `read`; `.appendableNotCopied`.
    public func copyObject(
        _ source: StoredObject, toBucket name: String, key: String, attributes: ObjectAttributes?, options: PutOptions
    ) async throws -> StoredObject {
        let bucket = try requiredBucket(name)
        let isSelf = source.bucket == name && source.key.utf8.elementsEqual(key.utf8)
        guard source.type != .appendable || isSelf else { throw ObjectError.appendableNotCopied(key: source.key) }
        if isSelf && bucket.versioning == nil {
            try table.checkPut(bucket: bucket, key: key, forbidsOverwrite: options.forbidsOverwrite, in: metadata)
            if try source.type == .appendable || isSealed(source, as: options.encryption, in: bucket) {
                return try rewrite(source, attributes: attributes, options: options)
            }
        }
        let writer = try beginPut(bucket: name, key: key, attributes: attributes ?? source.attributes, options: options)
        do {
            try await read(source, range: 0..<source.size) { bytes in
                try Task.checkCancellation()
                try bytes.withUnsafeBytes { try writer.append($0) }
            }
        } catch {
            writer.abandon()
            throw error
        }
        return try writer.finish(expectedMD5: nil, expectedCRC64: source.crc64)
    }

    private func isSealed(_ object: StoredObject, as choice: EncryptionChoice?, in bucket: Bucket) throws -> Bool {
        let sealing = try keys.sealing(choice ?? bucket.encryption, account: bucket.owner)
        return sealing.choice == object.encryption && sealing.keyId == object.keyId
    }

    /// Only the row changes; the files are the same.
    private func rewrite(_ base: StoredObject, attributes: ObjectAttributes?, options: PutOptions) throws -> StoredObject {
        var object = base
        object.pieces = try table.pieces(of: base, in: metadata)
        object.attributes = attributes ?? base.attributes
        object.storageClass = options.storageClass ?? base.storageClass
        object.tags = options.tags
        object.acl = options.acl
        object.modifiedAt = now()
        do { return try commit(.rewrite(object, base: base), bucket: base.bucket, key: base.key) } catch is ObjectTable.Conflict {
            throw ObjectError.noSuchObject(bucket: base.bucket, key: base.key)
        }
    }
}
