// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Crypto
import Foundation
import ObjectStorage
import TestSupport
import Testing

/// Published and captured signatures.
struct SigV4Vectors: Decodable {
    static let shared: Self? = SharedFolder.vectors("oss-requests.json", keys: .convertFromSnakeCase)

    struct Published: Decodable, CustomTestStringConvertible {
        let name: String
        let method, path, query, payloadHash, canonicalRequest, stringToSign, signature: String?
        let headers: [[String]]?
        var testDescription: String { name }
    }

    struct Captured: Decodable, CustomTestStringConvertible {
        struct Wire: Decodable {
            let method, target: String
            let headers: [[String]]
        }

        struct Signing: Decodable {
            let place, canonicalRequest, stringToSign, signature: String
        }

        let id: String
        let request: Wire
        let signing: Signing
        var testDescription: String { id }
    }

    struct Credentials: Decodable {
        struct S3: Decodable { let accessKeyId, accessKeySecret, region: String }
        let s3: S3
    }

    let awsSigv4Vectors: [Published]
    let s3Requests: [Captured]
    let s3HttpsRequests: [Captured]
    let credentials: Credentials
}

@Suite struct `The S3 signature` {
    private let secret = Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")

    private func check(
        _ request: WireRequest, names: [String], hash: String, time: WireTime, canonical: String, toSign: String,
        signature: String
    ) {
        let made = SigV4.canonicalRequest(request, signedNames: names, payloadHash: hash)
        #expect(made == canonical)
        let string = SigV4.stringToSign(made, time: time, region: "us-east-1")
        #expect(string == toSign)
        #expect(SigV4.signature(string, secret: secret, time: time, region: "us-east-1") == signature)
    }

    @Test(
        .enabled(if: SigV4Vectors.shared != nil, Comment(rawValue: SharedFolder.noVectors)),
        arguments: SigV4Vectors.shared?.awsSigv4Vectors.filter { $0.canonicalRequest != nil } ?? [])
    func `is the published one`(_ vector: SigV4Vectors.Published) throws {
        let headers = try #require(vector.headers)
        check(
            WireRequest(
                method: try #require(vector.method), rawPath: try #require(vector.path), rawQuery: try #require(vector.query),
                headers: headers.map { WireHeader($0[0], $0[1]) }),
            names: headers.map { $0[0].lowercased() }, hash: try #require(vector.payloadHash),
            time: WireTime(compact: "20130524T000000Z")!, canonical: try #require(vector.canonicalRequest),
            toSign: try #require(vector.stringToSign), signature: try #require(vector.signature))
    }

    @Test(
        .enabled(if: SigV4Vectors.shared != nil, Comment(rawValue: SharedFolder.noVectors)),
        arguments: (SigV4Vectors.shared?.s3Requests ?? []) + (SigV4Vectors.shared?.s3HttpsRequests ?? []))
    func `is the one that an SDK sent`(_ vector: SigV4Vectors.Captured) throws {
        let request = WireRequest(
            method: vector.request.method, target: vector.request.target,
            headers: vector.request.headers.map { WireHeader($0[0], $0[1]) })
        let names: [String]
        if vector.signing.place == "header" {
            let text = try #require(request.header("authorization"))
            names = try #require(text.firstMatch(of: #/SignedHeaders=([^,]+)/#)).1.split(separator: ";").map(String.init)
        } else {
            names = try #require(try WireParameters(decoding: request.rawQuery)["X-Amz-SignedHeaders"]).split(separator: ";")
                .map(String.init)
        }
        check(
            request, names: names, hash: request.header("x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD",
            time: WireTime(compact: "20260102T030405Z")!, canonical: vector.signing.canonicalRequest,
            toSign: vector.signing.stringToSign, signature: vector.signing.signature)
    }

    @Test func `covers every header, and the session token`() throws {
        let request = WireRequest(
            method: "PUT", rawPath: "/b/k", headers: [WireHeader("Host", "h:1"), WireHeader("If-None-Match", "*")])
        let signed = SigV4.signed(
            request, payloadHash: "00", accessKeyId: "AK", secret: secret, sessionToken: Secret("token"), region: "r",
            time: remoteNow)
        #expect(signed.header("x-amz-security-token") == "token")
        #expect(
            signed.header("authorization")?.contains(
                "SignedHeaders=host;if-none-match;x-amz-content-sha256;x-amz-date;x-amz-security-token,") == true)
    }
}
