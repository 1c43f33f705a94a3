// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What a client of a log service signs with.
public struct SLSCredentials: Sendable {
    public let accessKeyId: String
    let secret: Secret
    let securityToken: Secret?

    public init(accessKeyId: String, secret: Secret, securityToken: String? = nil) {
        self.accessKeyId = accessKeyId
        self.secret = secret
        self.securityToken = securityToken.map(Secret.init)
    }
}

/// Signs requests to a log service. Source: sls.md sections 3 and 4.
///
/// Both ways replace or add the headers that belong to a signature, and add `x-log-apiversion` and `x-log-bodyrawsize`
/// where they are missing: `Host` is for whoever sends the request. Sign last.
public enum SLSSigner {
    /// - Parameters:
    ///   - host: the `Host` header exactly as it will be sent, port and all.
    ///   - path: percent-encoded, as it will be sent.
    ///   - query: decoded names and values.
    ///   - body: as it will be sent, after compression.
    public static func signV4(
        method: String, host: String, path: String, query: [(String, String)], headers: inout [(String, String)],
        body: [UInt8], credentials: SLSCredentials, region: String, date: WireTime
    ) {
        let hash = TextCoding.hex(SignatureHash.sha256.digest(body))
        prepare(&headers, body: body, credentials: credentials)
        set("x-log-date", date.compact, &headers)
        set("x-log-content-sha256", hash, &headers)
        let request = wireRequest(method, path, [("Host", host)] + headers)
        let scope = SLSV4Scope(time: date, region: region)
        let canonical = SLSV4.canonicalRequest(request, path: path, parameters: parameters(query), payloadHash: hash)
        let signature = SLSV4.signature(
            SLSV4.stringToSign(canonical, scope: scope), scope: scope, secret: credentials.secret)
        set(
            "Authorization", "\(SLSV4.algorithm) Credential=\(credentials.accessKeyId)/\(scope.text),Signature=\(signature)",
            &headers)
    }

    /// For a service whose region is not known. Source and parameters as above.
    public static func signV1(
        method: String, path: String, query: [(String, String)], headers: inout [(String, String)],
        body: [UInt8], credentials: SLSCredentials, date: WireTime
    ) {
        prepare(&headers, body: body, credentials: credentials)
        set("x-log-signaturemethod", SLSV1.sha256.rawValue, &headers)
        set("Date", date.httpDate, &headers)
        if !body.isEmpty { set("Content-MD5", SLSV1.contentMD5(body), &headers) }
        let text = SLSV1.stringToSign(
            wireRequest(method, path, headers),
            path: PercentEncoding.decode(path.utf8, plusIsSpace: false) ?? path, parameters: parameters(query),
            date: date.httpDate)
        let signature = SLSV1.sha256.signature(text, secret: credentials.secret)
        set("Authorization", "LOG \(credentials.accessKeyId):\(signature)", &headers)
    }

    private static func prepare(_ headers: inout [(String, String)], body: [UInt8], credentials: SLSCredentials) {
        set("x-log-apiversion", "0.6.0", &headers)
        if !headers.contains(where: { $0.0.equalsIgnoringAsciiCase("x-log-bodyrawsize") }) {
            headers.append(("x-log-bodyrawsize", String(body.count)))
        }
        if let token = credentials.securityToken { set("x-acs-security-token", token.reveal(), &headers) }
    }

    private static func set(_ name: String, _ value: String, _ headers: inout [(String, String)]) {
        headers.removeAll { $0.0.equalsIgnoringAsciiCase(name) }
        headers.append((name, value))
    }

    private static func wireRequest(_ method: String, _ path: String, _ headers: [(String, String)]) -> WireRequest {
        WireRequest(method: method, rawPath: path, headers: headers.map { WireHeader($0.0, $0.1) })
    }

    private static func parameters(_ query: [(String, String)]) -> WireParameters {
        WireParameters(query.map { .init($0.0, $0.1) })
    }
}
