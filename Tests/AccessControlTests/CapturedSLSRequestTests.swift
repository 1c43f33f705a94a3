// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import TestSupport
import Testing

extension Authenticator {
    /// The whole way the sls port goes.
    func verdictSLS(
        _ request: WireRequest, body: [UInt8] = [], addressing: SLSAddressing = SLSAddressing()
    ) throws -> AuthenticationVerdict {
        do throws(AuthenticationFailure) {
            let read = try SLSRequest(request, addressing: addressing)
            let verdict: AuthenticationVerdict
            do { verdict = try authenticateSLS(read) } catch { throw AuthenticationFailure.thrown }
            if case .authenticated = verdict { try read.check(body: body) }
            return verdict
        } catch {
            return .refused(error)
        }
    }
}

extension AuthenticationFailure {
    fileprivate static var thrown: AuthenticationFailure { preconditionFailure("the directory of the tests does not fail here") }
}

@Suite(.enabled(if: Vectors.sls != nil, Comment(rawValue: SharedFolder.noVectors)))
struct `A captured SLS request` {
    static let vectors = Vectors.sls
    static let all = (vectors.map { $0.capturedPythonSDK + $0.capturedOpenApiSDK + $0.viaHttpProxy } ?? [])
    static let signed = all.filter { !["BadSecret", "BadAk"].contains($0.name) }

    static func world(of vector: SLSVectors.Captured) throws -> World {
        let vectors = try #require(vectors)
        let date = vector.wire.header("x-log-date") ?? vector.wire.header("date") ?? ""
        let now = try #require(vector.isV4 ? WireTime(compact: date) : WireTime(httpDate: date))
        let key = AccessKey.sample(
            id: vectors.credentials.accessKeyId, secret: vectors.credentials.accessKeySecret,
            sessionToken: vector.wire.header("x-acs-security-token"))
        return World(now: now, keys: [key])
    }

    @Test(arguments: signed)
    func `is accepted`(_ vector: SLSVectors.Captured) throws {
        let verdict = try Self.world(of: vector).authenticator().verdictSLS(vector.wire, body: vector.body)
        let method: Authentication.Method =
            vector.isV4 ? .slsV4 : vector.wire.header("x-log-signaturemethod") == "hmac-sha1" ? .slsV1SHA1 : .slsV1SHA256
        #expect(verdict.authentication?.method == method, "\(verdict)")
        if !vector.body.isEmpty { #expect(verdict.authentication?.coversBody == true) }
    }

    @Test(arguments: signed)
    func `is refused after any single change to what is signed`(_ vector: SLSVectors.Captured) throws {
        let authenticator = try Self.world(of: vector).authenticator()
        let wire = vector.wire
        var changed = [
            wire.with { $0.method = $0.method == "GET" ? "PUT" : "GET" },
            wire.with { $0.rawPath += "q" },
            wire.with { $0.rawQuery += ($0.rawQuery.isEmpty ? "" : "&") + "q" },
            wire.with { $0.headers.append(WireHeader("X-Log-Q", "q")) },
            wire.with { $0.headers.append(WireHeader("X-Acs-Q", "q")) },
            wire.replacing("Content-Type", with: "q/q"),
        ]
        if vector.isV4 {
            changed.append(wire.replacing("Host", with: "other.localhost"))
        } else {
            changed.append(wire.replacing("Content-MD5", with: "q"))
        }
        for place in 0..<wire.rawQuery.utf8.count {
            let other = wire.with { $0.rawQuery = $0.rawQuery.disturbed(at: place) }
            // V4 writes an empty value without its `=`: an added letter of a name is a change, a lost `=` is not.
            if vector.isV4, wire.rawQuery.utf8.dropFirst(place).first == UInt8(ascii: "=") { continue }
            changed.append(other)
        }
        for name in wire.headers.map(\.name) {
            let lower = name.lowercased()
            guard
                ["authorization", "content-type", "content-md5", "date"].contains(lower) || lower.hasPrefix("x-log-")
                    || lower.hasPrefix("x-acs-")
            else { continue }
            let value = try #require(wire.header(name))
            // `x-log-date` says again what `Date` says, and takes its place.
            let isSaidTwice = !vector.isV4 && wire.header("x-log-date") != nil
            if lower == "date", isSaidTwice { continue }
            if !value.isEmpty { changed.append(wire.replacing(name, with: value.disturbed(at: value.utf8.count - 1))) }
            if !(lower == "x-log-date" && isSaidTwice), !value.isEmpty { changed.append(wire.replacing(name, with: nil)) }
        }
        for request in changed {
            let verdict = try authenticator.verdictSLS(request, body: vector.body)
            #expect(verdict.failure != nil, "\(request.method) \(request.rawPath)?\(request.rawQuery) \(request.headers)")
        }
        var otherBody = vector.body
        if otherBody.isEmpty {
            guard vector.isV4 else { return }
            otherBody = [1]
        } else {
            otherBody[otherBody.count / 2] ^= 1
        }
        #expect(try authenticator.verdictSLS(wire, body: otherBody).code == "SignatureNotMatch")
    }

    @Test func `with a wrong secret shows what the server signed, but not in what is recorded`() throws {
        let vector = try #require(Self.all.first { $0.name == "BadSecret" })
        let failure = try #require(try Self.world(of: vector).authenticator().verdictSLS(vector.wire).failure)
        #expect(failure.code == "SignatureNotMatch" && failure.httpStatus == 401)
        #expect(failure.wireMessage.contains("x-log-apiversion:0.6.0\n") && !failure.message.contains("x-log"))
        #expect(failure.claimedAccessKeyId == Self.vectors?.credentials.accessKeyId)
    }

    @Test func `of an unknown key is refused`() throws {
        let vector = try #require(Self.all.first { $0.name == "BadAk" })
        let failure = try #require(try Self.world(of: vector).authenticator().verdictSLS(vector.wire).failure)
        #expect(failure.code == "Unauthorized" && failure.httpStatus == 401)
        #expect(failure.message == "AccessKeyId not found: NoSuchAk" && failure.claimedAccessKeyId == "NoSuchAk")
    }

    @Test func `to a proxy tells its project in the host`() throws {
        let vector = try #require(Self.vectors?.viaHttpProxy.first)
        #expect(vector.wire.rawPath.hasPrefix("http://"))
        let request = try SLSRequest(vector.wire)
        #expect(request.project == "proxied" && request.path.isEmpty && request.request.rawPath == "/")
        let other = vector.wire.replacing("Host", with: "other.sls.internal")
        #expect(try Self.world(of: vector).authenticator().verdictSLS(other, body: vector.body).code == "ParameterInvalid")
    }
}

@Suite(.enabled(if: Vectors.sls != nil, Comment(rawValue: SharedFolder.noVectors)))
struct `An SLS signature` {
    @Test func `of version 1 is the client's`() throws {
        let vectors = try #require(Vectors.sls)
        #expect(vectors.signatureV1.count == 9 && vectors.signatureV1HmacSha256.count == 8)
        for vector in vectors.signatureV1 {
            let wire = vector.wire
            let date = try #require(wire.header("x-log-date") ?? wire.header("date"))
            let text = SLSV1.stringToSign(wire, path: wire.rawPath, parameters: vector.parameters, date: date)
            #expect(text == vector.stringToSign)
            #expect(SLSV1.sha1.signature(text, secret: vectors.secret) == vector.signature)
            if !vector.bodyBytes.isEmpty { #expect(SLSV1.contentMD5(vector.bodyBytes) == vector.contentMD5) }
        }
        for vector in vectors.signatureV1HmacSha256 {
            #expect(SLSV1.sha256.signature(try #require(vector.stringToSign), secret: vectors.secret) == vector.signature)
        }
        for vector in vectors.signaturePublished.v1 {
            let wire = vector.wire
            let text = SLSV1.stringToSign(
                wire, path: wire.rawPath, parameters: WireParameters(), date: try #require(wire.header("date")))
            #expect(SLSV1.sha1.signature(text, secret: Secret(try #require(vector.accessKeySecret))) == vector.signature)
        }
    }

    @Test func `of version 4 is the client's`() throws {
        let vectors = try #require(Vectors.sls)
        #expect(vectors.signatureV4.count == 9 && vectors.signaturePublished.v4.count == 5)
        for vector in vectors.signatureV4 + vectors.signaturePublished.v4 {
            let hash = TextCoding.hex(SignatureHash.sha256.digest(vector.bodyBytes))
            var wire = vector.wire
            if let date = vector.xLogDate {
                wire.headers += [WireHeader("x-log-date", date), WireHeader("x-log-content-sha256", hash)]
            }
            let canonical = SLSV4.canonicalRequest(
                wire, path: wire.rawPath, parameters: vector.parameters, payloadHash: vector.hashedPayload ?? hash)
            #expect(canonical == vector.canonicalRequest)
            let time = try #require(wire.header("x-log-date").flatMap(WireTime.init(compact:)))
            let scope = SLSV4Scope(time: time, region: try #require(vector.region))
            if let text = vector.scope { #expect(scope.text == text) }
            let text = SLSV4.stringToSign(canonical, scope: scope)
            if let expected = vector.stringToSign { #expect(text == expected) }
            let secret = vector.accessKeySecret.map(Secret.init) ?? vectors.secret
            #expect(SLSV4.signature(text, scope: scope, secret: secret) == vector.signature)
        }
    }
}
