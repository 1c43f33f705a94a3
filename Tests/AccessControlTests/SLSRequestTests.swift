// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import TestSupport
import Testing

@Suite struct `A request to the log service` {
    static let credentials = SLSCredentials(accessKeyId: "LTAIsample", secret: Secret("sample-secret"))

    static func signed(
        _ method: String = "GET", _ path: String = "/logstores", query: [(String, String)] = [], body: [UInt8] = [],
        headers: [(String, String)] = [], isV4: Bool, credentials: SLSCredentials = credentials, at date: WireTime = .noon
    ) -> WireRequest {
        var headers = headers
        if isV4 {
            SLSSigner.signV4(
                method: method, host: "trail-demo.localhost:8422", path: path, query: query, headers: &headers, body: body,
                credentials: credentials, region: "local-1", date: date)
        } else {
            SLSSigner.signV1(
                method: method, path: path, query: query, headers: &headers, body: body, credentials: credentials, date: date)
        }
        return WireRequest(
            method: method, rawPath: path, rawQuery: WireParameters(query.map { .init($0.0, $0.1) }).encodedQuery,
            headers: [WireHeader("Host", "trail-demo.localhost:8422")] + headers.map { WireHeader($0.0, $0.1) })
    }

    @Test(arguments: [
        ("trail-demo.localhost:8422", "trail-demo"), ("localhost", nil), ("LOCALHOST:80", nil), ("Trail.LocalHost", "trail"),
        ("trail-demo.127.0.0.1", "trail-demo"), ("127.0.0.1:8422", nil), ("[::1]:8422", nil),
        ("10.0.0.256.10.0.0.1", "10.0.0.256"),
        ("trail-demo.cn-hangzhou.log.aliyuncs.com", "trail-demo"), ("cn-hangzhou.log.aliyuncs.com", nil),
        ("p.cn-hangzhou-intranet.sls.aliyuncs.com", "p"), ("log-global.aliyuncs.com", nil), ("p.log-global.aliyuncs.com", "p"),
        ("a.b.cn-hangzhou.log.aliyuncs.com", "a.b"), ("log.aliyuncs.com", nil),
        ("proxied.sls.internal", "proxied"), ("sls.internal", nil), ("cairn", nil), ("", nil), ("..", nil),
        ("logs.example.com", nil), ("p.logs.example.com:8443", "p"), ("plogs.example.com", "plogs"),
    ])
    func `is of the project in its host`(_ host: String, _ project: String?) {
        #expect(SLSAddressing(baseDomains: ["Logs.Example.com"]).project(host: host) == project)
    }

    @Test(arguments: 0..<200)
    func `is accepted whatever it is made of, once signed`(_ seed: Int) throws {
        var generator = SeededGenerator(state: UInt64(seed))
        let text = { (count: Int) in `A signed request`.text(upTo: count, using: &generator) }
        let secret = text(80)
        let token = seed % 3 == 0 ? PercentEncoding.encode(text(30) + "t") : nil
        let query = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
            (`A signed request`.text(upTo: 6, using: &generator), `A signed request`.text(upTo: 12, using: &generator))
        }
        let body = Array(`A signed request`.text(upTo: 100, using: &generator).utf8)
        let path = "/dashboards/" + PercentEncoding.encode(`A signed request`.text(upTo: 12, using: &generator) + "x")
        let wire = Self.signed(
            seed % 2 == 0 ? "POST" : "PUT", path, query: query, body: body,
            headers: [("Content-Type", "application/json"), ("x-log-meta-note", "unsigned"), ("X-Log-Extra", " a ")],
            isV4: seed % 4 < 2,
            credentials: SLSCredentials(accessKeyId: "LTAIsample", secret: Secret(secret), securityToken: token))
        let world = World(now: .noon, keys: [.sample(secret: secret, sessionToken: token)])
        let verdict = try world.authenticator().verdictSLS(wire, body: body)
        #expect(verdict.authentication?.caller.accessKeyId == "LTAIsample", "seed \(seed): \(verdict)")
        let request = try SLSRequest(wire)
        #expect(request.project == "trail-demo" && request.path.count == 2 && request.parameters.all.count == query.count)
    }

    @Test(arguments: [true, false])
    func `has fifteen minutes`(_ isV4: Bool) throws {
        let world = World(now: .noon, keys: [.sample()])
        for seconds: Int64 in [-900, 900, 0] {
            #expect(try world.authenticator().verdictSLS(Self.signed(isV4: isV4, at: .noon + seconds)).code == "OK")
        }
        for seconds: Int64 in [-901, 901, 86_400] {
            let verdict = try world.authenticator().verdictSLS(Self.signed(isV4: isV4, at: .noon + seconds))
            #expect(verdict.code == "RequestTimeTooSkewed" && verdict.failure?.httpStatus == 400)
        }
    }

    @Test(arguments: [true, false])
    func `with a temporary key needs its token`(_ isV4: Bool) throws {
        func verdict(_ token: String?, of key: AccessKey) throws -> String {
            let credentials = SLSCredentials(
                accessKeyId: "LTAIsample", secret: Secret("sample-secret"), securityToken: token)
            return try World(now: .noon, keys: [key]).authenticator()
                .verdictSLS(Self.signed(isV4: isV4, credentials: credentials)).code
        }
        #expect(try verdict("token", of: .sample(sessionToken: "token")) == "OK")
        #expect(try verdict(nil, of: .sample(sessionToken: "token")) == "Unauthorized")
        #expect(try verdict("other", of: .sample(sessionToken: "token")) == "Unauthorized")
        #expect(try verdict("token", of: .sample()) == "Unauthorized")
        #expect(try verdict("token", of: .sample(sessionToken: "token", expiresAt: .noon)) == "Unauthorized")
        #expect(try verdict(nil, of: .sample(isActive: false)) == "Unauthorized")
    }

    @Test(arguments: [
        ("Host", nil, "MissingHost"), ("Authorization", nil, "MissAccessKeyId"), ("Authorization", "LOG", "Unauthorized"),
        ("Authorization", "LOG :x", "Unauthorized"), ("Authorization", "LOG a:", "Unauthorized"),
        ("Authorization", "OSS a:b", "Unauthorized"), ("x-log-apiversion", nil, "MissingAPIVersion"),
        ("x-log-apiversion", "0.5.0", "InvalidAPIVersion"), ("x-log-signaturemethod", nil, "MissingSignatureMethod"),
        ("x-log-signaturemethod", "hmac-md5", "InvalidSignatureMethod"), ("Date", nil, "MissingDate"),
        ("Date", "yesterday", "InvalidDateFormat"), ("Date", "Sun, 22 Nov 2026 12:00:01 GMT", "SignatureNotMatch"),
        ("x-log-bodyrawsize", "7", "SignatureNotMatch"), ("x-log-date", "Sun, 22 Nov 2026 12:00:00 GMT", "OK"),
        ("x-log-signaturemethod", "hmac-sha1", "SignatureNotMatch"),
    ])
    func `of version 1 is refused by the header that is wrong`(_ name: String, _ value: String?, _ code: String) throws {
        let world = World(now: .noon, keys: [.sample()])
        let verdict = try world.authenticator().verdictSLS(Self.signed(isV4: false).replacing(name, with: value))
        #expect(verdict.code == code, "\(verdict)")
    }

    @Test(arguments: [
        ("x-log-date", nil, "MissingDate"), ("x-log-date", "20261122", "InvalidDateFormat"),
        ("x-log-content-sha256", nil, "ParameterInvalid"), ("Host", "other.localhost", "SignatureNotMatch"),
        ("Authorization", "SLS4-HMAC-SHA256 Credential=LTAIsample/20261122/local-1/sls/aliyun_v4_request", "Unauthorized"),
        (
            "Authorization", "SLS4-HMAC-SHA256 Credential=LTAIsample/20261121/local-1/sls/aliyun_v4_request,Signature=00",
            "Unauthorized"
        ),
        (
            "Authorization", "SLS4-HMAC-SHA256 Credential=LTAIsample/20261122/local-1/oss/aliyun_v4_request,Signature=00",
            "Unauthorized"
        ),
        (
            "Authorization", "SLS4-HMAC-SHA256 Credential=LTAIsample/20261122//sls/aliyun_v4_request,Signature=00", "Unauthorized"
        ),
        (
            "Authorization", "SLS4-HMAC-SHA256 Credential=LTAIsample/20261122/other/sls/aliyun_v4_request,Signature=00",
            "SignatureNotMatch"
        ),
    ])
    func `of version 4 is refused by the header that is wrong`(_ name: String, _ value: String?, _ code: String) throws {
        let world = World(now: .noon, keys: [.sample()])
        let verdict = try world.authenticator().verdictSLS(Self.signed(isV4: true).replacing(name, with: value))
        #expect(verdict.code == code, "\(verdict)")
    }

    @Test(arguments: [true, false])
    func `with another body than the signed one is refused`(_ isV4: Bool) throws {
        let world = World(now: .noon, keys: [.sample()])
        let request = Self.signed("POST", "/logstores/a/shards/lb", body: [1, 2, 3], isV4: isV4)
        #expect(try world.authenticator().verdictSLS(request, body: [1, 2, 3]).code == "OK")
        for body: [UInt8] in [[], [1, 2], [1, 2, 4]] {
            #expect(try world.authenticator().verdictSLS(request, body: body).code == "SignatureNotMatch")
        }
    }

    @Test func `says no more of itself than who claims to send it`() throws {
        let request = try SLSRequest(Self.signed("GET", "/logs", query: [("query", "secret words")], isV4: true))
        var dumped = ""
        dump(request, to: &dumped)
        #expect("\(request)" == "GET /logs by LTAIsample" && !dumped.contains("secret") && !dumped.contains("SLS4"))
    }

    @Test func `that is too large or cannot be decoded is refused`() {
        #expect(throws: AuthenticationFailure.self) {
            _ = try SLSRequest(WireRequest(method: "GET", rawPath: "/a%2", headers: [WireHeader("Host", "p.localhost")]))
        }
        #expect(throws: AuthenticationFailure.self) {
            _ = try SLSRequest(
                WireRequest(
                    method: "GET", rawPath: "/", rawQuery: String(repeating: "q", count: 65 << 10),
                    headers: [WireHeader("Host", "p.localhost")]))
        }
    }

    @Test func `has its path cut before it is decoded`() throws {
        let wire = WireRequest(method: "GET", rawPath: "/dashboards/a%2Fb", headers: [WireHeader("Host", "p.localhost")])
        #expect(try SLSRequest(wire).path == ["dashboards", "a/b"])
    }
}
