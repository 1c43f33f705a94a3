// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata
import ObjectStorage
import Testing

/// Somebody edits the database.
@Suite struct `A row that was changed from outside` {
    /// Changes a text inside a row's JSON and leaves its checksum.
    private static func edit(_ world: World, _ path: String, _ old: String, _ new: String) throws {
        let entry = try #require(try world.metadata.entry(path))
        let json = String(decoding: entry.value.dropLast(33), as: UTF8.self)
        #expect(json.contains(old), "\(json)")
        let edited = Array(json.replacing(old, with: new).utf8) + entry.value.suffix(33)
        try world.metadata.transact { try $0.put(path, edited) }
    }

    private static func prepared() throws -> (World, EmbeddedObjectStore) {
        let world = try World()
        let store = try world.open()
        try store.lock(days: 3)
        try store.put(bytes(1000), bucket: "bucket", key: "k")
        return (world, store)
    }

    @Test func `of an object protects it for good, and is heard of`() async throws {
        let (world, store) = try Self.prepared()
        let object = try #require(try store.object(bucket: "bucket", key: "k"))
        try Self.edit(world, "objects/bucket/k", "\"retainedFrom\":\(TestTime.start)", "\"retainedFrom\":1")
        world.time.pass(days: 100)
        let refusal = ObjectError.objectImmutable(bucket: "bucket", key: "k")
        #expect(throws: refusal) { try store.deleteObject(bucket: "bucket", key: "k") }
        #expect(throws: refusal) { try store.put([1], bucket: "bucket", key: "k") }
        #expect(throws: refusal) { try store.deleteObjects(bucket: "bucket", [("k", nil)]) }
        #expect(throws: ObjectError.rowDamaged(bucket: "bucket", key: "k")) { try store.object(bucket: "bucket", key: "k") }
        #expect(throws: ObjectError.rowDamaged(bucket: "bucket", key: "k")) {
            try store.setTags([:], bucket: "bucket", key: "k", versionId: nil)
        }
        let listed = try store.objects(bucket: "bucket", prefix: "", after: "", limit: 10)
        #expect(listed.map(\.key) == ["k"])
        #expect(listed.map(\.isRowDamaged) == [true])
        #expect(throws: ObjectError.bucketNotEmpty("bucket")) { try store.deleteBucket("bucket") }
        try store.setLifecycle(.init(document: "", rules: [.init(id: "r", expiration: .days(1))]), bucket: "bucket")
        #expect(try store.maintain().expiredObjects == 0)
        try store.sweep()
        #expect(try world.files().count == 1)
        #expect(world.damages(store).contains { $0.hasPrefix("bucket/k: ") })
        // The content is still there for whoever has the right row.
        var content: [UInt8] = []
        try await store.read(object, range: 0..<object.size) { content += $0 }
        #expect(content == bytes(1000))
    }

    @Test func `cannot name another's files, and its bucket is not swept`() throws {
        let (world, store) = try Self.prepared()
        try world.disk.create("objects/bucket/orphan").append([1])
        try world.metadata.transact { transaction in
            let entry = try #require(try transaction.entry("objects/bucket/k"))
            // Of another place, though whole.
            try transaction.put("objects/bucket/copy", entry.value)
            try transaction.put("objects/bucket/rubbish", [1, 2, 3])
        }
        #expect(throws: ObjectError.rowDamaged(bucket: "bucket", key: "copy")) { try store.object(bucket: "bucket", key: "copy") }
        #expect(try store.objects(bucket: "bucket", prefix: "", after: "", limit: 10).map(\.isRowDamaged) == [true, false])
        try store.sweep()
        #expect(try world.files().count == 2)
        #expect(world.damages(store).count == 3)
    }

    @Test func `of a bucket closes the bucket`() throws {
        let (world, store) = try Self.prepared()
        try Self.edit(world, "buckets/bucket", "\"days\":3", "\"days\":1")
        world.time.pass(days: 100)
        let refusal = ObjectError.rowDamaged(bucket: "bucket", key: "")
        #expect(throws: refusal) { try store.bucket("bucket") }
        #expect(throws: refusal) { try store.deleteObject(bucket: "bucket", key: "k") }
        #expect(throws: refusal) { try store.put([1], bucket: "bucket", key: "new") }
        #expect(throws: refusal) { try store.abortRetention(bucket: "bucket") }
        #expect(throws: refusal) { try store.deleteBucket("bucket") }
        #expect(throws: refusal) { try store.createBucket("bucket", owner: "1") }
        #expect(try store.buckets(owner: "1").isEmpty)
        #expect(world.damages(store).count == 1)
    }

    @Test func `of a file list or a part stops what it would mislead`() async throws {
        let world = try World()
        let store = try world.open()
        let upload = try store.beginMultipart("k")
        for number in 1...6 { try store.putPart(bytes(102_400), upload, number) }
        let object = try store.complete(upload)
        let path = try #require(try world.metadata.entries(prefix: "object-pieces/").first?.key)
        try Self.edit(world, path, "\"size\":102400", "\"size\":102401")
        await #expect(throws: ObjectError.rowDamaged(bucket: "bucket", key: "k")) { try await store.content("k") }
        #expect(throws: ObjectError.rowDamaged(bucket: "bucket", key: "k")) { try store.deleteObject(bucket: "bucket", key: "k") }
        #expect(try store.object(bucket: "bucket", key: "k") == object)
        let other = try store.beginMultipart("other")
        try store.putPart([1], other, 1)
        try Self.edit(world, "object-parts/bucket/\(other.uploadId)/00001", "\"size\":1", "\"size\":2")
        #expect(throws: ObjectError.rowDamaged(bucket: "bucket", key: "")) { try store.complete(other) }
        try store.abortMultipart(bucket: "bucket", key: "other", uploadId: other.uploadId)
    }

    @Test func `of the key of rows stops the start`() throws {
        let (world, store) = try Self.prepared()
        store.close()
        let key = try #require(try world.metadata.entry("object-store/row-key"))
        try world.metadata.transact { try $0.delete("object-store/row-key") }
        #expect(throws: ObjectError.rowKeyMissing) { try world.open() }
        try world.metadata.transact { try $0.put(key.key, key.value) }
        _ = try world.open()
    }
}
