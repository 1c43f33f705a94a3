// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension RPCOperation {
    /// Every operation of RAM 2015-05-01 that is built.
    static let accessManagementOperations: [RPCOperation] = [
        .createUser, .getUser, .updateUser, .listUsers, .deleteUser,
        .createAccessKey, .listAccessKeys, .updateAccessKey, .deleteAccessKey, .getAccessKeyLastUsed,
        .createGroup, .getGroup, .updateGroup, .listGroups, .deleteGroup,
        .addUserToGroup, .removeUserFromGroup, .listUsersForGroup, .listGroupsForUser,
        .createPolicy, .getPolicy, .listPolicies, .updatePolicyDescription, .deletePolicy,
        .createPolicyVersion, .getPolicyVersion, .listPolicyVersions, .setDefaultPolicyVersion, .deletePolicyVersion,
        .attachPolicyToUser, .attachPolicyToGroup, .attachPolicyToRole,
        .detachPolicyFromUser, .detachPolicyFromGroup, .detachPolicyFromRole,
        .listPoliciesForUser, .listPoliciesForGroup, .listPoliciesForRole, .listEntitiesForPolicy,
        .createRole, .getRole, .updateRole, .listRoles, .deleteRole,
        .createServiceLinkedRole, .deleteServiceLinkedRole, .getServiceLinkedRoleTemplate,
        .decodeDiagnosticMessage,
    ]
}
