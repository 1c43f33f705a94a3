// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import Logging

/// Credentials of a role, taken on with AssumeRole and renewed before they expire. Source: ram.md section 7.
actor RoleCredentials: RemoteCredentialSource {
    static let sessionName = "cairn-delivery"
    /// Seconds; the least that every role allows at most.
    static let duration = 3600
    /// Seconds before the end from which new ones are fetched.
    static let margin: Int64 = 300

    private let base: StaticCredentials
    private let role: RemoteBucket.Role
    private let exchange: RemoteExchange
    private let logger: Logger
    private var current: RemoteCredentials?
    private var fetching: Task<RemoteCredentials, any Error>?

    init(base: StaticCredentials, role: RemoteBucket.Role, exchange: RemoteExchange, logger: Logger) {
        self.base = base
        self.role = role
        self.exchange = exchange
        self.logger = logger
    }

    func renew() { current = nil }

    func credentials() async throws -> RemoteCredentials {
        let time = exchange.clock.time
        if let current, let end = current.expiresAt, time + Self.margin < end { return current }
        do {
            // One request, however many deliveries wait for it.
            let task = fetching ?? Task { try await self.assumeRole() }
            fetching = task
            let fresh = try await task.value
            fetching = nil
            current = fresh
            return fresh
        } catch {
            fetching = nil
            guard let current, let end = current.expiresAt, time + 30 < end else { throw error }
            logger.warning(
                "a role cannot be renewed yet; its present credentials still hold", metadata: ["error": "\(error)"])
            return current
        }
    }

    private func assumeRole() async throws -> RemoteCredentials {
        let action = "take on the role `\(role.arn)` for"
        let host = role.stsEndpoint.authority()
        let query = WireParameters([
            .init("DurationSeconds", String(Self.duration)), .init("Format", "JSON"), .init("RoleArn", role.arn),
            .init("RoleSessionName", Self.sessionName),
        ]).encodedQuery
        let answer = try await exchange.send(action, to: role.stsEndpoint.url(), bodyLimit: RemoteAnswer.errorLimit) { time in
            let own = try base.read()
            let signer = RPCSigner(
                accessKeyId: own.accessKeyId, secret: own.secret, sessionToken: own.sessionToken?.reveal(), now: { time })
            return try signer.signed(
                WireRequest(
                    method: "POST", rawPath: "/", rawQuery: query,
                    headers: [WireHeader("Host", host), WireHeader("Accept", "application/json")]),
                action: "AssumeRole", version: "2015-04-01")
        }
        func failure(_ problem: String) -> RemoteError {
            RemoteError(
                .credentials, action, exchange.place, problem: problem, status: answer.status, code: answer.code,
                retryAfter: answer.retryAfter)
        }
        let fields = (try? JSONSerialization.jsonObject(with: Data(answer.body))) as? [String: Any] ?? [:]
        guard answer.status == 200 else {
            let message = (fields["Message"] as? String).map { ": " + ForeignAnswer.plain($0) } ?? ""
            throw failure(
                "\(role.stsEndpoint) answers \(answer.status) \(answer.code ?? "without an error code")\(message); the access key "
                    + "needs sts:AssumeRole, and the role's trust policy has to name its owner")
        }
        guard let credentials = fields["Credentials"] as? [String: Any], let id = credentials["AccessKeyId"] as? String,
            let secret = credentials["AccessKeySecret"] as? String, let token = credentials["SecurityToken"] as? String,
            let end = (credentials["Expiration"] as? String).flatMap({ WireTime(iso8601: $0) }),
            !id.isEmpty, !secret.isEmpty, !token.isEmpty, (id + token).utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw failure("the answer of \(role.stsEndpoint) holds no credentials; is it an STS endpoint?") }
        return RemoteCredentials(accessKeyId: id, secret: Secret(secret), sessionToken: Secret(token), expiresAt: end)
    }
}
