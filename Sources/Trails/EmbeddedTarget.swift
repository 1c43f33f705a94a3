// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import ObjectStorage

/// A bucket of the embedded store as a place to deliver to.
public struct EmbeddedTarget: DeliveryTarget {
    /// What keeps objects of a bucket from being deleted, for people; nil if nothing does.
    public typealias RetentionLookup = @Sendable (_ bucket: String) throws -> String?

    private let store: any ObjectStore
    private let bucket: String
    private let retention: RetentionLookup
    private let now: @Sendable () -> Date

    public init(
        store: any ObjectStore, bucket: String, retention: @escaping RetentionLookup = { _ in nil },
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.store = store
        self.bucket = bucket
        self.retention = retention
        self.now = now
    }

    public var location: String { "embedded bucket `\(bucket)`" }

    public func put(_ key: String, _ content: [UInt8], contentType: String) async throws -> PutReceipt {
        if try await holds(key, content) { return PutReceipt(isNew: false) }
        do {
            try store.put(content, bucket: bucket, key: key, attributes: .init(contentType: contentType))
        } catch {
            // Refused because it came to be there meanwhile, under retention perhaps: if it is the same, all is well.
            guard (try? await holds(key, content)) == true else { throw error }
            return PutReceipt(isNew: false)
        }
        return PutReceipt(isNew: true)
    }

    /// Whether the key has exactly this content; false if it has none.
    private func holds(_ key: String, _ content: [UInt8]) async throws -> Bool {
        guard let object = try store.object(bucket: bucket, key: key) else { return false }
        guard object.size == Int64(content.count), try await store.content(of: object) == content else {
            throw TargetConflict(key: key, location: location)
        }
        return true
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
        guard try store.bucket(bucket) != nil else { throw ObjectError.noSuchBucket(bucket) }
        let retention = try retention(bucket)
        return TargetProtection(
            location: location, retention: retention, encryption: "AES256, by the service", refusesOverwrite: true,
            gaps: retention == nil ? ["objects can be deleted: the bucket has no locked retention"] : [], checkedAt: now())
    }
}
