// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import TestSupport
import Testing

@Suite struct `A signed request` {
    static let alphabet = Array("aZ09-_.~ +*/=&%:;,'()!?#@$\"\\<>|\t\r\n\u{0}é中文😀e\u{301}\u{212A}ﬁ")

    static func text(upTo length: Int, using generator: inout SeededGenerator) -> String {
        String(
            (0..<Int.random(in: 0...length, using: &generator)).map { _ in alphabet.randomElement(using: &generator)! })
    }

    static func parameters(using generator: inout SeededGenerator) -> WireParameters {
        WireParameters(
            (0..<Int.random(in: 0...8, using: &generator)).map { _ in
                .init(text(upTo: 6, using: &generator), text(upTo: 12, using: &generator))
            })
    }

    @Test(arguments: 0..<300)
    func `over RPC is accepted whatever it is made of`(_ seed: Int) throws {
        var generator = SeededGenerator(state: UInt64(seed))
        let secret = Self.text(upTo: 80, using: &generator)
        let token = Bool.random(using: &generator) ? Self.text(upTo: 30, using: &generator) + "t" : nil
        let algorithm: ACS3 = Bool.random(using: &generator) ? .sha256 : .sm3
        let visibleToken = token.map { PercentEncoding.encode($0) }
        let signer = RPCSigner(
            accessKeyId: "LTAIsample", secret: Secret(secret), sessionToken: visibleToken, algorithm: algorithm,
            now: { .noon }, makeNonce: RPCSigner.randomNonce)
        let request = WireRequest(
            method: ["GET", "POST", "PUT"].randomElement(using: &generator)!,
            rawPath: ["", "/", "/v1/events", "/a%20b/%2F+"].randomElement(using: &generator)!,
            rawQuery: Self.parameters(using: &generator).encodedQuery,
            headers: [
                WireHeader("HOST", "localhost:8420"), WireHeader("Content-Type", " text/plain; charset=utf-8\t"),
                WireHeader("x-acs-extra", "one"), WireHeader("X-Acs-Extra", " two "),
            ],
            body: Array(Self.text(upTo: 200, using: &generator).utf8))
        let signed = try signer.signed(request, action: "PutEvents", version: "2020-07-06")
        let world = World(
            now: .noon, keys: [.sample(secret: secret, sessionToken: visibleToken)])
        let verdict = try world.authenticator().verdictRPC(signed)
        #expect(verdict.authentication?.coversBody == true, "seed \(seed): \(verdict)")
        if let failure = verdict.failure { Issue.record("seed \(seed): \(failure.wireMessage)") }
    }

    @Test(arguments: 0..<300)
    func `over OSS is accepted whatever it is made of`(_ seed: Int) throws {
        var generator = SeededGenerator(state: UInt64(seed))
        let key = Self.text(upTo: 20, using: &generator)
        let resource: OSSResource = key.isEmpty ? .bucket("audit") : .object(bucket: "audit", key: key)
        let isVirtualHost = Bool.random(using: &generator)
        let encoded = PercentEncoding.encode(key, keepingSlashes: Bool.random(using: &generator))
        let signer = OSSSigner(
            accessKeyId: "LTAIsample", secret: Secret("sample-secret"), region: "local-1", now: { .noon })
        let request = WireRequest(
            method: "PUT", rawPath: (isVirtualHost ? "/" : "/audit/") + encoded,
            rawQuery: Self.parameters(using: &generator).encodedQuery,
            headers: [
                WireHeader("Host", isVirtualHost ? "audit.localhost:8421" : "127.0.0.1:8421"),
                WireHeader("X-Oss-Meta-A", " spaced "), WireHeader("Range", "bytes=0-1"),
            ])
        let additional = Bool.random(using: &generator) ? ["Host", "Range", "absent"] : []
        let signed = try signer.signed(request, resource: resource, additionalHeaders: additional)
        let authenticator = World(now: .noon, keys: [.sample()]).authenticator()
        let verdict = try authenticator.verdictOSS(signed)
        #expect(verdict.authentication?.method == .ossV4Header, "seed \(seed): \(verdict)")
        let moved = signed.with { $0 = $0.replacing("Range", with: "bytes=0-2") }
        #expect(try authenticator.verdictOSS(moved).code == (additional.isEmpty ? "OK" : "SignatureDoesNotMatch"))
    }

    @Test func `keeps the order of repeated parameters under the signature`() throws {
        let signer = RPCSigner(accessKeyId: "LTAIsample", secret: Secret("sample-secret"), now: { .noon })
        let request = WireRequest(
            method: "POST", target: "/?Name=a&Name=b", headers: [WireHeader("Host", "localhost")])
        let signed = try signer.signed(request, action: "DeleteTrail", version: "2020-07-06")
        let authenticator = World(now: .noon, keys: [.sample()]).authenticator()
        let turned = signed.with { $0.rawQuery = "Name=b&Name=a" }
        #expect(try authenticator.verdictRPC(turned).code == "SignatureDoesNotMatch")
        #expect(try authenticator.verdictRPC(signed).code == "OK")
    }

    @Test func `has a fresh nonce of 32 hex digits each time`() {
        let nonces = Set((0..<100).map { _ in RPCSigner.randomNonce() })
        #expect(nonces.count == 100 && nonces.allSatisfy { $0.utf8.count == 32 })
    }
}

@Suite struct `A secret` {
    @Test func `shows in no description, dump or reflection`() {
        let key = AccessKey.sample(secret: "hush-hush", sessionToken: "very-quiet")
        let signer = RPCSigner(accessKeyId: "a", secret: Secret("hush-hush"), sessionToken: "very-quiet")
        let oss = OSSSigner(accessKeyId: "a", secret: Secret("hush-hush"), sessionToken: "very-quiet", region: "r")
        var text = "\(key) \(String(reflecting: key)) \(key.secret) \(signer) \(String(reflecting: oss))"
        dump(key, to: &text)
        dump(signer, to: &text)
        dump(oss, to: &text)
        dump(key.secret, to: &text)
        #expect(!text.contains("hush") && !text.contains("quiet"))
        #expect(!text.contains("104"), "nor as bytes")
        #expect(key.secret.reveal() == "hush-hush")
        #expect(key.secret.matches("hush-hush") && !key.secret.matches("hush-husk") && !key.secret.matches(""))
    }
}

@Suite struct `A request in a log` {
    @Test func `shows neither its token nor its parameters`() throws {
        let wire = WireRequest(
            method: "POST", target: "/?SecurityToken=very-quiet&Plaintext=hush",
            headers: [
                WireHeader("Authorization", "Bearer hush"), WireHeader("x-acs-security-token", "very-quiet"),
            ])
        let call = try RPCCall(wire)
        let oss = try OSSRequest(wire)
        var text = "\(wire) \(call) \(oss) \(String(reflecting: wire)) \(String(reflecting: call))"
        dump(wire, to: &text)
        dump(call, to: &text)
        dump(oss, to: &text)
        #expect(!text.contains("hush") && !text.contains("quiet"))
    }
}

@Suite struct `A caller` {
    @Test func `speaks in the words of userIdentity`() {
        let words = Caller.Kind.allCases.map(\.rawValue)
        #expect(words == ["root-account", "ram-user", "assumed-role", "ingest-token", "system", "anonymous"])
        let session = Caller.Session(
            roleId: "300", roleName: "auditor", name: "alice", createdAt: .noon, isMultiFactor: true)
        let role = Caller.assumedRole(session, accountId: "100", accessKeyId: "STS.x")
        #expect(role.principalId == "300:alice" && role.userName == "auditor:alice")
        let root = Caller.rootAccount("100", accessKeyId: "LTAI")
        #expect(root.principalId == "100" && root.userName == "root" && !root.mayOnlyPutEvents)
    }
}
