// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension Authenticator {
    /// The operation that an ingest request signs.
    public static let ingestAction = "PutEvents"

    /// Accepts `Authorization: Bearer <ingest token>`, or an RPC signature over the operation `PutEvents`.
    ///
    /// The operation is insisted on because V1 signs no path: otherwise any captured V1 request could be turned into
    /// an ingest. V1 does not cover a body of events either, see ``Authentication/coversBody``.
    public func authenticateIngest(_ request: WireRequest) throws -> AuthenticationVerdict {
        let bearer = "Bearer "
        if let authorization = request.header("authorization"), authorization.startsIgnoringAsciiCase(with: bearer) {
            let text = String(decoding: authorization.utf8.dropFirst(bearer.utf8.count), as: UTF8.self)
            return try authenticate(IngestToken(text.trimmingBlanks()))
        }
        let call: RPCCall
        do throws(AuthenticationFailure) {
            call = try RPCCall(request)
        } catch {
            return .refused(error)
        }
        if case .success = call.credentials, call.action != Self.ingestAction {
            return .refused(AuthenticationFailure.notIngest.claiming(call.claimedAccessKeyId))
        }
        return try authenticateRPC(call)
    }

    private func authenticate(_ token: IngestToken?) throws -> AuthenticationVerdict {
        try Self.verdict(claiming: token?.id) {
            // An id never issued and a secret that is wrong look alike from outside.
            guard let token, let record = try tokens.ingestToken(id: token.id), record.matches(token) else {
                throw AuthenticationFailure.unknownIngestToken
            }
            guard record.isActive, record.expiresAt.map({ now() < $0 }) ?? true else {
                throw AuthenticationFailure.lapsedIngestToken
            }
            return Authentication(caller: record.caller, method: .bearerToken, coversBody: false)
        }
    }
}
