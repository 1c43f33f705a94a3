// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import TestSupport
import Testing

@Suite(.enabled(if: Vectors.actionTrail != nil, Comment(rawValue: SharedFolder.noVectors)))
struct `A captured RPC request` {
    static let vectors = Vectors.actionTrail
    static let signed = (vectors?.requests ?? []).filter(\.isSigned)

    /// A world in which this request was sent just now.
    static func world(of vector: ActionTrailVectors.Request) throws -> World {
        let credentials = try #require(vectors?.credentials)
        let call = try RPCCall(vector.wire)
        let date = vector.isV3 ? vector.wire.header("x-acs-date") : call.parameters["Timestamp"]
        let token = vector.isV3 ? vector.wire.header("x-acs-security-token") : call.parameters["SecurityToken"]
        let key = AccessKey.sample(
            id: credentials.accessKeyId, secret: credentials.accessKeySecret, sessionToken: token)
        return World(now: try #require(date.flatMap { WireTime(iso8601: $0) }), keys: [key])
    }

    @Test func `comes in eighty signed forms`() {
        #expect(Self.signed.count == 80)
    }

    @Test(arguments: signed)
    func `is accepted`(_ vector: ActionTrailVectors.Request) throws {
        let world = try Self.world(of: vector)
        let call = try RPCCall(vector.wire)
        let verdict = try world.authenticator().authenticateRPC(call)
        #expect(verdict.authentication?.caller.accessKeyId == Self.vectors?.credentials.accessKeyId, "\(verdict)")
        #expect(verdict.authentication?.coversBody == true)
        #expect(call.action == vector.operation)
        for (name, value) in vector.decodedOperationParameters {
            #expect(call.parameters[name] == value)
        }
    }

    @Test(arguments: signed)
    func `has the canonical form that the client signed`(_ vector: ActionTrailVectors.Request) throws {
        let call = try RPCCall(vector.wire)
        if vector.isV3 {
            let algorithm: ACS3 = vector.verification.scheme == "ACS3-HMAC-SM3" ? .sm3 : .sha256
            let canonical = ACS3.canonicalRequest(
                vector.wire, query: try WireParameters(decoding: vector.wire.rawQuery),
                signedHeaders: try #require(vector.verification.signedHeaders).split(separator: ";").map(String.init),
                payloadHash: algorithm.payloadHash(vector.wire.body))
            #expect(canonical == vector.verification.canonicalRequest)
            #expect(algorithm.stringToSign(canonical) == vector.verification.stringToSign)
        } else {
            #expect(RPCV1.canonicalQuery(call.parameters) == vector.verification.canonicalQuery)
            let text = RPCV1.stringToSign(method: vector.wire.method, parameters: call.parameters)
            #expect(text == vector.verification.stringToSign)
        }
    }

    @Test(arguments: signed)
    func `is refused after any single change`(_ vector: ActionTrailVectors.Request) throws {
        let authenticator = try Self.world(of: vector).authenticator()
        let wire = vector.wire
        let signedHeaders = vector.isV3 ? vector.verification.signedHeaders : nil
        let changed = try wire.singleChanges(signedHeaders: signedHeaders)
        for request in changed {
            let verdict = try authenticator.verdictRPC(request)
            #expect(verdict.failure != nil, "\(request.method) \(request.rawQuery) \(request.headers)")
        }
        #expect(try authenticator.verdictRPC(wire).code == "OK", "no refused request has spent the nonce")
    }

    @Test func `with a bearer token nobody issued is refused`() throws {
        let bearer = try #require(Self.vectors?.requests.first { !$0.isSigned })
        let verdict = try World(now: .noon).authenticator().verdictRPC(bearer.wire)
        #expect(verdict.code == "InvalidBearerToken")
    }
}

@Suite(.enabled(if: Vectors.kmsAndRAM != nil, Comment(rawValue: SharedFolder.noVectors)))
struct `A captured KMS, RAM or STS request` {
    static let requests = Vectors.kmsAndRAM?.requests ?? []

    @Test(arguments: requests)
    func `is accepted if its scheme is known and its secret right`(_ vector: KMSAndRAMVectors.Request) throws {
        let isInactive = vector.note?.contains("inactive") ?? false
        let call = try RPCCall(vector.wire)
        let expected =
            switch vector.signing.scheme {
            case "ACS3-HMAC-SHA256", "ACS4-HMAC-SHA256", "RPC-HMAC-SHA1": "OK"
            default: isInactive ? "InvalidAccessKeyId.Inactive" : "SignatureDoesNotMatch"
            }
        let verdict = try Self.world(of: vector).authenticator().authenticateRPC(call)
        #expect(verdict.code == expected, "\(verdict) \(vector.note ?? "")")
    }

    @Test(arguments: requests)
    func `is refused after any single change`(_ vector: KMSAndRAMVectors.Request) throws {
        let authenticator = try Self.world(of: vector).authenticator()
        let authorization = vector.wire.header("authorization")
        let signedHeaders = authorization.flatMap { text in
            text.split(separator: ",").first { $0.hasPrefix("SignedHeaders=") }.map { String($0.dropFirst(14)) }
        }
        for request in try vector.wire.singleChanges(signedHeaders: signedHeaders) {
            let verdict = try authenticator.verdictRPC(request)
            #expect(verdict.failure != nil, "\(request.method) \(request.rawQuery) \(request.headers)")
        }
    }

    /// A world in which this request was sent just now.
    static func world(of vector: KMSAndRAMVectors.Request) throws -> World {
        let call = try RPCCall(vector.wire)
        let date = vector.wire.header("x-acs-date") ?? call.parameters["Timestamp"]
        let isInactive = vector.note?.contains("inactive") ?? false
        let keys = try #require(Vectors.kmsAndRAM).credentials.map { id, credential in
            AccessKey.sample(
                id: id, secret: credential.secret, isActive: !isInactive, sessionToken: credential.securityToken)
        }
        return World(now: try #require(date.flatMap { WireTime(iso8601: $0) }), keys: keys)
    }
}

extension WireRequest {
    /// The request with one thing changed that its signature covers, in every way.
    ///
    /// - Parameter signedHeaders: the list of a V3 or V4 signature; nil for V1, whose signature stands in the parameters.
    func singleChanges(signedHeaders: String?) throws -> [WireRequest] {
        var changed = [
            with { $0.method = $0.method == "GET" ? "POST" : "GET" },
            with { $0.rawQuery += $0.rawQuery.isEmpty ? "a=b" : "&a=b" },
        ]
        changed += rawQuery.utf8.indices.enumerated().map { place, _ in
            with { $0.rawQuery = $0.rawQuery.disturbed(at: place) }
        }
        if !body.isEmpty {
            changed += body.indices.map { place in with { $0.body[place] ^= 1 } }
        }
        guard let signedHeaders else { return changed }
        changed.append(with { $0.body.append(0x61) })
        changed.append(with { $0.rawPath = "/v1/events" })
        for name in signedHeaders.split(separator: ";").map(String.init) {
            let value = try #require(header(name))
            changed.append(replacing(name, with: value.disturbed(at: value.utf8.count / 2)))
            changed.append(replacing(name, with: nil))
            changed.append(with { $0.headers.append(WireHeader(name, "added")) })
        }
        let authorization = try #require(header("authorization"))
        for place in 0..<authorization.utf8.count {
            changed.append(replacing("Authorization", with: authorization.disturbed(at: place)))
        }
        return changed
    }
}
