// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import TestSupport
import Testing

@Suite(.enabled(if: Vectors.oss != nil, Comment(rawValue: SharedFolder.noVectors)))
struct `A captured OSS request` {
    static let vectors = Vectors.oss
    static let signed = (vectors?.ossRequests ?? []).filter { $0.signing?.version != nil }

    static let addressing = OSSAddressing(
        baseDomains: ["oss-cn-hangzhou.oss.test"], customDomains: vectors?.addressing.cname ?? [:])

    static func world(of vector: OSSVectors.Request) throws -> World {
        let vectors = try #require(vectors)
        let token = vectors.credentials.oss.stsToken
        let parameters = try WireParameters(decoding: vector.wire.rawQuery)
        let isTemporary = [
            vector.wire.header("x-oss-security-token"), parameters["security-token"],
            parameters["x-oss-security-token"],
        ].contains(token)
        let key = AccessKey.sample(
            id: vectors.credentials.oss.accessKeyId, secret: vectors.credentials.oss.accessKeySecret,
            sessionToken: isTemporary ? token : nil)
        return World(now: WireTime(secondsSince1970: vectors.clock.unix), keys: [key])
    }

    @Test func `comes in so many forms`() {
        let count = { version, place in
            Self.signed.count { $0.signing?.version == version && $0.signing?.place == place }
        }
        #expect([count("v1", "header"), count("v1", "query")] == [132, 6])
        #expect([count("v2", "header"), count("v2", "query")] == [39, 3])
        #expect([count("v4", "header"), count("v4", "query")] == [133, 7])
    }

    @Test(arguments: signed)
    func `is accepted`(_ vector: OSSVectors.Request) throws {
        let request = try OSSRequest(vector.wire, addressing: Self.addressing)
        #expect(request.resource == vector.resource)
        let verdict = try Self.world(of: vector).authenticator().authenticateOSS(request)
        let method: Authentication.Method =
            switch (vector.signing?.version, vector.signing?.place) {
            case ("v1", "header"): .ossV1Header
            case ("v1", _): .ossV1URL
            case ("v2", "header"): .ossV2Header
            case ("v2", _): .ossV2URL
            case (_, "header"): .ossV4Header
            default: .ossV4URL
            }
        #expect(verdict.authentication?.method == method, "\(verdict)")
    }

    @Test(arguments: signed)
    func `has the canonical form that the client signed`(_ vector: OSSVectors.Request) throws {
        let signing = try #require(vector.signing)
        let parameters = try WireParameters(decoding: vector.wire.rawQuery)
        if let canonical = signing.canonicalRequest {
            let names = parameters["x-oss-additional-headers"] ?? ""
            let ours = OSSV4.canonicalRequest(
                vector.wire, resource: vector.resource, parameters: parameters,
                additionalHeaders: names.isEmpty ? [] : names.split(separator: ";").map(String.init))
            #expect(ours == canonical)
            let date = try #require(vector.wire.header("x-oss-date") ?? parameters["x-oss-date"])
            let scope = OSSV4Scope(time: try #require(WireTime(compact: date)), region: "cn-hangzhou")
            #expect(OSSV4.stringToSign(ours, scope: scope) == signing.stringToSign)
        } else {
            let isV2 = signing.version == "v2"
            let date = try #require(
                parameters[isV2 ? "x-oss-expires" : "Expires"] ?? vector.wire.header("x-oss-date") ?? vector.wire.header("date"))
            let additional = (vector.wire.header("authorization") ?? "").contains("AdditionalHeaders:range") ? ["range"] : []
            let ours =
                isV2
                ? OSSV2.stringToSign(
                    vector.wire, resource: vector.resource, parameters: parameters, date: date, additionalHeaders: additional)
                : OSSV1.stringToSign(vector.wire, resource: vector.resource, parameters: parameters, date: date)
            #expect(ours == signing.stringToSign)
        }
    }

    @Test(arguments: signed)
    func `is refused after any single change to what is signed`(_ vector: OSSVectors.Request) throws {
        let authenticator = try Self.world(of: vector).authenticator()
        let wire = vector.wire
        // V1 signs those parameters alone that it knows.
        let isV1 = vector.signing?.version == "v1"
        var changed = [
            wire.with { $0.method = $0.method == "GET" ? "PUT" : "GET" },
            wire.with { $0.rawPath += "q" },
            wire.with { $0.rawQuery += ($0.rawQuery.isEmpty ? "" : "&") + (isV1 ? "restore" : "q") },
            wire.with { $0.headers.append(WireHeader("X-Oss-Meta-Q", "q")) },
            wire.replacing("Content-Type", with: "q/q"),
            wire.replacing("Content-MD5", with: "q"),
        ]
        if !isV1 || vector.signing?.place == "query" {
            changed += (0..<wire.rawQuery.utf8.count).compactMap { place in
                let other = wire.with { $0.rawQuery = $0.rawQuery.disturbed(at: place) }
                // V2 and V4 may write an empty value with or without its `=`; the last byte is then no change at all.
                return other.rawQuery.dropLast() == wire.rawQuery.dropLast() && wire.rawQuery.hasSuffix("=")
                    ? nil : other
            }
        }
        for name in wire.headers.map(\.name) {
            let lower = name.lowercased()
            guard ["authorization", "content-type", "content-md5"].contains(lower) || lower.hasPrefix("x-oss-") else {
                continue
            }
            let value = try #require(wire.header(name))
            changed.append(wire.replacing(name, with: value.disturbed(at: value.utf8.count - 1)))
            changed.append(wire.replacing(name, with: nil))
        }
        for request in changed {
            let verdict = try authenticator.verdictOSS(request, addressing: Self.addressing)
            #expect(verdict.failure != nil, "\(request.method) \(request.rawPath)?\(request.rawQuery)")
        }
    }

    @Test func `with a wrong secret shows what the server signed, but not in what is recorded`() throws {
        let vector = try #require(Self.vectors?.ossRequests.first { $0.id == "oss2/207" })
        let verdict = try Self.world(of: vector).authenticator().verdictOSS(vector.wire)
        let failure = try #require(verdict.failure)
        #expect(failure.code == "SignatureDoesNotMatch" && failure.httpStatus == 403)
        #expect(failure.errorDetailCode == "0002-00000040")
        #expect(failure.claimedAccessKeyId == "FAKEAKID0001")
        let names = ["OSSAccessKeyId", "SignatureProvided", "StringToSign", "StringToSignBytes"]
        try #require(failure.details.map(\.name) == names)
        #expect(
            failure.details[2].value == "GET\n\n\nFri, 02 Jan 2026 03:04:05 GMT\n/audit-bkt/?bucketInfo")
        #expect(failure.details[3].value.hasPrefix("47 45 54 0a 0a"))
        #expect(!"\(failure)".contains("bucketInfo"))
    }

    @Test func `of an unknown key is refused`() throws {
        let vector = try #require(Self.vectors?.ossRequests.first { $0.id == "oss2/208" })
        let verdict = try Self.world(of: vector).authenticator().verdictOSS(vector.wire)
        #expect(verdict.code == "InvalidAccessKeyId")
        #expect(verdict.failure?.httpStatus == 403)
        #expect(verdict.failure?.claimedAccessKeyId == "NOSUCHAK")
    }
}
