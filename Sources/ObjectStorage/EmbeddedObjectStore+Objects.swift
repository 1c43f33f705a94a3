// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// Objects: put, look up, list, delete, annotate.
extension EmbeddedObjectStore {
    // MARK: Writing

    public func beginUpload(bucket: String, key: String, attributes: ObjectAttributes) throws -> any ObjectUpload {
        try beginPut(bucket: bucket, key: key, attributes: attributes)
    }

    /// Begins an object; it is visible, whole, after `finish`, and not at all before.
    ///
    /// - Throws: `.noSuchBucket`, `.invalidKey`; already here, before content is sent in vain, `.objectImmutable` and
    ///   `.objectAlreadyExists`, which are judged again at the commit; what the customer's key throws.
    public func beginPut(bucket name: String, key: String, attributes: ObjectAttributes, options: PutOptions = .init()) throws
        -> ObjectWriter
    {
        let bucket = try requiredBucket(name)
        try Self.check(key: key)
        try table.checkPut(bucket: bucket, key: key, forbidsOverwrite: options.forbidsOverwrite, in: metadata)
        let sealing = try keys.sealing(options.encryption ?? bucket.encryption, account: bucket.owner)
        let piece = try PieceWriter(store: self, bucket: name, sealing: sealing)
        return ContentWriter(key: key, piece: piece) { [self] written in
            var object = newObject(
                .normal, bucket: bucket, key: key, attributes: attributes, options: options, sealing: sealing,
                pieces: [written.piece])
            object.md5 = written.md5
            object.etag = written.md5.upperHex
            object.crc64 = written.crc64
            return try commit(.put(object, forbidsOverwrite: options.forbidsOverwrite), bucket: name, key: key)
        }
    }

    static func check(key: String) throws {
        guard (1...1023).contains(key.utf8.count), let first = key.utf8.first, first != UInt8(ascii: "/"),
            // U+10FFFF ends every range of keys in the metadata: a key with it would be beyond the ranges.
            first != UInt8(ascii: "\\"), !key.utf8.contains(0), !key.unicodeScalars.contains("\u{10FFFF}")
        else { throw ObjectError.invalidKey(key) }
    }

    /// All but digests and checksum, which are the content's.
    func newObject(
        _ type: ObjectType, bucket: Bucket, key: String, attributes: ObjectAttributes, options: PutOptions,
        sealing: ObjectKeys.Sealing, pieces: [StoredObject.Piece]
    ) -> StoredObject {
        StoredObject(
            bucket: bucket.name, key: key, type: type, size: pieces.reduce(0) { $0 + $1.size }, md5: Data(), etag: "", crc64: 0,
            modifiedAt: now(), retainedFrom: 0, attributes: attributes,
            storageClass: options.storageClass ?? bucket.storageClass, encryption: sealing.choice, keyId: sealing.keyId,
            tags: options.tags, acl: options.acl, pieces: pieces)
    }

    /// Makes one change, then removes and marks files accordingly.
    @discardableResult
    func commit(_ change: ObjectTable.Change, bucket: String, key: String) throws -> StoredObject {
        let outcome = try metadata.transact { try table.apply(change, bucket: bucket, key: key, in: $0) }
        follow(outcome)
        guard let stored = outcome.stored else { throw ObjectError.noSuchObject(bucket: bucket, key: key) }
        return stored
    }

    /// What a committed change means for files.
    func follow(_ outcome: ObjectTable.Outcome) {
        files.remove(outcome.freed, bucket: outcome.bucket.name)
        if let stored = outcome.stored, table.protectionEnd(of: stored, policy: outcome.bucket.retention) != nil {
            // A crash before this leaves a protected object without the flag: maintenance gives it.
            for file in outcome.storedFiles { _ = files.setImmutable(outcome.bucket.name, file, true) }
        }
    }

    // MARK: Looking up

    public func object(bucket: String, key: String) throws -> StoredObject? {
        try table.current(bucket: bucket, key: key, in: metadata)
    }

    /// What a key stands for, or one version of it; an empty id is none.
    ///
    /// - Throws: `.noSuchBucket`, `.rowDamaged`.
    public func lookup(bucket name: String, key: String, versionId: String? = nil) throws -> ObjectLookup {
        let versionId = versionId.flatMap { $0.isEmpty ? nil : $0 }
        let bucket = try requiredBucket(name)
        switch try table.lookup(bucket: name, key: key, versionId: versionId, in: metadata) {
        case nil: return .missing
        case .marker(let marker): return .deleteMarker(marker)
        case .object(var object):
            if bucket.versioning != nil { object.versionId = object.versionId ?? "null" }
            return .object(object)
        }
    }

    /// Current objects in byte order of their keys, after `marker`. One whose row was changed from outside is marked
    /// (``StoredObject/isRowDamaged``), or left out if it cannot be read, and reported.
    public func objects(bucket: String, prefix: String, after marker: String, limit: Int) throws -> [StoredObject] {
        try table.objects(bucket: bucket, prefix: prefix, after: marker, limit: limit, in: metadata)
    }

    // MARK: Deleting

    public func deleteObject(bucket: String, key: String) throws {
        // For whoever delivers: a bucket that is gone has no such object either.
        guard try self.bucket(bucket) != nil else { return }
        _ = try deleteObject(bucket: bucket, key: key, versionId: nil)
    }

    /// Deletes the current object or, named, one version; what is missing is no error.
    ///
    /// - Throws: `.noSuchBucket`, `.objectImmutable`.
    public func deleteObject(bucket: String, key: String, versionId: String?) throws -> DeleteOutcome {
        try deleteObjects(bucket: bucket, [(key, versionId)])[0]
    }

    /// Deletes all of them, or none.
    ///
    /// - Throws: `.noSuchBucket`; `.objectImmutable` if any is protected.
    public func deleteObjects(bucket: String, _ names: [(key: String, versionId: String?)]) throws -> [DeleteOutcome] {
        // What is named twice is deleted once. By bytes: two keys may be equal as texts and still be two.
        var places: [[UInt8]: Int] = [:]
        var once: [(key: String, versionId: String?)] = []
        let positions = names.map { name in
            let versionId = name.versionId.flatMap { $0.isEmpty ? nil : $0 }
            let identity = Array(name.key.utf8) + [0] + Array((versionId ?? "").utf8)
            if let place = places[identity] { return place }
            places[identity] = once.count
            once.append((name.key, versionId))
            return once.count - 1
        }
        let outcomes = try metadata.transact { [once] transaction in
            try once.map { name in
                try table.apply(
                    name.versionId.map { .deleteVersion($0) } ?? .delete, bucket: bucket, key: name.key, in: transaction)
            }
        }
        for outcome in outcomes { follow(outcome) }
        return zip(names, positions).map { name, position in
            DeleteOutcome(key: name.key, versionId: name.versionId, markerVersionId: outcomes[position].markerVersionId)
        }
    }

    // MARK: Annotating

    /// - Throws: `.noSuchBucket`, `.noSuchObject`, `.noSuchVersion`. Retention leaves tags and ACL free.
    public func setTags(_ tags: [String: String], bucket: String, key: String, versionId: String?) throws {
        try annotate(bucket, key, versionId) { $0.tags = tags }
    }

    public func setACL(_ acl: CannedACL, bucket: String, key: String, versionId: String?) throws {
        try annotate(bucket, key, versionId) { $0.acl = acl }
    }

    private func annotate(_ bucket: String, _ key: String, _ versionId: String?, _ change: (inout StoredObject) -> Void) throws {
        let versionId = versionId.flatMap { $0.isEmpty ? nil : $0 }
        try metadata.transact {
            try table.annotate(bucket: bucket, key: key, versionId: versionId, in: $0, change)
        }
    }
}
