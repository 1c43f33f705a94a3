// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import ObjectStorage
import Testing

@Suite struct `Encryption` {
    private static func options(_ choice: EncryptionChoice) -> PutOptions {
        var options = PutOptions()
        options.encryption = choice
        return options
    }

    @Test func `is what the object asks for, else what the bucket's rule says`() async throws {
        let world = try World()
        let store = try world.open()
        #expect(try store.put([1], bucket: "bucket", key: "plain").encryption == nil)
        try store.setEncryption(.kms(keyId: "alias", dataCipher: .sm4), bucket: "bucket")
        let ruled = try store.put([2], bucket: "bucket", key: "ruled")
        #expect(ruled.encryption == .kms(keyId: "alias", dataCipher: .sm4))
        #expect(ruled.keyId == "key-1")
        #expect(try store.put([3], "own", Self.options(.aes256)).encryption == .aes256)
        let byDefault = try store.put([4], "default", Self.options(.kms()))
        #expect((byDefault.keyId, byDefault.encryption?.keyId) == ("key-1", nil))
        let upload = try store.beginMultipart("parts")
        #expect((upload.options.encryption?.algorithm, upload.keyId) == (.kms, "key-1"))
        try store.setEncryption(nil, bucket: "bucket")
        try store.putPart([5], upload, 1)
        #expect(try store.complete(upload).encryption == .kms(keyId: "alias", dataCipher: .sm4))
        try store.append([6], "log", at: 0, Self.options(.kms(keyId: "key-2")))
        try store.append([7], "log", at: 1)
        #expect(try store.object(bucket: "bucket", key: "log")?.keyId == "key-2")
        #expect(try store.put([8], bucket: "bucket", key: "late").encryption == nil)
        for (key, content) in [
            ("plain", [1]), ("ruled", [2]), ("own", [3]), ("default", [4]), ("parts", [5]), ("log", [6, 7]), ("late", [8]),
        ] as [(String, [UInt8])] {
            #expect(try await store.content(key) == content)
        }
        #expect(throws: TestKeys.NotFound(id: "none")) { try store.put([1], "x", Self.options(.kms(keyId: "none"))) }
        #expect(throws: TestKeys.NotFound(id: "none")) { try store.beginMultipart("x", Self.options(.kms(keyId: "none"))) }
    }

    @Test(arguments: [EncryptionChoice.aes256, .sm4, .kms(), .kms(dataCipher: .sm4)])
    func `leaves nothing readable on disk, and reads every range`(choice: EncryptionChoice) async throws {
        let world = try World()
        let store = try world.open()
        let content = (0..<20_000).flatMap { Array("line \($0 % 10)\n".utf8) }
        try store.put(content, "k", Self.options(choice))
        let raw = try #require(try world.disk.readAll("objects/bucket/" + world.files()[0], limit: 1 << 20))
        #expect(String(decoding: raw, as: UTF8.self).contains("line") == false)
        for range in [0..<1, 65_535..<65_537, 100..<140_000, 139_999..<140_000, 0..<140_000] as [Range<Int64>] {
            #expect(try await store.content("k", range) == Array(content[Int(range.lowerBound)..<Int(range.upperBound)]))
        }
        for offset in [0, 30, 107, 140, 160, 200, 70_000, raw.count - 1] {
            world.disk.flipBit(in: "objects/bucket/" + (try world.files()[0]), at: offset)
            await #expect(throws: ObjectError.self, "byte \(offset)") { try await store.content("k") }
            world.disk.flipBit(in: "objects/bucket/" + (try world.files()[0]), at: offset)
        }
        #expect(try await store.content("k") == content)
    }

    /// Each bit of a tag counts: one in 256 wrong tags would pass a check of its last byte alone.
    @Test(arguments: [EncryptionChoice.aes256, .sm4]) func `finds a flip of any byte`(choice: EncryptionChoice) async throws {
        let world = try World()
        let store = try world.open()
        let content = bytes(2000)
        try store.put(content, "k", Self.options(choice))
        let path = "objects/bucket/" + (try world.files()[0])
        let size = try #require(try world.disk.readAll(path, limit: 1 << 20)).count
        for offset in 0..<size {
            world.disk.flipBit(in: path, at: offset)
            await #expect(throws: ObjectError.self, "byte \(offset)") { try await store.content("k") }
            world.disk.flipBit(in: path, at: offset)
        }
        #expect(try await store.content("k") == content)
    }

    @Test func `under a disabled key opens nothing, not even the rest of a read`() async throws {
        let world = try World()
        let store = try world.open()
        let content = bytes(3 << 20)
        try store.put(content, "k", Self.options(.kms(keyId: "key-2")))
        try store.put([1], "other", Self.options(.kms(keyId: "key-1")))
        let object = try #require(try store.object(bucket: "bucket", key: "k"))
        world.customerKeys.set("key-2", isEnabled: false)
        await #expect(throws: TestKeys.Disabled(id: "key-2")) { try await store.content("k") }
        await #expect(throws: TestKeys.Disabled(id: "key-2")) { try await store.content("k", 100..<101) }
        #expect(throws: TestKeys.Disabled(id: "key-2")) { try store.put([1], "n", Self.options(.kms(keyId: "key-2"))) }
        #expect(try await store.content("other") == [1])
        world.customerKeys.set("key-2", isEnabled: true)
        #expect(try await store.content("k") == content)
        var got = 0
        await #expect(throws: TestKeys.Disabled(id: "key-2")) {
            try await store.read(object, range: 0..<object.size) {
                got += $0.count
                world.customerKeys.set("key-2", isEnabled: false)
            }
        }
        #expect(got == 1 << 20)
        world.customerKeys.set("key-2", isEnabled: true)
        let writer = try store.beginPut(
            bucket: "bucket", key: "n", attributes: .init(), options: Self.options(.kms(keyId: "key-2")))
        world.customerKeys.set("key-2", isEnabled: false)
        #expect(throws: TestKeys.Disabled(id: "key-2")) { try writer.finish(expectedMD5: nil) }
        #expect(try store.object(bucket: "bucket", key: "n") == nil)
        // Deleting needs no key.
        try store.deleteObject(bucket: "bucket", key: "k")
        #expect(try world.files().count == 1)
    }

    @Test func `finds files that were exchanged, cut or put back`() async throws {
        let world = try World()
        let store = try world.open()
        let upload = try store.beginMultipart("k")
        let parts = [bytes(102_400), bytes(102_400, seed: 2)]
        for (index, part) in parts.enumerated() { try store.putPart(part, upload, index + 1) }
        let object = try store.complete(upload)
        let names = try world.files().map { "objects/bucket/" + $0 }
        let contents = try names.map { try world.disk.readAll($0, limit: 1 << 20)! }
        func set(_ name: String, _ content: [UInt8]) throws { try world.disk.replace(name, with: content) }
        try set(names[0], contents[1])
        try set(names[1], contents[0])
        await #expect(throws: ObjectError.objectDamaged(bucket: "bucket", key: "k", offset: 0)) { try await store.content("k") }
        try set(names[0], contents[0])
        try set(names[1], contents[1])
        #expect(try await store.content("k") == parts.flatMap(\.self))
        for cut in [0, 8, 106, 107, 65_000, 102_400] {
            for (index, name) in names.enumerated() {
                try set(name, Array(contents[index][..<cut]))
                await #expect(throws: ObjectError.self, "cut at \(cut)") { try await store.content("k") }
                try set(name, contents[index] + [0])
                await #expect(throws: ObjectError.self) { try await store.content("k") }
                try set(name, contents[index])
            }
        }
        // A flipped bit is named by the chunk it is in: of the second part the second chunk.
        let second = try #require(try await firstDamage(store, object, world, names, at: 70_000))
        #expect(second == [65_536, 102_400 + 65_536])
        // An older file of the same object under the newer one's name.
        try store.put([1, 2, 3], bucket: "bucket", key: "r")
        let old = try #require(try world.files().first { !names.contains("objects/bucket/" + $0) })
        let oldContent = try #require(try world.disk.readAll("objects/bucket/" + old, limit: 1000))
        try store.put([4, 5, 6], bucket: "bucket", key: "r")
        let new = try #require(try world.files().first { !names.contains("objects/bucket/" + $0) })
        try set("objects/bucket/" + new, oldContent)
        await #expect(throws: ObjectError.objectDamaged(bucket: "bucket", key: "r", offset: 0)) { try await store.content("r") }
        try world.disk.remove("objects/bucket/" + new)
        await #expect(throws: ObjectError.objectDamaged(bucket: "bucket", key: "r", offset: 0)) { try await store.content("r") }
    }

    /// The offsets named when one bit of each file is flipped, sorted.
    private func firstDamage(
        _ store: EmbeddedObjectStore, _ object: StoredObject, _ world: World, _ names: [String], at offset: Int
    ) async throws -> [Int64]? {
        var offsets: [Int64] = []
        for name in names {
            world.disk.flipBit(in: name, at: offset)
            do { _ = try await store.content("k") } catch ObjectError.objectDamaged(_, _, let offset) { offsets.append(offset) }
            world.disk.flipBit(in: name, at: offset)
        }
        return offsets.sorted()
    }

    @Test func `without customers' keys has no SSE-KMS`() throws {
        let world = try World()
        let store = try EmbeddedObjectStore(
            folder: "other", region: "local-1", disk: world.disk,
            keys: .init(metadata: world.metadata, rootKeyPath: "keys/root.key", disk: world.disk), metadata: world.metadata,
            now: { Date() })
        #expect(throws: ObjectError.noCustomerKeys) { try store.put([1], "k", Self.options(.kms())) }
    }
}

@Suite struct `The cipher SM4` {
    /// GB/T 32907-2016, appendix A.
    @Test func `has the standard's values`() async throws {
        let sm4 = SM4(key: [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10])
        var block: (UInt64, UInt64) = (0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210)
        block = sm4.encrypt(block.0, block.1)
        #expect(block == (0x681E_DF34_D206_965E, 0x86B3_E94F_536E_4246))
        for _ in 1..<1_000_000 { block = sm4.encrypt(block.0, block.1) }
        #expect(block == (0x5952_98C7_C6FD_271F, 0x0402_F804_C33D_3F66))
    }

    @Test(arguments: [0, 1, 7, 8, 9, 15, 16, 17, 100]) func `adds the key stream of its counter blocks`(count: Int) {
        let sm4 = SM4(key: bytes(16))
        var content = bytes(count)
        content.withUnsafeMutableBytes { sm4.applyCounterMode($0, block: 7) }
        let stream = (0..<UInt64(count + 15) / 16).flatMap { number in
            let block = sm4.encrypt(7, number)
            return [block.0, block.1].flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } }
        }
        #expect(content == zip(bytes(count), stream).map { $0 ^ $1 })
    }
}
