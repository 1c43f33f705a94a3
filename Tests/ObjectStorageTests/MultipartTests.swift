// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import ObjectStorage
import Testing

@Suite struct `A multipart upload` {
    static let minimum = 102_400

    @Test func `becomes one object, in the order of its numbers`() async throws {
        let world = try World()
        let store = try world.open()
        let parts = [bytes(Self.minimum), bytes(Self.minimum + 1, seed: 2), bytes(7, seed: 3)]
        let upload = try store.beginMultipart("k")
        var stored: [StoredPart] = []
        for number in [3, 1, 2] { stored.append(try store.putPart(parts[number - 1], upload, number)) }
        stored.sort { $0.number < $1.number }
        #expect(stored.map(\.etag) == parts.map { hex(Insecure.MD5.hash(data: $0)) })
        #expect(stored.map(\.crc64) == parts.map(crc64))
        #expect(try store.object(bucket: "bucket", key: "k") == nil)
        #expect(try store.parts(bucket: "bucket", key: "k", uploadId: upload.uploadId, after: 0, limit: 100) == stored)
        #expect(try store.parts(bucket: "bucket", key: "k", uploadId: upload.uploadId, after: 1, limit: 1) == [stored[1]])
        #expect(throws: ObjectError.bucketNotEmpty("bucket")) { try store.deleteBucket("bucket") }
        // A part again takes the place of the first.
        try store.putPart([1], upload, 2)
        try store.putPart(parts[1], upload, 2)
        #expect(try world.files().count == 3)
        #expect(try store.statistics(bucket: "bucket").uploads == 1)
        let object = try store.complete(upload, stored.map { .init(number: $0.number, etag: "\"" + $0.etag.lowercased() + "\"") })
        let whole = parts.flatMap(\.self)
        #expect(object.type == .multipart)
        #expect(object.size == Int64(whole.count))
        #expect(object.crc64 == crc64(whole))
        #expect(object.md5.isEmpty)
        #expect(object.partCount == 3)
        #expect(object.etag == hex(Insecure.MD5.hash(data: parts.flatMap { Array(Insecure.MD5.hash(data: $0)) })) + "-3")
        #expect(object.attributes.contentType == "a/b")
        #expect(try await store.content("k") == whole)
        for range in [0..<10, 102_399..<102_402, 100..<204_805, 204_800..<204_808] as [Range<Int64>] {
            #expect(try await store.content("k", range) == Array(whole[Int(range.lowerBound)..<Int(range.upperBound)]))
        }
        #expect(throws: ObjectError.noSuchUpload(uploadId: upload.uploadId)) { try store.putPart([1], upload, 4) }
        #expect(throws: ObjectError.noSuchUpload(uploadId: upload.uploadId)) { try store.complete(upload) }
        #expect(try store.statistics(bucket: "bucket").bytes == Int64(whole.count))
        #expect(try world.files().count == 3)
        try store.sweep()
        #expect(try await store.content("k") == whole)
        try store.deleteObject(bucket: "bucket", key: "k")
        #expect(try world.files().isEmpty)
        #expect(try store.statistics(bucket: "bucket") == BucketStatistics())
    }

    @Test func `is refused when its parts do not fit, and stays as it was`() async throws {
        let world = try World()
        let store = try world.open()
        let upload = try store.beginMultipart("k")
        #expect(throws: ObjectError.invalidPart(number: 0)) { try store.complete(upload) }
        let small = try store.putPart(bytes(5), upload, 1)
        let tail = try store.putPart(bytes(6), upload, 2)
        let choices = [small, tail].map { PartChoice(number: $0.number, etag: $0.etag) }
        #expect(throws: ObjectError.partTooSmall(number: 1, size: 5)) { try store.complete(upload, choices) }
        #expect(throws: ObjectError.invalidPartOrder) { try store.complete(upload, choices.reversed()) }
        #expect(throws: ObjectError.invalidPartOrder) { try store.complete(upload, [choices[0], choices[0]]) }
        #expect(throws: ObjectError.invalidPart(number: 1)) {
            try store.complete(upload, [.init(number: 1, etag: tail.etag)])
        }
        #expect(throws: ObjectError.invalidPart(number: 3)) {
            try store.complete(upload, [.init(number: 3, etag: tail.etag)])
        }
        #expect(throws: ObjectError.invalidPart(number: 0)) { try store.complete(upload, []) }
        for number in [0, -1, 10_001] {
            #expect(throws: ObjectError.invalidPartNumber(number)) { try store.putPart([1], upload, number) }
        }
        #expect(try world.files().count == 2)
        let object = try store.complete(upload, [choices[1]])
        #expect(try await store.content("k") == bytes(6))
        #expect(object.etag.hasSuffix("-1"))
        #expect(try world.files().count == 1)
    }

    @Test func `is listed by key and id, and aborted`() throws {
        let world = try World()
        let store = try world.open()
        var uploads: [MultipartUpload] = []
        for key in ["b", "a", "a", "a/b", "a\u{1}", "a\u{1}\u{1}", "c"] { uploads.append(try store.beginMultipart(key)) }
        uploads.sort { ($0.key.utf8.map(\.self), $0.uploadId) < ($1.key.utf8.map(\.self), $1.uploadId) }
        #expect(try store.multipartUploads(bucket: "bucket", prefix: "", afterKey: "", afterUploadId: "", limit: 100) == uploads)
        var paged: [MultipartUpload] = []
        while true {
            let page = try store.multipartUploads(
                bucket: "bucket", prefix: "", afterKey: paged.last?.key ?? "", afterUploadId: paged.last?.uploadId ?? "",
                limit: 2)
            guard !page.isEmpty else { break }
            paged += page
        }
        #expect(paged == uploads)
        #expect(
            try store.multipartUploads(bucket: "bucket", prefix: "a/", afterKey: "", afterUploadId: "", limit: 9).map(\.key)
                == ["a/b"])
        #expect(
            try store.multipartUploads(bucket: "bucket", prefix: "", afterKey: "a", afterUploadId: "", limit: 9).map(\.key)
                == ["a\u{1}", "a\u{1}\u{1}", "a/b", "b", "c"])
        try store.putPart(bytes(5), uploads[0], 1)
        for upload in uploads { try store.abortMultipart(bucket: "bucket", key: upload.key, uploadId: upload.uploadId) }
        #expect(try world.files().isEmpty)
        #expect(throws: ObjectError.noSuchUpload(uploadId: uploads[0].uploadId)) {
            try store.abortMultipart(bucket: "bucket", key: uploads[0].key, uploadId: uploads[0].uploadId)
        }
        #expect(try store.statistics(bucket: "bucket").uploads == 0)
    }

    @Test func `of ten thousand parts is one row, and its list of files another`() async throws {
        let world = try World()
        let store = try world.open()
        let upload = try store.beginMultipart("k")
        let content = bytes(Self.minimum)
        for number in 1...40 { try store.putPart(content, upload, number) }
        let object = try store.complete(upload)
        #expect(object == (try store.object(bucket: "bucket", key: "k")))
        let entry = try #require(try world.metadata.entry("objects/bucket/k"))
        #expect(entry.value.count < 1500)
        #expect(try await store.content("k", 39 * 102_400..<40 * 102_400) == content)
        #expect(object.crc64 == crc64((0..<40).flatMap { _ in content }))
        try store.put([1], bucket: "bucket", key: "k")
        #expect(try world.files().count == 1)
        #expect(try world.metadata.entries(prefix: "object-pieces/").isEmpty)
    }
}

private func < (left: ([UInt8], String), right: ([UInt8], String)) -> Bool {
    left.0 == right.0 ? left.1 < right.1 : left.0.lexicographicallyPrecedes(right.0)
}

@Suite struct `Checksums of joined content` {
    @Test func `come from the checksums of the pieces`() {
        // oss.md section 9.
        #expect(
            CRC64.combine(9_427_277_473_487_083_924, 4_892_776_527_766_146_793, secondLength: 10) == 14_614_832_749_535_894_156)
        let content = bytes(100_000)
        for cut in [0, 1, 7, 8, 9, 255, 65_536, 99_999, 100_000] {
            let (first, second) = (Array(content[..<cut]), Array(content[cut...]))
            #expect(CRC64.combine(crc64(first), crc64(second), secondLength: Int64(second.count)) == crc64(content))
        }
    }
}
