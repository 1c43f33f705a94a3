// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import TestSupport
import Testing

@Suite struct `An ingest token` {
    static func issue(seed: UInt64 = 1, expiresAt: WireTime? = nil) -> (token: IngestToken, record: IngestTokenRecord) {
        var generator = SeededGenerator(state: seed)
        return IngestToken.issue(
            name: "fleet", accountId: "1000000000000001", at: .noon, expiresAt: expiresAt, using: &generator)
    }

    static func request(_ authorization: String) -> WireRequest {
        WireRequest(
            method: "POST", rawPath: "/v1/events", headers: [WireHeader("Authorization", authorization)],
            body: Array("{}".utf8))
    }

    @Test func `is issued with a record that knows it again and cannot tell it`() throws {
        let (token, record) = Self.issue()
        let text = token.reveal()
        #expect(text.utf8.count == 9 + 16 + 1 + 43 && text.hasPrefix("cairn_it_\(record.id)_"))
        #expect(record.matches(try #require(IngestToken(text))))
        #expect(!record.matches(Self.issue(seed: 2).token))
        let secret = String(text.suffix(43))
        var dumped = ""
        dump(token, to: &dumped)
        dump(record, to: &dumped)
        #expect(!"\(token) \(String(reflecting: token)) \(record) \(dumped)".contains(secret))
        #expect(IngestToken.issue(name: "", accountId: "", at: .noon).token.reveal() != text)
    }

    @Test func `puts events as itself and does nothing else`() throws {
        let (token, record) = Self.issue()
        let authenticator = World(now: .noon, tokens: [record]).authenticator()
        for scheme in ["Bearer ", "bearer  "] {
            let verdict = try authenticator.authenticateIngest(Self.request(scheme + token.reveal()))
            let authentication = try #require(verdict.authentication)
            #expect(authentication.caller == record.caller)
            #expect(authentication.caller.kind == .ingestToken && authentication.caller.mayOnlyPutEvents)
            #expect(authentication.method == .bearerToken && !authentication.coversBody)
        }
        let elsewhere = Self.request("Bearer " + token.reveal())
        #expect(try authenticator.verdictRPC(elsewhere).code == "IncompleteSignature")
        #expect(try authenticator.verdictOSS(elsewhere).code == "InvalidArgument")
    }

    @Test func `is refused with every character changed`() throws {
        let (token, record) = Self.issue()
        let authenticator = World(now: .noon, tokens: [record]).authenticator()
        let text = token.reveal()
        for place in 0..<text.utf8.count {
            let request = Self.request("Bearer " + text.disturbed(at: place))
            let failure = try #require(try authenticator.authenticateIngest(request).failure)
            #expect(failure.code == "InvalidIngestToken" && failure.httpStatus == 401)
            #expect(!"\(failure) \(failure.wireMessage)".contains(text.suffix(43)))
        }
    }

    @Test(arguments: [
        "", "cairn_it_", "cairn_it__", "cairn_it_0123456789abcdef", "cairn_it_0123456789abcdef_",
        "cairn_it_0123456789abcdef_short", "cairn_it_0123456789ABCDEF_" + String(repeating: "a", count: 43),
        "cairn_it_0123456789abcdef-" + String(repeating: "a", count: 43),
        "cairn_it_0123456789abcdef_" + String(repeating: "a", count: 44),
        "cairn_it_0123456789abcdef_" + String(repeating: "a", count: 42) + "=",
        "cairn_it_0123456789abcdef_" + String(repeating: "a", count: 42) + "é",
        "CAIRN_IT_0123456789abcdef_" + String(repeating: "a", count: 43),
        " cairn_it_0123456789abcdef_" + String(repeating: "a", count: 43), String(repeating: "_", count: 69),
    ])
    func `of any other form is none`(_ text: String) {
        #expect(IngestToken(text) == nil)
    }

    @Test func `ends when it is switched off or its time has come`() throws {
        var (token, record) = Self.issue(expiresAt: .noon + 60)
        let world = World(now: .noon + 59, tokens: [record])
        let request = Self.request("Bearer " + token.reveal())
        #expect(try world.authenticator().authenticateIngest(request).code == "OK")
        world.now = .noon + 60
        #expect(try world.authenticator().authenticateIngest(request).code == "InvalidIngestToken.Inactive")
        record.isActive = false
        let off = World(now: .noon, tokens: [record]).authenticator()
        let failure = try #require(try off.authenticateIngest(request).failure)
        #expect(failure.code == "InvalidIngestToken.Inactive" && failure.httpStatus == 403)
        #expect(failure.claimedAccessKeyId == record.id)
        token = Self.issue(seed: 3).token
        #expect(try off.authenticateIngest(Self.request("Bearer \(token.reveal())")).code == "InvalidIngestToken")
    }

    @Test func `is not needed by a signature over PutEvents, which any other operation's is not`() throws {
        let authenticator = World(now: .noon, keys: [.sample()]).authenticator()
        let body = Array("{\"eventName\":\"x\"}\n".utf8)
        let signed = try `The authenticator`.signed(
            nonce: "1", path: "/v1/events", query: "format=auto", body: body, action: "PutEvents")
        #expect(try authenticator.authenticateIngest(signed.with { $0.rawPath = "/" }).code == "SignatureDoesNotMatch")
        #expect(try authenticator.authenticateIngest(signed).authentication?.coversBody == true)
        let other = try `The authenticator`.signed(nonce: "2", path: "/v1/events", body: body)
        #expect(try authenticator.authenticateIngest(other).code == "InvalidApi.NotFound")
        let v1 = `The authenticator`.signedV1(nonce: "3", action: "PutEvents").with { $0.body = body }
        #expect(try authenticator.authenticateIngest(v1).authentication?.coversBody == false)
        #expect(
            try authenticator.authenticateIngest(`The authenticator`.signedV1(nonce: "4")).code == "InvalidApi.NotFound"
        )
        let bare = WireRequest(method: "POST", rawPath: "/v1/events")
        #expect(try authenticator.authenticateIngest(bare).code == "MissingAccessKeyId")
    }
}
