// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// How an OSS request is signed: with V1, V2 or V4, in a header or in the URL. Source: oss.md sections 5 to 7.
struct OSSCredentials: Sendable {
    enum Form: Sendable {
        /// - date: `x-oss-date` or `Date`, as sent.
        case v1Header(date: String?)
        case v1URL(expires: String)
        case v2Header(date: String?, additionalHeaders: [String])
        case v2URL(expires: String, additionalHeaders: [String])
        case v4Header(OSSV4Scope, additionalHeaders: [String])
        case v4URL(OSSV4Scope, additionalHeaders: [String], expires: String)
    }

    let form: Form
    let accessKeyId: String
    let signature: String
    let sessionToken: String?

    private static let v1Parameters = ["OSSAccessKeyId", "Signature", "Expires"]
    private static let laterParameters = [
        "x-oss-signature-version", "x-oss-credential", "x-oss-access-key-id", "x-oss-signature",
    ]

    /// Whether a request has no credentials at all, in whatever state.
    static func areAbsent(_ request: WireRequest, parameters: WireParameters) -> Bool {
        request.header("authorization") == nil && (v1Parameters + laterParameters).allSatisfy { parameters[$0] == nil }
    }

    init(_ request: WireRequest, parameters: WireParameters) throws(AuthenticationFailure) {
        let inV1URL = Self.v1Parameters.filter { parameters[$0] != nil }
        let inV4URL = Self.laterParameters.filter { parameters[$0] != nil }
        if let authorization = request.header("authorization") {
            // `Expires` alone may be anybody's parameter; the others are only ever a signature's.
            guard inV1URL.allSatisfy({ $0 == "Expires" }), inV4URL.isEmpty else {
                throw .ossInvalidArgument("The signature stands both in the URL and in the Authorization header.")
            }
            try self.init(authorization: authorization, request: request)
        } else if parameters["x-oss-signature-version"] == OSSV2.scheme {
            try self.init(v2URL: parameters)
        } else if !inV4URL.isEmpty {
            try self.init(v4URL: parameters)
        } else if inV1URL.count == 3 {
            try self.init(v1URL: parameters, request: request)
        } else if !inV1URL.isEmpty {
            throw .ossAccessDenied("A signed URL needs OSSAccessKeyId, Expires and Signature.")
        } else {
            throw .ossAccessDenied("Anonymous access is forbidden for this operation.")
        }
    }

    private init(authorization: String, request: WireRequest) throws(AuthenticationFailure) {
        let (scheme, rest) = authorization.splitAtFirst(Ascii.space)
        switch scheme {
        case "OSS":
            let (id, signature) = (rest ?? "").trimmingBlanks().splitAtFirst(Ascii.colon)
            guard id.isPlausibleId, let signature, !signature.isEmpty else { throw .ossMalformedAuthorization }
            // The Python v2 SDK's V1 signer sends a session token under its bare name (oss.md section 8).
            self.init(
                form: .v1Header(date: request.header("x-oss-date") ?? request.header("date")), accessKeyId: id,
                signature: signature,
                sessionToken: request.header("x-oss-security-token") ?? request.header("security-token"))
        case OSSV2.scheme:
            guard let fields = AuthorizationFields(rest ?? "", assigning: Ascii.colon), let id = fields["AccessKeyId"],
                id.isPlausibleId, let signature = fields["Signature"], !signature.isEmpty
            else { throw .ossMalformedAuthorization }
            self.init(
                form: .v2Header(
                    date: request.header("x-oss-date") ?? request.header("date"),
                    additionalHeaders: try Self.names(fields["AdditionalHeaders"])),
                accessKeyId: id, signature: signature, sessionToken: request.header("x-oss-security-token"))
        case OSSV4.algorithm:
            guard let fields = AuthorizationFields(rest ?? ""), let credential = fields["Credential"],
                let signature = fields["Signature"], !signature.isEmpty
            else { throw .ossMalformedAuthorization }
            guard let date = request.header("x-oss-date") else { throw .ossBadDate }
            let (id, scope) = try Self.credential(credential, date: date)
            guard request.header("x-oss-content-sha256") == OSSV4.unsignedPayload else {
                throw AuthenticationFailure.ossSignedPayload.claiming(id)
            }
            self.init(
                form: .v4Header(scope, additionalHeaders: try Self.names(fields["AdditionalHeaders"])),
                accessKeyId: id, signature: signature, sessionToken: request.header("x-oss-security-token"))
        default: throw .ossMalformedAuthorization
        }
    }

    private init(v1URL parameters: WireParameters, request: WireRequest) throws(AuthenticationFailure) {
        guard let id = parameters["OSSAccessKeyId"], id.isPlausibleId, let expires = parameters["Expires"],
            let signature = parameters["Signature"], !signature.isEmpty
        else { throw .ossAccessDenied("A signed URL needs OSSAccessKeyId, Expires and Signature.") }
        self.init(
            form: .v1URL(expires: expires), accessKeyId: id, signature: signature,
            sessionToken: parameters["security-token"] ?? request.header("x-oss-security-token"))
    }

    private init(v2URL parameters: WireParameters) throws(AuthenticationFailure) {
        guard let id = parameters["x-oss-access-key-id"], id.isPlausibleId, let expires = parameters["x-oss-expires"],
            let signature = parameters["x-oss-signature"], !signature.isEmpty
        else { throw .ossAccessDenied("A signed URL lacks a part of its signature.") }
        self.init(
            form: .v2URL(expires: expires, additionalHeaders: try Self.names(parameters["x-oss-additional-headers"])),
            accessKeyId: id, signature: signature,
            sessionToken: parameters["x-oss-security-token"] ?? parameters["security-token"])
    }

    private init(v4URL parameters: WireParameters) throws(AuthenticationFailure) {
        guard parameters["x-oss-signature-version"] == OSSV4.algorithm else {
            throw .ossInvalidArgument("The signature version is not supported.")
        }
        guard let credential = parameters["x-oss-credential"], let date = parameters["x-oss-date"],
            let expires = parameters["x-oss-expires"], let signature = parameters["x-oss-signature"],
            !signature.isEmpty
        else { throw .ossAccessDenied("A signed URL lacks a part of its signature.") }
        let (id, scope) = try Self.credential(credential, date: date)
        self.init(
            form: .v4URL(
                scope, additionalHeaders: try Self.names(parameters["x-oss-additional-headers"]), expires: expires),
            accessKeyId: id, signature: signature, sessionToken: parameters["x-oss-security-token"])
    }

    private init(form: Form, accessKeyId: String, signature: String, sessionToken: String?) {
        self.form = form
        self.accessKeyId = accessKeyId
        self.signature = signature
        self.sessionToken = sessionToken?.nonEmpty
    }

    /// `<key id>/<yyyymmdd>/<region>/oss/aliyun_v4_request`.
    private static func credential(
        _ text: String, date: String
    ) throws(AuthenticationFailure) -> (id: String, scope: OSSV4Scope) {
        let parts = text.split(at: Ascii.slash)
        guard parts.count == 5, parts[0].isPlausibleId else { throw .ossMalformedAuthorization }
        guard let time = WireTime(compact: date) else { throw AuthenticationFailure.ossBadDate.claiming(parts[0]) }
        let scope = OSSV4Scope(time: time, region: parts[2], product: parts[3])
        guard parts[1] == time.compactDay, parts[3] == "oss", parts[4] == DerivedKey.terminator else {
            throw .ossInvalidArgument("The scope of the credential does not fit the request.").claiming(parts[0])
        }
        return (parts[0], scope)
    }

    /// An empty list is an error, an absent one is not (oss.md section 6).
    private static func names(_ list: String?) throws(AuthenticationFailure) -> [String] {
        guard let list else { return [] }
        let names = list.split(at: Ascii.semicolon).map { $0.trimmingBlanks().asciiLowercased() }
        guard names.allSatisfy({ !$0.isEmpty }), names.count <= 200 else { throw .ossEmptyAdditionalHeaders }
        return Set(names).sortedByBytes { $0 }
    }
}
