// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import KeyManagement

/// Aliases: kms.md section 4.3. Changing one needs the permission on the alias and on the key.
extension RPCOperation {
    static let createAlias = RPCOperation.key("CreateAlias", isWrite: true) { call in
        let name = try call.required("AliasName")
        try call.authorize(on: call.arn(name))
        try call.keys.createAlias(name, of: call.key().id, account: call.account, region: call.region)
        return RPCAnswer()
    }

    static let updateAlias = RPCOperation.key("UpdateAlias", isWrite: true) { call in
        let name = try call.required("AliasName")
        try call.authorize(on: call.arn(name))
        try call.keys.updateAlias(name, to: call.key().id, account: call.account, region: call.region)
        return RPCAnswer()
    }

    static let deleteAlias = RPCOperation.key("DeleteAlias", isWrite: true) { call in
        let name = try call.required("AliasName")
        try call.authorize(on: call.arn(name))
        let id = try call.keys.keyId(ofAlias: name, account: call.account, region: call.region)
        try call.authorize(on: call.keys.find(id, account: call.account, region: call.region))
        try call.keys.deleteAlias(name, account: call.account, region: call.region)
        return RPCAnswer()
    }

    static let listAliases = RPCOperation.key("ListAliases") { call in
        try call.authorize(on: call.arn("alias"))
        return try call.answer(call.keys.aliases(account: call.account, region: call.region))
    }

    static let listAliasesByKeyId = RPCOperation.key("ListAliasesByKeyId") { call in
        let key = try call.key()
        return try call.answer(call.keys.aliases(account: key.account, region: key.region, of: key.id))
    }
}

extension KeyCall {
    fileprivate func answer(_ aliases: [KeyAlias]) throws(RPCError) -> RPCAnswer {
        var (page, fields) = try page(aliases, sizes: 0...100)
        fields.add(page.map(JSONFields.init), "Alias", in: "Aliases")
        return RPCAnswer(fields)
    }
}
