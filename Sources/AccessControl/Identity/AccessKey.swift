// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A key pair that signs requests, and whom it speaks for.
public struct AccessKey: Sendable {
    public let id: String
    public let secret: Secret
    /// The identity that requests signed with this key are made by.
    public let owner: Caller
    public let isActive: Bool
    /// The token that must travel with a temporary key (`STS.…`); nil for a lasting one.
    public let sessionToken: Secret?
    /// The first moment at which a temporary key is no longer accepted.
    public let expiresAt: WireTime?

    public var accountId: String { owner.accountId }

    public init(
        id: String, secret: Secret, owner: Caller, isActive: Bool = true,
        sessionToken: Secret? = nil, expiresAt: WireTime? = nil
    ) {
        self.id = id
        self.secret = secret
        self.owner = owner
        self.isActive = isActive
        self.sessionToken = sessionToken
        self.expiresAt = expiresAt
    }
}

extension AccessKey: CustomStringConvertible {
    public var description: String { "access key \(id) of \(owner)" }
}

/// Where access keys are found. Nil means there is no such key; an error means that nobody can tell at present.
public protocol AccessKeyDirectory: Sendable {
    func accessKey(id: String) throws -> AccessKey?
}
