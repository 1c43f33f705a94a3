// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation

/// The event that tells of a call.
extension CallRecord {
    private static let textLimit = 1024
    private static let parameterLimit = 100

    /// Parameters that would tell a secret or say nothing have one of these in their names.
    private static let confidential = [
        "secret", "password", "token", "signature", "plaintext", "keymaterial", "credential", "authorization",
        "authenticationcode",
    ].map { Array($0.utf8) }

    private static func isConfidential(_ name: String) -> Bool {
        let lower = name.lowercased()
        if ["nexttoken", "clienttoken", "continuation-token"].contains(lower) { return false }
        // Byte by byte: each call has a dozen parameters, and a search by characters takes a hundred times as long.
        let bytes = Array(lower.utf8)
        return bytes.indices.contains { place in confidential.contains { bytes[place...].starts(with: $0) } }
    }

    /// - Parameter isOutcomeKnown: false for a change that was begun and perhaps not made.
    func event(account: String, region: String, at time: Date, isOutcomeKnown: Bool = true) -> [UInt8] {
        var told = JSONFields()
        for parameter in parameters.prefix(Self.parameterLimit) where !Self.isConfidential(parameter.name) {
            told.add(String(parameter.value.prefix(Self.textLimit)), String(parameter.name.prefix(128)))
        }
        var event = JSONFields()
        event.add(eventId, "eventId")
        event.add("1", "eventVersion")
        event.add("Management", "eventCategory")
        event.add(eventName, "eventName")
        event.add(isWrite ? "Write" : "Read", "eventRW")
        event.add(isOwn ? "AliyunServiceEvent" : "ApiCall", "eventType")
        event.add(String(host.prefix(256)), "eventSource")
        event.add(wireTime(time), "eventTime")
        event.add(region, "acsRegion")
        event.add(false, "isGlobal")
        event.add(serviceName, "serviceName")
        event.add(apiVersion.map { String($0.prefix(64)) }, "apiVersion")
        event.add(requestId, "requestId")
        event.add(sourceAddress, "sourceIpAddress")
        event.add(userAgent.map { String($0.prefix(Self.textLimit)) }, "userAgent")
        event.add(told, "requestParameters")
        event.add(String(decoding: told.finished, as: UTF8.self), "requestParameterJson")
        if let code = errorCode {
            event.add(code, "errorCode")
            event.add(errorMessage.map { String($0.prefix(Self.textLimit)) }, "errorMessage")
        }
        if !resources.isEmpty {
            var byType = JSONFields()
            for (type, names) in Dictionary(grouping: resources, by: \.type).sorted(by: { $0.key < $1.key }) {
                byType.add(
                    raw: JSONFields.array(
                        names.map { resource in
                            var text: [UInt8] = []
                            JSONFields.append(text: String(resource.name.prefix(Self.textLimit)), to: &text)
                            return text
                        }), type)
            }
            event.add(byType, "referencedResources")
        }
        event.add(account, "recipientAccountId")
        var additional = JSONFields()
        if !host.isEmpty { additional.add(isTLS ? "https" : "http", "Scheme") }
        additional.add(weakening, "Weakening")
        if !isOutcomeKnown { additional.add("unknown: the service ended before the call was answered", "Outcome") }
        event.add(additional, "additionalEventData")
        event.add(identity, "userIdentity")
        return event.finished
    }

    private var identity: JSONFields {
        var identity = JSONFields()
        guard let caller else {
            identity.add("anonymous", "type")
            identity.add(claimedAccessKeyId.map { String($0.prefix(128)) }, "accessKeyId")
            return identity
        }
        identity.add(caller.kind.rawValue, "type")
        identity.add(caller.principalId, "principalId")
        identity.add(caller.accountId, "accountId")
        identity.add(caller.userName, "userName")
        identity.add(caller.accessKeyId, "accessKeyId")
        if let session = caller.session {
            var attributes = JSONFields()
            attributes.add(session.isMultiFactor ? "true" : "false", "mfaAuthenticated")
            attributes.add(session.createdAt.iso8601, "creationDate")
            var context = JSONFields()
            context.add(attributes, "attributes")
            identity.add(context, "sessionContext")
        }
        return identity
    }
}
