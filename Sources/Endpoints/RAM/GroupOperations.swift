// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// Groups: ram.md section 2.3.
extension RPCOperation {
    static let createGroup = RPCOperation.identity("CreateGroup", isWrite: true, on: .groups) { call in
        let group = try call.identities.createGroup(
            call.required("GroupName"), comments: call.context["Comments"] ?? "", account: call.account)
        return RPCAnswer(JSONFields(group), as: "Group")
    }

    static let getGroup = RPCOperation.identity("GetGroup", on: .group) { call in
        RPCAnswer(JSONFields(try call.identities.group(call.required("GroupName"), account: call.account)), as: "Group")
    }

    static let updateGroup = RPCOperation.identity("UpdateGroup", isWrite: true, on: .group, .newGroup) { call in
        let group = try call.identities.updateGroup(
            call.required("GroupName"), newName: call.context.filled("NewGroupName"),
            newComments: call.context["NewComments"], account: call.account)
        return RPCAnswer(JSONFields(group), as: "Group")
    }

    static let listGroups = RPCOperation.identity("ListGroups", on: .groups) { call in
        var (page, answer) = try call.page(call.identities.groups(account: call.account)) { $0.name.lowercased() }
        answer.add(page.map(JSONFields.init), "Group", in: "Groups")
        return RPCAnswer(answer)
    }

    static let deleteGroup = RPCOperation.identity("DeleteGroup", isWrite: true, on: .group) { call in
        try call.identities.deleteGroup(call.required("GroupName"), account: call.account)
        return RPCAnswer()
    }

    static let addUserToGroup = RPCOperation.identity("AddUserToGroup", isWrite: true, on: .user, .group) { call in
        try call.identities.addUser(call.userName(), toGroup: call.required("GroupName"), account: call.account)
        return RPCAnswer()
    }

    static let removeUserFromGroup = RPCOperation.identity("RemoveUserFromGroup", isWrite: true, on: .user, .group) { call in
        try call.identities.removeUser(call.userName(), fromGroup: call.required("GroupName"), account: call.account)
        return RPCAnswer()
    }

    static let listUsersForGroup = RPCOperation.identity("ListUsersForGroup", on: .group) { call in
        let members = try call.identities.users(ofGroup: call.required("GroupName"), account: call.account)
        var (page, answer) = try call.page(members) { $0.user.name.lowercased() }
        answer.add(
            page.map { member in
                var fields = JSONFields()
                fields.add(member.user.name, "UserName")
                fields.add(member.user.details.displayName, "DisplayName")
                fields.add(wireTime(member.joinedAt), "JoinDate")
                return fields
            }, "User", in: "Users")
        return RPCAnswer(answer)
    }

    static let listGroupsForUser = RPCOperation.identity("ListGroupsForUser", on: .user) { call in
        var answer = JSONFields()
        answer.add(
            try call.identities.groups(ofUser: call.userName(), account: call.account).map { membership in
                var fields = JSONFields()
                fields.add(membership.group.name, "GroupName")
                fields.add(membership.group.id, "GroupId")
                fields.add(membership.group.comments, "Comments")
                fields.add(wireTime(membership.joinedAt), "JoinDate")
                return fields
            }, "Group", in: "Groups")
        return RPCAnswer(answer)
    }
}
