// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Signs OSS requests with V4 in the `Authorization` header.
public struct OSSSigner: Sendable {
    public let accessKeyId: String
    let secret: Secret
    let sessionToken: Secret?
    let region: String
    let product: String
    let now: @Sendable () -> WireTime

    /// - Parameter product: `oss`, or `oss-cloudbox` with a cloud box's id for a region.
    public init(
        accessKeyId: String, secret: Secret, sessionToken: String? = nil, region: String, product: String = "oss",
        now: @escaping @Sendable () -> WireTime = WireTime.now
    ) {
        self.accessKeyId = accessKeyId
        self.secret = secret
        self.sessionToken = sessionToken.map(Secret.init)
        self.region = region
        self.product = product
        self.now = now
    }

    /// The request with `x-oss-date`, `x-oss-content-sha256` and `Authorization` added. Sign last.
    ///
    /// - Parameters:
    ///   - resource: what the request is about; its path may or may not show the bucket.
    ///   - additionalHeaders: headers to sign beyond those that V4 always signs; absent ones are passed over.
    /// - Throws: if the query is not one that a server could read.
    public func signed(
        _ request: WireRequest, resource: OSSResource, additionalHeaders: [String] = []
    ) throws(WireFault) -> WireRequest {
        let parameters = try WireParameters(decoding: request.rawQuery)
        let scope = OSSV4Scope(time: now(), region: region, product: product)
        var signed = request
        signed.setHeader("x-oss-date", scope.time.compact)
        signed.setHeader("x-oss-content-sha256", OSSV4.unsignedPayload)
        if let sessionToken { signed.setHeader("x-oss-security-token", sessionToken.reveal()) }
        let additional = Set(additionalHeaders.map { $0.asciiLowercased() })
            .filter { signed.header($0) != nil }
            .sortedByBytes { $0 }
        let canonical = OSSV4.canonicalRequest(
            signed, resource: resource, parameters: parameters, additionalHeaders: additional)
        let stringToSign = OSSV4.stringToSign(canonical, scope: scope)
        let signature = OSSV4.signature(stringToSign, scope: scope, secret: secret)
        let list = additional.isEmpty ? "" : ",AdditionalHeaders=\(additional.joined(separator: ";"))"
        signed.setHeader(
            "Authorization",
            "\(OSSV4.algorithm) Credential=\(accessKeyId)/\(scope.text)\(list),Signature=\(signature)")
        return signed
    }
}
