// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import KeyManagement
import LogEngine

/// Versions and rotation: kms.md section 4.4.
extension RPCOperation {
    static let listKeyVersions = RPCOperation.key("ListKeyVersions") { call in
        let key = try call.key(takesAlias: true)
        var (page, answer) = try call.page(call.keys.versions(of: key.id))
        answer.add(page.map { JSONFields($0, of: key.id) }, "KeyVersion", in: "KeyVersions")
        return RPCAnswer(answer)
    }

    static let describeKeyVersion = RPCOperation.key("DescribeKeyVersion") { call in
        let version = try call.required("KeyVersionId")
        let key = try call.key(takesAlias: true)
        var answer = JSONFields()
        answer.add(JSONFields(try call.keys.version(version, of: key.id), of: key.id), "KeyVersion")
        return RPCAnswer(answer)
    }

    static let createKeyVersion = RPCOperation.key("CreateKeyVersion", isWrite: true) { call in
        let key = try call.key(takesAlias: true)
        let keys = call.keys
        let version = try await LongWork.run { try keys.createVersion(of: key.id) }
        var answer = JSONFields()
        answer.add(JSONFields(version, of: key.id), "KeyVersion")
        return RPCAnswer(answer)
    }

    static let updateRotationPolicy = RPCOperation.key("UpdateRotationPolicy", isWrite: true) { call in
        guard let isOn = try call.flag("EnableAutomaticRotation") else {
            throw RPCError.missingParameter("EnableAutomaticRotation")
        }
        if isOn { _ = try call.required("RotationInterval") }
        try call.keys.setRotation(isOn, interval: call.optional("RotationInterval"), of: call.key().id)
        return RPCAnswer()
    }
}
