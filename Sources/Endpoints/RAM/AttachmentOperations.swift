// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// Attachments: ram.md section 2.4. Each needs permission on the entity and on the policy.
extension RPCOperation {
    static let attachPolicyToUser = changing("AttachPolicyToUser", .user, by: { $0.attach }) { .user(try $0.userName()) }
    static let attachPolicyToGroup = changing("AttachPolicyToGroup", .group, by: { $0.attach }) {
        .group(try $0.required("GroupName"))
    }
    static let attachPolicyToRole = changing("AttachPolicyToRole", .role, by: { $0.attach }) {
        .role(try $0.required("RoleName"))
    }

    static let detachPolicyFromUser = changing("DetachPolicyFromUser", .user, by: { $0.detach }) { .user(try $0.userName()) }
    static let detachPolicyFromGroup = changing("DetachPolicyFromGroup", .group, by: { $0.detach }) {
        .group(try $0.required("GroupName"))
    }
    static let detachPolicyFromRole = changing("DetachPolicyFromRole", .role, by: { $0.detach }) {
        .role(try $0.required("RoleName"))
    }

    static let listPoliciesForUser = listing("ListPoliciesForUser", .user) { .user(try $0.userName()) }
    static let listPoliciesForGroup = listing("ListPoliciesForGroup", .group) { .group(try $0.required("GroupName")) }
    static let listPoliciesForRole = listing("ListPoliciesForRole", .role) { .role(try $0.required("RoleName")) }

    static let listEntitiesForPolicy = RPCOperation.identity("ListEntitiesForPolicy", on: .policy) { call in
        let entities = try call.identities.entities(
            ofPolicy: call.required("PolicyName"), call.policyType(), account: call.account)
        var answer = JSONFields()
        answer.add(
            entities.users.map { user, time in
                var fields = JSONFields()
                fields.add(user.id, "UserId")
                fields.add(user.name, "UserName")
                fields.add(user.details.displayName, "DisplayName")
                fields.add(wireTime(time), "AttachDate")
                return fields
            }, "User", in: "Users")
        answer.add(
            entities.groups.map { group, time in
                var fields = JSONFields()
                fields.add(group.name, "GroupName")
                fields.add(group.comments, "Comments")
                fields.add(wireTime(time), "AttachDate")
                return fields
            }, "Group", in: "Groups")
        answer.add(
            entities.roles.map { role, time in
                var fields = JSONFields()
                fields.add(role.id, "RoleId")
                fields.add(role.name, "RoleName")
                fields.add(role.arn, "Arn")
                fields.add(role.description, "Description")
                fields.add(wireTime(time), "AttachDate")
                return fields
            }, "Role", in: "Roles")
        return RPCAnswer(answer)
    }

    private typealias Change =
        @Sendable (IdentityStore) -> (
            NamedPolicy.PolicyType, String, PolicyHolder, String
        ) throws -> Void

    private static func changing(
        _ name: String, _ entity: IdentityResource, by change: @escaping Change,
        _ holder: @escaping @Sendable (IdentityCall) throws -> PolicyHolder
    ) -> RPCOperation {
        .identity(name, isWrite: true, on: entity, .policy) { call in
            try change(call.identities)(call.policyType(), call.required("PolicyName"), holder(call), call.account)
            return RPCAnswer()
        }
    }

    /// The policies attached directly; those of groups are told by the group.
    private static func listing(
        _ name: String, _ entity: IdentityResource, _ holder: @escaping @Sendable (IdentityCall) throws -> PolicyHolder
    ) -> RPCOperation {
        .identity(name, on: entity) { call in
            var policies: [JSONFields] = []
            for attachment in try call.identities.attachments(of: holder(call), account: call.account) {
                let summary =
                    switch attachment.type {
                    case .system: SystemPolicies.policy(named: attachment.name).map(PolicySummary.init)
                    case .custom: PolicySummary(try call.identities.policy(attachment.name, account: call.account))
                    }
                guard let summary else { throw DirectoryError.damaged("policy \(attachment.name)") }
                var fields = JSONFields()
                fields.add(summary.name, "PolicyName")
                fields.add(summary.type.rawValue, "PolicyType")
                fields.add(summary.description, "Description")
                fields.add(summary.defaultVersion, "DefaultVersion")
                fields.add(wireTime(attachment.attachedAt), "AttachDate")
                policies.append(fields)
            }
            var answer = JSONFields()
            answer.add(policies, "Policy", in: "Policies")
            return RPCAnswer(answer)
        }
    }
}
