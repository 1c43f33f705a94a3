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
            var list = JSONFields()
            list.add(texts: values, "ConditionValue")
            condition.add(list, "ConditionValues")
            return condition
        }
        decoded.add(conditions, "AuthCondition", in: "AuthConditions")
        decoded.add(principal, "AuthPrincipal")
        decoded.add(denial.kind == .explicitDeny, "ExplicitDeny")
        decoded.add(denial.policyType, "NoPermissionPolicyType")
        var matched = JSONFields()
        matched.add(texts: denial.matched, "MatchedPolicy")
        decoded.add(matched, "MatchedPolicies")
        return RPCAnswer(decoded, as: "DecodedDiagnosticMessage")
    }
}
