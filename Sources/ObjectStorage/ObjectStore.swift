// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Which question does this room answer? *Where are whole objects kept, and handed out again?* One small protocol for
/// whoever only delivers and reads; ``EmbeddedObjectStore`` has everything a bucket can do beyond it.
///
/// Retention is guarded under every path: docs/formats/object.md.
public protocol ObjectStore: Sendable {
    /// - Throws: `.bucketAlreadyExists` if another account has the name; making one's own again changes nothing.
    func createBucket(_ name: String, owner: String) throws -> Bucket

    func bucket(_ name: String) throws -> Bucket?

    /// Buckets of one account, by name.
    func buckets(owner: String) throws -> [Bucket]

    /// - Throws: `.bucketNotEmpty`.
    func deleteBucket(_ name: String) throws

    /// Begins an object; it is visible, whole, after ``ObjectUpload/finish(_:)``, and not at all before.
    func beginUpload(bucket: String, key: String, attributes: ObjectAttributes) throws -> any ObjectUpload

    func object(bucket: String, key: String) throws -> StoredObject?

    /// Reads part of an object.
    ///
    /// - Throws: `.objectDamaged` naming the key, if what is stored is not what was written.
    func read(_ object: StoredObject, range: Range<Int64>, into sink: (Data) async throws -> Void) async throws

    func deleteObject(bucket: String, key: String) throws

    /// Objects in byte order of their keys, after `marker`.
    func objects(bucket: String, prefix: String, after marker: String, limit: Int) throws -> [StoredObject]
}

/// An object being written.
public protocol ObjectUpload: AnyObject {
    func append(_ bytes: UnsafeRawBufferPointer) throws

    /// Makes the object durable and visible.
    ///
    /// - Parameter expectedMD5: refuse with `.digestMismatch` unless the content has it.
    func finish(expectedMD5: [UInt8]?) throws -> StoredObject

    func abandon()
}

extension ObjectStore {
    /// Puts a whole object at once.
    @discardableResult
    public func put(_ content: [UInt8], bucket: String, key: String, attributes: ObjectAttributes = .init()) throws
        -> StoredObject
    {
        let upload = try beginUpload(bucket: bucket, key: key, attributes: attributes)
        do {
            try content.withUnsafeBytes { try upload.append($0) }
        } catch {
            upload.abandon()
            throw error
        }
        return try upload.finish(expectedMD5: nil)
    }

    /// The whole content of an object.
    public func content(of object: StoredObject) async throws -> [UInt8] {
        var content: [UInt8] = []
        content.reserveCapacity(Int(object.size))
        try await read(object, range: 0..<object.size) { content += $0 }
        return content
    }
}
