// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// The credentials of a role session; shown once.
public struct TemporaryKey: Sendable {
    public static let idPrefix = "STS."

    public let id: String
    public let secret: Secret
    public let token: Secret
    /// Unix seconds.
    public let expiresAt: Int64
}

/// Role sessions: ram.md section 7. A token is a random handle, and its session ends when its role is deleted.
extension IdentityStore {
    /// Begins a session. Whether the caller may is decided before.
    ///
    /// - Parameter policy: text of a session policy, checked here.
    /// - Throws: `EntityNotExist.Role` if the role went meanwhile.
    public func beginSession(
        of role: RoleRecord, name: String, seconds duration: Int, policy: String?
    ) throws -> TemporaryKey {
        if let policy { try Self.check(policy, as: .session, field: "Policy") }
        let now = seconds
        let secret = Secret(RandomText.make(44))
        let token = Secret(RandomText.make(128))
        var row = SessionRow(
            id: TemporaryKey.idPrefix + "N" + RandomText.make(24), sealedSecret: Data(), sealedToken: Data(),
            accountId: role.accountId, roleId: role.id, name: name, createdAt: now, expiresAt: now + Int64(duration),
            policy: policy)
        row.sealedSecret = Data(try key.seal(Data(secret.bytes), context: row.secretContext))
        row.sealedToken = Data(try key.seal(Data(token.bytes), context: row.tokenContext))
        guard account(role.accountId).roles[role.id] != nil else { throw DirectoryError.notFound(.role) }
        let (old, hasRoom) = sessions.withLock { table in
            let old = table.sweepable(at: now)
            table.remove(old)
            return (old, !table.isFull)
        }
        try metadata.transact { [row] transaction in
            for id in old { try transaction.delete(SessionRow.path(id)) }
            if hasRoom { try transaction.put(row, at: SessionRow.path(row.id)) }
        }
        guard hasRoom else { throw DirectoryError.tooManySessions }
        sessions.withLock { [row] in $0.put(.init(row)) }
        return TemporaryKey(id: row.id, secret: secret, token: token, expiresAt: row.expiresAt)
    }

    /// Ends a session at once.
    ///
    /// - Returns: false if there is none with this key.
    public func endSession(_ id: String) throws -> Bool {
        guard sessions.withLock({ $0[id] }) != nil else { return false }
        try metadata.transact { try $0.delete(SessionRow.path(id)) }
        sessions.withLock { $0.remove([id]) }
        return true
    }

    /// Nil as well if the session's role is gone. An expired key is returned, for the authenticator to say so.
    func temporaryKey(id: String) throws -> AccessKey? {
        guard let row = sessions.withLock({ $0[id]?.row }), let role = account(row.accountId).roles[row.roleId] else {
            return nil
        }
        let secret = try key.unseal(row.sealedSecret, context: row.secretContext)
        let token = try key.unseal(row.sealedToken, context: row.tokenContext)
        let session = Caller.Session(
            roleId: role.id, roleName: role.name, name: row.name, createdAt: WireTime(secondsSince1970: row.createdAt),
            isMultiFactor: false)
        return AccessKey(
            id: id, secret: Secret(String(decoding: secret, as: UTF8.self)),
            owner: .assumedRole(session, accountId: row.accountId, accessKeyId: id),
            sessionToken: Secret(String(decoding: token, as: UTF8.self)),
            expiresAt: WireTime(secondsSince1970: row.expiresAt))
    }
}
