// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Crypto
import Foundation

/// AWS Signature Version 4 as S3 wants it: the path as it is on the wire, the body's hash signed. Source: s3.md section 5.
package enum SigV4 {
    package static let algorithm = "AWS4-HMAC-SHA256"

    /// - Parameters:
    ///   - headers: name and value; those of a name are joined with commas.
    ///   - signedNames: lower case.
    ///   - payloadHash: lower-case hex of the body's SHA-256, or one of the words that stand for it.
    package static func canonicalRequest(_ request: WireRequest, signedNames: [String], payloadHash: String) -> String {
        let names = signedNames.sorted()
        let headers = names.map { "\($0):\(collapsed(request.header($0) ?? ""))\n" }.joined()
        return [
            request.method, request.rawPath.isEmpty ? "/" : request.rawPath, canonicalQuery(request.rawQuery), headers,
            names.joined(separator: ";"), payloadHash,
        ].joined(separator: "\n")
    }

    /// - Parameter rawQuery: already percent-encoded as S3 wants it; a parameter without `=` gets one.
    private static func canonicalQuery(_ rawQuery: String) -> String {
        let pairs = rawQuery.split(separator: "&").map { piece -> (name: Substring, value: Substring) in
            guard let equals = piece.firstIndex(of: "=") else { return (piece, "") }
            return (piece[..<equals], piece[piece.index(after: equals)...])
        }
        return pairs.filter { $0.name != "X-Amz-Signature" }
            .sorted { ($0.name, $0.value) < ($1.name, $1.value) }
            .map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }

    private static func collapsed(_ value: String) -> String {
        value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    }

    package static func scope(_ time: WireTime, region: String) -> String { "\(time.compactDay)/\(region)/s3/aws4_request" }

    package static func stringToSign(_ canonicalRequest: String, time: WireTime, region: String) -> String {
        let hash = TextCoding.hex(SHA256.hash(data: Data(canonicalRequest.utf8)))
        return "\(algorithm)\n\(time.compact)\n\(scope(time, region: region))\n\(hash)"
    }

    /// Lower-case hex.
    package static func signature(_ stringToSign: String, secret: Secret, time: WireTime, region: String) -> String {
        func code(_ key: SymmetricKey, _ text: String) -> SymmetricKey {
            SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key))
        }
        var key = SymmetricKey(data: Data(("AWS4" + secret.reveal()).utf8))
        for part in [time.compactDay, region, "s3", "aws4_request"] { key = code(key, part) }
        return TextCoding.hex(HMAC<SHA256>.authenticationCode(for: Data(stringToSign.utf8), using: key))
    }

    /// The request with `x-amz-date`, `x-amz-content-sha256`, a token's header and `Authorization` added; every header
    /// it has is signed, so it must have `Host`.
    package static func signed(
        _ request: WireRequest, payloadHash: String, accessKeyId: String, secret: Secret, sessionToken: Secret?,
        region: String, time: WireTime
    ) -> WireRequest {
        var signed = request
        signed.headers.append(WireHeader("x-amz-date", time.compact))
        signed.headers.append(WireHeader("x-amz-content-sha256", payloadHash))
        if let sessionToken { signed.headers.append(WireHeader("x-amz-security-token", sessionToken.reveal())) }
        let names = Set(signed.headers.map { $0.name.lowercased() }).sorted()
        let canonical = canonicalRequest(signed, signedNames: names, payloadHash: payloadHash)
        let signature = signature(
            stringToSign(canonical, time: time, region: region), secret: secret, time: time, region: region)
        signed.headers.append(
            WireHeader(
                "Authorization",
                "\(algorithm) Credential=\(accessKeyId)/\(scope(time, region: region)), "
                    + "SignedHeaders=\(names.joined(separator: ";")), Signature=\(signature)"))
        return signed
    }
}
