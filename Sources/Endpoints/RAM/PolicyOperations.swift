// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// Policies and their versions: ram.md section 2.4.
extension RPCOperation {
    static let createPolicy = RPCOperation.identity("CreatePolicy", isWrite: true, on: .policies) { call in
        let policy = try call.identities.createPolicy(
            call.required("PolicyName"), text: call.required("PolicyDocument"),
            description: call.context["Description"] ?? "", account: call.account)
        return RPCAnswer(JSONFields(PolicySummary(policy)), as: "Policy")
    }

    static let getPolicy = RPCOperation.identity("GetPolicy", on: .policy) { call in
        let (summary, versions) = try call.namedPolicy()
        let type = summary.type
        var policy = JSONFields(summary)
        policy.add(call.identities.attachmentCounts(account: call.account)[type]?[summary.name] ?? 0, "AttachmentCount")
        var answer = JSONFields(policy, "Policy")
        if let version = versions.first(where: { $0.id == summary.defaultVersion }) {
            answer.add(JSONFields(version, default: summary.defaultVersion), "DefaultPolicyVersion")
        }
        return RPCAnswer(answer)
    }

    /// ListPolicies: system policies first; by name within each type.
    static let listPolicies = RPCOperation.identity("ListPolicies", on: .policies) { call in
        let type = call.context.filled("PolicyType") == nil ? nil : try call.policyType()
        var all: [PolicySummary] = []
        if type != .custom { all += SystemPolicies.all.map(PolicySummary.init) }
        if type != .system { all += call.identities.policies(account: call.account).map(PolicySummary.init) }
        // "Custom" would sort before "System": the digit keeps the order.
        func place(_ policy: PolicySummary) -> String { (policy.type == .system ? "0/" : "1/") + policy.name.lowercased() }
        all.sort { place($0) < place($1) }
        var (page, answer) = try call.page(all, place: place)
        let counts = call.identities.attachmentCounts(account: call.account)
        answer.add(
            page.map { policy in
                var fields = JSONFields(policy)
                fields.add(counts[policy.type]?[policy.name] ?? 0, "AttachmentCount")
                return fields
            }, "Policy", in: "Policies")
        return RPCAnswer(answer)
    }

    static let updatePolicyDescription = RPCOperation.identity(
        "UpdatePolicyDescription", isWrite: true, on: .customPolicy
    ) { call in
        guard let description = call.context["NewDescription"] else { throw RPCError.missing("NewDescription") }
        let policy = try call.identities.setDescription(
            description, ofPolicy: call.required("PolicyName"), account: call.account)
        return RPCAnswer(JSONFields(PolicySummary(policy)), as: "Policy")
    }

    static let deletePolicy = RPCOperation.identity("DeletePolicy", isWrite: true, on: .customPolicy) { call in
        try call.identities.deletePolicy(
            call.required("PolicyName"), cascades: call.flag("CascadingDelete"), account: call.account)
        return RPCAnswer()
    }

    static let createPolicyVersion = RPCOperation.identity("CreatePolicyVersion", isWrite: true, on: .customPolicy) { call in
        let rotates: Bool
        switch call.context.filled("RotateStrategy") {
        case nil, "None": rotates = false
        case "DeleteOldestNonDefaultVersionWhenLimitExceeded": rotates = true
        default: throw DirectoryError.invalid(field: "RotateStrategy", .format)
        }
        let (version, isDefault) = try call.identities.createVersion(
            ofPolicy: call.required("PolicyName"), text: call.required("PolicyDocument"),
            isDefault: call.flag("SetAsDefault"), rotates: rotates, account: call.account)
        let shown = PolicyVersion(id: version.id, text: version.text, createdAt: version.createdAt)
        return RPCAnswer(JSONFields(shown, default: isDefault ? shown.id : ""), as: "PolicyVersion")
    }

    static let getPolicyVersion = RPCOperation.identity("GetPolicyVersion", on: .policy) { call in
        let id = try call.required("VersionId")
        let (summary, versions) = try call.namedPolicy()
        guard let version = versions.first(where: { $0.id == id }) else { throw DirectoryError.notFound(.policyVersion) }
        return RPCAnswer(JSONFields(version, default: summary.defaultVersion), as: "PolicyVersion")
    }

    static let listPolicyVersions = RPCOperation.identity("ListPolicyVersions", on: .policy) { call in
        let (summary, versions) = try call.namedPolicy()
        var answer = JSONFields()
        answer.add(
            versions.map { JSONFields($0, default: summary.defaultVersion) }, "PolicyVersion", in: "PolicyVersions")
        return RPCAnswer(answer)
    }

    static let setDefaultPolicyVersion = RPCOperation.identity(
        "SetDefaultPolicyVersion", isWrite: true, on: .customPolicy
    ) { call in
        try call.identities.setDefaultVersion(
            call.required("VersionId"), ofPolicy: call.required("PolicyName"), account: call.account)
        return RPCAnswer()
    }

    static let deletePolicyVersion = RPCOperation.identity("DeletePolicyVersion", isWrite: true, on: .customPolicy) { call in
        try call.identities.deleteVersion(
            call.required("VersionId"), ofPolicy: call.required("PolicyName"), account: call.account)
        return RPCAnswer()
    }
}
