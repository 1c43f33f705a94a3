// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import EventHistory
import LogEngine

/// The events in which an access key was used.
///
/// Anybody can name a key. An event of a call that was refused before its caller was known has the key that was claimed, but no
/// principal: so the uses of a key are the events of the principal that it belongs to. Events of other systems may have no
/// principal at all; then those of anonymous callers are left out one by one.
struct AccessKeyUses {
    /// Events of nobody's that are looked through for a use.
    private static let claims = 1000

    private let key: String
    private let context: RPCContext

    init(of key: String, _ context: RPCContext) {
        self.key = key
        self.context = context
    }

    /// The newest use; nil for a key without uses.
    func newest() async throws -> (event: UsedEvent, time: Int64)? {
        let key = LookupQuery.Condition(.accessKeyId, key)
        if let use = try await ask(by: .principalId, [key], limit: 1).uses.first { return (UsedEvent(use.event), use.time) }
        let history = context.services.history
        let query = LookupQuery(account: context.accountId, conditions: [key], times: .min ... .max, limit: Self.claims)
        for record in try await LongWork.read({ try history.lookUp(query).events }) {
            let event = UsedEvent(record)
            if !event.isAnonymous, let fields = EventFields.extract(record.bytes) { return (event, fields.timeMilliseconds) }
        }
        return nil
    }

    /// - Parameters:
    ///   - service: only uses of this service.
    ///   - until: milliseconds since 1970, included.
    func page(
        by attribute: LookupAttribute, service: String? = nil, until: Int64? = nil, after: NewestGroup? = nil, limit: Int
    ) async throws -> LastUsePage {
        let principal = try await ask(by: .principalId, [.init(.accessKeyId, key)], limit: 1).uses.first?.value
        var conditions = [LookupQuery.Condition(.accessKeyId, key)]
        if let principal { conditions.append(.init(.principalId, principal)) }
        if let service { conditions.append(.init(.serviceName, service)) }
        var page = try await ask(by: attribute, conditions, until: until, after: after, limit: limit)
        if principal == nil { page.uses.removeAll { UsedEvent($0.event).isAnonymous } }
        return page
    }

    private func ask(
        by attribute: LookupAttribute, _ conditions: [LookupQuery.Condition], until: Int64? = nil, after: NewestGroup? = nil,
        limit: Int
    ) async throws -> LastUsePage {
        let query = LastUseQuery(
            account: context.accountId, conditions: conditions, times: .min...(until ?? .max), attribute: attribute,
            after: after, limit: limit)
        let history = context.services.history
        do { return try await LongWork.read { try history.lastUses(query) } } catch is GroupCounts.TooManyGroups {
            throw RPCError.invalidParameter("There are more than \(GroupCounts.limit) entries before this page.")
        }
    }
}
