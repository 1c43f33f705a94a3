// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension Authenticator {
    /// Checks a version 1 or 4 signature; the log service knows no nonces.
    ///
    /// The digest of the body is signed as sent. That the body has it is ``SLSRequest/check(body:)``'s affair: a stranger
    /// shall not make us take in megabytes.
    public func authenticateSLS(_ request: SLSRequest) throws -> AuthenticationVerdict {
        try Self.verdict(claiming: request.claimedAccessKeyId) {
            let authorization = try request.authorization.get()
            guard let key = try keys.accessKey(id: authorization.accessKeyId) else {
                throw AuthenticationFailure.slsUnauthorized("AccessKeyId not found: \(authorization.accessKeyId)")
            }
            guard key.isActive else {
                throw AuthenticationFailure.slsUnauthorized("AccessKeyId is inactive: \(authorization.accessKeyId)")
            }
            let authentication =
                switch authorization.form {
                case .v1(let version, let date): try authenticate(request, authorization, version, date: date, key)
                case .v4(let scope, let hash): try authenticate(request, authorization, scope, payloadHash: hash, key)
                }
            try checkSLSSession(of: key, token: authorization.securityToken)
            return authentication
        }
    }

    private func authenticate(
        _ request: SLSRequest, _ authorization: SLSAuthorization, _ version: SLSV1, date: String, _ key: AccessKey
    ) throws -> Authentication {
        guard let time = WireTime(httpDate: date) else { throw AuthenticationFailure.slsBadDate }
        guard isFresh(time) else { throw AuthenticationFailure.slsTimeTooSkewed }
        let text = SLSV1.stringToSign(
            request.request, path: request.decodedPath, parameters: request.parameters, date: date)
        guard ConstantTime.equal(version.signature(text, secret: key.secret), authorization.signature) else {
            throw AuthenticationFailure.slsSignatureMismatch(provided: authorization.signature, signed: text)
        }
        return Authentication(
            caller: key.owner, method: version == .sha1 ? .slsV1SHA1 : .slsV1SHA256,
            coversBody: request.request.header("content-md5")?.isEmpty == false)
    }

    private func authenticate(
        _ request: SLSRequest, _ authorization: SLSAuthorization, _ scope: SLSV4Scope, payloadHash: String, _ key: AccessKey
    ) throws -> Authentication {
        guard isFresh(scope.time) else { throw AuthenticationFailure.slsTimeTooSkewed }
        func canonical(_ path: String) -> String {
            SLSV4.canonicalRequest(request.request, path: path, parameters: request.parameters, payloadHash: payloadHash)
        }
        func isSigned(_ canonical: String) -> Bool {
            let text = SLSV4.stringToSign(canonical, scope: scope)
            return ConstantTime.equal(SLSV4.signature(text, scope: scope, secret: key.secret), authorization.signature)
        }
        // Go signs the path percent-encoded, Python as it was before (sls.md section 4.2).
        let asSent = canonical(request.request.rawPath)
        guard isSigned(asSent) || isSigned(canonical(request.decodedPath)) else {
            throw AuthenticationFailure.slsSignatureMismatch(provided: authorization.signature, signed: asSent)
        }
        return Authentication(caller: key.owner, method: .slsV4, coversBody: true)
    }

    private func checkSLSSession(of key: AccessKey, token: String?) throws {
        switch (key.sessionToken, token) {
        case (nil, nil): break
        case (_?, nil): throw AuthenticationFailure.slsUnauthorized("The security token of the access key is missing.")
        case (let expected, let token?):
            guard expected?.matches(token) ?? false else {
                throw AuthenticationFailure.slsUnauthorized("The security token does not belong to the access key.")
            }
        }
        if let end = key.expiresAt, end <= now() {
            throw AuthenticationFailure.slsUnauthorized("The security token has expired.")
        }
    }
}
