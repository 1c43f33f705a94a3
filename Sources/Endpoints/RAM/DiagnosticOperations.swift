// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// DecodeDiagnosticMessage: ram.md section 2.6.
extension RPCOperation {
    static let decodeDiagnosticMessage = RPCOperation(
        "DecodeDiagnosticMessage", isWrite: false, resourceType: nil,
        permission: .requests { context in
            [AccessRequest("ram:DecodeDiagnosticMessage", on: "acs:ram:*:\(context.accountId):*")]
        }
    ) { context in
        let handle = try context.required("EncodedDiagnosticMessage")
        let services = context.services
        guard
            let message = services.authorizer.diagnostics.decode(handle, account: context.accountId, at: services.wireNow)
        else { throw RPCError(400, "InvalidParameter.EncodedDiagnosticMessage", "There is no such message any more.") }
        let denial = message.denial
        var principal = JSONFields()
        principal.add(denial.principalType, "AuthPrincipalType")
        principal.add(denial.principalAccount, "AuthPrincipalOwnerId")
        principal.add(denial.principalName, "AuthPrincipalDisplayName")
        var decoded = JSONFields()
        decoded.add(denial.action, "AuthAction")
        decoded.add(denial.resource, "AuthResource")
        let conditions = message.conditions.sorted { $0.key < $1.key }.map { name, values in
            var condition = JSONFields()
            condition.add(name, "ConditionKey")
            condition.add(texts: values, "ConditionValues")
            return condition
        }
        decoded.add(conditions, "AuthConditions")
        decoded.add(principal, "AuthPrincipal")
        decoded.add(denial.kind == .explicitDeny, "ExplicitDeny")
        decoded.add(denial.policyType, "NoPermissionPolicyType")
        decoded.add(
            denial.matched.map { statement in
                var policy = JSONFields()
                policy.add(statement, "PolicyIdentifier")
                policy.add(denial.policyType, "PolicyType")
                policy.add("Deny", "Effect")
                return policy
            }, "MatchedPolicies")
        return RPCAnswer(decoded, as: "DecodedDiagnosticMessage")
    }
}
