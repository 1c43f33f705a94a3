// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import Logging

/// What another service is reached with: an access key, perhaps a role, and whom to trust; secrets only by where they are.
public struct RemoteAccess: Sendable, Equatable {
    public var accessKeyId: String
    public var secret: SecretSource
    public var sessionToken: SecretSource?
    public var role: RemoteBucket.Role?
    /// PEM file with the certificate authorities to trust in place of the system's.
    public var caFile: String?

    public init(
        accessKeyId: String, secret: SecretSource, sessionToken: SecretSource? = nil, role: RemoteBucket.Role? = nil,
        caFile: String? = nil
    ) {
        self.accessKeyId = accessKeyId
        self.secret = secret
        self.sessionToken = sessionToken
        self.role = role
        self.caFile = caFile
    }

    func check(_ place: RemotePlace) throws(RemoteError) {
        guard let caFile, !FileManager.default.isReadableFile(atPath: caFile) else { return }
        throw RemoteError(
            .credentials, "trust the authorities of", place, problem: "the file `\(caFile)` cannot be read")
    }

    /// - Parameter exchange: for taking on the role.
    /// - Throws: if a secret cannot be read, so that it is told at the start.
    func source(
        environment: [String: String], exchange: RemoteExchange, logger: Logger
    ) throws(RemoteError) -> any RemoteCredentialSource {
        let own = StaticCredentials(self, environment: environment, place: exchange.place)
        _ = try own.read()
        guard let role else { return own }
        return RoleCredentials(base: own, role: role, exchange: exchange, logger: logger)
    }

    /// Credentials for a service whose requests are not sent from here.
    package func source(
        for place: RemotePlace, environment: [String: String], logger: Logger, policy: RetryPolicy,
        now: @escaping @Sendable () -> WireTime
    ) throws(RemoteError) -> any RemoteCredentialSource {
        try check(place)
        let exchange = RemoteExchange(
            transport: RemoteTransport(caFile: caFile, requestTimeout: policy.requestTimeout), policy: policy,
            clock: RemoteClock(now), place: place)
        return try source(environment: environment, exchange: exchange, logger: logger)
    }
}
