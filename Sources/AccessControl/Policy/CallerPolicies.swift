// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Where the policies of a caller are found. An error means that nobody can tell at present.
public protocol IdentityPolicies: Sendable {
    func policies(of caller: Caller) throws -> CallerPolicies
}

/// The policies that speak about one caller.
public struct CallerPolicies: Sendable {
    /// A user's own and those of its groups; a role session's those of its role.
    public var identity: [NamedPolicy]
    /// Of a role session made with a policy: it narrows, and never grants.
    public var session: NamedPolicy?

    public init(identity: [NamedPolicy] = [], session: NamedPolicy? = nil) {
        self.identity = identity
        self.session = session
    }
}
