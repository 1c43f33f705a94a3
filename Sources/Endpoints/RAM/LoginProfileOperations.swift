// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// Console sign-in of users: ram.md section 2.2.
extension RPCOperation {
    static let createLoginProfile = RPCOperation.identity("CreateLoginProfile", isWrite: true, on: .user) { call in
        let profile = try call.identities.createLoginProfile(
            call.userName(), password: Secret(call.required("Password")), isResetRequired: call.flag("PasswordResetRequired"),
            isMultiFactorRequired: call.flag("MFABindRequired"), account: call.account)
        return RPCAnswer(JSONFields(profile), as: "LoginProfile")
    }

    static let getLoginProfile = RPCOperation.identity("GetLoginProfile", on: .user) { call in
        RPCAnswer(
            JSONFields(try call.identities.loginProfile(call.userName(), account: call.account)), as: "LoginProfile")
    }

    static let updateLoginProfile = RPCOperation.identity("UpdateLoginProfile", isWrite: true, on: .user) { call in
        try call.identities.updateLoginProfile(
            call.userName(), password: call.context.filled("Password").map { Secret($0) },
            isResetRequired: call.optionalFlag("PasswordResetRequired"),
            isMultiFactorRequired: call.optionalFlag("MFABindRequired"), account: call.account)
        return RPCAnswer()
    }

    static let deleteLoginProfile = RPCOperation.identity("DeleteLoginProfile", isWrite: true, on: .user) { call in
        try call.identities.deleteLoginProfile(call.userName(), account: call.account)
        return RPCAnswer()
    }

    /// ChangePassword: the caller's own.
    static let changePassword = RPCOperation.identity(
        "ChangePassword", isWrite: true, on: .caller, selfService: \.usersChangePassword
    ) { call in
        try call.identities.changePassword(
            call.ownName(), from: Secret(call.required("OldPassword")), to: Secret(call.required("NewPassword")),
            account: call.account)
        return RPCAnswer()
    }
}

extension JSONFields {
    fileprivate init(_ profile: LoginProfile) {
        self.init()
        add(profile.userName, "UserName")
        add(profile.isResetRequired, "PasswordResetRequired")
        add(profile.isMultiFactorRequired, "MFABindRequired")
        add(wireTime(profile.createdAt), "CreateDate")
    }
}
