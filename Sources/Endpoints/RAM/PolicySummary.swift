// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// A policy of either type, as lists show it.
struct PolicySummary: Sendable {
    var name: String
    var type: NamedPolicy.PolicyType
    var description: String
    var defaultVersion: String
    var createdAt: Int64
    var updatedAt: Int64

    init(_ policy: SystemPolicy) {
        name = policy.name
        type = .system
        description = policy.description
        defaultVersion = policy.versionId
        createdAt = policy.createdAt.secondsSince1970
        updatedAt = policy.updatedAt.secondsSince1970
    }

    init(_ policy: PolicyRecord) {
        name = policy.name
        type = .custom
        description = policy.description
        defaultVersion = policy.defaultVersionId
        createdAt = policy.createdAt
        updatedAt = policy.updatedAt
    }
}

struct PolicyVersion: Sendable {
    var id: String
    var text: String
    var createdAt: Int64
}

extension IdentityCall {
    /// The policy that `PolicyType` and `PolicyName` name, with its versions, oldest first.
    func namedPolicy() throws -> (PolicySummary, [PolicyVersion]) {
        let name = try required("PolicyName")
        switch try policyType() {
        case .system:
            guard let policy = SystemPolicies.policy(named: name) else { throw DirectoryError.notFound(.policy) }
            let version = PolicyVersion(
                id: policy.versionId, text: policy.document.text, createdAt: policy.updatedAt.secondsSince1970)
            return (PolicySummary(policy), [version])
        case .custom:
            let policy = try identities.policy(name, account: account)
            return (
                PolicySummary(policy),
                policy.versions.map { PolicyVersion(id: $0.id, text: $0.text, createdAt: $0.createdAt) }
            )
        }
    }
}

extension JSONFields {
    init(_ policy: PolicySummary) {
        self.init()
        add(policy.name, "PolicyName")
        add(policy.type.rawValue, "PolicyType")
        add(policy.description, "Description")
        add(policy.defaultVersion, "DefaultVersion")
        add(wireTime(policy.createdAt), "CreateDate")
        add(wireTime(policy.updatedAt), "UpdateDate")
    }

    init(_ version: PolicyVersion, default defaultVersion: String) {
        self.init()
        add(version.id, "VersionId")
        add(version.id == defaultVersion, "IsDefaultVersion")
        add(version.text, "PolicyDocument")
        add(wireTime(version.createdAt), "CreateDate")
    }
}
