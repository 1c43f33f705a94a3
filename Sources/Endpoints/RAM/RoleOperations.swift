// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// Roles: ram.md section 2.5.
extension RPCOperation {
    static let createRole = RPCOperation.identity("CreateRole", isWrite: true, on: .roles) { call in
        let role = try call.identities.createRole(
            call.required("RoleName"), trust: call.required("AssumeRolePolicyDocument"),
            description: call.context["Description"] ?? "",
            maximumSessionSeconds: call.integer("MaxSessionDuration", in: 3600...43_200) ?? 3600, account: call.account)
        return RPCAnswer(JSONFields(role), as: "Role")
    }

    static let getRole = RPCOperation.identity("GetRole", on: .role) { call in
        RPCAnswer(JSONFields(try call.identities.role(call.required("RoleName"), account: call.account)), as: "Role")
    }

    static let updateRole = RPCOperation.identity("UpdateRole", isWrite: true, on: .role) { call in
        let role = try call.identities.updateRole(
            call.required("RoleName"), trust: call.context.filled("NewAssumeRolePolicyDocument"),
            description: call.context["NewDescription"],
            maximumSessionSeconds: call.integer("NewMaxSessionDuration", in: 3600...43_200), account: call.account)
        return RPCAnswer(JSONFields(role), as: "Role")
    }

    static let listRoles = RPCOperation.identity("ListRoles", on: .roles) { call in
        let tags = try call.tags()
        let roles = call.identities.roles(account: call.account).filter { $0.tags.carry(tags) }
        var (page, answer) = try call.page(roles) { $0.name.lowercased() }
        answer.add(page.map { JSONFields($0, showsTrust: false) }, "Role", in: "Roles")
        return RPCAnswer(answer)
    }

    static let deleteRole = RPCOperation.identity("DeleteRole", isWrite: true, on: .role) { call in
        try call.identities.deleteRole(call.required("RoleName"), account: call.account)
        return RPCAnswer()
    }
}
