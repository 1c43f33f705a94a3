// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Testing

/// Values printed in the vendor's documentation or in the unit tests of its SDKs.
/// Source: actiontrail.md section 5.7; oss.md sections 5 and 6.
@Suite struct `A published vector` {
    @Test func `of V3 has the printed signature`() {
        let names = [
            "host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version",
        ]
        let hash = ACS3.sha256.payloadHash([])
        let request = WireRequest(
            method: "POST", rawPath: "/",
            headers: [
                WireHeader("host", "ecs.cn-shanghai.aliyuncs.com"), WireHeader("x-acs-action", "RunInstances"),
                WireHeader("x-acs-version", "2014-05-26"), WireHeader("x-acs-date", "2023-10-26T10:22:32Z"),
                WireHeader("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
                WireHeader("x-acs-content-sha256", hash),
            ])
        let query = WireParameters([
            .init("RegionId", "cn-shanghai"),
            .init("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"),
        ])
        let canonical = ACS3.canonicalRequest(request, query: query, signedHeaders: names, payloadHash: hash)
        let text = ACS3.sha256.stringToSign(canonical)
        #expect(
            text == "ACS3-HMAC-SHA256\n7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259")
        #expect(
            ACS3.sha256.signature(text, secret: Secret("YourAccessKeySecret"))
                == "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0")
    }

    @Test func `of V1 has the printed signature`() {
        let parameters = WireParameters([
            .init("Timestamp", "2016-02-23T12:46:24Z"), .init("Format", "XML"), .init("AccessKeyId", "testid"),
            .init("Action", "DescribeRegions"), .init("SignatureMethod", "HMAC-SHA1"),
            .init("SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"), .init("Version", "2014-05-26"),
            .init("SignatureVersion", "1.0"),
        ])
        let text = RPCV1.stringToSign(method: "GET", parameters: parameters)
        #expect(RPCV1.sha1.signature(text, secret: Secret("testsecret")) == "OLeaidS1JvxuMvnyHOwuJ+uX5qY=")
    }

    struct OSSV1Vector: Sendable {
        let secret: String
        let text: String
        let signature: String
    }

    static let ossV1: [OSSV1Vector] = [
        OSSV1Vector(
            secret: "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV",
            text: "PUT\nODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM=\ntext/html\nThu, 17 Nov 2005 18:49:58 GMT\n"
                + "x-oss-magic:abracadabra\nx-oss-meta-author:foo@bar.com\n/oss-example/nelson",
            signature: "26NBxoKdsyly4EDv6inkoDft/yA="),
        OSSV1Vector(
            secret: "sk",
            text: "PUT\neB5eJF1ptWaXm4bijSPyxw==\ntext/html\nWed, 28 Dec 2022 10:27:41 GMT\n"
                + "x-oss-date:Wed, 28 Dec 2022 10:27:41 GMT\nx-oss-meta-author:alice\n"
                + "x-oss-meta-magic:abracadabra\n/examplebucket/nelson",
            signature: "kSHKmLxlyEAKtZPkJhG9bZb5k7M="),
        OSSV1Vector(
            secret: "sk",
            text: "PUT\neB5eJF1ptWaXm4bijSPyxw==\ntext/html\nWed, 28 Dec 2022 10:27:41 GMT\n"
                + "x-oss-date:Wed, 28 Dec 2022 10:27:41 GMT\nx-oss-meta-author:alice\n"
                + "x-oss-meta-magic:abracadabra\n/examplebucket/nelson?acl",
            signature: "/afkugFbmWDQ967j1vr6zygBLQk="),
        OSSV1Vector(
            secret: "fake-secret-0001-not-real",
            text: "POST\nQjRpt4xD5mjOLJtR6sDHWw==\n\nFri, 02 Jan 2026 03:04:05 GMT\n/audit-bkt/?worm",
            signature: "Pkswo0T32425ur3pByr/C14yh9Q="),
        OSSV1Vector(
            secret: "fake-secret-0001-not-real",
            text: "PUT\n\napplication/json\nFri, 02 Jan 2026 03:04:05 GMT\nx-oss-meta-source:gw\n"
                + "/audit-bkt/logs/2026/evt 1+a.json",
            signature: "W53IvWN+zWMwFlnmQ3scqHKCUUU="),
    ]

    @Test(arguments: ossV1)
    func `of OSS V1 has the printed signature`(_ vector: OSSV1Vector) {
        #expect(OSSV1.signature(vector.text, secret: Secret(vector.secret)) == vector.signature)
    }

    @Test func `of OSS V1 has the printed string to sign`() throws {
        let date = "Wed, 28 Dec 2022 10:27:41 GMT"
        let request = WireRequest(
            method: "PUT", target: "/nelson?acl&non-resource=null",
            headers: [
                WireHeader("X-Oss-Meta-Magic", "abracadabra"), WireHeader("x-oss-meta-author", "alice"),
                WireHeader("x-oss-date", date), WireHeader("Content-Type", "text/html"),
                WireHeader("Content-MD5", "eB5eJF1ptWaXm4bijSPyxw=="), WireHeader("User-Agent", "any"),
            ])
        let text = OSSV1.stringToSign(
            request, resource: .object(bucket: "examplebucket", key: "nelson"),
            parameters: try WireParameters(decoding: request.rawQuery), date: date)
        #expect(text == Self.ossV1[2].text)
    }

    struct OSSV4Vector: Sendable {
        let time: WireTime
        var region = "cn-hangzhou"
        var product = "oss"
        var additionalHeaders: [String] = []
        var sessionToken: String?
        let signature: String
    }

    static let ossV4: [OSSV4Vector] = [
        OSSV4Vector(
            time: WireTime(compact: "20231216T162057Z")!,
            signature: "e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe"),
        OSSV4Vector(
            time: WireTime(compact: "20231216T172512Z")!, additionalHeaders: ["ZAbc", "abc", "not-there"],
            signature: "4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f"),
        OSSV4Vector(
            time: WireTime(secondsSince1970: 1_702_784_856), sessionToken: "token",
            signature: "b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea"),
        OSSV4Vector(
            time: WireTime(compact: "20231216T162057Z")!, region: "cb-123", product: "oss-cloudbox",
            signature: "94ce1f12c17d148ea681030275a94449d3357f5b5b21133996eec80af3e08a43"),
    ]

    static let ossV4Query = "param1=value1&%2Bparam1=value3&%7Cparam1=value4&%2Bparam2=&%7Cparam2=&param2="

    @Test(arguments: ossV4)
    func `of OSS V4 comes out of the signer as printed`(_ vector: OSSV4Vector) throws {
        let signer = OSSSigner(
            accessKeyId: "ak", secret: Secret("sk"), sessionToken: vector.sessionToken, region: vector.region,
            product: vector.product, now: { vector.time })
        let request = WireRequest(
            method: "PUT", target: "/1234%2B-/123/1.txt?" + Self.ossV4Query,
            headers: [
                WireHeader("x-oss-head1", "value"), WireHeader("abc", "value"), WireHeader("ZAbc", "value"),
                WireHeader("XYZ", "value"), WireHeader("content-type", "text/plain"),
            ])
        let signed = try signer.signed(
            request, resource: .object(bucket: "bucket", key: "1234+-/123/1.txt"),
            additionalHeaders: vector.additionalHeaders)
        #expect(signed.header("authorization")?.hasSuffix("Signature=\(vector.signature)") == true)
    }

    @Test func `of an OSS V4 URL is accepted until it expires`() throws {
        let query =
            Self.ossV4Query + "&x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-date=20231217T025437Z"
            + "&x-oss-expires=599&x-oss-credential=ak%2F20231217%2Fcn-hangzhou%2Foss%2Faliyun_v4_request"
            + "&x-oss-signature=a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe"
        let request = WireRequest(
            method: "PUT", target: "/bucket/1234%2B-%2F123/1.txt?" + query,
            headers: [
                WireHeader("x-oss-head1", "value"), WireHeader("abc", "value"),
                WireHeader("content-type", "application/octet-stream"),
            ])
        let start = WireTime(compact: "20231217T025437Z")!
        let world = World(now: start, keys: [.sample(id: "ak", secret: "sk")])
        let authenticator = world.authenticator()
        let expected: [(Int64, String)] = [
            (-901, "AccessDenied"), (-900, "OK"), (0, "OK"), (599, "OK"), (600, "AccessDenied"),
        ]
        for (offset, code) in expected {
            world.now = start + offset
            #expect(try authenticator.verdictOSS(request).code == code, "\(offset) seconds after signing")
        }
    }

    @Test func `of an OSS V1 URL is accepted until it expires`() throws {
        let request = WireRequest(
            method: "GET",
            target: "/key?Expires=1699807420&OSSAccessKeyId=ak&Signature=dcLTea%2BYh9ApirQ8o8dOPqtvJXQ%3D"
                + "&versionId=versionId",
            headers: [WireHeader("Host", "bucket.oss-cn-hangzhou.aliyuncs.com")])
        let addressing = OSSAddressing(baseDomains: ["oss-cn-hangzhou.aliyuncs.com"])
        let world = World(
            now: WireTime(secondsSince1970: 1_699_807_420), keys: [.sample(id: "ak", secret: "sk")])
        #expect(try world.authenticator().verdictOSS(request, addressing: addressing).code == "OK")
        world.now = world.now + 1
        #expect(try world.authenticator().verdictOSS(request, addressing: addressing).code == "AccessDenied")
    }

    @Test(arguments: [
        ("abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        ("", "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"),
        // GB/T 32905-2016, example 2: sixteen times "abcd".
        (
            String(repeating: "abcd", count: 16),
            "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
        ),
    ])
    func `of SM3 has the printed hash`(_ text: String, _ hash: String) {
        #expect(ACS3.sm3.payloadHash(Array(text.utf8)) == hash)
    }

    @Test func `of SM3 in HMAC is that of GM-T 0042`() {
        let key = (1...32).map(UInt8.init)
        let message = Array(
            String(repeating: "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", count: 2).utf8)
        let mac = SignatureHash.sm3.authenticate(message, key: key)
        let expected: [UInt8] = [
            0xca, 0x05, 0xe1, 0x44, 0xed, 0x05, 0xd1, 0x85, 0x78, 0x40, 0xd1, 0xf3, 0x18, 0xa4, 0xa8, 0x66,
            0x9e, 0x55, 0x9f, 0xc8, 0x39, 0x1f, 0x41, 0x44, 0x85, 0xbf, 0xdf, 0x7b, 0xb4, 0x08, 0x96, 0x3a,
        ]
        #expect(mac == expected)
    }
}
