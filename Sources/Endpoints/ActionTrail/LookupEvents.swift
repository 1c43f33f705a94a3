// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import EventHistory
import Foundation
import LogEngine

/// LookupEvents: actiontrail.md section 9; any number of attributes is joined by AND. The attribute `Text` is Cairn's own:
/// words that stand anywhere in an event.
extension RPCOperation {
    static let lookupEvents = RPCOperation("LookupEvents", isWrite: false, resourceType: nil) { context in
        let wanted = try LookupRequest.attributes(context)
        return try await lookUp(context, conditions: wanted.conditions, text: wanted.text)
    }

    /// The flat filters of version 2017-12-04 (section 16).
    static let lookupEvents2017 = RPCOperation("LookupEvents", isWrite: false, resourceType: nil) { context in
        let names: [(String, LookupAttribute)] = [
            ("Event", .eventId), ("Request", .eventId), ("EventType", .eventType), ("ServiceName", .serviceName),
            ("EventName", .eventName), ("User", .user), ("ResourceType", .resourceType),
            ("ResourceName", .resourceName), ("EventRW", .eventRW), ("EventAccessKeyId", .accessKeyId),
        ]
        let conditions = names.compactMap { name, attribute in
            context[name].flatMap { $0.isEmpty || $0 == "All" && name == "EventRW" ? nil : LookupQuery.Condition(attribute, $0) }
        }
        return try await lookUp(context, conditions: conditions)
    }

    private static func lookUp(
        _ context: RPCContext, conditions: [LookupQuery.Condition], text: String = ""
    ) async throws -> RPCAnswer {
        let request = try LookupRequest(context, conditions: conditions, text: text)
        let query = LookupQuery(
            account: context.accountId, conditions: conditions, text: text, times: request.times, direction: request.direction,
            after: request.after, limit: request.limit)
        let history = context.services.history
        let page = try await LongWork.read { try history.lookUp(query) }
        for damage in page.damaged {
            context.services.logger.error("an event cannot be read", metadata: ["damage": "\(damage)"])
        }
        var answer = JSONFields()
        answer.add(raw: JSONFields.array(page.events.map(\.bytes)), "Events")
        answer.add(page.next.map { request.token(after: $0) }, "NextToken")
        answer.add(request.startText, "StartTime")
        answer.add(request.endText, "EndTime")
        let conflicts = page.events.filter { $0.flags.contains(.conflict) }
        if !conflicts.isEmpty {
            // Cairn's own: events whose id came with other content too.
            answer.add(
                raw: JSONFields.array(
                    conflicts.compactMap { record in
                        EventFields.extract(record.bytes).map { fields in
                            record.withBytes { bytes in
                                var text: [UInt8] = []
                                JSONFields.append(
                                    text: fields.withBytes(of: fields.eventId, in: bytes) { String(decoding: $0, as: UTF8.self) },
                                    to: &text)
                                return text
                            }
                        }
                    }), "ConflictingEventIds")
        }
        if !page.damaged.isEmpty { answer.add(page.damaged.count, "DamagedEventCount") }
        return RPCAnswer(answer)
    }
}

/// The parameters of a lookup, checked.
struct LookupRequest {
    static let defaultDays = 7
    /// Each word is looked for by itself.
    private static let textLimit = 1024
    private static let wordLimit = 64

    var times: ClosedRange<Int64>
    var startText: String
    var endText: String
    var direction: SearchDirection
    var after: LogPosition?
    var limit: Int
    /// What the pages of one lookup have in common.
    private var fingerprint: UInt64

    init(_ context: RPCContext, conditions: [LookupQuery.Condition], text: String = "") throws(RPCError) {
        limit = try context.integer("MaxResults", in: 0...50, default: 20)
        if limit == 0 { limit = 20 }
        direction =
            switch context["Direction"]?.uppercased() {
            case nil, "", "BACKWARD": .newestFirst
            case "FORWARD": .oldestFirst
            default: throw .invalidParameter("Direction must be FORWARD or BACKWARD.")
            }
        let token = try context.filled("NextToken").map { text throws(RPCError) in
            try PageToken.content(Token.self, of: text)
        }
        let range = try Self.times(context, default: token.map { ($0.start, $0.end) })
        (times, startText, endText) = (range.times, range.startText, range.endText)
        fingerprint = PageToken.fingerprint(
            [context.accountId, startText, endText, "\(direction)"] + conditions.map { "\($0.attribute.rawValue)=\($0.value)" }
                + [text])
        if let token {
            guard token.fingerprint == fingerprint, token.sequence < context.services.history.endSequence else {
                throw .invalidParameter("NextToken belongs to a lookup with other parameters.")
            }
            after = LogPosition(time: token.time, sequence: token.sequence)
        }
    }

    struct TimeRange {
        var times: ClosedRange<Int64>
        var startText: String
        var endText: String
    }

    /// - Parameter usual: the range without `StartTime` and `EndTime`; the last seven days if it is missing.
    static func times(
        _ context: RPCContext, default usual: (start: String, end: String)? = nil
    ) throws(RPCError) -> TimeRange {
        let (startText, endText): (String, String)
        switch (context.filled("StartTime"), context.filled("EndTime")) {
        case (let start?, let end?): (startText, endText) = (start, end)
        case (nil, nil):
            // Later pages go on with the range that the first one was given.
            let now = context.services.nowMilliseconds
            (startText, endText) =
                usual ?? (EventTime.text(now - Int64(defaultDays) * 86_400_000), EventTime.text(now))
        case (nil, _): throw RPCError(400, "InvalidParameterStartTime", "StartTime must be given together with EndTime.")
        case (_, nil): throw RPCError(400, "InvalidParameterEndTime", "EndTime must be given together with StartTime.")
        }
        guard let first = milliseconds(startText) else {
            throw RPCError(400, "InvalidParameterStartTime", "StartTime must have the form yyyy-MM-ddTHH:mm:ssZ.")
        }
        guard let last = milliseconds(endText) else {
            throw RPCError(400, "InvalidParameterEndTime", "EndTime must have the form yyyy-MM-ddTHH:mm:ssZ.")
        }
        guard last > first else {
            throw RPCError(400, "InvalidParameterCombination", "The end time must be later than the start time.")
        }
        return TimeRange(times: first...(last + 999), startText: startText, endText: endText)
    }

    private static func milliseconds(_ text: String) -> Int64? {
        guard text.utf8.count == 20, text.utf8.last == UInt8(ascii: "Z") else { return nil }
        return EventTime.milliseconds(text)
    }

    func token(after position: LogPosition) -> String {
        PageToken.text(
            Token(
                time: position.time, sequence: position.sequence, start: startText, end: endText, fingerprint: fingerprint))
    }

    private struct Token: Codable {
        var time: Int64
        var sequence: UInt64
        var start: String
        var end: String
        var fingerprint: UInt64
    }

    /// `LookupAttribute.N.Key` and `.Value`; of a repeated key the last one counts.
    static func attributes(
        _ context: RPCContext
    ) throws(RPCError) -> (conditions: [LookupQuery.Condition], text: String) {
        var keys: [Int: String] = [:]
        var values: [Int: String] = [:]
        for parameter in context.parameters.all {
            let parts = parameter.name.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0] == "LookupAttribute" else { continue }
            guard let index = Int(parts[1]), (1...100).contains(index) else {
                throw .invalidParameter("\(parameter.name.prefix(64)) has no number from 1 to 100.")
            }
            switch parts[2] {
            case "Key": keys[index] = keys[index] ?? parameter.value
            case "Value": values[index] = values[index] ?? parameter.value
            default: continue
            }
        }
        var conditions: [LookupQuery.Condition] = []
        var text = ""
        for index in Set(keys.keys).union(values.keys).sorted() {
            guard let key = keys[index], let value = values[index], !value.isEmpty else {
                throw .invalidParameter("LookupAttribute.\(index) needs both a Key and a Value.")
            }
            if key == "Text" {
                guard value.utf8.count <= textLimit, (1...wordLimit).contains(LogEngine.wordCount(value)) else {
                    throw .invalidParameter("Text is from one word to \(wordLimit), in at most \(textLimit) bytes.")
                }
                text = value
                continue
            }
            guard let attribute = LookupAttribute(wireName: key) else {
                throw .invalidParameter("\(key.prefix(64)) is not an attribute that events can be looked up by.")
            }
            if attribute == .eventRW && value != "Read" && value != "Write" {
                throw .invalidParameter("EventRW must be Read or Write.")
            }
            if attribute == .sensitiveAction && value != "true" {
                throw .invalidParameter("SensitiveAction can only be true.")
            }
            conditions.removeAll { $0.attribute == attribute }
            conditions.append(.init(attribute, value))
        }
        return (conditions, text)
    }
}
