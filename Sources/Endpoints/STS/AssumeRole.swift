// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// AssumeRole: ram.md sections 3 and 7.
extension RPCOperation {
    static let assumeRole = RPCOperation("AssumeRole", isWrite: true, resourceType: nil, permission: .inside) { context in
        let wanted = try RoleRequest(context)
        let caller = context.caller
        guard caller.kind != .rootAccount else {
            throw RPCError(403, "NoPermission", "Roles may not be assumed by root accounts.")
        }
        let identities = context.services.identities
        let name = identities.canonicalName(of: .role(wanted.role), account: wanted.account)
        let request = AccessRequest(
            "sts:AssumeRole", on: "acs:ram:*:\(wanted.account):role/\(name)",
            conditions: wanted.externalId.map { ["sts:ExternalId": [$0]] } ?? [:])
        let role: RoleRecord
        let trust: PolicyDocument
        do {
            role = try identities.role(wanted.role, account: wanted.account)
            trust = try PolicyDocument(parsing: role.trust, as: .trust)
        } catch let error as DirectoryError {
            // Whoever may assume no such role does not learn whether there is one.
            try context.authorize([request])
            throw error
        }
        let verdict = try context.services.authorizer.decideAssumeRole(
            caller, request, in: context.circumstances, trust: ResourcePolicy(trust, owner: role.accountId))
        switch verdict {
        case .allowed: break
        case .denied(let denial), .undecided(let denial): throw denial
        }
        guard wanted.seconds <= role.maximumSessionSeconds else { throw RoleRequest.invalid("DurationSeconds") }
        let key = try identities.beginSession(
            of: role, name: wanted.session, seconds: wanted.seconds, policy: wanted.policy)
        var credentials = JSONFields()
        credentials.add(key.id, "AccessKeyId")
        credentials.add(key.secret.reveal(), "AccessKeySecret")
        credentials.add(key.token.reveal(), "SecurityToken")
        credentials.add(wireTime(key.expiresAt), "Expiration")
        var user = JSONFields()
        user.add("\(role.arn)/\(wanted.session)", "Arn")
        user.add("\(role.id):\(wanted.session)", "AssumedRoleId")
        var answer = JSONFields()
        answer.add(credentials, "Credentials")
        answer.add(user, "AssumedRoleUser")
        answer.add(context.filled("SourceIdentity"), "SourceIdentity")
        return RPCAnswer(answer)
    }
}

/// The parameters of AssumeRole, checked.
private struct RoleRequest {
    let account: String
    let role: String
    let session: String
    let seconds: Int
    let policy: String?
    let externalId: String?

    init(_ context: RPCContext) throws(RPCError) {
        let arn = try context.required("RoleArn").split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard arn.count == 5, arn[0].lowercased() == "acs", arn[1].lowercased() == "ram", arn[2].isEmpty,
            arn[3].count == 16, arn[3].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            arn[4].lowercased().hasPrefix("role/"), !arn[4].dropFirst(5).isEmpty, !arn[4].dropFirst(5).contains("/")
        else { throw Self.invalid("RoleArn") }
        account = arn[3]
        role = String(arn[4].dropFirst(5))
        session = try context.required("RoleSessionName")
        guard (2...64).contains(session.utf8.count), Self.isPlain(session, marks: ".@-_") else {
            throw Self.invalid("RoleSessionName")
        }
        if let text = context.filled("DurationSeconds") {
            guard let number = Int(text), (900...43_200).contains(number) else { throw Self.invalid("DurationSeconds") }
            seconds = number
        } else {
            seconds = 3600
        }
        policy = context.filled("Policy")
        if let policy {
            guard policy.unicodeScalars.count <= PolicyDocument.Kind.session.maximumLength else {
                throw Self.invalid("PolicySize")
            }
            do { _ = try PolicyDocument(parsing: policy, as: .session) } catch {
                throw RPCError(400, "InvalidParameter.PolicyGrammar", "The parameter Policy is malformed: \(error).")
            }
        }
        externalId = context.filled("ExternalId")
        if let externalId {
            guard (2...1224).contains(externalId.utf8.count), Self.isPlain(externalId, marks: "=,.@:/-+_") else {
                throw Self.invalid("ExternalId")
            }
        }
        if let source = context.filled("SourceIdentity"), source.utf8.count > 128 { throw Self.invalid("SourceIdentity") }
    }

    static func invalid(_ parameter: String) -> RPCError {
        RPCError(400, "InvalidParameter.\(parameter)", "The parameter \(parameter) is not valid.")
    }

    private static func isPlain(_ text: String, marks: String) -> Bool {
        text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: marks.utf8.contains(byte)
            }
        }
    }
}
