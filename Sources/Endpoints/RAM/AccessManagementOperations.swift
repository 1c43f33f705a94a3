// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension RPCOperation {
    /// Every operation of RAM 2015-05-01.
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
        .createLoginProfile, .getLoginProfile, .updateLoginProfile, .deleteLoginProfile, .changePassword,
        .createVirtualMFADevice, .listVirtualMFADevices, .deleteVirtualMFADevice, .bindMFADevice, .unbindMFADevice,
        .getUserMFAInfo,
        .setPasswordPolicy, .getPasswordPolicy, .setSecurityPreference, .getSecurityPreference,
        .setAccountAlias, .getAccountAlias, .clearAccountAlias,
        .tagIdentities, .untagIdentities, .listIdentityTags,
        .decodeDiagnosticMessage,
    ]
}
