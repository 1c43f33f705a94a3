// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import TestSupport
import Testing

@Suite struct `The authenticator` {
    static func signed(
        at time: WireTime = .noon, secret: String = "sample-secret", nonce: String = "n", sessionToken: String? = nil,
        path: String = "/", query: String = "", body: [UInt8] = [], action: String = "DescribeTrails"
    ) throws -> WireRequest {
        let signer = RPCSigner(
            accessKeyId: "LTAIsample", secret: Secret(secret), sessionToken: sessionToken, now: { time },
            makeNonce: { nonce })
        let request = WireRequest(
            method: "POST", rawPath: path, rawQuery: query, headers: [WireHeader("Host", "localhost")], body: body)
        return try signer.signed(request, action: action, version: "2020-07-06")
    }

    static func signedV1(
        at time: WireTime = .noon, method: String = "HMAC-SHA1", nonce: String = "n", action: String = "DescribeTrails",
        leavingOut: String? = nil
    ) -> WireRequest {
        var parameters = [
            WireParameters.Parameter("Action", action), .init("Version", "2020-07-06"),
            .init("AccessKeyId", "LTAIsample"), .init("Timestamp", time.iso8601), .init("SignatureNonce", nonce),
            .init("SignatureMethod", method), .init("SignatureVersion", "1.0"), .init("SignatureType", ""),
        ].filter { $0.name != leavingOut }
        let algorithm: RPCV1 = method == "HMAC-SHA256" ? .sha256 : .sha1
        let text = RPCV1.stringToSign(method: "GET", parameters: WireParameters(parameters))
        if leavingOut != "Signature" {
            parameters.append(.init("Signature", algorithm.signature(text, secret: Secret("sample-secret"))))
        }
        return WireRequest(method: "GET", rawPath: "/", rawQuery: WireParameters(parameters).encodedQuery)
    }

    @Test(arguments: [
        (-901, "InvalidTimeStamp.Expired"), (-900, "OK"), (0, "OK"), (900, "OK"), (901, "InvalidTimeStamp.Expired"),
    ])
    func `allows fifteen minutes to either side`(_ offset: Int64, _ code: String) throws {
        let authenticator = World(now: .noon, keys: [.sample()]).authenticator()
        #expect(try authenticator.verdictRPC(Self.signed(at: .noon + offset, nonce: "v3")).code == code)
        #expect(try authenticator.verdictRPC(Self.signedV1(at: .noon + offset, nonce: "v1")).code == code)
        let oss = OSSSigner(
            accessKeyId: "LTAIsample", secret: Secret("sample-secret"), region: "local-1", now: { .noon + offset })
        let request = try oss.signed(WireRequest(method: "GET", rawPath: "/b/"), resource: .bucket("b"))
        #expect(try authenticator.verdictOSS(request).code == (code == "OK" ? "OK" : "RequestTimeTooSkewed"))
    }

    @Test func `accepts a nonce once, and in a while again`() throws {
        let world = World(now: .noon, keys: [.sample()])
        let authenticator = world.authenticator()
        #expect(try authenticator.verdictRPC(Self.signed()).code == "OK")
        #expect(try authenticator.verdictRPC(Self.signed()).code == "SignatureNonceUsed")
        #expect(try authenticator.verdictRPC(Self.signedV1()).code == "SignatureNonceUsed")
        world.now = .noon + 1799
        #expect(try authenticator.verdictRPC(Self.signed(at: world.now)).code == "SignatureNonceUsed")
        world.now = .noon + 2 * 1800
        #expect(try authenticator.verdictRPC(Self.signed(at: world.now)).code == "OK")
    }

    @Test func `does not let a stranger spend a nonce`() throws {
        let authenticator = World(now: .noon, keys: [.sample()]).authenticator()
        #expect(try authenticator.verdictRPC(Self.signed(secret: "wrong")).code == "SignatureDoesNotMatch")
        #expect(
            try authenticator.verdictRPC(Self.signed(body: [1]).with { $0.body = [2] }).code == "SignatureDoesNotMatch")
        #expect(try authenticator.verdictRPC(Self.signed()).code == "OK")
    }

    @Test func `throttles a key that spends too many nonces`() throws {
        let world = World(now: .noon, keys: [.sample()])
        let authenticator = world.authenticator(nonces: NonceStore(capacity: 8, capacityPerKey: 2))
        let codes = try ["a", "b", "c", "a"].map { try authenticator.verdictRPC(Self.signed(nonce: $0)).code }
        #expect(codes == ["OK", "OK", "Throttling.User", "SignatureNonceUsed"])
    }

    @Test func `refuses keys it does not know or that are switched off, before it looks at anything else`() throws {
        let unknown = World(now: .noon + 9999).authenticator()
        let failure = try #require(try unknown.verdictRPC(Self.signed(secret: "wrong")).failure)
        #expect(failure.code == "InvalidAccessKeyId.NotFound" && failure.httpStatus == 404)
        #expect(failure.claimedAccessKeyId == "LTAIsample")
        let inactive = World(now: .noon, keys: [.sample(isActive: false)]).authenticator()
        #expect(try inactive.verdictRPC(Self.signed()).code == "InvalidAccessKeyId.Inactive")
        #expect(try inactive.verdictRPC(Self.signedV1()).code == "InvalidAccessKeyId.Inactive")
        #expect(try inactive.verdictRPC(Self.signed()).failure?.httpStatus == 403)
        let oss = OSSSigner(
            accessKeyId: "LTAIsample", secret: Secret("sample-secret"), region: "", now: { .noon })
        let request = try oss.signed(WireRequest(method: "GET", rawPath: "/"), resource: .service)
        #expect(try inactive.verdictOSS(request).code == "InvalidAccessKeyId")
    }

    @Test func `tells the old SDK what it signed, and the record only that it differed`() throws {
        let authenticator = World(now: .noon, keys: [.sample(secret: "other")]).authenticator()
        let request = Self.signedV1()
        let failure = try #require(try authenticator.verdictRPC(request).failure)
        let text = RPCV1.stringToSign(method: "GET", parameters: try WireParameters(decoding: request.rawQuery))
        #expect(
            failure.wireMessage
                == "Specified signature is not matched with our calculation. server string to sign is:\(text)")
        #expect(failure.message == "Specified signature is not matched with our calculation.")
        #expect(failure.httpStatus == 400)
        var dumped = ""
        dump(failure, to: &dumped)
        #expect(!dumped.contains("LTAIsample"))
        #expect(!"\(failure) \(String(reflecting: failure))".contains("LTAIsample"))
    }

    @Test func `names the parameter that is missing`() throws {
        let authenticator = World(now: .noon, keys: [.sample()]).authenticator()
        for name in ["AccessKeyId", "Timestamp", "SignatureNonce", "SignatureMethod", "SignatureVersion"] {
            #expect(try authenticator.verdictRPC(Self.signedV1(leavingOut: name)).code == "Missing\(name)")
        }
        #expect(try authenticator.verdictRPC(Self.signedV1(leavingOut: "Signature")).code == "MissingAccessKeyId")
        let bare = WireRequest(method: "GET", rawPath: "/")
        let failure = try #require(try authenticator.verdictRPC(bare).failure)
        #expect(failure.code == "MissingAccessKeyId" && failure.httpStatus == 400)
        #expect(try authenticator.verdictOSS(bare).code == "AccessDenied")
    }

    @Test func `accepts V1 with HMAC-SHA256 and no other method`() throws {
        let authenticator = World(now: .noon, keys: [.sample()]).authenticator()
        let verdict = try authenticator.verdictRPC(Self.signedV1(method: "HMAC-SHA256"))
        #expect(verdict.authentication?.method == .rpcV1SHA256)
        #expect(try authenticator.verdictRPC(Self.signedV1(method: "HMAC-MD5")).code == "IncompleteSignature")
    }

    @Test func `reads the time only in the form that is written`() throws {
        let authenticator = World(now: .noon, keys: [.sample()]).authenticator()
        let request = try Self.signed().replacing("x-acs-date", with: "yesterday")
        #expect(try authenticator.verdictRPC(request).code == "InvalidTimeStamp.Format")
    }

    @Test func `insists that a form is signed as a form`() throws {
        let authenticator = World(now: .noon, keys: [.sample()]).authenticator()
        let json = try Self.signed(body: Array("Name=x".utf8))
        #expect(try authenticator.verdictRPC(json).code == "OK")
        let form = json.replacing("Content-Type", with: "application/x-www-form-urlencoded")
        #expect(try authenticator.verdictRPC(form).code == "IncompleteSignature")
    }

    @Test func `wants the token of a temporary key, the right one, in time`() throws {
        let world = World(
            now: .noon, keys: [.sample(sessionToken: "token", expiresAt: .noon + 60)])
        let authenticator = world.authenticator()
        let code = { (token: String?, nonce: String) in
            try authenticator.verdictRPC(Self.signed(nonce: nonce, sessionToken: token)).code
        }
        #expect(try code(nil, "1") == "MissingSecurityToken")
        #expect(try code("tokem", "2") == "InvalidSecurityToken.MismatchWithAccessKey")
        #expect(try code("token", "3") == "OK")
        world.now = .noon + 60
        #expect(try code("token", "4") == "InvalidSecurityToken.Expired")
        let lasting = World(now: .noon, keys: [.sample()]).authenticator()
        #expect(
            try lasting.verdictRPC(Self.signed(sessionToken: "token")).code
                == "InvalidSecurityToken.MismatchWithAccessKey")
    }

    @Test func `passes on that a directory cannot be reached`() throws {
        let world = World(now: .noon)
        world.becomeUnreachable()
        #expect(throws: World.Unreachable.self) { try world.authenticator().verdictRPC(Self.signed()) }
    }

    @Test func `refuses a region, a product and a payload that are not this store's`() throws {
        var settings = Authenticator.Settings()
        settings.ossRegion = "local-1"
        let authenticator = World(now: .noon, keys: [.sample()]).authenticator(settings: settings)
        let verdict = { (region: String, product: String, change: (inout WireRequest) -> Void) in
            let signer = OSSSigner(
                accessKeyId: "LTAIsample", secret: Secret("sample-secret"), region: region, product: product,
                now: { .noon })
            let request = try signer.signed(WireRequest(method: "GET", rawPath: "/b/"), resource: .bucket("b"))
            return try authenticator.verdictOSS(request.with(change))
        }
        #expect(try verdict("local-1", "oss", { _ in }).code == "OK")
        #expect(try verdict("local-2", "oss", { _ in }).failure?.errorDetailCode == "0002-00000226")
        #expect(try verdict("local-1", "sls", { _ in }).code == "InvalidArgument")
        let hashed = try verdict("local-1", "oss") { $0 = $0.replacing("x-oss-content-sha256", with: "00") }
        #expect(hashed.failure?.errorDetailCode == "0002-00000214")
        let undated = try verdict("local-1", "oss") { $0 = $0.replacing("x-oss-date", with: nil) }
        #expect(undated.code == "AccessDenied")
        let twice = try verdict("local-1", "oss") { $0.rawQuery = "OSSAccessKeyId=LTAIsample" }
        #expect(twice.code == "InvalidArgument")
        let partial = try verdict("local-1", "oss") {
            $0 = $0.replacing("authorization", with: nil)
            $0.rawQuery = "OSSAccessKeyId=LTAIsample"
        }
        #expect(partial.code == "AccessDenied")
    }
}

@Suite struct `A malformed Authorization header` {
    static let headers: [String] = [
        "", " ", ",", "=", "OSS", "OSS ", "OSS :", "OSS id", "OSS id:", "OSS :sig", "OSS  :", "OSS2 AccessKeyId:a",
        "OSS4-HMAC-SHA256", "OSS4-HMAC-SHA256 ", "OSS4-HMAC-SHA256 Credential=",
        "OSS4-HMAC-SHA256 Credential=a,Signature=b",
        "OSS4-HMAC-SHA256 Credential=////,Signature=b", "OSS4-HMAC-SHA256 Credential=a/b/c/oss/d,Signature=",
        "OSS4-HMAC-SHA256 Credential=LTAIsample/20261122//oss/aliyun_v4_request,AdditionalHeaders=,Signature=00",
        "OSS4-HMAC-SHA256 Credential=LTAIsample/20261122//oss/aliyun_v4_request,AdditionalHeaders=;;,Signature=00",
        "OSS4-HMAC-SHA256 Credential=LTAIsample/20261121//oss/aliyun_v4_request,Signature=00",
        "OSS4-HMAC-SHA256 Signature=00,Signature=00", "OSS4-HMAC-SHA256 ,,,",
        "ACS3-", "ACS3-HMAC-SHA256", "ACS3-HMAC-SHA256 ", "ACS3-HMAC-SHA256 ,", "ACS3-HMAC-SHA256 =",
        "ACS3-HMAC-SHA256 Credential=", "ACS3-HMAC-SHA256 Credential=a", "ACS3-RSA-SHA256 Credential=a",
        "ACS3-HMAC-SHA256 Credential=a,SignedHeaders=,Signature=",
        "ACS3-HMAC-SHA256 Credential=a,SignedHeaders=;,Signature=x",
        "ACS3-HMAC-SHA256 Credential=a b,SignedHeaders=host,Signature=x",
        "ACS3-HMAC-SHA256 Credential=a,Credential=b,SignedHeaders=host,Signature=x",
        "ACS3-HMAC-SHA256 Credential=\u{1F600},SignedHeaders=host,Signature=x", "ACS3-HMAC-SHA256\u{301} Credential=a",
        "ACS4-HMAC-SHA256 Credential=a/b/c/d/e,SignedHeaders=host,Signature=x", "acs a:b", "Basic YTpi", "Bearer",
        "Bearer ", "Bearer x", "\u{0}",
        "ACS3-HMAC-SHA256 Credential=" + String(repeating: "a", count: 129) + ",SignedHeaders=host,Signature=x",
    ]

    @Test(arguments: headers)
    func `is refused with a code, never with a trap`(_ value: String) throws {
        let authenticator = World(now: .noon, keys: [.sample(id: "a"), .sample()]).authenticator()
        let request = WireRequest(
            method: "GET", rawPath: "/b/k",
            headers: [
                WireHeader("Authorization", value), WireHeader("x-oss-date", "20261122T120000Z"),
                WireHeader("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
            ])
        let rpc = try #require(try authenticator.verdictRPC(request).failure)
        #expect(["IncompleteSignature", "InvalidAccessKeyId.NotFound"].contains(rpc.code))
        let oss = try #require(try authenticator.verdictOSS(request).failure)
        #expect(["InvalidArgument", "AccessDenied", "SignatureDoesNotMatch"].contains(oss.code))
        #expect(try authenticator.authenticateIngest(request).failure != nil)
    }

    @Test(arguments: 0..<200)
    func `of random bytes is refused too`(_ seed: Int) throws {
        var generator = SeededGenerator(state: UInt64(seed))
        let alphabet = Array("ACS3-HMAC-SHA256 OSS4Credential=,SignedHeaders;/:Signature=\t%\u{e9}\u{301}&")
        let text = String(
            (0..<Int.random(in: 0...80, using: &generator)).map { _ in alphabet.randomElement(using: &generator)! })
        let prefix = ["", "ACS3-HMAC-SHA256 ", "OSS4-HMAC-SHA256 ", "OSS ", "Bearer "].randomElement(using: &generator)!
        let request = WireRequest(
            method: "GET", target: "/\(text)?\(text)", headers: [WireHeader("authorization", prefix + text)])
        let authenticator = World(now: .noon, keys: [.sample()]).authenticator()
        #expect(try authenticator.verdictRPC(request).failure != nil)
        #expect(try authenticator.verdictOSS(request).failure != nil)
        #expect(try authenticator.authenticateIngest(request).failure != nil)
    }
}
