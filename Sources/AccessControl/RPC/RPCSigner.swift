// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Signs requests as the current SDKs do, with `ACS3-HMAC-SHA256`.
public struct RPCSigner: Sendable {
    public let accessKeyId: String
    let secret: Secret
    let sessionToken: Secret?
    let algorithm: ACS3
    let now: @Sendable () -> WireTime
    let makeNonce: @Sendable () -> String

    public init(
        accessKeyId: String, secret: Secret, sessionToken: String? = nil,
        now: @escaping @Sendable () -> WireTime = WireTime.now,
        makeNonce: @escaping @Sendable () -> String = RPCSigner.randomNonce
    ) {
        self.init(
            accessKeyId: accessKeyId, secret: secret, sessionToken: sessionToken, algorithm: .sha256, now: now,
            makeNonce: makeNonce)
    }

    package init(
        accessKeyId: String, secret: Secret, sessionToken: String?, algorithm: ACS3,
        now: @escaping @Sendable () -> WireTime, makeNonce: @escaping @Sendable () -> String
    ) {
        self.accessKeyId = accessKeyId
        self.secret = secret
        self.sessionToken = sessionToken.map(Secret.init)
        self.algorithm = algorithm
        self.now = now
        self.makeNonce = makeNonce
    }

    /// The request with its `x-acs-` headers and `Authorization` added. Sign last: whatever changes afterwards in
    /// method, path, query, body or a signed header makes the signature wrong.
    ///
    /// Signed are `host`, which the request must carry as it will be sent, `content-type` and every `x-acs-` header.
    ///
    /// - Throws: if the query is not one that a server could read.
    public func signed(_ request: WireRequest, action: String, version: String) throws(WireFault) -> WireRequest {
        precondition(request.header("host") != nil, "a request is signed with its Host header")
        let query = try WireParameters(decoding: request.rawQuery)
        let payloadHash = algorithm.payloadHash(request.body)
        var signed = request
        signed.setHeader("x-acs-action", action)
        signed.setHeader("x-acs-version", version)
        signed.setHeader("x-acs-date", now().iso8601)
        signed.setHeader("x-acs-signature-nonce", makeNonce())
        signed.setHeader("x-acs-content-sha256", payloadHash)
        if let sessionToken {
            signed.setHeader("x-acs-accesskey-id", accessKeyId)
            signed.setHeader("x-acs-security-token", sessionToken.reveal())
        }
        let names = Set(signed.headers.map { $0.name.asciiLowercased() })
            .filter { $0 == "host" || $0 == "content-type" || $0.utf8.starts(with: "x-acs-".utf8) }
            .sortedByBytes { $0 }
        let canonical = ACS3.canonicalRequest(signed, query: query, signedHeaders: names, payloadHash: payloadHash)
        let signature = algorithm.signature(algorithm.stringToSign(canonical), secret: secret)
        signed.setHeader(
            "Authorization",
            "\(algorithm.name) Credential=\(accessKeyId),SignedHeaders=\(names.joined(separator: ";")),"
                + "Signature=\(signature)")
        return signed
    }

    /// 128 random bits in hex, as the SDKs send.
    public static func randomNonce() -> String {
        TextCoding.hex((0..<16).map { _ in UInt8.random(in: 0...255) })
    }
}
