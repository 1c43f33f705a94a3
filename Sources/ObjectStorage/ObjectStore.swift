// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Which question does this room answer? *Where are whole objects kept, and handed out again?* One protocol, with an
/// embedded implementation; clients for OSS and S3 come to stand beside it.
///
/// Whatever protects objects (WORM, in a later version) belongs behind this protocol, under every path to it.
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

public struct Bucket: Codable, Sendable, Equatable {
    public var name: String
    /// Account that owns it.
    public var owner: String
    public var createdAt: Date
    public var region: String
}

public struct ObjectAttributes: Codable, Sendable, Equatable {
    public var contentType: String
    public var contentEncoding: String?
    public var cacheControl: String?
    public var contentDisposition: String?
    public var expires: String?
    /// `x-oss-meta-…`, names in lower case.
    public var userMetadata: [String: String]

    public init(contentType: String = "application/octet-stream", userMetadata: [String: String] = [:]) {
        self.contentType = contentType
        self.userMetadata = userMetadata
    }
}

public struct StoredObject: Codable, Sendable, Equatable {
    public var bucket: String
    public var key: String
    /// Bytes of content.
    public var size: Int64
    public var md5: Data
    /// CRC-64/XZ of the content.
    public var crc64: UInt64
    public var modifiedAt: Date
    public var attributes: ObjectAttributes
    /// Name of the file that holds it.
    var file: String

    /// Upper-case hex of the MD5, as OSS has it for plain puts.
    public var etag: String { md5.map { String(format: "%02X", $0) }.joined() }
}

public enum ObjectError: Error, Equatable, CustomStringConvertible {
    case noSuchBucket(String)
    case invalidBucketName(String)
    case invalidKey(String)
    case bucketAlreadyExists(String)
    case bucketNotEmpty(String)
    case digestMismatch(key: String)
    /// What is stored is not what was written.
    case objectDamaged(bucket: String, key: String, offset: Int64)

    public var description: String {
        switch self {
        case .noSuchBucket(let name): "there is no bucket `\(name)`"
        case .invalidBucketName(let name):
            "`\(name)` is not a bucket name: 3 to 63 of a-z, 0-9 and -, neither first nor last a -"
        case .invalidKey(let key): "`\(key)` is not an object key: 1 to 1023 bytes, not beginning with / or \\, without NUL"
        case .bucketAlreadyExists(let name): "the bucket name `\(name)` is taken"
        case .bucketNotEmpty(let name): "the bucket `\(name)` is not empty"
        case .digestMismatch(let key): "the content of `\(key)` does not have the MD5 that came with it"
        case .objectDamaged(let bucket, let key, let offset):
            "damaged: object `\(key)` of bucket `\(bucket)` at byte \(offset)"
        }
    }
}

/// The upload was finished or abandoned, or one of its writes failed: it takes nothing more.
public struct UploadEnded: Error, Equatable, CustomStringConvertible {
    public var key: String

    public var description: String { "the upload of `\(key)` is over, or one of its writes failed: begin it again" }
}
