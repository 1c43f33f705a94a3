// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// Access keys: ram.md section 2.1. Without a `UserName` they are the caller's own.
extension RPCOperation {
    static let createAccessKey = RPCOperation.identity(
        "CreateAccessKey", isWrite: true, on: .userOrCaller, selfService: \.usersManageAccessKeys
    ) { call in
        let (key, secret) = try call.identities.createAccessKey(ofUser: call.userOrCaller(), account: call.account)
        var fields = JSONFields(key)
        fields.add(secret.reveal(), "AccessKeySecret")
        return RPCAnswer(fields, as: "AccessKey")
    }

    static let listAccessKeys = RPCOperation.identity("ListAccessKeys", on: .userOrCaller, selfService: \.usersManageAccessKeys) {
        call in
        var answer = JSONFields()
        answer.add(
            try call.identities.accessKeys(ofUser: call.userOrCaller(), account: call.account).map(JSONFields.init),
            "AccessKey", in: "AccessKeys")
        return RPCAnswer(answer)
    }

    static let updateAccessKey = RPCOperation.identity(
        "UpdateAccessKey", isWrite: true, on: .userOrCaller, selfService: \.usersManageAccessKeys
    ) { call in
        let isActive: Bool
        switch try call.required("Status") {
        case "Active": isActive = true
        case "Inactive": isActive = false
        default: throw DirectoryError.invalid(field: "Status", .format)
        }
        try call.identities.setAccessKey(
            call.required("UserAccessKeyId"), isActive: isActive, ofUser: call.userOrCaller(), account: call.account)
        return RPCAnswer()
    }

    static let deleteAccessKey = RPCOperation.identity(
        "DeleteAccessKey", isWrite: true, on: .userOrCaller, selfService: \.usersManageAccessKeys
    ) { call in
        try call.identities.deleteAccessKey(
            call.required("UserAccessKeyId"), ofUser: call.userOrCaller(), account: call.account)
        return RPCAnswer()
    }

    static let getAccessKeyLastUsed = RPCOperation.identity(
        "GetAccessKeyLastUsed", on: .userOrCaller, selfService: \.usersManageAccessKeys
    ) { call in
        let time = try call.identities.lastUse(
            ofAccessKey: call.required("UserAccessKeyId"), ofUser: call.userOrCaller(), account: call.account)
        var fields = JSONFields()
        fields.add(time.map { wireTime($0) } ?? "", "LastUsedDate")
        return RPCAnswer(fields, as: "AccessKeyLastUsed")
    }
}
