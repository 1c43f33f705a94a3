// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import LogEngine
import Synchronization

/// Events of one account, counted by the values of one attribute or of two.
public struct CountQuery: Sendable {
    public var account: String
    public var conditions: [LookupQuery.Condition]
    /// Milliseconds since 1970, both ends included.
    public var times: ClosedRange<Int64>
    /// One or two; the second is none that an event can have several values of.
    public var attributes: [LookupAttribute]
    /// So many groups at most, the largest.
    public var limit: Int

    public init(
        account: String, conditions: [LookupQuery.Condition] = [], times: ClosedRange<Int64>, attributes: [LookupAttribute],
        limit: Int
    ) {
        self.account = account
        self.conditions = conditions
        self.times = times
        self.attributes = attributes
        self.limit = limit
    }
}

public struct CountAnswer: Sendable {
    public struct Group: Sendable {
        /// One for each attribute; nil where the event that says them is damaged.
        public var values: [String?]
        public var count: Int
    }

    /// Largest first.
    public var groups: [Group]
    /// How many groups there are, those beyond the limit included.
    public var groupCount: Int
}

extension EventHistory {
    /// Counts from the index; one event of each group is read for what the values are.
    ///
    /// An event without the attribute is not counted, one with several values once for each.
    public func count(_ query: CountQuery) throws -> CountAnswer {
        let fields = query.attributes.map(\.rawValue)
        let counts = try engine.count(
            SearchQuery(account: query.account, terms: terms(query.conditions, account: query.account), times: query.times),
            by: fields)
        let hasher = engine.hasher(account: query.account)
        let groups = try counts.largest(query.limit).map { group in
            CountAnswer.Group(
                values: zip(query.attributes, group.keys).map { attribute, key in
                    valueNames.name(of: key, account: query.account) {
                        (try? engine.record(at: group.example))?.value(of: attribute, key: key, hasher)
                    }
                },
                count: group.count)
        }
        return CountAnswer(groups: groups, groupCount: counts.groupCount)
    }
}

extension StoredRecord {
    /// The value of an attribute that belongs to a group's key.
    func value(of attribute: LookupAttribute, key: UInt64, _ hasher: TermHasher) -> String? {
        withBytes { bytes in
            guard let fields = EventFields.extract(bytes) else { return nil }
            for term in fields.terms where term.attribute == attribute {
                let text = fields.withBytes(of: term.value, in: bytes) { value in
                    GroupCounts.isKey(key, of: hasher.hash(field: attribute.rawValue, value: value))
                        ? String(decoding: value, as: UTF8.self) : nil
                }
                if let text { return text }
            }
            return nil
        }
    }
}

/// What keys of terms say, as far as somebody asked: it never changes.
final class ValueNames: Sendable {
    private struct Key: Hashable {
        var account: String
        var key: UInt64
    }

    private static let limit = 1 << 14
    private let names = Mutex<[Key: String]>([:])

    func name(of key: UInt64, account: String, _ find: () -> String?) -> String? {
        let place = Key(account: account, key: key)
        if let known = names.withLock({ $0[place] }) { return known }
        guard let found = find() else { return nil }
        guard found.utf8.count <= 256 else { return found }
        names.withLock { names in
            if names.count >= Self.limit { names.removeAll() }
            names[place] = found
        }
        return found
    }
}
