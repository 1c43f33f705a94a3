// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import EventHistory
import LogEngine

/// When an access key was used last, and for what: actiontrail.md section 11, over everything that is held.
///
/// Who only claims a key, with a wrong signature, does not use it: see ``AccessKeyUses``.
extension RPCOperation {
    /// GetAccessKeyLastUsedInfo; of a key without uses it names the key only.
    static let getAccessKeyLastUsedInfo = RPCOperation(
        "GetAccessKeyLastUsedInfo", isWrite: false, resourceType: nil
    ) { context in
        let key = try context.required("AccessKey")
        var answer = JSONFields()
        answer.add(key, "AccessKeyId")
        guard let (event, time) = try await AccessKeyUses(of: key, context).newest() else { return RPCAnswer(answer) }
        answer.add(event.identity("accountId") ?? context.accountId, "AccountId")
        answer.add(event.identity("type"), "AccountType")
        answer.add(event.identity("principalId"), "OwnerId")
        answer.add(event.identity("type") == "root-account" ? "root" : event.identity("userName"), "UserName")
        answer.add(service: event.serviceName)
        answer.add(event, at: time)
        return RPCAnswer(answer)
    }

    /// GetAccessKeyLastUsedProducts: one entry a service, in one answer.
    static let getAccessKeyLastUsedProducts = RPCOperation(
        "GetAccessKeyLastUsedProducts", isWrite: false, resourceType: nil
    ) { context in
        let uses = AccessKeyUses(of: try context.required("AccessKey"), context)
        let page = try await uses.page(by: .serviceName, limit: 1000)
        var answer = JSONFields()
        answer.add(
            page.uses.map { use in
                var fields = JSONFields()
                fields.add(service: use.value)
                fields.add(UsedEvent(use.event), at: use.time)
                return fields
            }, "Products")
        answer.note(page.damaged, context)
        return RPCAnswer(answer)
    }

    static let getAccessKeyLastUsedEvents = pagedLastUses(
        "GetAccessKeyLastUsedEvents", list: "Events", by: .eventName
    ) { fields, use, _ in fields.add(use.value, "EventName") }

    static let getAccessKeyLastUsedIps = pagedLastUses(
        "GetAccessKeyLastUsedIps", list: "Ips", by: .sourceIpAddress
    ) { fields, use, _ in fields.add(use.value, "Ip") }

    /// GetAccessKeyLastUsedResources: one entry a name, with the type it has in the newest event.
    static let getAccessKeyLastUsedResources = pagedLastUses(
        "GetAccessKeyLastUsedResources", list: "Resources", by: .resourceName
    ) { fields, use, event in
        fields.add(event.type(ofResource: use.value) ?? "", "ResourceType")
        fields.add(use.value, "ResourceName")
    }

    private static func pagedLastUses(
        _ name: String, list: String, by attribute: LookupAttribute,
        _ describe: @escaping @Sendable (inout JSONFields, LastUse, UsedEvent) -> Void
    ) -> RPCOperation {
        RPCOperation(name, isWrite: false, resourceType: nil) { context in
            let request = try LastUseRequest(context, name: name)
            let page = try await AccessKeyUses(of: request.key, context).page(
                by: attribute, service: request.service, until: request.end, after: request.after, limit: request.limit)
            var answer = JSONFields()
            answer.add(
                page.uses.map { use in
                    var fields = JSONFields()
                    let event = UsedEvent(use.event)
                    describe(&fields, use, event)
                    fields.add(event, at: use.time)
                    return fields
                }, list)
            answer.add(page.next.map { request.token(after: $0, newest: page.uses.first?.time) }, "NextToken")
            answer.note(page.damaged, context)
            return RPCAnswer(answer)
        }
    }
}

/// The parameters of a paged call, checked.
private struct LastUseRequest {
    let key: String
    let service: String
    let limit: Int
    let after: NewestGroup?
    /// Milliseconds since 1970: later pages overlook what was recorded since the first one, so that they miss nothing.
    let end: Int64?
    private let now: Int64
    private let fingerprint: UInt64

    init(_ context: RPCContext, name: String) throws(RPCError) {
        key = try context.required("AccessKey")
        service = try context.required("ServiceName")
        let size = try context.integer("PageSize", in: 0...100, default: 20)
        limit = size == 0 ? 20 : size
        now = context.services.nowMilliseconds
        fingerprint = PageToken.fingerprint([name, context.accountId, key, service])
        guard let text = context.filled("NextToken") else {
            (after, end) = (nil, nil)
            return
        }
        let token = try PageToken.content(Token.self, of: text)
        guard token.fingerprint == fingerprint else {
            throw .invalidParameter("NextToken belongs to a call with other parameters.")
        }
        after = NewestGroup(position: LogPosition(time: token.time, sequence: token.sequence), key: token.key)
        end = token.end
    }

    /// - Parameter newest: of the page's first entry; events may be of a time to come.
    func token(after group: NewestGroup, newest: Int64?) -> String {
        PageToken.text(
            Token(
                time: group.position.time, sequence: group.position.sequence, key: group.key,
                end: end ?? max(now, newest ?? now), fingerprint: fingerprint))
    }

    private struct Token: Codable {
        var time: Int64
        var sequence: UInt64
        var key: UInt64
        var end: Int64
        var fingerprint: UInt64
    }
}

extension JSONFields {
    /// The names in Chinese and English are those of the vendor's catalogue of services, which is not here.
    fileprivate mutating func add(service: String) {
        for name in ["ServiceName", "ServiceNameCn", "ServiceNameEn"] { add(service, name) }
    }

    fileprivate mutating func add(_ event: UsedEvent, at time: Int64) {
        add(event.source, "Source")
        add(event.detail, "Detail")
        add(time, "UsedTimestamp")
    }

    fileprivate mutating func note(_ damaged: [StoreDamage], _ context: RPCContext) {
        guard !damaged.isEmpty else { return }
        for damage in damaged {
            context.services.logger.error("an event cannot be read", metadata: ["damage": "\(damage)"])
        }
        add(damaged.count, "DamagedEventCount")
    }
}
