// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What is looked for among the rows of a store, as far as its indexes can tell: any combination of conditions.
///
/// An index does not always know: it tells of each row whether it matches certainly, possibly, or not at all. What matches
/// possibly is compared with the record.
public indirect enum RowCondition: Sendable {
    case all
    /// Rows of records from this sequence on.
    case from(UInt64)
    /// Rows with a term.
    case term(RowFacts.Term)
    /// Rows that may have all of the words; never certain. No words: any row.
    case words([SearchWord])
    case value(FieldTest)
    /// What matches certainly only counts as possible.
    case maybe(RowCondition)
    case and([RowCondition])
    case or([RowCondition])
    case not(RowCondition)
}

/// A condition on the value of a field: asked once of each value that there is, not of each row.
public struct FieldTest: Sendable {
    /// Of more values in one part of the store, which are those of ids and the like, none is asked: ``otherwise`` counts.
    static let valueLimit = 1 << 14
    /// Of so few rows that may match none of the values is asked either.
    static let lookLimit = 512

    public var field: UInt8
    /// Whether a value matches: by its key, see ``GroupCounts/isKey(_:of:)``, and the sequence of a record that has it. Nil if
    /// only the records can tell. Rows without the field do not match.
    public var matches: @Sendable (_ key: UInt64, _ example: UInt64) throws -> Bool?
    /// Where rows may match at all, whatever their values are.
    public var otherwise: RowCondition
    /// Records before this one were indexed without the field.
    public var since: UInt64

    /// Whether there are rows that cannot match by ``otherwise``.
    var narrows: Bool {
        switch otherwise {
        case .all: false
        case .maybe(.all): false
        default: true
        }
    }

    public init(
        field: UInt8, otherwise: RowCondition, since: UInt64,
        matches: @escaping @Sendable (_ key: UInt64, _ example: UInt64) throws -> Bool?
    ) {
        self.field = field
        self.otherwise = otherwise
        self.since = since
        self.matches = matches
    }
}

/// Rows of one account that match a condition, within a range of time.
public struct RowQuery: Sendable {
    public var account: String
    public var condition: RowCondition
    /// Milliseconds, both ends included.
    public var times: ClosedRange<Int64>

    public init(account: String, condition: RowCondition, times: ClosedRange<Int64>) {
        self.account = account
        self.condition = condition
        self.times = times
    }
}
