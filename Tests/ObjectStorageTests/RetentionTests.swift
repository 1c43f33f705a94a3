// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import ObjectStorage
import Testing

@Suite struct `Retention of a bucket` {
    @Test func `goes from none over in progress to locked, and only grows`() throws {
        let world = try World()
        let store = try world.open()
        let missing = ObjectError.noSuchRetention(bucket: "bucket")
        #expect(throws: missing) { try store.retention(bucket: "bucket") }
        #expect(throws: missing) { try store.abortRetention(bucket: "bucket") }
        for days in [0, -1, 25_551, Int.max] {
            #expect(throws: ObjectError.invalidRetentionDays(days)) { try store.initiateRetention(bucket: "bucket", days: days) }
        }
        let first = try store.initiateRetention(bucket: "bucket", days: 1)
        #expect((first.state, first.days, first.id.count) == (.inProgress, 1, 32))
        #expect(try store.retention(bucket: "bucket") == first)
        #expect(throws: ObjectError.retentionExists(bucket: "bucket")) { try store.initiateRetention(bucket: "bucket", days: 2) }
        #expect(throws: ObjectError.retentionNotLocked(bucket: "bucket")) {
            try store.extendRetention(bucket: "bucket", id: first.id, days: 2)
        }
        try store.abortRetention(bucket: "bucket")
        #expect(throws: missing) { try store.retention(bucket: "bucket") }
        let id = try store.initiateRetention(bucket: "bucket", days: 5).id
        #expect(throws: missing) { try store.completeRetention(bucket: "bucket", id: first.id) }
        try store.completeRetention(bucket: "bucket", id: id)
        let locked = ObjectError.retentionLocked(bucket: "bucket")
        #expect(throws: locked) { try store.completeRetention(bucket: "bucket", id: id) }
        #expect(throws: locked) { try store.abortRetention(bucket: "bucket") }
        #expect(throws: missing) { try store.extendRetention(bucket: "bucket", id: first.id, days: 9) }
        #expect(throws: ObjectError.retentionShortened(bucket: "bucket", days: 4)) {
            try store.extendRetention(bucket: "bucket", id: id, days: 4)
        }
        #expect(throws: ObjectError.invalidRetentionDays(25_551)) {
            try store.extendRetention(bucket: "bucket", id: id, days: 25_551)
        }
        try store.extendRetention(bucket: "bucket", id: id, days: 5)
        try store.extendRetention(bucket: "bucket", id: id, days: 25_550)
        #expect(try world.open().retention(bucket: "bucket").days == 25_550)
        #expect(throws: ObjectError.noSuchBucket("none")) { try store.initiateRetention(bucket: "none", days: 1) }
    }

    @Test func `lapses unlocked after a day, and locked never`() throws {
        let world = try World()
        let store = try world.open()
        try store.put([1], bucket: "bucket", key: "k")
        let id = try store.initiateRetention(bucket: "bucket", days: 10).id
        world.time.pass(TestTime.day - 1)
        #expect(throws: ObjectError.objectImmutable(bucket: "bucket", key: "k")) {
            try store.put([2], bucket: "bucket", key: "k")
        }
        world.time.pass(1)
        #expect(throws: ObjectError.noSuchRetention(bucket: "bucket")) { try store.retention(bucket: "bucket") }
        #expect(throws: ObjectError.noSuchRetention(bucket: "bucket")) { try store.completeRetention(bucket: "bucket", id: id) }
        #expect(try store.bucket("bucket")?.retention == nil)
        try store.put([2], bucket: "bucket", key: "k")
        try store.lock(days: 1)
        world.time.pass(days: 1000)
        #expect(try store.retention(bucket: "bucket").state == .locked)
        try store.put([3], bucket: "bucket", key: "k")
        #expect(throws: ObjectError.objectImmutable(bucket: "bucket", key: "k")) {
            try store.put([2], bucket: "bucket", key: "k")
        }
        world.time.pass(days: 1)
        try store.deleteObject(bucket: "bucket", key: "k")
        try store.deleteBucket("bucket")
    }

    @Test func `and versioning exclude each other`() throws {
        let store = try World().open()
        let refusal = ObjectError.retentionExcludesVersioning(bucket: "bucket")
        _ = try store.initiateRetention(bucket: "bucket", days: 1)
        for versioning in [Bucket.Versioning.enabled, .suspended] {
            #expect(throws: refusal) { try store.setVersioning(versioning, bucket: "bucket") }
        }
        try store.abortRetention(bucket: "bucket")
        try store.setVersioning(.enabled, bucket: "bucket")
        #expect(throws: refusal) { try store.initiateRetention(bucket: "bucket", days: 1) }
        try store.setVersioning(.suspended, bucket: "bucket")
        #expect(throws: refusal) { try store.initiateRetention(bucket: "bucket", days: 1) }
        #expect(try store.bucket("bucket")?.retention == nil)
    }

    @Test func `does not keep an empty bucket`() throws {
        let store = try World().open()
        try store.lock(days: 25_550)
        try store.deleteBucket("bucket")
        _ = try store.createBucket("bucket", owner: "1")
        #expect(try store.bucket("bucket")?.retention == nil)
    }

    @Test func `covers what was there before, and what an extension finds`() throws {
        let world = try World()
        let store = try world.open()
        try store.put([1], bucket: "bucket", key: "before")
        world.time.pass(days: 2)
        try store.lock(days: 3)
        let object = try #require(try store.object(bucket: "bucket", key: "before"))
        #expect(
            try store.protectionEnd(of: object) == Date(timeIntervalSince1970: Double(TestTime.start + 3 * TestTime.day) / 1000))
        world.time.pass(days: 1)
        #expect(try store.protectionEnd(of: object) == nil)
        try store.extendRetention(bucket: "bucket", id: store.retention(bucket: "bucket").id, days: 4)
        #expect(throws: ObjectError.objectImmutable(bucket: "bucket", key: "before")) {
            try store.deleteObject(bucket: "bucket", key: "before")
        }
        world.time.pass(days: 1)
        try store.deleteObject(bucket: "bucket", key: "before")
    }
}

/// Every way to change an object, tried on protected ones.
@Suite struct `A protected object` {
    private static let content = bytes(200_000)

    private struct Prepared {
        let world: World
        let store: EmbeddedObjectStore
        let upload: MultipartUpload
        let part: StoredPart
        let writer: ObjectWriter
        let appender: ObjectWriter

        init(isLocked: Bool) throws {
            world = try World()
            store = try world.open()
            try store.put(content, bucket: "bucket", key: "k")
            try store.put([5], bucket: "bucket", key: "free")
            try store.append([1, 2, 3], "log", at: 0)
            // Begun before there was any retention.
            upload = try store.beginMultipart("k")
            part = try store.putPart([1], upload, 1)
            writer = try store.beginPut(bucket: "bucket", key: "k", attributes: .init())
            appender = try store.beginAppend(bucket: "bucket", key: "log", position: 3, attributes: .init())
            let id = try store.initiateRetention(bucket: "bucket", days: 1).id
            if isLocked { try store.completeRetention(bucket: "bucket", id: id) }
        }
    }

    @Test(arguments: [false, true]) func `survives every attempt`(isLocked: Bool) async throws {
        let it = try Prepared(isLocked: isLocked)
        let (world, store) = (it.world, it.store)
        let object = try #require(try store.object(bucket: "bucket", key: "k"))
        let free = try #require(try store.object(bucket: "bucket", key: "free"))
        let refusal = ObjectError.objectImmutable(bucket: "bucket", key: "k")
        let logRefusal = ObjectError.objectImmutable(bucket: "bucket", key: "log")
        #expect(throws: refusal) { try store.deleteObject(bucket: "bucket", key: "k") }
        #expect(throws: refusal) { try store.deleteObject(bucket: "bucket", key: "k", versionId: "null") }
        #expect(throws: refusal) { try store.put([1], bucket: "bucket", key: "k") }
        #expect(throws: refusal) { try it.writer.finish(expectedMD5: nil) }
        #expect(throws: logRefusal) { try store.append([4], "log", at: 3) }
        #expect(throws: logRefusal) { try it.appender.finish(expectedMD5: nil) }
        #expect(throws: logRefusal) { try store.put([4], bucket: "bucket", key: "log") }
        await #expect(throws: refusal) {
            try await store.copyObject(free, toBucket: "bucket", key: "k", attributes: nil, options: .init())
        }
        await #expect(throws: refusal) {
            try await store.copyObject(object, toBucket: "bucket", key: "k", attributes: .init(), options: .init())
        }
        #expect(throws: refusal) { try store.complete(it.upload) }
        #expect(throws: refusal) {
            try store.deleteObjects(bucket: "bucket", [("missing", nil), ("k", nil)])
        }
        try store.setLifecycle(
            .init(document: "", rules: [.init(id: "r", expiration: .createdBefore(.distantFuture))]), bucket: "bucket")
        #expect(try store.maintain().keptByRetention == 3)
        #expect(throws: ObjectError.bucketNotEmpty("bucket")) { try store.deleteBucket("bucket") }
        try store.sweep()
        try world.open().sweep()
        #expect(try store.object(bucket: "bucket", key: "k") == object)
        #expect(try await store.content("k") == Self.content)
        #expect(try await store.content("log") == [1, 2, 3])
        // What leaves content and metadata alone is free.
        try store.setTags(["a": "b"], bucket: "bucket", key: "k", versionId: nil)
        try store.setACL(.publicRead, bucket: "bucket", key: "k", versionId: nil)
        let annotated = try #require(try store.object(bucket: "bucket", key: "k"))
        #expect(annotated.tags == ["a": "b"] && annotated.acl == .publicRead)
        #expect((annotated.modifiedAt, annotated.retainedFrom) == (object.modifiedAt, object.retainedFrom))
        // An unfinished upload is no object.
        try store.abortMultipart(bucket: "bucket", key: "k", uploadId: it.upload.uploadId)
        // New objects come in, and are protected from their own beginning.
        world.time.pass(TestTime.day / 2)
        try store.put([1], bucket: "bucket", key: "new")
        #expect(throws: ObjectError.objectImmutable(bucket: "bucket", key: "new")) {
            try store.put([2], bucket: "bucket", key: "new")
        }
        world.time.pass(TestTime.day / 2 - 1)
        #expect(throws: refusal) { try store.deleteObject(bucket: "bucket", key: "k") }
        world.time.pass(1)
        try store.deleteObject(bucket: "bucket", key: "k")
        if isLocked {
            #expect(throws: ObjectError.objectImmutable(bucket: "bucket", key: "new")) {
                try store.deleteObject(bucket: "bucket", key: "new")
            }
        }
        #expect(try store.maintain().expiredObjects == (isLocked ? 2 : 3))
    }

    @Test func `keeps the days of its locked policy, whatever becomes of the bucket's row`() throws {
        let world = try World()
        let store = try world.open()
        let early = try #require(try world.metadata.entry("buckets/bucket"))
        try store.lock(days: 3)
        try store.put([1], bucket: "bucket", key: "k")
        // The row of before the policy is authentic; only the object knows better.
        try world.metadata.transact { try $0.put("buckets/bucket", early.value) }
        #expect(throws: ObjectError.noSuchRetention(bucket: "bucket")) { try store.retention(bucket: "bucket") }
        #expect(throws: ObjectError.objectImmutable(bucket: "bucket", key: "k")) {
            try store.deleteObject(bucket: "bucket", key: "k")
        }
        world.time.pass(days: 3)
        try store.deleteObject(bucket: "bucket", key: "k")
    }
}

@Suite struct `Somebody who sets the clock` {
    @Test(arguments: [false, true]) func `frees nothing while the service runs`(forward: Bool) throws {
        let world = try World()
        let store = try world.open()
        try store.lock(days: 30)
        try store.put([1], bucket: "bucket", key: "k")
        let before = store.retentionTime
        world.time.setWall((forward ? 1 : -1) * 100 * TestTime.day)
        try store.put([1], bucket: "bucket", key: "later")
        store.tick()
        #expect(store.retentionTime == before)
        for key in ["k", "later"] {
            #expect(throws: ObjectError.objectImmutable(bucket: "bucket", key: key)) {
                try store.deleteObject(bucket: "bucket", key: key)
            }
        }
        let jumps = world.jumps(store)
        #expect(jumps.map(\.occasion) == [.running])
        #expect(jumps.map(\.isForward) == [forward])
        #expect(jumps.map(\.believed) == [0])
        // And the period is as long as ever.
        world.time.setWall((forward ? -1 : 1) * 100 * TestTime.day)
        world.time.pass(days: 29)
        store.tick()
        #expect(throws: ObjectError.objectImmutable(bucket: "bucket", key: "later")) {
            try store.deleteObject(bucket: "bucket", key: "later")
        }
        world.time.pass(days: 1)
        try store.deleteObject(bucket: "bucket", key: "later")
    }

    @Test func `gains at most a day by each start of the machine, and is heard of`() throws {
        let world = try World()
        var store = try world.open()
        try store.lock(days: 30)
        try store.put([1], bucket: "bucket", key: "k")
        let start = store.retentionTime
        store.close()
        world.time.setWall(100 * TestTime.day)
        world.time.reboot()
        store = try world.open()
        #expect(store.retentionTime == start.addingTimeInterval(86_400))
        #expect(world.jumps(store).map(\.claimed) == [100 * TestTime.day])
        #expect(throws: ObjectError.objectImmutable(bucket: "bucket", key: "k")) {
            try store.deleteObject(bucket: "bucket", key: "k")
        }
        // Back again: no step at all, and heard of too.
        world.time.setWall(-100 * TestTime.day)
        world.time.reboot()
        let before = store.retentionTime
        store = try world.open()
        #expect(store.retentionTime == before)
        #expect(world.jumps(store).map(\.isForward) == [true, false])
    }

    @Test func `gains nothing by restarting the service alone`() throws {
        let world = try World()
        var store = try world.open()
        let start = store.retentionTime
        store.close()
        for direction in [1, -1] as [Int64] {
            world.time.setWall(direction * TestTime.day / 2)
            store = try world.open()
            #expect(store.retentionTime == start)
        }
        #expect(world.jumps(store).map(\.occasion) == [.stopped, .stopped])
        // A stop that both clocks agree on counts, up to a day.
        world.time.pass(TestTime.day / 4)
        store = try world.open()
        #expect(store.retentionTime == start.addingTimeInterval(86_400 / 4))
        world.time.pass(days: 3)
        store = try world.open()
        #expect(store.retentionTime == start.addingTimeInterval(86_400 / 4 + 86_400))
        #expect(world.jumps(store).count == 3)
    }

    @Test func `is not heard of for a few minutes, and ordinary time is no jump`() throws {
        let world = try World()
        var store = try world.open()
        for _ in 0..<10 {
            world.time.pass(60_000)
            world.time.setWall(100)
            store.tick()
        }
        world.time.reboot()
        world.time.setWall(200_000)
        store = try world.open()
        world.time.setWall(-200_000)
        store.tick()
        #expect(world.jumps(store).isEmpty)
    }

    @Test func `cannot begin anew by removing or replaying the clock's row`() throws {
        let world = try World()
        var store = try world.open()
        try store.lock(days: 30)
        world.time.pass(days: 3)
        store.tick()
        let early = try #require(try world.metadata.entry("object-store/clock"))
        world.time.pass(days: 3)
        try store.put([1], bucket: "bucket", key: "k")
        let committed = store.retentionTime
        store.close()
        world.time.setWall(1000 * TestTime.day)
        world.time.reboot()
        try world.metadata.transact { try $0.delete("object-store/clock") }
        store = try world.open()
        #expect(store.retentionTime == committed)
        #expect(world.damages(store).count == 1)
        var forged = early.value
        forged[10] ^= 1
        for (value, time) in [(forged, committed), (early.value, committed.addingTimeInterval(-2 * 86_400))] {
            store.close()
            try world.metadata.transact { try $0.put("object-store/clock", value) }
            store = try world.open()
            #expect(store.retentionTime == time)
            #expect(throws: ObjectError.objectImmutable(bucket: "bucket", key: "k")) {
                try store.deleteObject(bucket: "bucket", key: "k")
            }
        }
    }
}

@Suite struct `The immutable flag` {
    @Test func `is on files of protected objects, and on no others`() throws {
        let world = try World()
        let store = try world.open()
        #expect(store.immutableFlagSupported)
        func flags() throws -> [Bool] { try world.files().map { try world.disk.isImmutable("objects/bucket/" + $0) } }
        try store.put([1], bucket: "bucket", key: "a")
        #expect(try flags() == [false])
        try store.lock(days: 1)
        try store.put([1], bucket: "bucket", key: "b")
        #expect(try flags().sorted { !$0 && $1 } == [false, true])
        #expect(try store.maintain().flagsChanged == 1)
        #expect(try flags() == [true, true])
        let file = "objects/bucket/" + (try world.files()[0])
        #expect(throws: DiskError.self) { try world.disk.remove(file) }
        #expect(throws: DiskError.self) { try world.disk.rename(file, to: "x") }
        #expect(throws: DiskError.self) { try world.disk.openForAppending(file) }
        world.time.pass(days: 1)
        try store.deleteObject(bucket: "bucket", key: "a")
        #expect(try flags() == [true])
        #expect(try store.maintain().flagsChanged == 1)
        #expect(try flags() == [false])
        try store.deleteObject(bucket: "bucket", key: "b")
        #expect(try world.files().isEmpty)
    }

    @Test func `does not keep what was deleted, though a crash came between`() throws {
        let world = try World()
        let store = try world.open()
        try store.lock(days: 1)
        try store.put([1], bucket: "bucket", key: "a")
        world.time.pass(days: 1)
        world.disk.setFault { operation, _ in operation == .remove || operation == .setFlag ? .lost(errno: 5) : nil }
        try store.deleteObject(bucket: "bucket", key: "a")
        world.disk.setFault(nil)
        #expect(try world.files().count == 1)
        try world.open().sweep()
        #expect(try world.files().isEmpty)
        #expect(try world.metadata.entries(prefix: "object-removals/").isEmpty)
        #expect(world.damages(store).isEmpty)
    }

    @Test func `keeps a file whose row was taken away, and that is heard of`() throws {
        let world = try World()
        let store = try world.open()
        try store.lock(days: 1)
        try store.put([1], bucket: "bucket", key: "a")
        try world.metadata.transact { try $0.delete("objects/bucket/a") }
        world.time.pass(days: 2)
        try store.sweep()
        #expect(try world.files().count == 1)
        #expect(world.damages(store).count == 1)
    }

    @Test func `is not needed`() throws {
        let world = try World()
        world.disk.setImmutableFlag(isSupported: false)
        let store = try world.open()
        #expect(!store.immutableFlagSupported)
        try store.lock(days: 1)
        try store.put([1], bucket: "bucket", key: "a")
        _ = try store.maintain()
        #expect(throws: ObjectError.objectImmutable(bucket: "bucket", key: "a")) {
            try store.deleteObject(bucket: "bucket", key: "a")
        }
        world.time.pass(days: 1)
        try store.deleteObject(bucket: "bucket", key: "a")
        #expect(try world.files().isEmpty)
    }
}
