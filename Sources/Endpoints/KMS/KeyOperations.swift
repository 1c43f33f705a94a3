// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import KeyManagement
import LogEngine

/// Keys: kms.md section 4.1.
extension RPCOperation {
    static let createKey = RPCOperation.key("CreateKey", isWrite: true) { call in
        try call.authorize(on: call.arn("key"))
        if call.optional("DKMSInstanceId") != nil {
            throw RPCError(404, "Forbidden.DKMSInstanceNotFound", "There are no KMS instances here.")
        }
        var new = NewKey()
        new.spec = call.optional("KeySpec")
        new.usage = call.optional("KeyUsage")
        new.origin = call.optional("Origin")
        new.protectionLevel = call.optional("ProtectionLevel")
        new.description = call.optional("Description") ?? ""
        new.rotates = try call.flag("EnableAutomaticRotation") ?? false
        if new.rotates { _ = try call.required("RotationInterval") }
        new.rotationInterval = call.optional("RotationInterval")
        new.tags = try call.tags() ?? [:]
        new.policy = try call.optional("Policy").map(call.checkedPolicy)
        let (account, region, keys) = (call.account, call.region, call.keys)
        let key = try await LongWork.run { [new] in try keys.createKey(new, account: account, region: region) }
        var answer = JSONFields()
        answer.add(JSONFields(key), "KeyMetadata")
        return RPCAnswer(answer)
    }

    static let describeKey = RPCOperation.key("DescribeKey") { call in
        var answer = JSONFields()
        answer.add(JSONFields(try call.key(takesAlias: true)), "KeyMetadata")
        return RPCAnswer(answer)
    }

    static let listKeys = RPCOperation.key("ListKeys") { call in
        try call.authorize(on: call.arn("key"))
        let filters = try KeyFilters(call)
        let keys = call.keys.keys(account: call.account, region: call.region).filter { key in
            filters.match(key, aliases: { call.keys.aliases(account: call.account, region: call.region, of: key.id).map(\.name) })
        }
        var (page, answer) = try call.page(keys)
        answer.add(
            page.map { key in
                var fields = JSONFields()
                fields.add(key.id, "KeyId")
                fields.add(key.arn, "KeyArn")
                return fields
            }, "Key", in: "Keys")
        return RPCAnswer(answer)
    }

    static let updateKeyDescription = RPCOperation.key("UpdateKeyDescription", isWrite: true) { call in
        let key = try call.key()
        // An empty description is one.
        guard let description = call.context["Description"] else { throw RPCError.missingParameter("Description") }
        try call.keys.setDescription(description, of: key.id)
        return RPCAnswer()
    }

    static let enableKey = RPCOperation.key("EnableKey", isWrite: true) { call in
        try call.keys.enableKey(call.key().id)
        return RPCAnswer()
    }

    static let disableKey = RPCOperation.key("DisableKey", isWrite: true) { call in
        let key = try call.key()
        try call.keys.disableKey(key.id)
        return RPCAnswer(weakening: try call.weakening(of: key, "disables"))
    }

    static let scheduleKeyDeletion = RPCOperation.key("ScheduleKeyDeletion", isWrite: true) { call in
        guard let days = try call.integer("PendingWindowInDays", in: 7...366) else {
            throw RPCError.missingParameter("PendingWindowInDays")
        }
        let key = try call.key()
        try call.keys.scheduleDeletion(of: key.id, days: days)
        return RPCAnswer(weakening: try call.weakening(of: key, "schedules the deletion of"))
    }

    static let cancelKeyDeletion = RPCOperation.key("CancelKeyDeletion", isWrite: true) { call in
        try call.keys.cancelDeletion(of: call.key().id)
        return RPCAnswer()
    }

    static let setDeletionProtection = RPCOperation.key("SetDeletionProtection", isWrite: true) { call in
        let parameter = call.optional("ProtectedResourceArn") == nil ? "KeyId" : "ProtectedResourceArn"
        guard let isOn = try call.flag("EnableDeletionProtection") else {
            throw RPCError.missingParameter("EnableDeletionProtection")
        }
        try call.keys.setDeletionProtection(
            isOn, description: call.optional("DeletionProtectionDescription"), of: call.key(parameter).id)
        return RPCAnswer()
    }

    /// DescribeRegions of KMS: the one region there is.
    static let describeKeyRegions = RPCOperation(
        "DescribeRegions", isWrite: false, resourceType: nil, permission: .anyCaller
    ) { context in
        var region = JSONFields()
        region.add(context.services.region, "RegionId")
        var answer = JSONFields()
        answer.add([region], "Region", in: "Regions")
        return RPCAnswer(answer)
    }

    static let describeAccountKmsStatus = RPCOperation.key("DescribeAccountKmsStatus") { call in
        try call.authorize(on: "*")
        var answer = JSONFields()
        answer.add("Enabled", "AccountStatus")
        return RPCAnswer(answer)
    }

    // MARK: Key policy (section 4.8)

    static let setKeyPolicy = RPCOperation.key("SetKeyPolicy", isWrite: true) { call in
        let key = try call.key()
        try call.checkPolicyName()
        try call.keys.setPolicy(call.checkedPolicy(call.required("Policy")), of: key.id)
        return RPCAnswer()
    }

    static let getKeyPolicy = RPCOperation.key("GetKeyPolicy") { call in
        let key = try call.key()
        try call.checkPolicyName()
        var answer = JSONFields()
        answer.add(key.policy ?? KeyCall.defaultPolicy(of: key.account), "Policy")
        return RPCAnswer(answer)
    }
}

extension KeyCall {
    fileprivate func checkPolicyName() throws(RPCError) {
        guard ["default", nil].contains(optional("PolicyName")) else {
            throw .invalid("PolicyName", "a key has one policy, whose name is default")
        }
    }

    /// The text of a policy that can be read as one of a key.
    fileprivate func checkedPolicy(_ text: String) throws(RPCError) -> String {
        do { return try PolicyDocument(parsing: text, as: .key).text } catch { throw .invalid("Policy", "\(error)") }
    }

    /// What holds for a key without a policy of its own: its account decides.
    fileprivate static func defaultPolicy(of account: String) -> String {
        #"{"Version":"1","Statement":[{"Effect":"Allow","Principal":{"RAM":["acs:ram::\#(account):*"]},"#
            + #""Action":["kms:*"],"Resource":["*"]}]}"#
    }
}
