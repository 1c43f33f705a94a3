// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl

/// What holds for the account: ram.md section 2.2.
extension RPCOperation {
    static let setPasswordPolicy = RPCOperation.identity("SetPasswordPolicy", isWrite: true, on: .account) { call in
        var policy = call.identities.settings(account: call.account).passwordPolicy
        policy.minimumLength = try call.integer("MinimumPasswordLength", in: PasswordPolicy.lengths) ?? policy.minimumLength
        policy.requiresLowercase = try call.optionalFlag("RequireLowercaseCharacters") ?? policy.requiresLowercase
        policy.requiresUppercase = try call.optionalFlag("RequireUppercaseCharacters") ?? policy.requiresUppercase
        policy.requiresNumbers = try call.optionalFlag("RequireNumbers") ?? policy.requiresNumbers
        policy.requiresSymbols = try call.optionalFlag("RequireSymbols") ?? policy.requiresSymbols
        policy.hardExpiry = try call.optionalFlag("HardExpiry") ?? policy.hardExpiry
        policy.maximumAgeDays = try call.integer("MaxPasswordAge", in: 0...1095) ?? policy.maximumAgeDays
        policy.reusePrevention = try call.integer("PasswordReusePrevention", in: 0...24) ?? policy.reusePrevention
        policy.maximumAttempts = try call.integer("MaxLoginAttemps", in: 0...32) ?? policy.maximumAttempts
        try call.identities.setPasswordPolicy(policy, account: call.account)
        return RPCAnswer(JSONFields(policy), as: "PasswordPolicy")
    }

    static let getPasswordPolicy = RPCOperation.identity("GetPasswordPolicy", on: .account) { call in
        RPCAnswer(JSONFields(call.identities.settings(account: call.account).passwordPolicy), as: "PasswordPolicy")
    }

    static let setSecurityPreference = RPCOperation.identity("SetSecurityPreference", isWrite: true, on: .account) { call in
        var preference = call.identities.settings(account: call.account).preference
        preference.savesMultiFactorTicket =
            try call.optionalFlag("EnableSaveMFATicket") ?? preference.savesMultiFactorTicket
        preference.usersChangePassword =
            try call.optionalFlag("AllowUserToChangePassword") ?? preference.usersChangePassword
        preference.usersManageAccessKeys =
            try call.optionalFlag("AllowUserToManageAccessKeys") ?? preference.usersManageAccessKeys
        preference.usersManageDevices =
            try call.optionalFlag("AllowUserToManageMFADevices") ?? preference.usersManageDevices
        preference.loginSessionHours =
            try call.integer("LoginSessionDuration", in: SecurityPreference.sessionHours) ?? preference.loginSessionHours
        preference.loginNetworkMasks = call.context["LoginNetworkMasks"] ?? preference.loginNetworkMasks
        try call.identities.setPreference(preference, account: call.account)
        return RPCAnswer(JSONFields(preference), as: "SecurityPreference")
    }

    static let getSecurityPreference = RPCOperation.identity("GetSecurityPreference", on: .account) { call in
        RPCAnswer(JSONFields(call.identities.settings(account: call.account).preference), as: "SecurityPreference")
    }

    static let setAccountAlias = RPCOperation.identity("SetAccountAlias", isWrite: true, on: .account) { call in
        try call.identities.setAlias(call.required("AccountAlias"), account: call.account)
        return RPCAnswer()
    }

    static let getAccountAlias = RPCOperation.identity("GetAccountAlias", on: .account) { call in
        var answer = JSONFields()
        answer.add(call.identities.settings(account: call.account).alias ?? "", "AccountAlias")
        return RPCAnswer(answer)
    }

    static let clearAccountAlias = RPCOperation.identity("ClearAccountAlias", isWrite: true, on: .account) { call in
        try call.identities.clearAlias(account: call.account)
        return RPCAnswer()
    }
}

extension JSONFields {
    fileprivate init(_ policy: PasswordPolicy) {
        self.init()
        add(policy.minimumLength, "MinimumPasswordLength")
        add(policy.requiresLowercase, "RequireLowercaseCharacters")
        add(policy.requiresUppercase, "RequireUppercaseCharacters")
        add(policy.requiresNumbers, "RequireNumbers")
        add(policy.requiresSymbols, "RequireSymbols")
        add(policy.hardExpiry, "HardExpiry")
        add(policy.maximumAgeDays, "MaxPasswordAge")
        add(policy.reusePrevention, "PasswordReusePrevention")
        // The vendor's spelling.
        add(policy.maximumAttempts, "MaxLoginAttemps")
    }

    fileprivate init(_ preference: SecurityPreference) {
        self.init()
        var login = JSONFields()
        login.add(preference.savesMultiFactorTicket, "EnableSaveMFATicket")
        login.add(preference.usersChangePassword, "AllowUserToChangePassword")
        login.add(preference.loginSessionHours, "LoginSessionDuration")
        login.add(preference.loginNetworkMasks, "LoginNetworkMasks")
        add(login, "LoginProfilePreference")
        var keys = JSONFields()
        keys.add(preference.usersManageAccessKeys, "AllowUserToManageAccessKeys")
        add(keys, "AccessKeyPreference")
        var devices = JSONFields()
        devices.add(preference.usersManageDevices, "AllowUserToManageMFADevices")
        add(devices, "MFAPreference")
        var publicKeys = JSONFields()
        publicKeys.add(false, "AllowUserToManagePublicKeys")
        add(publicKeys, "PublicKeyPreference")
    }
}
