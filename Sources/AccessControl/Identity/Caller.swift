// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Who a request is made by, in the words that `userIdentity` of an event uses.
///
/// Source: actiontrail.md section 17.3. `ingest-token` and `anonymous` are Cairn's own.
public struct Caller: Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable {
        case rootAccount = "root-account"
        case ramUser = "ram-user"
        case assumedRole = "assumed-role"
        case ingestToken = "ingest-token"
        /// The platform itself, acting unasked.
        case service = "system"
        case anonymous = "anonymous"
    }

    /// What is known of the session of an assumed role.
    public struct Session: Sendable, Hashable {
        public let roleId: String
        public let roleName: String
        public let name: String
        public let createdAt: WireTime
        public let isMultiFactor: Bool

        public init(roleId: String, roleName: String, name: String, createdAt: WireTime, isMultiFactor: Bool) {
            self.roleId = roleId
            self.roleName = roleName
            self.name = name
            self.createdAt = createdAt
            self.isMultiFactor = isMultiFactor
        }
    }

    public let kind: Kind
    /// Empty for an anonymous caller.
    public let accountId: String
    public let principalId: String
    public let userName: String
    /// The key the request was signed with; for an ingest token, the token's id.
    public let accessKeyId: String?
    public let session: Session?

    private init(
        _ kind: Kind, accountId: String, principalId: String, userName: String, accessKeyId: String? = nil,
        session: Session? = nil
    ) {
        self.kind = kind
        self.accountId = accountId
        self.principalId = principalId
        self.userName = userName
        self.accessKeyId = accessKeyId
        self.session = session
    }

    /// An ingest token puts events and does nothing else, whatever any policy says.
    public var mayOnlyPutEvents: Bool { kind == .ingestToken }
}

extension Caller {
    public static func rootAccount(_ accountId: String, accessKeyId: String?) -> Caller {
        Caller(.rootAccount, accountId: accountId, principalId: accountId, userName: "root", accessKeyId: accessKeyId)
    }

    public static func ramUser(id: String, name: String, accountId: String, accessKeyId: String?) -> Caller {
        Caller(.ramUser, accountId: accountId, principalId: id, userName: name, accessKeyId: accessKeyId)
    }

    /// - Parameter accountId: of the role, not of whoever assumed it.
    public static func assumedRole(_ session: Session, accountId: String, accessKeyId: String?) -> Caller {
        Caller(
            .assumedRole, accountId: accountId, principalId: "\(session.roleId):\(session.name)",
            userName: "\(session.roleName):\(session.name)", accessKeyId: accessKeyId, session: session)
    }

    public static func ingestToken(id: String, name: String, accountId: String) -> Caller {
        Caller(.ingestToken, accountId: accountId, principalId: id, userName: name, accessKeyId: id)
    }

    public static func service(_ name: String, accountId: String) -> Caller {
        Caller(.service, accountId: accountId, principalId: name, userName: name)
    }

    public static let anonymous = Caller(.anonymous, accountId: "", principalId: "", userName: "")
}

extension Caller: CustomStringConvertible {
    public var description: String { "\(kind.rawValue) \(userName) (\(principalId)) of account \(accountId)" }
}
