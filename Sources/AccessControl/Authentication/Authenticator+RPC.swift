// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension Authenticator {
    /// Checks in the order of actiontrail.md section 21.2: parts present, key known and active, time, signature, then
    /// nonce, which is remembered only now that the signature is known to be good. Whether there is such an operation
    /// is for the endpoint to see first.
    public func authenticateRPC(_ call: RPCCall) throws -> AuthenticationVerdict {
        try Self.verdict(claiming: call.claimedAccessKeyId) {
            switch try call.credentials.get() {
            case .acs3(let credentials): try authenticate(credentials, call: call)
            case .v1(let credentials): try authenticate(credentials, call: call)
            }
        }
    }

    private func authenticate(_ credentials: ACS3Credentials, call: RPCCall) throws -> Authentication {
        let key = try usableKey(credentials.accessKeyId)
        try checkTime(credentials.date)

        func stringToSign(payloadHash: String) -> String {
            let canonical = ACS3.canonicalRequest(
                call.request, query: call.query, signedHeaders: credentials.signedHeaders, payloadHash: payloadHash)
            return credentials.algorithm.stringToSign(canonical)
        }
        // The claimed hash first and the body after it: a stranger shall not make us hash 64 MiB.
        let claimed = stringToSign(payloadHash: credentials.payloadHash)
        let signature = credentials.algorithm.signature(claimed, secret: key.secret, scope: credentials.scope)
        guard ConstantTime.equal(signature, credentials.signature) else {
            throw AuthenticationFailure.signatureMismatch(stringToSign: claimed)
        }
        let payloadHash = credentials.algorithm.payloadHash(call.request.body)
        guard ConstantTime.equal(payloadHash, credentials.payloadHash) else {
            throw AuthenticationFailure.signatureMismatch(stringToSign: stringToSign(payloadHash: payloadHash))
        }

        try checkSession(of: key, token: credentials.sessionToken)
        try spend(credentials.nonce, of: key)
        let method: Authentication.Method =
            switch credentials.algorithm {
            case .sha256: .acs3SHA256
            case .sm3: .acs3SM3
            case .sha256DerivedKey: .acs4SHA256
            }
        return Authentication(caller: key.owner, method: method, coversBody: true)
    }

    private func authenticate(_ credentials: RPCV1Credentials, call: RPCCall) throws -> Authentication {
        let key = try usableKey(credentials.accessKeyId)
        try checkTime(credentials.timestamp)
        let text = RPCV1.stringToSign(method: call.request.method, parameters: call.parameters)
        guard ConstantTime.equal(credentials.algorithm.signature(text, secret: key.secret), credentials.signature)
        else { throw AuthenticationFailure.signatureMismatch(stringToSign: text) }
        try checkSession(of: key, token: credentials.sessionToken)
        try spend(credentials.nonce, of: key)
        let method: Authentication.Method =
            switch credentials.algorithm {
            case .sha1: .rpcV1SHA1
            case .sha256: .rpcV1SHA256
            }
        return Authentication(
            caller: key.owner, method: method, coversBody: call.request.body.isEmpty || call.request.isForm)
    }

    private func usableKey(_ id: String) throws -> AccessKey {
        guard let key = try keys.accessKey(id: id) else { throw AuthenticationFailure.unknownAccessKey }
        guard key.isActive else { throw AuthenticationFailure.inactiveAccessKey }
        return key
    }

    private func checkTime(_ text: String) throws {
        guard let time = WireTime(iso8601: text) else { throw AuthenticationFailure.badTimestamp }
        guard isFresh(time) else { throw AuthenticationFailure.expiredTimestamp }
    }

    /// A token that belongs to no temporary key is refused, not ignored (actiontrail.md section 2).
    private func checkSession(of key: AccessKey, token: String?) throws {
        switch (key.sessionToken, token) {
        case (nil, nil): break
        case (_?, nil): throw AuthenticationFailure.missingSessionToken
        case (let expected, let token?):
            guard expected?.matches(token) ?? false else { throw AuthenticationFailure.mismatchedSessionToken }
        }
        if let end = key.expiresAt, end <= now() { throw AuthenticationFailure.expiredSessionToken }
    }

    private func spend(_ nonce: String, of key: AccessKey) throws {
        switch nonces.spend(nonce, of: key.id, at: now()) {
        case .fresh: break
        case .used: throw AuthenticationFailure.usedNonce
        case .full: throw AuthenticationFailure.tooManyNonces
        }
    }
}
