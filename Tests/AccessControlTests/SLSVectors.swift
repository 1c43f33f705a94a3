// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation

struct SLSVectors: Decodable {
    struct Credentials: Decodable {
        let accessKeyId, accessKeySecret: String
    }

    struct Captured: Decodable {
        let name, requestLine, method: String
        let headers: [[String]]
        let bodyText, bodyBase64: String?

        var wire: WireRequest {
            WireRequest(
                method: method, target: requestLine.split(separator: " ").dropFirst().dropLast().joined(separator: " "),
                headers: headers.map { WireHeader($0[0], $0[1]) })
        }

        var body: [UInt8] {
            bodyBase64.flatMap { Data(base64Encoded: $0) }.map(Array.init) ?? Array((bodyText ?? "").utf8)
        }

        var isV4: Bool { wire.header("authorization")?.hasPrefix("SLS4") ?? false }
    }

    /// A signature with what it is made from; some are published without the steps between.
    struct Signed: Decodable {
        let name, method, path: String?
        let query: [String: String]?
        let headers: [String: String]?
        let bodyBase64, contentMD5, stringToSign, region, hashedPayload, canonicalRequest, scope: String?
        let signature: String
        let accessKeyId, accessKeySecret, xLogDate, body: String?

        /// With the header that the client has not added yet when it signs.
        var wire: WireRequest {
            var headers = (self.headers ?? [:]).map { WireHeader($0.key, $0.value) }
            if let contentMD5, !contentMD5.isEmpty, self.headers?["Content-MD5"] == nil {
                headers.append(WireHeader("Content-MD5", contentMD5))
            }
            return WireRequest(method: method ?? "", rawPath: path ?? "", headers: headers)
        }

        var parameters: WireParameters { WireParameters((query ?? [:]).map { .init($0.key, $0.value) }) }

        var bodyBytes: [UInt8] { bodyBase64.flatMap { Data(base64Encoded: $0) }.map(Array.init) ?? Array((body ?? "").utf8) }
    }

    struct Published: Decodable {
        let v1, v4: [Signed]
    }

    let credentials: Credentials
    let capturedPythonSDK, capturedOpenApiSDK, viaHttpProxy: [Captured]
    let signatureV1, signatureV1HmacSha256, signatureV4: [Signed]
    let signaturePublished: Published

    var secret: Secret { Secret(credentials.accessKeySecret) }
}
