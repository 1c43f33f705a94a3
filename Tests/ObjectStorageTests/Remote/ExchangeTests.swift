// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import ObjectStorage
import Synchronization
import Testing

private let content = Array("what is delivered".utf8)

@Suite struct `A request to another store` {
    /// The first answers go wrong, then the store is itself.
    private func put(_ troubles: [FakeAnswer], requestTimeout: Double = 5) async throws -> (
        FakeS3, [FakeRequest], Result<PutReceipt, any Error>
    ) {
        let store = FakeS3()
        let left = Mutex(troubles)
        let server = try FakeServer { request, _ in
            let isObject = request.method == "PUT" && !request.path.hasSuffix("probe")
            let trouble = isObject ? left.withLock { $0.isEmpty ? nil : $0.removeFirst() } : nil
            return trouble ?? store.answer(request)
        }
        defer { server.close() }
        let target = try remoteTarget(remoteBucket(.s3, at: server.url), requestTimeout: requestTimeout)
        let result: Result<PutReceipt, any Error>
        do { result = .success(try await target.put("k", content, contentType: "x/y")) } catch { result = .failure(error) }
        return (store, server.requests.filter { $0.path.hasSuffix("/k") }, result)
    }

    @Test(arguments: [
        FakeAnswer.error(500, "InternalError"), .error(503, "SlowDown"), .error(429, "TooManyRequests"),
        .error(408, "RequestTimeout"),
        .error(400, "RequestTimeout"), .error(409, "ConditionalRequestConflict"),
        FakeAnswer(status: 502, body: Array("<html>".utf8)),
        .error(503, "SlowDown", [("Retry-After", "1")]), FakeAnswer(manner: .silent),
        FakeAnswer(body: [1, 2], manner: .short(by: 100)), FakeAnswer(manner: .slow(1)),
    ]) func `is repeated after what may pass`(trouble: FakeAnswer) async throws {
        let begin = ContinuousClock.now
        let (store, requests, result) = try await put([trouble], requestTimeout: 0.5)
        #expect(try result.get().isNew)
        #expect(requests.count == 2)
        #expect(store.object("k")?.body == content)
        if trouble.headers.contains(where: { $0.0 == "Retry-After" }) { #expect(ContinuousClock.now - begin >= .seconds(1)) }
    }

    @Test func `is given up after some attempts, with the store's own words`() async throws {
        let (_, requests, result) = try await put(Array(repeating: .error(500, "InternalError"), count: 9))
        #expect(requests.count == 4)
        let error = try #require({ if case .failure(let error as RemoteError) = result { error } else { nil } }())
        #expect(error.kind == .refused && error.status == 500)
        #expect(error.text.contains("500 InternalError: Made up & told.") && error.text.contains("`audit-archive`"), "\(error)")
    }

    @Test func `leaves a long wait to whoever comes back later`() async throws {
        let (_, requests, result) = try await put([.error(503, "SlowDown", [("Retry-After", "120")])])
        #expect(requests.count == 1)
        let error = try #require({ if case .failure(let error as RemoteError) = result { error } else { nil } }())
        #expect(error.retryAfter == 120)
    }

    @Test(arguments: [403, 404, 400, 501, 301]) func `is not repeated where that is no use`(status: Int) async throws {
        let (_, requests, result) = try await put([.error(status, "MadeUp", more: "<Region>eu-west-1</Region>")])
        #expect(requests.count == 1)
        #expect(throws: RemoteError.self) { try result.get() }
    }

    @Test func `whose outcome is not known counts if the object is there`() async throws {
        let store = FakeS3()
        let isFirst = Mutex(true)
        let server = try FakeServer { request, _ in
            var answer = store.answer(request)
            // Stored, but the answer is lost.
            if request.method == "PUT", request.path.hasSuffix("/k"),
                isFirst.withLock({ first in
                    defer { first = false }
                    return first
                })
            {
                answer.manner = .silent
            }
            return answer
        }
        defer { server.close() }
        let receipt = try await remoteTarget(remoteBucket(.s3, at: server.url)).put("k", content, contentType: "x/y")
        #expect(!receipt.isNew)
        #expect(store.object("k")?.body == content)
    }

    @Test func `is not repeated where that could leave two versions, but looked at the next time`() async throws {
        var habits = FakeS3.Habits()
        habits.ignoresCondition = true
        let store = FakeS3(habits)
        let losses = Mutex(1)
        let server = try FakeServer { request, _ in
            var answer = store.answer(request)
            let isLost =
                request.method == "PUT" && request.path.hasSuffix("/k")
                && losses.withLock { left in
                    left -= 1
                    return left == 0
                }
            if isLost { answer.manner = .silent }
            return answer
        }
        defer { server.close() }
        let target = try remoteTarget(remoteBucket(.s3, at: server.url))
        let text = await failureText { _ = try await target.put("k", content, contentType: "x/y") }
        #expect(text.contains("no whole answer in one attempt"), "\(text)")
        #expect(try await !target.put("k", content, contentType: "x/y").isNew)
        #expect(server.requests.filter { $0.method == "PUT" && $0.path.hasSuffix("/k") }.count == 1)
    }

    @Test(arguments: [Int64(-7200), 7200]) func `goes by the store's clock if the own one is off`(offset: Int64) async throws {
        let store = FakeS3()
        let server = try FakeServer { request, _ in
            let time = WireTime(compact: request.headers["x-amz-date"] ?? "")!
            let real = remoteNow + offset
            let isSkewed = abs(time.secondsSince1970 - real.secondsSince1970) > 900
            let date = [("Date", real.httpDate)]
            if isSkewed {
                return request.method == "HEAD"
                    ? FakeAnswer(status: 403, headers: date) : .error(403, "RequestTimeTooSkewed", date)
            }
            var answer = store.answer(request)
            answer.headers += date
            return answer
        }
        defer { server.close() }
        let target = try remoteTarget(
            remoteBucket(.s3, at: server.url) {
                $0.retentionMode = .compliance
                $0.retentionDays = 1
            })
        #expect(try await target.put("k", content, contentType: "x/y").isNew)
        let requests = server.requests
        #expect(requests.filter { $0.path.hasSuffix("probe") }.count == 4, "one was signed again")
        let until = requests.last { $0.method == "PUT" }?.headers["x-amz-object-lock-retain-until-date"]
        // Never less than by either clock.
        #expect(until == (remoteNow + max(offset, 0) + 86_400).iso8601)
    }

    @Test func `with a clock that stays off is refused after one repair`() async throws {
        let server = try FakeServer { _, _ in .error(403, "RequestTimeTooSkewed", [("Date", (remoteNow + 9999).httpDate)]) }
        defer { server.close() }
        let target = try remoteTarget(remoteBucket(.s3, at: server.url))
        let text = await failureText { _ = try await target.read("k") }
        #expect(server.requests.count == 2 && text.contains("set this machine's clock"), "\(text)")
    }

    @Test func `reads no more than an answer may have`() async throws {
        let server = try FakeServer { request, _ in
            request.query.contains("list-type")
                ? FakeAnswer(manner: .huge(64 << 20)) : FakeAnswer(status: 400, manner: .huge(64 << 20))
        }
        defer { server.close() }
        // Time enough on a busy machine: a request that took too long would be repeated, and rightly.
        let target = try remoteTarget(remoteBucket(.s3, at: server.url), requestTimeout: 600)
        for text in [
            await failureText { _ = try await target.list(prefix: "", after: "") },
            await failureText { _ = try await target.read("k") },
        ] {
            #expect(text.contains("larger than"), "\(text)")
        }
        // On a busy machine one may break off and be sent again; given up on, each was not repeated to the end.
        #expect(server.requests.count <= 4, "\(server.requests.map(\.path))")
    }

    @Test func `that nobody answers says where it went`() async throws {
        let server = try FakeServer { _, _ in FakeAnswer() }
        let url = server.url
        server.close()
        let text = await failureText { _ = try await remoteTarget(remoteBucket(.s3, at: url)).read("k") }
        #expect(text.contains(url) && text.contains("`real-bucket`") && text.contains("4 attempts"), "\(text)")
    }

    @Test func `ends when it is cancelled`() async throws {
        let server = try FakeServer { _, _ in .error(503, "SlowDown", [("Retry-After", "1")]) }
        defer { server.close() }
        let target = try remoteTarget(remoteBucket(.s3, at: server.url))
        let task = Task { try await target.read("k") }
        try await Task.sleep(for: .milliseconds(200))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test(arguments: [RemoteBucket.Kind.s3, .oss]) func `tells no secret, token or signature`(kind: RemoteBucket.Kind)
        async throws
    {
        let server = try FakeServer { request, _ in
            // A store that repeats whatever it got.
            let echo = request.headers.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            return FakeAnswer(
                status: 403,
                body: Array(
                    "<Error><Code>SignatureDoesNotMatch</Code><Message>\(echo)</Message><StringToSign>\(echo)</StringToSign></Error>"
                        .utf8))
        }
        defer { server.close() }
        let token = "made/up+session.token-" + String(repeating: "x", count: 60)
        let target = try remoteTarget(
            remoteBucket(kind, at: server.url) { $0.sessionToken = .environment("TOKEN") },
            environment: ["SECRET": secretText, "TOKEN": token])
        let text = await failureText { _ = try await target.read("k") }
        let signature = try #require(server.requests.last?.headers["authorization"]?.firstMatch(of: #/Signature=([0-9a-f]+)/#)).1
        #expect(text.contains("SignatureDoesNotMatch"), "\(text)")
        #expect(
            !text.contains(secretText) && !text.contains(String(repeating: "x", count: 60)) && !text.contains(signature),
            "\(text)")
    }
}

@Suite struct `A secret` {
    @Test func `comes from a file or a variable, and its absence is told`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "secret").path
        let server = try FakeServer { request, _ in
            FakeS3.isSigned(request) ? FakeAnswer(body: [1]) : .error(403, "SignatureDoesNotMatch")
        }
        defer { server.close() }
        var bucket = remoteBucket(.s3, at: server.url)
        bucket.secret = .file(path)
        let missing = await failureText { _ = try remoteTarget(bucket, environment: [:]) }
        #expect(missing.contains(path) && missing.contains("cannot be read"), "\(missing)")
        try Data((secretText + "\n").utf8).write(to: URL(filePath: path))
        let target = try remoteTarget(bucket, environment: [:])
        #expect(try await target.read("k") == [1])
        // A secret that was exchanged is used from the next request on.
        try Data("another".utf8).write(to: URL(filePath: path))
        #expect(await failureText { _ = try await target.read("k") }.contains("SignatureDoesNotMatch"))
        for bad in ["", " \n", "two\nlines", String(repeating: "x", count: 20_000)] {
            try Data(bad.utf8).write(to: URL(filePath: path))
            let text = await failureText { _ = try await target.read("k") }
            #expect(text.contains("cannot read the secret") && !text.contains("two"), "\(text)")
        }
        bucket.secret = .environment("UNSET")
        let unset = await failureText { _ = try ObjectStorageTests.remoteTarget(bucket, environment: [:]) }
        #expect(unset.contains("UNSET is not set"), "\(unset)")
    }
}
