// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import ObjectStorage

/// A bucket of the embedded store as a place to deliver to.
public struct EmbeddedTarget: DeliveryTarget {
    private let store: EmbeddedObjectStore
    private let bucket: String
    /// Asked before each object; throws if the service may not write it.
    private let mayPut: @Sendable (Bucket, _ key: String) throws -> Void
    private let now: @Sendable () -> Date

    public init(
        store: EmbeddedObjectStore, bucket: String,
        mayPut: @escaping @Sendable (Bucket, _ key: String) throws -> Void = { _, _ in }, now: @escaping @Sendable () -> Date
    ) {
        self.store = store
        self.bucket = bucket
        self.mayPut = mayPut
        self.now = now
    }

    public var location: String { "embedded bucket `\(bucket)`" }

    public func put(_ key: String, _ content: [UInt8], contentType: String) async throws -> PutReceipt {
        guard let bucket = try store.bucket(bucket) else { throw ObjectError.noSuchBucket(bucket) }
        try mayPut(bucket, key)
        // First, for a bucket with versions takes another one whatever is forbidden.
        if let held = try await receiptOfExisting(key, content) { return held }
        do {
            var options = PutOptions()
            options.forbidsOverwrite = true
            let writer = try store.beginPut(
                bucket: bucket.name, key: key, attributes: .init(contentType: contentType), options: options)
            // Whatever fails from here on, the writer abandons its file when it goes.
            try content.withUnsafeBytes { try writer.append($0) }
            return PutReceipt(isNew: true, versionId: try writer.finish(expectedMD5: nil, expectedCRC64: nil).versionId)
        } catch let error as ObjectError {
            // It came to be there meanwhile, under retention perhaps: if it is the same, all is well.
            switch error {
            case .objectAlreadyExists, .objectImmutable:
                guard let held = try await receiptOfExisting(key, content) else { throw error }
                return held
            default: throw error
            }
        }
    }

    /// - Returns: nil if the key has no object.
    /// - Throws: ``TargetConflict`` if it has other content.
    private func receiptOfExisting(_ key: String, _ content: [UInt8]) async throws -> PutReceipt? {
        guard let object = try store.object(bucket: bucket, key: key) else { return nil }
        guard object.size == Int64(content.count), try await store.content(of: object) == content else {
            throw TargetConflict(key: key, location: location)
        }
        return PutReceipt(isNew: false, versionId: object.versionId)
    }

    public func read(_ key: String) async throws -> [UInt8]? {
        guard let object = try store.object(bucket: bucket, key: key) else { return nil }
        return try await store.content(of: object)
    }

    public func list(prefix: String, after marker: String) async throws -> [TargetEntry] {
        try store.objects(bucket: bucket, prefix: prefix, after: marker, limit: 1000)
            .map { TargetEntry(key: $0.key, size: $0.size) }
    }

    public func check() async throws -> TargetProtection {
        guard let bucket = try store.bucket(bucket) else { throw ObjectError.noSuchBucket(bucket) }
        var gaps: [String] = []
        var retention: String?
        switch bucket.retention {
        case let policy? where policy.state == .locked: retention = "WORM Locked, \(policy.days) days"
        case .some: gaps.append("the bucket's WORM policy is not locked, and lapses after a day: lock it")
        case nil: gaps.append("objects can be deleted: the bucket has no WORM policy")
        }
        if bucket.versioning != nil {
            gaps.append("a bucket with versions does not refuse to overwrite: keys are looked up before they are written")
        }
        return TargetProtection(
            location: location, retention: retention, versioning: bucket.versioning?.rawValue,
            encryption: bucket.encryption.map { [$0.algorithm.rawValue, $0.keyId].compactMap { $0 }.joined(separator: " ") }
                ?? "AES256, by the service",
            refusesOverwrite: bucket.versioning == nil, gaps: gaps, checkedAt: now())
    }
}
