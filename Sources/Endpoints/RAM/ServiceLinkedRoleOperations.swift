// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import Trails

/// Roles that a service works in: ram.md sections 2.5 and 5.2.
extension RPCOperation {
    static let createServiceLinkedRole = linked(
        "CreateServiceLinkedRole", isWrite: true, service: { try $0.required("ServiceName") }
    ) { call in
        let role = try call.identities.createServiceLinkedRole(
            service: call.required("ServiceName"), suffix: call.context.filled("CustomSuffix"),
            description: call.context.filled("Description"), account: call.account)
        return RPCAnswer(JSONFields(role), as: "Role")
    }

    /// DeleteServiceLinkedRole: done when it answers. Refused as long as the account has a trail.
    static let deleteServiceLinkedRole = linked(
        "DeleteServiceLinkedRole", isWrite: true,
        service: { call in
            // Whoever may not delete it does not learn whether there is one.
            (try? call.identities.role(call.required("RoleName"), account: call.account))?.serviceName ?? ""
        }
    ) { call in
        let name = try call.required("RoleName")
        let isUsed = try !call.context.services.trails.trails(account: call.account).isEmpty
        try call.identities.deleteServiceLinkedRole(name, isUsed: isUsed, account: call.account)
        var answer = JSONFields()
        answer.add("task/\(name)/\(UUID().uuidString.lowercased())", "DeletionTaskId")
        return RPCAnswer(answer)
    }

    static let getServiceLinkedRoleTemplate = linked(
        "GetServiceLinkedRoleTemplate", isWrite: false, service: { try $0.required("ServiceName") }
    ) { call in
        guard let template = ServiceLinkedRole.ofService(try call.required("ServiceName")) else {
            throw DirectoryError.unknownService
        }
        var fields = JSONFields()
        fields.add(template.serviceName, "ServiceName")
        fields.add(template.roleNamePrefix, "RoleNamePrefix")
        fields.add(template.policyName, "SystemPolicyName")
        fields.add(false, "MultipleRolesAllowed")
        var descriptions = JSONFields()
        descriptions.add(texts: [template.description], "RoleDescription")
        fields.add(descriptions, "RoleDescriptions")
        return RPCAnswer(fields, as: "ServiceLinkedRoleTemplate")
    }

    /// On `*`, with the service as a condition.
    private static func linked(
        _ name: String, isWrite: Bool, service: @escaping @Sendable (IdentityCall) throws -> String,
        run: @escaping @Sendable (IdentityCall) throws -> RPCAnswer
    ) -> RPCOperation {
        RPCOperation(
            name, isWrite: isWrite, resourceType: nil,
            permission: .requests { context in
                let service = try service(IdentityCall(context: context))
                return [AccessRequest("ram:" + name, on: "*", conditions: ["ram:ServiceName": [service]])]
            }
        ) { context in
            try run(IdentityCall(context: context))
        }
    }
}
