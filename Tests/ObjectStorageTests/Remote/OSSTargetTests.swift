// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import ObjectStorage
import Synchronization
import Testing

private let content = Array("what is delivered".utf8)

/// Enough of OSS to be delivered to.
private final class FakeOSS: Sendable {
    let objects = Mutex<[String: [UInt8]]>([:])
    let worm: String?
    let versioning: String
    let refusal: String
    let wrongCRC: Bool
    let tellsSums: Bool

    init(
        worm: String? = nil, versioning: String = "<VersioningConfiguration/>", refusal: String = "FileAlreadyExists",
        wrongCRC: Bool = false, tellsSums: Bool = true
    ) {
        (self.worm, self.versioning, self.refusal) = (worm, versioning, refusal)
        (self.wrongCRC, self.tellsSums) = (wrongCRC, tellsSums)
    }

    func headers(_ body: [UInt8]) -> [(String, String)] {
        guard tellsSums else { return [] }
        return [
            ("x-oss-hash-crc64ecma", wrongCRC ? "1" : crc64Text(body)), ("ETag", "\"\(md5Text(body))\""),
            ("x-oss-object-type", "Normal"),
        ]
    }

    func answer(_ request: FakeRequest) -> FakeAnswer {
        guard
            request.headers["authorization"]?.hasPrefix("OSS4-HMAC-SHA256 Credential=AKMADEUP0001/20261125/cn-hangzhou/oss/")
                == true
        else { return .error(403, "AccessDenied") }
        let key = String(request.path.dropFirst("/real-bucket/".count))
        switch (request.method, request.query) {
        case ("GET", "worm"): return worm.map(FakeAnswer.xml) ?? .error(404, "NoSuchWORMConfiguration")
        case ("GET", "versioning"): return .xml(versioning)
        case ("GET", "encryption"): return .error(404, "NoSuchServerSideEncryptionRule")
        case ("PUT", _):
            let isRefused = objects.withLock { objects in
                if objects[key] != nil, versioning.contains("Enabled") == false { return true }
                objects[key] = request.body
                return false
            }
            if isRefused { return .error(409, refusal) }
            let asked = request.headers.filter { $0.key.hasPrefix("x-oss-server-side") }.map { ($0.key, $0.value) }
            return FakeAnswer(headers: headers(request.body) + asked)
        default:
            guard let body = objects.withLock({ $0[key] }) else { return .error(404, "NoSuchKey") }
            return FakeAnswer(
                headers: headers(body) + (request.method == "HEAD" ? [("Content-Length", "\(body.count)")] : []), body: body)
        }
    }
}

@Suite struct `An OSS bucket` {
    @Test(arguments: ["FileAlreadyExists", "FileImmutable"]) func `gets each object once`(refusal: String) async throws {
        let store = FakeOSS(refusal: refusal)
        let server = try FakeServer { request, _ in store.answer(request) }
        defer { server.close() }
        let target = try remoteTarget(
            remoteBucket(.oss, at: server.url) {
                $0.sessionToken = .environment("TOKEN")
            }, environment: ["SECRET": secretText, "TOKEN": "made-up-token+/="])
        #expect(try await target.put("k", content, contentType: "application/gzip").isNew)
        #expect(try await !target.put("k", content, contentType: "application/gzip").isNew)
        let put = try #require(server.requests.first { $0.method == "PUT" })
        #expect(put.headers["x-oss-forbid-overwrite"] == "true" && put.headers["content-md5"] != nil)
        #expect(put.headers["x-oss-security-token"] == "made-up-token+/=")
        store.objects.withLock { $0["k"] = content.map { $0 ^ 1 } }
        await #expect(throws: TargetConflict.self) { try await target.put("k", content, contentType: "x/y") }
    }

    @Test func `is compared by reading where no sum tells`() async throws {
        let store = FakeOSS(tellsSums: false)
        let server = try FakeServer { request, _ in store.answer(request) }
        defer { server.close() }
        let target = try remoteTarget(remoteBucket(.oss, at: server.url))
        #expect(try await target.put("k", content, contentType: "x/y").isNew)
        #expect(try await !target.put("k", content, contentType: "x/y").isNew)
        #expect(server.requests.last?.method == "GET")
    }

    @Test func `with versions is looked at first, for it ignores what forbids`() async throws {
        let store = FakeOSS(versioning: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
        let server = try FakeServer { request, _ in store.answer(request) }
        defer { server.close() }
        let target = try remoteTarget(remoteBucket(.oss, at: server.url))
        #expect(try await target.check().gaps.contains { $0.contains("does not refuse to overwrite") })
        #expect(try await target.put("k", content, contentType: "x/y").isNew)
        #expect(try await !target.put("k", content, contentType: "x/y").isNew)
        #expect(server.requests.filter { $0.method == "PUT" }.count == 1)
    }

    @Test func `that answers with a wrong sum has not got it`() async throws {
        let store = FakeOSS(wrongCRC: true)
        let server = try FakeServer { request, _ in store.answer(request) }
        defer { server.close() }
        let target = try remoteTarget(remoteBucket(.oss, at: server.url))
        let text = await failureText { _ = try await target.put("k", content, contentType: "x/y") }
        #expect(text.contains("another CRC-64"), "\(text)")
        // What it holds is compared at the next attempt.
        await #expect(throws: TargetConflict.self) { try await target.put("k", content, contentType: "x/y") }
    }

    @Test func `has to have the WORM that is asked for`() async throws {
        func worm(_ state: String, _ days: Int) -> String {
            "<WormConfiguration><WormId>1</WormId><State>\(state)</State><RetentionPeriodInDays>\(days)</RetentionPeriodInDays>"
                + "</WormConfiguration>"
        }
        for (setting, expected) in [
            (worm("Locked", 184), nil), (worm("Locked", 200), nil), (worm("Locked", 30), "for 30 days: extend it"),
            (worm("InProgress", 365), "lapses after a day"), (nil, "has no WORM policy"),
        ] as [(String?, String?)] {
            let store = FakeOSS(worm: setting)
            let server = try FakeServer { request, _ in store.answer(request) }
            defer { server.close() }
            let strict = try remoteTarget(
                remoteBucket(.oss, at: server.url) {
                    $0.retentionMode = .compliance
                    $0.retentionDays = 184
                })
            if let expected {
                let text = await failureText { _ = try await strict.check() }
                #expect(text.contains(expected), "\(text)")
            } else {
                #expect(try await strict.check().retention?.hasPrefix("WORM Locked") == true)
            }
            // Not asked for, it is only told.
            let protection = try await remoteTarget(remoteBucket(.oss, at: server.url)).check()
            #expect((protection.retention == nil) == (setting?.contains("Locked") != true))
        }
    }

    @Test func `gets the KMS key's headers`() async throws {
        let store = FakeOSS()
        let server = try FakeServer { request, _ in store.answer(request) }
        defer { server.close() }
        let target = try remoteTarget(
            remoteBucket(.oss, at: server.url) {
                $0.encryption = .kms
                $0.kmsKeyId = "9468da86"
            })
        #expect(try await target.put("k", content, contentType: "x/y").isNew)
        let put = try #require(server.requests.first { $0.method == "PUT" })
        #expect(put.headers["x-oss-server-side-encryption"] == "KMS")
        #expect(put.headers["x-oss-server-side-encryption-key-id"] == "9468da86")
        // An object that is there without it does not count.
        let text = await failureText { _ = try await target.put("k", content, contentType: "x/y") }
        #expect(text.contains("encryption `none` in place of `kms`"), "\(text)")
    }
}

@Suite struct `A role` {
    private let arn = "acs:ram::1000000000000001:role/delivery"

    private func sts(_ id: String, until: WireTime) -> FakeAnswer {
        let body =
            #"{"RequestId":"1","Credentials":{"AccessKeyId":"\#(id)","AccessKeySecret":"temporary","SecurityToken":"made-up","#
            + #""Expiration":"\#(until.iso8601)"}}"#
        return FakeAnswer(headers: [("Content-Type", "application/json")], body: Array(body.utf8))
    }

    @Test func `is taken on, kept, and renewed before it ends or when it is refused`() async throws {
        let time = Mutex(remoteNow)
        let refused = Mutex<Set<String>>([])
        let issued = Mutex(0)
        let steps = try FakeServer { request, _ in
            if request.headers["x-acs-action"] == "AssumeRole" {
                let number = issued.withLock { issued in
                    issued += 1
                    return issued
                }
                return sts("STS.\(number)", until: time.withLock { $0 } + 3600)
            }
            let id = request.headers["authorization"]!.firstMatch(of: #/Credential=([^/]+)/#)!.1
            if refused.withLock({ $0.contains(String(id)) }) { return .error(403, "SecurityTokenExpired") }
            return request.headers["x-oss-security-token"] == "made-up" ? FakeAnswer(body: [7]) : .error(403, "AccessDenied")
        }
        defer { steps.close() }
        let target = try remoteTarget(
            remoteBucket(.oss, at: steps.url) { $0.role = .init(arn: arn, stsEndpoint: RemoteEndpoint(steps.url)!) },
            now: { time.withLock { $0 } })
        func used() -> String? { steps.requests.last?.headers["authorization"].map { String($0.prefix(60)) } }
        await withTaskGroup { group in
            for _ in 0..<8 { group.addTask { _ = try? await target.read("k") } }
        }
        #expect(issued.withLock { $0 } == 1, "one request for all that wait")
        let ask = try #require(steps.requests.first { $0.headers["x-acs-action"] != nil })
        #expect(ask.query.contains("RoleArn=acs%3Aram%3A%3A1000000000000001%3Arole%2Fdelivery"))
        time.withLock { $0 = $0 + 3100 }
        #expect(try await target.read("k") == [7])
        #expect(issued.withLock { $0 } == 1)
        time.withLock { $0 = $0 + 300 }
        #expect(try await target.read("k") == [7])
        #expect(issued.withLock { $0 } == 2 && used()?.contains("STS.2") == true)
        refused.withLock { _ = $0.insert("STS.2") }
        #expect(try await target.read("k") == [7])
        #expect(issued.withLock { $0 } == 3)
    }

    @Test func `that is refused is told, without secrets`() async throws {
        let server = try FakeServer { _, _ in
            FakeAnswer(status: 403, body: Array(#"{"Code":"NoPermission","Message":"You may not."}"#.utf8))
        }
        defer { server.close() }
        let target = try remoteTarget(
            remoteBucket(.oss, at: server.url) { $0.role = .init(arn: arn, stsEndpoint: RemoteEndpoint(server.url)!) })
        let text = await failureText { _ = try await target.read("k") }
        #expect(text.contains("NoPermission: You may not.") && text.contains("sts:AssumeRole") && text.contains(arn), "\(text)")
        #expect(!text.contains(secretText))
    }
}
