// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// Users: ram.md section 2.1.
extension RPCOperation {
    static let createUser = RPCOperation.identity("CreateUser", isWrite: true, on: .users) { call in
        let details = UserDetails(
            displayName: call.context["DisplayName"] ?? "", comments: call.context["Comments"] ?? "",
            email: call.context["Email"] ?? "", mobilePhone: call.context["MobilePhone"] ?? "")
        return RPCAnswer(
            JSONFields(try call.identities.createUser(call.userName(), details, account: call.account)), as: "User")
    }

    static let getUser = RPCOperation.identity("GetUser", on: .user) { call in
        RPCAnswer(JSONFields(try call.identities.user(call.userName(), account: call.account)), as: "User")
    }

    static let updateUser = RPCOperation.identity("UpdateUser", isWrite: true, on: .user, .newUser) { call in
        let user = try call.identities.updateUser(
            call.userName(), newName: call.context.filled("NewUserName"), account: call.account
        ) { details in
            details.displayName = call.context["NewDisplayName"] ?? details.displayName
            details.comments = call.context["NewComments"] ?? details.comments
            details.email = call.context["NewEmail"] ?? details.email
            details.mobilePhone = call.context["NewMobilePhone"] ?? details.mobilePhone
        }
        return RPCAnswer(JSONFields(user), as: "User")
    }

    static let listUsers = RPCOperation.identity("ListUsers", on: .users) { call in
        var (page, answer) = try call.page(call.identities.users(account: call.account)) { $0.name.lowercased() }
        answer.add(page.map(JSONFields.init), "User", in: "Users")
        return RPCAnswer(answer)
    }

    static let deleteUser = RPCOperation.identity("DeleteUser", isWrite: true, on: .user) { call in
        try call.identities.deleteUser(call.userName(), account: call.account)
        return RPCAnswer()
    }
}
