// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import ObjectStorage
import Testing

@Suite struct `An object that grows` {
    @Test func `takes what is appended at its end, and nothing elsewhere`() async throws {
        let world = try World()
        let store = try world.open()
        #expect(throws: ObjectError.positionNotEqualToLength(key: "log", length: 0)) { try store.append([1], "log", at: 3) }
        let first = try store.append(Array("line1\n".utf8), "log", at: 0)
        #expect((first.type, first.size, first.md5.count) == (.appendable, 6, 0))
        let second = try store.append(Array("line2\n".utf8), "log", at: 6)
        #expect(second.crc64 == crc64(Array("line1\nline2\n".utf8)))
        #expect(second.etag != first.etag)
        #expect(throws: ObjectError.positionNotEqualToLength(key: "log", length: 12)) { try store.append([1], "log", at: 6) }
        #expect(throws: ObjectError.positionNotEqualToLength(key: "log", length: 12)) { try store.append([1], "log", at: 0) }
        #expect(try await store.content("log") == Array("line1\nline2\n".utf8))
        try store.put([1], bucket: "bucket", key: "n")
        #expect(throws: ObjectError.objectNotAppendable(key: "n")) { try store.append([1], "n", at: 1) }
        try store.put([9], bucket: "bucket", key: "log")
        #expect(try store.object(bucket: "bucket", key: "log")?.type == .normal)
        #expect(try world.files().count == 2)
    }

    @Test func `of two appends at one position takes one`() async throws {
        let store = try World().open()
        for position in [0, 3] as [Int64] {
            let writers = try (0..<2).map { _ in
                try store.beginAppend(bucket: "bucket", key: "log", position: position, attributes: .init())
            }
            for (index, writer) in writers.enumerated() {
                try bytes(3, seed: UInt8(index)).withUnsafeBytes { try writer.append($0) }
            }
            _ = try writers[1].finish(expectedMD5: nil)
            #expect(throws: ObjectError.positionNotEqualToLength(key: "log", length: position + 3)) {
                try writers[0].finish(expectedMD5: nil)
            }
        }
        #expect(try await store.content("log") == bytes(3, seed: 1) + bytes(3, seed: 1))
    }

    @Test(arguments: [1, 100, 70_000]) func `has few files however often it grows`(size: Int) async throws {
        let world = try World()
        let store = try world.open()
        var whole: [UInt8] = []
        for round in 0..<150 {
            let piece = bytes(size + round % 3, seed: UInt8(round))
            try store.append(piece, "log", at: Int64(whole.count))
            whole += piece
            #expect(try world.files().count <= 12)
        }
        #expect(try await store.content("log") == whole)
        #expect(try store.object(bucket: "bucket", key: "log")?.crc64 == crc64(whole))
        try store.sweep()
        #expect(try await store.content("log") == whole)
        try store.deleteObject(bucket: "bucket", key: "log")
        #expect(try world.files().isEmpty)
        #expect(try world.metadata.entries(prefix: "object-pieces/").isEmpty)
    }
}
