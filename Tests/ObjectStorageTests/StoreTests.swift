// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import Glibc
import ObjectStorage
import Testing

@Suite struct `An object` {
    private static let chunk = 64 << 10

    @Test(arguments: [0, 1, 100, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 17])
    func `is read as it was written, whole and in part`(size: Int) async throws {
        let world = try World()
        let store = try world.open()
        let content = bytes(size)
        let upload = try store.beginUpload(
            bucket: "bucket", key: "k", attributes: .init(contentType: "a/b", userMetadata: ["x": "y"]))
        for start in stride(from: 0, to: size, by: 10_007) {
            try content[start..<min(start + 10_007, size)].withUnsafeBytes { try upload.append($0) }
        }
        let object = try upload.finish(expectedMD5: Array(Insecure.MD5.hash(data: content)))
        #expect(object.size == Int64(size))
        #expect(try store.object(bucket: "bucket", key: "k") == object)
        // docs/formats/object.md: envelope of 107 bytes, a tag of 16 for each chunk.
        let chunks = (size + Self.chunk - 1) / Self.chunk
        #expect(try world.disk.size(of: "objects/bucket/" + world.files()[0]) == UInt64(107 + size + 16 * chunks))
        #expect(object.attributes.userMetadata == ["x": "y"])
        #expect(try await store.content("k") == content)
        let edges = [0, 1, Self.chunk - 1, Self.chunk, Self.chunk + 1, size - 1, size].filter { (0...size).contains($0) }
        for low in edges {
            for high in edges where low <= high {
                #expect(try await store.content("k", Int64(low)..<Int64(high)) == Array(content[low..<high]))
            }
        }
        #expect(try await store.content("k", 0..<Int64(size + 100)) == content)
    }

    @Test func `is replaced, deleted and abandoned without leaving files behind`() async throws {
        let world = try World()
        let store = try world.open()
        for round in 0..<3 { try store.put(bytes(100 + round), bucket: "bucket", key: "k") }
        #expect(try world.files().count == 1)
        let upload = try store.beginUpload(bucket: "bucket", key: "k", attributes: .init())
        try bytes(200_000).withUnsafeBytes { try upload.append($0) }
        #expect(throws: ObjectError.digestMismatch(key: "k")) { try upload.finish(expectedMD5: [1, 2, 3]) }
        #expect(throws: UploadEnded.self) { try upload.finish(expectedMD5: nil) }
        #expect(throws: UploadEnded.self) { try bytes(1).withUnsafeBytes { try upload.append($0) } }
        do { _ = try store.beginUpload(bucket: "bucket", key: "z", attributes: .init()) }
        #expect(try world.files().count == 1)
        #expect(try await store.content("k") == bytes(102))
        try store.deleteObject(bucket: "bucket", key: "k")
        #expect(try store.object(bucket: "bucket", key: "k") == nil)
        #expect(try world.files().isEmpty)
        let late = try store.beginUpload(bucket: "bucket", key: "late", attributes: .init())
        try store.deleteBucket("bucket")
        #expect(throws: ObjectError.noSuchBucket("bucket")) { try late.finish(expectedMD5: nil) }
        #expect(try world.files().isEmpty)
    }

    @Test(arguments: 0..<3, [1, 2, 3] as [UInt64])
    func `is whole or not at all after a fault at any write and a power loss`(kind: Int, seed: UInt64) async throws {
        for failing in 0..<12 {
            let world = try World()
            let store = try world.open()
            try store.put(bytes(70_000), bucket: "bucket", key: "old")
            try store.put(bytes(70_000), bucket: "bucket", key: "kept")
            let count = Counter()
            world.disk.setFault { operation, _ in
                guard operation != .read, count.next() == failing else { return nil }
                return kind == 0 ? .lost(errno: ENOSPC) : kind == 1 ? .kept(errno: EIO) : .torn(bytes: 40_000, errno: ENOSPC)
            }
            let isAcknowledged = (try? store.put(bytes(150_000, seed: 7), bucket: "bucket", key: "old")) != nil
            world.disk.setFault(nil)
            #expect(try await store.content("old") == (isAcknowledged ? bytes(150_000, seed: 7) : bytes(70_000)))
            world.disk = world.disk.afterPowerLoss(seed: seed &* 100 + UInt64(failing))
            let after = try world.open()
            let where_ = Comment(rawValue: "fault \(failing) of kind \(kind), seed \(seed)")
            #expect(try await after.content("old") == (isAcknowledged ? bytes(150_000, seed: 7) : bytes(70_000)), where_)
            try after.sweep()
            #expect(try world.files().count == 2, where_)
            #expect(try await after.content("kept") == bytes(70_000), where_)
        }
    }

    @Test func `that was changed anywhere is found out`() async throws {
        let world = try World()
        let store = try world.open()
        try store.put(bytes(100_000), bucket: "bucket", key: "k")
        let file = "objects/bucket/" + (try world.files()[0])
        let size = Int(try world.disk.size(of: file) ?? 0)
        for offset in [0, 8, 12, 30, 60, 100, 110, 5000, 65_600, 65_700, size - 17, size - 1] {
            world.disk.flipBit(in: file, at: offset)
            await #expect(throws: ObjectError.self, "byte \(offset)") { try await store.content("k") }
            world.disk.flipBit(in: file, at: offset)
        }
        #expect(try await store.content("k") == bytes(100_000))
        try store.put(bytes(100_000, seed: 9), bucket: "bucket", key: "other")
        let other = "objects/bucket/" + (try #require(try world.files().first { "objects/bucket/" + $0 != file }))
        try world.disk.rename(other, to: file)
        await #expect(throws: ObjectError.self) { try await store.content("k") }
        await #expect(throws: ObjectError.self) { try await store.content("other") }
    }
}

@Suite struct `A bucket` {
    @Test func `lists its keys in byte order, by prefix and marker`() throws {
        let world = try World()
        let store = try world.open()
        _ = try store.createBucket("bucket-2", owner: "1")
        try store.put([1], bucket: "bucket-2", key: "a")
        let keys = [
            "a", "a/b", "a/c d", "a%2Fb", "é", "e\u{301}", "日本/x", "z?&=", "a+b", " lead", "\u{1F600}", "A", "a/", "_", "a'b\"c",
            "%_",
        ]
        for key in keys.shuffled() { try store.put(Array(key.utf8), bucket: "bucket", key: key) }
        let sorted = keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        func same(_ left: [String], _ right: [String]) -> Bool { left.map { Array($0.utf8) } == right.map { Array($0.utf8) } }
        #expect(same(try store.objects(bucket: "bucket", prefix: "", after: "", limit: 1000).map(\.key), sorted))
        for prefix in ["", "a", "a/", "é", "%", "日"] {
            for marker in [""] + keys {
                let expected = sorted.filter {
                    $0.utf8.starts(with: prefix.utf8) && (marker.isEmpty || marker.utf8.lexicographicallyPrecedes($0.utf8))
                }
                #expect(
                    same(try store.objects(bucket: "bucket", prefix: prefix, after: marker, limit: 1000).map(\.key), expected),
                    "\(prefix) after \(marker)")
                #expect(
                    same(
                        try store.objects(bucket: "bucket", prefix: prefix, after: marker, limit: 2).map(\.key),
                        Array(expected.prefix(2))))
            }
        }
    }

    @Test func `has a name by the rules, one owner, and goes only when empty`() throws {
        let store = try World().open()
        for name in ["ab", "-ab", "ab-", "Abc", "a_b", "a.b", "", String(repeating: "a", count: 64), "ab\u{301}c"] {
            #expect(throws: ObjectError.invalidBucketName(name)) { try store.createBucket(name, owner: "1") }
        }
        #expect(try store.createBucket("bucket", owner: "1").name == "bucket")
        #expect(throws: ObjectError.bucketAlreadyExists("bucket")) { try store.createBucket("bucket", owner: "2") }
        #expect(try store.buckets(owner: "2").isEmpty)
        try store.put([1], bucket: "bucket", key: "k")
        #expect(throws: ObjectError.bucketNotEmpty("bucket")) { try store.deleteBucket("bucket") }
        for key in ["", "/a", "\\a", "/\u{301}", "a\0b", "a\u{10FFFF}", "\u{10FFFF}", String(repeating: "a", count: 1024)] {
            #expect(throws: ObjectError.invalidKey(key)) { try store.put([1], bucket: "bucket", key: key) }
        }
        #expect(throws: ObjectError.noSuchBucket("nothing")) { try store.put([1], bucket: "nothing", key: "k") }
        try store.deleteObject(bucket: "bucket", key: "k")
        try store.deleteBucket("bucket")
        #expect(try store.bucket("bucket") == nil)
    }

    @Test func `is swept of what nothing names, and of nothing else`() async throws {
        let world = try World()
        let store = try world.open()
        for number in 0..<1200 { try store.put([1], bucket: "bucket", key: "k\(number)") }
        for name in ["left.tmp", "left"] { try world.disk.create("objects/bucket/" + name).append([1]) }
        let open = try store.beginUpload(bucket: "bucket", key: "open", attributes: .init())
        try bytes(70_000).withUnsafeBytes { try open.append($0) }
        try store.sweep()
        #expect(try world.files().count == 1201)
        _ = try open.finish(expectedMD5: nil)
        try store.sweep()
        #expect(try await store.content("open") == bytes(70_000))
        #expect(try world.files().count == 1201)
    }
}

@Suite struct `The CRC-64` {
    @Test(
        arguments: [("123456789", 11_051_210_869_376_104_954), ("hello", 11_177_612_005_948_864_433), ("", 0)]
            as [(String, UInt64)])
    func `has the published values, in one piece or several`(text: String, value: UInt64) {
        for cut in 0...text.utf8.count {
            var crc = CRC64()
            Array(text.utf8.prefix(cut)).withUnsafeBytes { crc.update($0) }
            Array(text.utf8.dropFirst(cut)).withUnsafeBytes { crc.update($0) }
            #expect(crc.value == value)
        }
    }
}
