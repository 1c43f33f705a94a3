// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension Authenticator {
    /// Longest life of a V4 signed URL, as the SDKs have it (oss.md section 7).
    private static let longestURLSeconds: Int64 = 604_800

    /// Checks a V1, V2 or V4 signature, in the header or in the URL; OSS knows no nonces.
    ///
    /// `Content-MD5` is signed as sent. That the body has that digest is for whoever receives the body to check.
    public func authenticateOSS(_ request: OSSRequest) throws -> AuthenticationVerdict {
        try Self.verdict(claiming: request.claimedAccessKeyId) {
            let credentials = try request.credentials.get()
            guard let key = try keys.accessKey(id: credentials.accessKeyId) else {
                throw AuthenticationFailure.ossUnknownAccessKey
            }
            guard key.isActive else { throw AuthenticationFailure.ossInactiveAccessKey }
            try checkTime(credentials.form)
            let (method, stringToSign, signature) = try sign(request, as: credentials.form, with: key.secret)
            guard ConstantTime.equal(signature, credentials.signature) else {
                throw AuthenticationFailure.ossSignatureMismatch(
                    accessKeyId: key.id, provided: credentials.signature, stringToSign: stringToSign)
            }
            try checkOSSSession(of: key, token: credentials.sessionToken)
            return Authentication(caller: key.owner, method: method, coversBody: false)
        }
    }

    /// A signed URL has its own life instead of the 15 minutes, looked at before its signature (oss.md section 7).
    private func checkTime(_ form: OSSCredentials.Form) throws {
        switch form {
        case .v1Header(let date), .v2Header(let date, _):
            guard let date, let time = WireTime(httpDate: date) else { throw AuthenticationFailure.ossBadDate }
            guard isFresh(time) else { throw AuthenticationFailure.ossTimeTooSkewed }
        case .v4Header(let scope, _):
            guard isFresh(scope.time) else { throw AuthenticationFailure.ossTimeTooSkewed }
        case .v1URL(let expires), .v2URL(let expires, _):
            guard let end = Int64(expires) else { throw AuthenticationFailure.ossAccessDenied("Expires is malformed.") }
            guard now() <= WireTime(secondsSince1970: end) else { throw AuthenticationFailure.ossExpired }
        case .v4URL(let scope, _, let expires):
            // A life that ended before it began: the SDK asks so for a time that has passed.
            if let seconds = Int64(expires), seconds < 1 { throw AuthenticationFailure.ossExpired }
            guard let seconds = Int64(expires), seconds <= Self.longestURLSeconds else {
                throw AuthenticationFailure.ossInvalidArgument("x-oss-expires must be between 1 and 604800.")
            }
            guard now() <= scope.time + seconds else { throw AuthenticationFailure.ossExpired }
            guard scope.time <= now() + settings.allowedSkewSeconds else { throw AuthenticationFailure.ossNotYetValid }
        }
    }

    private func sign(
        _ request: OSSRequest, as form: OSSCredentials.Form, with secret: Secret
    ) throws -> (method: Authentication.Method, stringToSign: String, signature: String) {
        func v1(_ date: String) -> (String, String) {
            let text = OSSV1.stringToSign(
                request.request, resource: request.resource, parameters: request.parameters, date: date)
            return (text, OSSV1.signature(text, secret: secret))
        }
        func v2(_ date: String, _ additionalHeaders: [String]) -> (String, String) {
            let text = OSSV2.stringToSign(
                request.request, resource: request.resource, parameters: request.parameters, date: date,
                additionalHeaders: additionalHeaders)
            return (text, OSSV2.signature(text, secret: secret))
        }
        func v4(_ scope: OSSV4Scope, _ additionalHeaders: [String]) throws -> (String, String) {
            if let region = settings.ossRegion, region != scope.region { throw AuthenticationFailure.ossWrongRegion }
            if let payload = request.request.header("x-oss-content-sha256"), payload != OSSV4.unsignedPayload {
                throw AuthenticationFailure.ossSignedPayload
            }
            let canonical = OSSV4.canonicalRequest(
                request.request, resource: request.resource, parameters: request.parameters,
                additionalHeaders: additionalHeaders)
            let text = OSSV4.stringToSign(canonical, scope: scope)
            return (text, OSSV4.signature(text, scope: scope, secret: secret))
        }
        let (method, signed): (Authentication.Method, (String, String)) =
            switch form {
            case .v1Header(let date): (.ossV1Header, v1(date ?? ""))
            case .v1URL(let expires): (.ossV1URL, v1(expires))
            case .v2Header(let date, let additional): (.ossV2Header, v2(date ?? "", additional))
            case .v2URL(let expires, let additional): (.ossV2URL, v2(expires, additional))
            case .v4Header(let scope, let additional): (.ossV4Header, try v4(scope, additional))
            case .v4URL(let scope, let additional, _): (.ossV4URL, try v4(scope, additional))
            }
        return (method, signed.0, signed.1)
    }

    private func checkOSSSession(of key: AccessKey, token: String?) throws {
        switch (key.sessionToken, token) {
        case (nil, nil): break
        case (_?, nil): throw AuthenticationFailure.ossUnknownAccessKey
        case (let expected, let token?):
            guard expected?.matches(token) ?? false else { throw AuthenticationFailure.ossMismatchedSessionToken }
        }
        if let end = key.expiresAt, end <= now() { throw AuthenticationFailure.ossExpiredSessionToken }
    }
}
