// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What is kept of an ingest token.
public struct IngestTokenRecord: Sendable, Hashable {
    public let id: String
    /// SHA-256 of the token's secret.
    public let secretDigest: [UInt8]
    public let name: String
    public let accountId: String
    public let createdAt: WireTime
    /// The first moment at which the token is no longer accepted.
    public let expiresAt: WireTime?
    public var isActive: Bool

    public init(
        id: String, secretDigest: [UInt8], name: String, accountId: String, createdAt: WireTime,
        expiresAt: WireTime? = nil, isActive: Bool = true
    ) {
        self.id = id
        self.secretDigest = secretDigest
        self.name = name
        self.accountId = accountId
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.isActive = isActive
    }

    /// Compares in constant time.
    public func matches(_ token: IngestToken) -> Bool {
        token.id.hasSameBytes(as: id) && ConstantTime.equal(token.secretDigest, secretDigest)
    }

    public var caller: Caller {
        .ingestToken(id: id, name: name, accountId: accountId)
    }
}

/// Where ingest tokens are found. Nil means there is no such token; an error means that nobody can tell at present.
public protocol IngestTokenDirectory: Sendable {
    func ingestToken(id: String) throws -> IngestTokenRecord?
}
