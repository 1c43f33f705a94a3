// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// What requests are signed with.
package struct RemoteCredentials: Sendable {
    package var accessKeyId: String
    package var secret: Secret
    package var sessionToken: Secret?
    var expiresAt: WireTime?
}

package protocol RemoteCredentialSource: Sendable {
    func credentials() async throws -> RemoteCredentials
    /// The store refused them as expired: the next ones are to be new.
    func renew() async
}

/// An access key whose secret is in a file or in the environment.
struct StaticCredentials: RemoteCredentialSource {
    let accessKeyId: String
    let secret: SecretSource
    let sessionToken: SecretSource?
    let environment: [String: String]
    let place: RemotePlace

    init(_ access: RemoteAccess, environment: [String: String], place: RemotePlace) {
        accessKeyId = access.accessKeyId
        secret = access.secret
        sessionToken = access.sessionToken
        self.place = place
        // Nothing else of the environment is kept.
        var kept: [String: String] = [:]
        for source in [access.secret, access.sessionToken] {
            if case .environment(let name) = source { kept[name] = environment[name] }
        }
        self.environment = kept
    }

    func read() throws(RemoteError) -> RemoteCredentials {
        RemoteCredentials(
            accessKeyId: accessKeyId, secret: try secret.read(environment, for: place),
            sessionToken: try sessionToken?.read(environment, for: place))
    }

    func credentials() async throws -> RemoteCredentials { try read() }

    func renew() async {}
}
