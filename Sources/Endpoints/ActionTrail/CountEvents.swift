// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import EventHistory
import Foundation
import LogEngine

extension RPCOperation {
    /// CountEvents, Cairn's own: events by the values of `GroupBy.1`, and of `GroupBy.2` if it is given.
    ///
    /// Attributes and times as in LookupEvents, whose permission it takes. `MaxResults` largest groups, at most 1,000.
    static let countEvents = RPCOperation(
        "CountEvents", isWrite: false, resourceType: nil,
        permission: .requests { context in [context.trailRequest("LookupEvents", nil)] }
    ) { context in
        let wanted = try LookupRequest.attributes(context)
        guard wanted.text.isEmpty else {
            throw RPCError.invalidParameter("Text is looked for in events, which counting does not read.")
        }
        let attributes = try (1...2).compactMap { index -> LookupAttribute? in
            guard let name = context.filled("GroupBy.\(index)") else { return nil }
            guard let attribute = LookupAttribute(wireName: name) else {
                throw RPCError.invalidParameter("GroupBy.\(index) is not an attribute of events.")
            }
            return attribute
        }
        guard !attributes.isEmpty, context.filled("GroupBy.1") != nil else {
            throw RPCError.invalidParameter("GroupBy.1 names the attribute to count by.")
        }
        guard attributes.count == 1 || !attributes[1].isRepeated && attributes[0] != attributes[1] else {
            throw RPCError.invalidParameter("GroupBy.2 is another attribute, of which an event has one value.")
        }
        let limit = try context.integer("MaxResults", in: 1...1000, default: 100)
        let range = try LookupRequest.times(context)
        let query = CountQuery(
            account: context.accountId, conditions: wanted.conditions, times: range.times, attributes: attributes, limit: limit)
        let history = context.services.history
        let answer: CountAnswer
        do { answer = try await LongWork.read { try history.count(query) } } catch is GroupCounts.TooManyGroups {
            throw RPCError.invalidParameter(
                "There are more than \(GroupCounts.limit) groups: narrow the time, or name more attributes.")
        }
        var fields = JSONFields()
        fields.add(
            answer.groups.map { group in
                var row = JSONFields()
                row.add(group.count, "Count")
                for (attribute, value) in zip(attributes, group.values) { row.add(value, attribute.wireName) }
                return row
            }, "Groups")
        fields.add(answer.groupCount, "GroupCount")
        fields.add(range.startText, "StartTime")
        fields.add(range.endText, "EndTime")
        return RPCAnswer(fields)
    }
}
