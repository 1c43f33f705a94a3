// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import ObjectStorage
import Synchronization
import Testing

private let content = Array("what is delivered".utf8)

@Suite struct `An S3 bucket` {
    private func locked(_ bucket: inout RemoteBucket) {
        bucket.retentionMode = .compliance
        bucket.retentionDays = 184
    }

    @Test func `gets each object once, locked, with its sums`() async throws {
        let store = FakeS3()
        let server = try FakeServer { request, _ in store.answer(request) }
        defer { server.close() }
        let target = try remoteTarget(remoteBucket(.s3, at: server.url, locked))
        let first = try await target.put("a/b c+1.gz", content, contentType: "application/gzip")
        #expect(first.isNew && first.versionId == "v10")
        let again = try await target.put("a/b c+1.gz", content, contentType: "application/gzip")
        #expect(!again.isNew)
        let put = try #require(server.requests.first { $0.method == "PUT" && $0.path.contains("a/b%20c%2B1.gz") })
        #expect(put.headers["if-none-match"] == "*")
        #expect(put.headers["x-amz-object-lock-mode"] == "COMPLIANCE")
        #expect(put.headers["x-amz-object-lock-retain-until-date"] == (remoteNow + 184 * 86_400).iso8601)
        #expect(put.headers["content-md5"] != nil && put.headers["x-amz-checksum-sha256"] != nil)
        #expect(put.headers["content-length"] == String(content.count) && put.headers["transfer-encoding"] == nil)
        #expect(store.object("a/b c+1.gz")?.body == content)
        #expect(try await target.read("a/b c+1.gz") == content)
        #expect(try await target.read("absent") == nil)
        // The probe was looked for, made and refused; the lock was looked at once.
        #expect(server.requests.filter { $0.path.hasSuffix("cairn-write-once-probe") }.map(\.method) == ["HEAD", "PUT", "PUT"])
        #expect(server.requests.filter { $0.method == "HEAD" && $0.path.hasSuffix(".gz") }.count == 2)
        _ = try await target.check()
        #expect(
            server.requests.filter { $0.path.hasSuffix("cairn-write-once-probe") }.map(\.method).suffix(2) == ["HEAD", "PUT"])
    }

    @Test func `keeps what is there and says so`() async throws {
        let store = FakeS3()
        let server = try FakeServer { request, _ in store.answer(request) }
        defer { server.close() }
        let target = try remoteTarget(remoteBucket(.s3, at: server.url))
        for other in [Array("other content 123".utf8), Array("other length".utf8)] {
            store.set("k", other)
            await #expect(throws: TargetConflict.self) { try await target.put("k", content, contentType: "x/y") }
            #expect(store.object("k")?.body == other)
        }
    }

    @Test(arguments: [true, false]) func `is compared by reading where no sum tells`(isSame: Bool) async throws {
        var habits = FakeS3.Habits()
        habits.keepsChecksum = false
        habits.etag = { _ in "0123456789abcdef0123456789abcdef-2" }
        let store = FakeS3(habits)
        let server = try FakeServer { request, _ in store.answer(request) }
        defer { server.close() }
        let target = try remoteTarget(remoteBucket(.s3, at: server.url))
        store.set("k", isSame ? content : content.map { $0 ^ 1 }, [("ETag", "\"0123456789abcdef0123456789abcdef-2\"")])
        if isSame {
            #expect(try await !target.put("k", content, contentType: "x/y").isNew)
        } else {
            await #expect(throws: TargetConflict.self) { try await target.put("k", content, contentType: "x/y") }
        }
        #expect(server.requests.last?.method == "GET")
    }

    @Test func `that ignores conditions is looked at first`() async throws {
        var habits = FakeS3.Habits()
        habits.ignoresCondition = true
        let store = FakeS3(habits)
        let server = try FakeServer { request, _ in store.answer(request) }
        defer { server.close() }
        let target = try remoteTarget(remoteBucket(.s3, at: server.url))
        let protection = try await target.check()
        #expect(!protection.refusesOverwrite && protection.gaps.contains { $0.contains("does not refuse to overwrite") })
        #expect(try await target.put("k", content, contentType: "x/y").isNew)
        #expect(try await !target.put("k", content, contentType: "x/y").isNew)
        _ = try await target.check()
        #expect(server.requests.filter { $0.method == "PUT" && $0.path.hasSuffix("probe") }.count == 2, "not tried again")
        store.set("k", [1])
        await #expect(throws: TargetConflict.self) { try await target.put("k", content, contentType: "x/y") }
        #expect(store.object("k")?.body == [1])
    }

    @Test func `that takes lock headers and forgets them is a failure, again at each try`() async throws {
        var habits = FakeS3.Habits()
        habits.ignoresLock = true
        let store = FakeS3(habits)
        let server = try FakeServer { request, _ in store.answer(request) }
        defer { server.close() }
        let target = try remoteTarget(remoteBucket(.s3, at: server.url, locked))
        for _ in 0..<2 {
            let text = await failureText { _ = try await target.put("k", content, contentType: "x/y") }
            #expect(text.contains("retention `none`") && text.contains("Object Lock"), "\(text)")
        }
    }

    @Test func `that answers 200 and forgets the encryption is a failure`() async throws {
        var habits = FakeS3.Habits()
        habits.ignoresEncryption = true
        let store = FakeS3(habits)
        let server = try FakeServer { request, _ in store.answer(request) }
        defer { server.close() }
        let target = try remoteTarget(
            remoteBucket(.s3, at: server.url) {
                $0.encryption = .kms
                $0.kmsKeyId = "key-1"
            })
        let text = await failureText { _ = try await target.put("k", content, contentType: "x/y") }
        #expect(text.contains("encryption `none` in place of `kms`"), "\(text)")
        let put = try #require(server.requests.last { $0.method == "PUT" })
        #expect(put.headers["x-amz-server-side-encryption"] == "aws:kms")
        #expect(put.headers["x-amz-server-side-encryption-aws-kms-key-id"] == "key-1")
    }

    @Test func `is checked before it is relied on`() async throws {
        let good = FakeS3()
        let server = try FakeServer { request, _ in good.answer(request) }
        defer { server.close() }
        let protection = try await remoteTarget(remoteBucket(.s3, at: server.url, locked)).check()
        #expect(protection.retention == "COMPLIANCE, 184 days, set on each object")
        #expect(protection.versioning == "Enabled" && protection.refusesOverwrite)
        #expect(protection.gaps == ["no encryption at rest is configured"])
        var habits = FakeS3.Habits()
        habits.lockSetting = nil
        habits.versioning = "<VersioningConfiguration/>"
        let plain = FakeS3(habits)
        let other = try FakeServer { request, _ in plain.answer(request) }
        defer { other.close() }
        let text = await failureText { _ = try await remoteTarget(remoteBucket(.s3, at: other.url, locked)).check() }
        #expect(text.contains("no Object Lock") && text.contains("`audit-archive`"), "\(text)")
        let gaps = try await remoteTarget(remoteBucket(.s3, at: other.url)).check().gaps
        #expect(gaps.contains { $0.contains("objects can be deleted") } && gaps.contains { $0.contains("without versions") })
    }

    @Test func `is listed page by page`() async throws {
        let store = FakeS3()
        for number in 0..<8 { store.set("logs/a&b <\(number)>+ü.gz", Array(repeating: 1, count: number)) }
        store.set("other", [])
        let server = try FakeServer { request, _ in store.answer(request) }
        defer { server.close() }
        let target = try remoteTarget(remoteBucket(.s3, at: server.url))
        var found: [TargetEntry] = []
        while true {
            let page = try await target.list(prefix: "logs/", after: found.last?.key ?? "")
            if page.isEmpty { break }
            found += page
        }
        #expect(found.map(\.key) == (0..<8).map { "logs/a&b <\($0)>+ü.gz" })
        #expect(found.map(\.size) == Array(0..<8))
    }

    @Test(arguments: [
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", "<html>hello</html>", "",
        "<ListBucketResult><Contents><Key>b</Key><Size>1</Size></Contents><Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>b</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>b</Key><Size>-1</Size></Contents></ListBucketResult>",
    ]) func `whose list makes no sense is no list`(text: String) async throws {
        let server = try FakeServer { _, _ in .xml(text) }
        defer { server.close() }
        let target = try remoteTarget(remoteBucket(.s3, at: server.url))
        await #expect(throws: RemoteError.self) { try await target.list(prefix: "", after: "") }
    }

    @Test func `is addressed by its host where that is meant`() throws {
        #expect(!RemoteBucket.sample("https://s3.eu-west-1.amazonaws.com").isPathStyle)
        #expect(RemoteBucket.sample("https://minio.example.org").isPathStyle)
        #expect(RemoteBucket.sample("https://10.0.0.1:9000").isPathStyle)
        #expect(RemoteBucket.sample("https://s3.eu-west-1.amazonaws.com", bucket: "with.dot").isPathStyle)
        #expect(!RemoteBucket.sample("https://oss-cn-hangzhou.aliyuncs.com", kind: .oss).isPathStyle)
        #expect(RemoteBucket.sample("http://127.0.0.1:9", kind: .oss).isPathStyle)
        for bad in ["", "127.0.0.1:9", "ftp://x", "https://u:p@x", "https://x/path", "https://x?y", "https://", "https://a b"] {
            #expect(RemoteEndpoint(bad) == nil, "\(bad)")
        }
        #expect(RemoteEndpoint("https://X.example:443/")?.description == "https://x.example")
        #expect(RemoteEndpoint("http://[::1]:8080")?.description == "http://[::1]:8080")
    }
}

extension RemoteBucket {
    fileprivate static func sample(_ url: String, kind: Kind = .s3, bucket: String = "real") -> RemoteBucket {
        RemoteBucket(
            name: "n", kind: kind, endpoint: RemoteEndpoint(url)!, region: "r", bucket: bucket, accessKeyId: "a",
            secret: .environment("S"))
    }
}
