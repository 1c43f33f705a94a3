// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// How a request to the log service is signed: with version 1 or 4. Source: sls.md section 4.
struct SLSAuthorization: Sendable {
    enum Form: Sendable {
        case v1(SLSV1, date: String)
        /// - payloadHash: `x-log-content-sha256`, as sent.
        case v4(SLSV4Scope, payloadHash: String)
    }

    let form: Form
    let accessKeyId: String
    let signature: String
    let securityToken: String?

    init(_ request: WireRequest) throws(AuthenticationFailure) {
        guard let authorization = request.header("authorization"), !authorization.isEmpty else {
            throw .slsMissing("MissAccessKeyId", "The Authorization header is missing.")
        }
        let (scheme, rest) = authorization.splitAtFirst(Ascii.space)
        let text = (rest ?? "").trimmingBlanks()
        switch scheme {
        case "LOG":
            let (id, signature) = text.splitAtFirst(Ascii.colon)
            guard id.isPlausibleId, let signature, !signature.isEmpty else { throw .slsMalformedAuthorization }
            do throws(AuthenticationFailure) {
                try Self.checkVersion(request)
                form = try Self.v1(request)
            } catch { throw error.claiming(id) }
            accessKeyId = id
            self.signature = signature
        case SLSV4.algorithm:
            guard let fields = AuthorizationFields(text), let credential = fields["Credential"],
                let signature = fields["Signature"], !signature.isEmpty
            else { throw .slsMalformedAuthorization }
            let parts = credential.split(at: Ascii.slash)
            guard parts.count == 5, parts[0].isPlausibleId else { throw .slsMalformedAuthorization }
            do throws(AuthenticationFailure) {
                try Self.checkVersion(request)
                form = try Self.v4(request, scope: parts)
            } catch { throw error.claiming(parts[0]) }
            accessKeyId = parts[0]
            self.signature = signature
        default: throw .slsMalformedAuthorization
        }
        securityToken = request.header("x-acs-security-token")?.nonEmpty
    }

    private static func checkVersion(_ request: WireRequest) throws(AuthenticationFailure) {
        guard let version = request.header("x-log-apiversion") else {
            throw .slsMissing("MissingAPIVersion", "The header x-log-apiversion is missing.")
        }
        guard version == "0.6.0" else { throw .slsMissing("InvalidAPIVersion", "The API version must be 0.6.0.") }
    }

    private static func v1(_ request: WireRequest) throws(AuthenticationFailure) -> Form {
        guard let method = request.header("x-log-signaturemethod") else {
            throw .slsMissing("MissingSignatureMethod", "The header x-log-signaturemethod is missing.")
        }
        guard let version = SLSV1(rawValue: method) else {
            throw .slsMissing("InvalidSignatureMethod", "The signature method must be hmac-sha1 or hmac-sha256.")
        }
        guard let date = request.header("x-log-date") ?? request.header("date") else {
            throw .slsMissing("MissingDate", "The header Date or x-log-date is missing.")
        }
        return .v1(version, date: date)
    }

    /// - Parameter scope: `<key id>/<yyyymmdd>/<region>/sls/aliyun_v4_request`; any region will do (sls.md section 18).
    private static func v4(_ request: WireRequest, scope parts: [String]) throws(AuthenticationFailure) -> Form {
        guard let date = request.header("x-log-date") else {
            throw .slsMissing("MissingDate", "The header x-log-date is missing.")
        }
        guard let time = WireTime(compact: date) else { throw .slsBadDate }
        guard parts[1] == time.compactDay, !parts[2].isEmpty, parts[3] == SLSV4.product, parts[4] == DerivedKey.terminator
        else { throw .slsMalformedAuthorization }
        guard let hash = request.header("x-log-content-sha256") else {
            throw .slsUnreadable("The header x-log-content-sha256 is missing.")
        }
        return .v4(SLSV4Scope(time: time, region: parts[2]), payloadHash: hash)
    }
}
