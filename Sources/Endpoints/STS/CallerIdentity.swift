// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// GetCallerIdentity: ram.md section 7.
extension RPCOperation {
    static let getCallerIdentity = RPCOperation(
        "GetCallerIdentity", isWrite: false, resourceType: nil, permission: .anyCaller
    ) { context in
        let caller = context.caller
        var answer = JSONFields()
        answer.add(caller.accountId, "AccountId")
        answer.add(caller.principalId, "PrincipalId")
        switch caller.kind {
        case .rootAccount:
            answer.add("Account", "IdentityType")
            answer.add(caller.accountId, "UserId")
            answer.add("acs:ram::\(caller.accountId):root", "Arn")
        case .ramUser:
            answer.add("RAMUser", "IdentityType")
            answer.add(caller.principalId, "UserId")
            answer.add("acs:ram::\(caller.accountId):user/\(caller.userName)", "Arn")
        case .assumedRole:
            guard let session = caller.session else { throw RPCError(500, "InternalError", "The session is not known.") }
            answer.add("AssumedRoleUser", "IdentityType")
            answer.add(session.roleId, "RoleId")
            answer.add("acs:ram::\(caller.accountId):assumed-role/\(session.roleName)/\(session.name)", "Arn")
        case .ingestToken, .service, .anonymous:
            throw RPCError(403, "NoPermission", "Only root, users and role sessions have an identity to tell.")
        }
        return RPCAnswer(answer)
    }
}
