// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What a V3 or V4 request says in its `Authorization` header and the `x-acs-` headers beside it.
struct ACS3Credentials: Sendable {
    let algorithm: ACS3
    let accessKeyId: String
    /// Of a V4 signature; nil for V3.
    let scope: ACS4Scope?
    let signedHeaders: [String]
    let signature: String
    let date: String
    let nonce: String
    let payloadHash: String
    let sessionToken: String?

    /// Without these under the signature, a request could be given another operation, time, body or host.
    /// Every captured client signs them (actiontrail.md section 2, kms.md section 2.3).
    private static let alwaysSigned = [
        "host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce",
    ]

    init(_ authorization: String, request: WireRequest, limits: WireLimits) throws(AuthenticationFailure) {
        let (name, rest) = authorization.splitAtFirst(Ascii.space)
        guard let algorithm = ACS3(name: name) else {
            throw .incompleteSignature("The signature algorithm is not supported.")
        }
        guard let rest, let fields = AuthorizationFields(rest), let credential = fields["Credential"],
            let (accessKeyId, scope) = Self.parse(credential, algorithm), accessKeyId.isPlausibleId,
            let signedHeaders = fields["SignedHeaders"], let signature = fields["Signature"],
            !signature.isEmpty
        else { throw .incompleteSignature("The Authorization header is malformed.") }
        self.algorithm = algorithm
        self.accessKeyId = accessKeyId
        self.scope = scope
        self.signature = signature
        self.signedHeaders = signedHeaders.split(at: Ascii.semicolon).map { $0.asciiLowercased() }
        guard self.signedHeaders.count <= limits.headers else {
            throw .incompleteSignature("SignedHeaders names too many headers.").claiming(accessKeyId)
        }

        // The newest SDK cores have a header of their own for the SM3 hash; the captured one does not use it.
        let sm3Hash = algorithm == .sm3 ? request.header("x-acs-content-sm3") : nil
        let payloadHeader = sm3Hash == nil ? "x-acs-content-sha256" : "x-acs-content-sm3"
        var mustBeSigned = Self.alwaysSigned + [payloadHeader]
        sessionToken = request.header("x-acs-security-token")?.nonEmpty
        if sessionToken != nil { mustBeSigned.append("x-acs-security-token") }
        // The body hash covers a form's bytes, but not that they are a form.
        if request.isForm && !request.body.isEmpty { mustBeSigned.append("content-type") }
        for name in mustBeSigned {
            guard let value = request.header(name), !value.isEmpty else {
                throw .incompleteSignature("The header \(name) is missing.").claiming(accessKeyId)
            }
            guard self.signedHeaders.contains(name) else {
                throw .incompleteSignature("The header \(name) must be signed.").claiming(accessKeyId)
            }
        }
        date = request.header("x-acs-date") ?? ""
        if let scope, WireTime(iso8601: date)?.compactDay != scope.day {
            throw .incompleteSignature("The scope of the credential is of another day than x-acs-date.").claiming(accessKeyId)
        }
        nonce = request.header("x-acs-signature-nonce") ?? ""
        payloadHash = request.header(payloadHeader) ?? ""
        guard nonce.utf8.count <= limits.nonceBytes else {
            throw .unreadable(.tooLong(part: "signature nonce", limit: limits.nonceBytes)).claiming(accessKeyId)
        }
    }

    private static func parse(_ credential: String, _ algorithm: ACS3) -> (accessKeyId: String, scope: ACS4Scope?)? {
        guard algorithm == .sha256DerivedKey else { return (credential, nil) }
        return ACS4Scope.parse(credential).map { ($0.accessKeyId, $0.scope) }
    }
}
