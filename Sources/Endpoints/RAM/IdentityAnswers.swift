// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// Shapes of ram.md section 2.
extension JSONFields {
    init(_ user: UserRecord) {
        self.init()
        add(user.id, "UserId")
        add(user.name, "UserName")
        add(user.details.displayName, "DisplayName")
        add(user.details.comments, "Comments")
        add(user.details.email, "Email")
        add(user.details.mobilePhone, "MobilePhone")
        add(wireTime(user.createdAt), "CreateDate")
        add(wireTime(user.updatedAt), "UpdateDate")
    }

    init(_ group: GroupRecord) {
        self.init()
        add(group.id, "GroupId")
        add(group.name, "GroupName")
        add(group.comments, "Comments")
        add(wireTime(group.createdAt), "CreateDate")
        add(wireTime(group.updatedAt), "UpdateDate")
    }

    /// - Parameter showsTrust: lists leave the trust policy out.
    init(_ role: RoleRecord, showsTrust: Bool = true) {
        self.init()
        add(role.id, "RoleId")
        add(role.name, "RoleName")
        add(role.arn, "Arn")
        add(role.description, "Description")
        if showsTrust { add(role.trust, "AssumeRolePolicyDocument") }
        add(role.maximumSessionSeconds, "MaxSessionDuration")
        add(wireTime(role.createdAt), "CreateDate")
        add(wireTime(role.updatedAt), "UpdateDate")
        add(role.serviceName != nil, "IsServiceLinkedRole")
        add("\(role.name)@role.\(role.accountId).onaliyunservice.com", "RolePrincipalName")
    }

    init(_ key: AccessKeyRecord) {
        self.init()
        add(key.id, "AccessKeyId")
        add(key.isActive ? "Active" : "Inactive", "Status")
        add(wireTime(key.createdAt), "CreateDate")
    }

    /// An answer of one member.
    init(_ value: JSONFields, _ name: String) {
        self.init()
        add(value, name)
    }
}

extension RPCAnswer {
    init(_ value: JSONFields, as name: String) { self.init(JSONFields(value, name)) }
}
