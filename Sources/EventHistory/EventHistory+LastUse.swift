// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import LogEngine

/// When each value of an attribute was seen last among some events of one account.
public struct LastUseQuery: Sendable {
    public var account: String
    public var conditions: [LookupQuery.Condition]
    /// Milliseconds since 1970, both ends included.
    public var times: ClosedRange<Int64>
    public var attribute: LookupAttribute
    /// Only values that come later in the list.
    public var after: NewestGroup?
    public var limit: Int

    public init(
        account: String, conditions: [LookupQuery.Condition], times: ClosedRange<Int64> = .min ... .max,
        attribute: LookupAttribute, after: NewestGroup? = nil, limit: Int
    ) {
        self.account = account
        self.conditions = conditions
        self.times = times
        self.attribute = attribute
        self.after = after
        self.limit = limit
    }
}

public struct LastUse: Sendable {
    public var value: String
    /// The event's own time, in milliseconds since 1970.
    public var time: Int64
    /// The newest event with the value.
    public var event: StoredRecord
}

public struct LastUsePage: Sendable {
    /// Newest first.
    public var uses: [LastUse] = []
    /// Where the next page begins; nil on the last one.
    public var next: NewestGroup?
    /// Values whose newest event could not be read: what they are is not known.
    public var damaged: [StoreDamage] = []
}

extension EventHistory {
    /// The values of an attribute by when each was seen last, from the index; one event of each is read.
    public func lastUses(_ query: LastUseQuery) throws -> LastUsePage {
        let groups = try engine.newestGroups(
            SearchQuery(account: query.account, terms: terms(query.conditions, account: query.account), times: query.times),
            by: query.attribute.rawValue, after: query.after, limit: query.limit + 1)
        let hasher = engine.hasher(account: query.account)
        var page = LastUsePage()
        var reader = EventFieldReader()
        for group in groups.prefix(query.limit) {
            do {
                let record = try engine.record(at: group.position.sequence)
                // Hashes found it, which are not proof.
                guard record.account == query.account, record.has(query.conditions, &reader),
                    let value = record.value(of: query.attribute, key: group.key, hasher)
                else { continue }
                page.uses.append(LastUse(value: value, time: group.position.time, event: record))
            } catch let damage as StoreDamage {
                page.damaged.append(damage)
            } catch LogEngineError.missingRecords where group.position.sequence < engine.firstSequence {
                // Retention dropped it since the search began.
            }
        }
        if groups.count > query.limit { page.next = groups[query.limit - 1] }
        return page
    }
}
