// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import TestSupport
import Testing

@Suite struct `Percent-encoding` {
    @Test(.enabled(if: Vectors.actionTrail != nil, Comment(rawValue: SharedFolder.noVectors)))
    func `agrees with the SDKs on every captured pair`() {
        for pair in Vectors.actionTrail?.percentEncoding ?? [] {
            #expect(PercentEncoding.encode(pair.raw) == pair.encoded)
            #expect(PercentEncoding.decode(pair.encoded.utf8, plusIsSpace: true) == pair.raw)
        }
    }

    @Test(arguments: [
        ("a b+c*d~e/f=g&h%i:j'(k)!中文", "a%20b%2Bc%2Ad~e%2Ff%3Dg%26h%25i%3Aj%27%28k%29%21%E4%B8%AD%E6%96%87"),
        ("-_.~", "-_.~"), ("", ""), ("\r\n\0", "%0D%0A%00"), ("&\u{301}", "%26%CC%81"),
    ])
    func `writes all but the unreserved as upper-case hex`(_ raw: String, _ encoded: String) {
        #expect(PercentEncoding.encode(raw) == encoded)
        #expect(PercentEncoding.decode(encoded.utf8, plusIsSpace: false) == raw)
    }

    @Test func `keeps slashes where it is told to`() {
        #expect(PercentEncoding.encode("/b/k /", keepingSlashes: true) == "/b/k%20/")
    }

    @Test(arguments: ["%", "%4", "%4g", "a%", "%%41", "%FF", "%C3", "%ED%A0%80", "% 1"])
    func `refuses what is cut short or is no UTF-8`(_ text: String) {
        #expect(PercentEncoding.decode(text.utf8, plusIsSpace: true) == nil)
    }

    @Test func `takes a plus for a space in a query only`() {
        #expect(PercentEncoding.decode("a+b%2b".utf8, plusIsSpace: true) == "a b+")
        #expect(PercentEncoding.decode("a+b%2b".utf8, plusIsSpace: false) == "a+b+")
    }
}

@Suite struct `A query` {
    @Test func `is cut at bytes, keeping repeats and empty values`() throws {
        let query = try WireParameters(decoding: "b=2&a&c=&&b=1&=x&d=e=f&%26=+%2B&n=%CC%81")
        let pairs = query.all.map { [$0.name, $0.value] }
        #expect(
            pairs == [
                ["b", "2"], ["a", ""], ["c", ""], ["b", "1"], ["", "x"], ["d", "e=f"], ["&", " +"], ["n", "\u{301}"],
            ])
        #expect(query["b"] == "2")
        #expect(query["missing"] == nil)
    }

    @Test func `tells names apart that Unicode takes for equal`() throws {
        let query = try WireParameters(decoding: "%E2%84%AAey=kelvin&Key=latin")
        #expect(query["Key"] == "latin")
    }

    @Test func `survives being written and read again`() throws {
        let odd = WireParameters([.init("a b", "c&d=e"), .init("", ""), .init("é", "+%"), .init("a b", "")])
        #expect(try WireParameters(decoding: odd.encodedQuery) == odd)
    }

    @Test func `is bounded in bytes and in parameters`() throws {
        let authenticator = World(now: .noon).authenticator()
        let thousand = Array(repeating: "a", count: 1000).joined(separator: "&")
        #expect(try WireParameters(decoding: thousand).all.count == 1000)
        #expect(throws: WireFault.tooMany(things: "parameters", limit: 1000)) {
            try WireParameters(decoding: thousand + "&a")
        }
        let long = WireRequest(method: "GET", rawPath: "/", rawQuery: String(repeating: "a", count: 65_537))
        #expect(try authenticator.verdictRPC(long).code == "InvalidParameter")
        #expect(try authenticator.verdictOSS(long).code == "InvalidArgument")
        let headers = (0..<201).map { WireHeader("h\($0)", "") }
        let crowded = WireRequest(method: "GET", rawPath: "/", headers: headers)
        #expect(try authenticator.verdictRPC(crowded).code == "InvalidParameter")
        let heavy = WireRequest(
            method: "GET", rawPath: "/", headers: [WireHeader("h", String(repeating: "a", count: 65_536))])
        #expect(try authenticator.verdictRPC(heavy).code == "InvalidParameter")
        let form = WireRequest(
            method: "POST", rawPath: "/",
            headers: [WireHeader("Content-Type", "Application/X-WWW-Form-URLencoded; charset=utf-8")],
            body: [UInt8](repeating: 0x61, count: (1 << 20) + 1))
        #expect(try authenticator.verdictRPC(form).code == "InvalidParameter")
    }
}

@Suite struct `A time on the wire` {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z", "19700101T000000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
        (1_767_323_045, "2026-01-02T03:04:05Z", "20260102T030405Z", "Fri, 02 Jan 2026 03:04:05 GMT"),
        (951_827_696, "2000-02-29T12:34:56Z", "20000229T123456Z", "Tue, 29 Feb 2000 12:34:56 GMT"),
        (-1, "1969-12-31T23:59:59Z", "19691231T235959Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
        (253_402_300_799, "9999-12-31T23:59:59Z", "99991231T235959Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
    ])
    func `is read in three forms`(_ seconds: Int64, _ iso: String, _ compact: String, _ http: String) {
        let time = WireTime(secondsSince1970: seconds)
        #expect(WireTime(iso8601: iso) == time)
        #expect(WireTime(compact: compact) == time)
        #expect(WireTime(httpDate: http) == time)
        #expect(time.iso8601 == iso)
        #expect(time.compact == compact)
        #expect(time.compactDay == String(compact.prefix(8)))
    }

    @Test func `agrees with itself on every day of eight centuries`() {
        for day in Int64(-146_097)...146_097 {
            let time = WireTime(secondsSince1970: day * 86_400 + 86_399)
            #expect(WireTime(compact: time.compact) == time)
        }
    }

    @Test(arguments: [
        "", "2026-01-02T03:04:05", "2026-01-02T03:04:05z", "2026-01-02 03:04:05Z", "2026-1-02T03:04:05Z",
        "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-02T03:04:05.000Z",
        "+026-01-02T03:04:05Z", "２026-01-02T03:04:05Z", "Fri, 02 Jan 2026 03:04:05 UTC", "Fri, 2 Jan 2026 03:04:05 GMT",
        "Foo, 02 Jan 2026 03:04:05 GMT", "Fri, 02 Foo 2026 03:04:05 GMT", "Fri, 32 Jan 2026 03:04:05 GMT",
        "20260102T030405", "20260102030405ZZ", "20261302T030405Z",
    ])
    func `is not read in any other`(_ text: String) {
        #expect(WireTime(iso8601: text) == nil)
        #expect(WireTime(compact: text) == nil)
        #expect(WireTime(httpDate: text) == nil)
    }
}

@Suite struct `An OSS address` {
    static let addressing = OSSAddressing(baseDomains: ["oss.test"], customDomains: ["files.test": "audit"])

    @Test(arguments: [
        ("127.0.0.1:9000", "/", OSSResource.service),
        ("127.0.0.1:9000", "", .service),
        ("127.0.0.1:9000", "/audit", .bucket("audit")),
        ("localhost", "/audit/", .bucket("audit")),
        ("[::1]:9000", "/audit/a%2Fb", .object(bucket: "audit", key: "a/b")),
        ("oss.test:80", "/audit/a+b%2Bc%252F", .object(bucket: "audit", key: "a+b+c%2F")),
        ("OSS.Test", "/audit/a//b", .object(bucket: "audit", key: "a//b")),
        ("audit.OSS.test:9000", "/", .bucket("audit")),
        ("audit.oss.test", "/a/b", .object(bucket: "audit", key: "a/b")),
        ("audit.localhost:9000", "/k", .object(bucket: "audit", key: "k")),
        ("files.test", "/k%20", .object(bucket: "audit", key: "k ")),
        ("elsewhere.test", "/audit/k", .object(bucket: "audit", key: "k")),
        (".oss.test", "/audit/k", .object(bucket: "audit", key: "k")),
    ])
    func `names its bucket in host or path`(_ host: String, _ path: String, _ resource: OSSResource) throws {
        #expect(try Self.addressing.resource(host: host, rawPath: path) == resource)
    }

    @Test func `that cannot be decoded is refused`() {
        #expect(throws: WireFault.badEncoding(part: "path")) {
            try Self.addressing.resource(host: "localhost", rawPath: "/audit/%zz")
        }
    }
}
