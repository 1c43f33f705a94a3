// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Headers that are kept with an object and played back.
public struct ObjectAttributes: Codable, Sendable, Equatable {
    public var contentType: String
    public var contentEncoding: String?
    public var contentLanguage: String?
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

public enum ObjectType: String, Codable, Sendable {
    case normal = "Normal"
    case multipart = "Multipart"
    case appendable = "Appendable"
}

/// Whatever a put, copy, append or multipart upload may ask for besides content and attributes.
public struct PutOptions: Codable, Sendable, Equatable {
    /// nil takes the bucket's rule. Not inherited by copies.
    public var encryption: EncryptionChoice?
    /// Refuse with ``ObjectError/objectAlreadyExists(key:)`` if the key exists when the object is committed; without
    /// effect in a bucket that has or had versioning.
    public var forbidsOverwrite = false
    public var tags: [String: String] = [:]
    public var acl = CannedACL.inherited
    /// nil takes the bucket's.
    public var storageClass: String?

    public init() {}
}

/// One committed object, or one version of it.
public struct StoredObject: Codable, Sendable, Equatable {
    public internal(set) var bucket: String
    public internal(set) var key: String
    public internal(set) var type: ObjectType
    /// Bytes of content; for an appendable object also the next position.
    public internal(set) var size: Int64
    /// MD5 of the content of a normal object; empty for the other types.
    public internal(set) var md5: Data
    /// Without quotes: upper-case hex of the MD5 for a normal object, else an opaque text that changes with the content.
    public internal(set) var etag: String
    /// CRC-64/XZ of the whole content.
    public internal(set) var crc64: UInt64
    /// The wall clock at the commit (of a multipart object: of Complete), as shown to clients.
    public internal(set) var modifiedAt: Date
    /// Retention time at the commit, in milliseconds: what protection is counted from.
    public internal(set) var retainedFrom: Int64
    public internal(set) var attributes: ObjectAttributes
    public internal(set) var storageClass: String
    /// What was asked for, by the object or the bucket's rule of its time; nil is not shown in answers.
    public internal(set) var encryption: EncryptionChoice?
    /// Id of the customer's key that wraps the data keys; nil: the service's own key.
    public internal(set) var keyId: String?
    public internal(set) var tags: [String: String]
    public internal(set) var acl: CannedACL
    /// nil in a bucket that never had versioning; `null` for what was written before or while suspended.
    public internal(set) var versionId: String?
    /// Number of parts, of a multipart object.
    public internal(set) var partCount: Int?

    /// Days of the locked policy when this was committed: what holds even if the bucket's row were set back.
    var lockedDays: Int?
    /// Revision of the metadata at the commit: the order of versions.
    var order: Int64 = 0
    /// Since when another version took its place, in retention time; nil for the current one.
    var noncurrentFrom: Int64?
    /// The files that hold it, in order; empty if they are in the row ``manifest`` names.
    var pieces: [Piece]
    var manifest: String?
    /// The row did not verify: somebody changed it behind the store.
    public internal(set) var isRowDamaged = false

    /// A file with some of the content.
    struct Piece: Codable, Sendable, Equatable {
        var file: String
        var size: Int64
    }

    /// Whether both are one state of one object, whatever tags and ACL it has.
    func isSame(as other: StoredObject) -> Bool {
        order == other.order && size == other.size && pieces == other.pieces && manifest == other.manifest
    }

    private enum CodingKeys: String, CodingKey {
        case bucket, key, type, size, md5, etag, crc64, modifiedAt, retainedFrom, attributes, storageClass, encryption, keyId
        case tags, acl, versionId, partCount, lockedDays, order, noncurrentFrom, pieces, manifest
    }
}
