// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import LogEngine

/// What is looked up: events of one account with every attribute, in a range of their own time.
public struct LookupQuery: Sendable {
    public struct Condition: Sendable, Equatable {
        public var attribute: LookupAttribute
        public var value: String

        public init(_ attribute: LookupAttribute, _ value: String) {
            self.attribute = attribute
            self.value = value
        }
    }

    public var account: String
    public var conditions: [Condition]
    /// Words that stand anywhere in the event; see ``LogEngine/words(of:account:)``.
    public var text: String
    /// Milliseconds since 1970, both ends included.
    public var times: ClosedRange<Int64>
    public var direction: SearchDirection
    public var after: LogPosition?
    public var limit: Int

    public init(
        account: String, conditions: [Condition] = [], text: String = "", times: ClosedRange<Int64>,
        direction: SearchDirection = .newestFirst, after: LogPosition? = nil, limit: Int
    ) {
        self.account = account
        self.conditions = conditions
        self.text = text
        self.times = times
        self.direction = direction
        self.after = after
        self.limit = limit
    }
}

public struct LookupPage: Sendable {
    public var events: [StoredRecord]
    /// Where the next page begins; nil on the last one.
    public var next: LogPosition?
    /// Matches that could not be read.
    public var damaged: [StoreDamage]
}

extension EventHistory {
    /// One page of a lookup. It sees every event acknowledged before it began.
    public func lookUp(_ query: LookupQuery) throws -> LookupPage {
        let words = engine.words(of: query.text, account: query.account)
        var cursor = try engine.search(
            SearchQuery(
                account: query.account, terms: terms(query.conditions, account: query.account), words: words, times: query.times,
                direction: query.direction, after: query.after), patience: Self.patience)
        var page = LookupPage(events: [], next: nil, damaged: [])
        var last: LogPosition?
        var reader = EventFieldReader()
        while let position = try cursor.next() {
            do {
                let record = try engine.record(at: position.sequence)
                guard record.matches(query, &reader), record.withBytes({ engine.has(words, $0) }) else { continue }
                if page.events.count == query.limit {
                    page.next = last
                    break
                }
                page.events.append(record)
                last = position
            } catch let damage as StoreDamage {
                page.damaged.append(damage)
            } catch LogEngineError.missingRecords where position.sequence < engine.firstSequence {
                // Retention dropped it since the search began.
            }
        }
        // A page may end before it is full, or empty: the next one goes on from there.
        page.next = page.next ?? cursor.stopped
        return page
    }

    /// Some half a second of looking for words that are seldom in one event.
    private static let patience = 1 << 18

    func terms(_ conditions: [LookupQuery.Condition], account: String) -> [RowFacts.Term] {
        let hasher = engine.hasher(account: account)
        return conditions.map {
            .init(field: $0.attribute.rawValue, hash: hasher.hash(field: $0.attribute.rawValue, value: $0.value))
        }
    }
}

extension StoredRecord {
    /// Whether the record itself, not only its hashes, has what is asked for.
    func matches(_ query: LookupQuery, _ reader: inout EventFieldReader) -> Bool {
        account == query.account && has(query.conditions, &reader)
    }

    func has(_ conditions: [LookupQuery.Condition], _ reader: inout EventFieldReader) -> Bool {
        guard !conditions.isEmpty else { return true }
        return withBytes { bytes in
            guard let fields = reader.read(bytes) else { return false }
            return conditions.allSatisfy { condition in
                var value = condition.value
                return value.withUTF8 { fields.has(condition.attribute, UnsafeRawBufferPointer($0), in: bytes) }
            }
        }
    }
}
