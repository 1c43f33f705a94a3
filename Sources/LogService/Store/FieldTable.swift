// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Which number the engine knows a column of a logstore by. A number is never given to another column, and what has one is
/// indexed for ever, whatever becomes of the index: so no log lacks a column that others after it have.
struct FieldTable: Codable, Sendable, Equatable {
    /// Fields of every log.
    enum Standard {
        /// The engine's unique field: logs have no ids.
        static let unique: UInt8 = 1
        static let topic: UInt8 = 2
        static let source: UInt8 = 3
        /// Has one value, for logs with a backslash before a letter: they may have words that the word index does not know.
        static let escapes: UInt8 = 4
        static let shard: UInt8 = 5
    }

    static let first: UInt8 = 8
    /// One more than the highest number: 240 fields.
    static let end: UInt8 = 248

    struct Entry: Codable, Sendable, Equatable {
        var number: UInt8
        /// Logs before this one may have been indexed without the column.
        var since: UInt64
    }

    /// Of columns while logs are still being written that are indexed without them: until then no index is sure of them.
    private static let unsettled = UInt64.max

    private(set) var entries: [LogColumn: Entry] = [:]

    subscript(column: LogColumn) -> Entry? { entries[column] }

    /// Grows with each addition.
    var count: Int { entries.count }

    var isUnsettled: Bool { entries.values.contains { $0.since == Self.unsettled } }

    /// Gives numbers to what an index has and the table has not, as long as there are any: a column without one is
    /// searched by its words and by the logs themselves. They are to be settled.
    mutating func add(_ columns: [LogColumn]) {
        var number = entries.values.map(\.number).max().map { $0 + 1 } ?? Self.first
        for column in columns where entries[column] == nil && number < Self.end {
            entries[column] = Entry(number: number, since: Self.unsettled)
            number += 1
        }
    }

    /// - Parameter next: logs from this one on are indexed with all columns.
    mutating func settle(at next: UInt64) {
        for (column, entry) in entries where entry.since == Self.unsettled { entries[column]?.since = next }
    }
}

extension IndexConfiguration {
    /// Everything that has a setting of its own, in a fixed order, but for what every log has.
    var columns: [LogColumn] {
        fields.sorted { $0.key < $1.key }.flatMap { key, field -> [LogColumn] in
            switch field {
            case .value: LogColumn(key: key).map { [$0] } ?? []
            case .json(let json): json.leaves.keys.sorted().map { .leaf(field: key, path: $0) }
            }
        }
    }
}
