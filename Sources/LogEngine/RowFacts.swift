// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The searchable facts of a run of records, in order: what the engine indexes, without their bytes.
///
/// - Shape: `times`, `uniqueHashes` one value a row; `terms` of row r are those in
///   `termEnds[r - 1]..<termEnds[r]`.
/// - Units: times are milliseconds since 1970, UTC.
public struct RowFacts: Sendable {
    public struct Term: Sendable, Equatable {
        public var field: UInt8
        public var hash: UInt64

        public init(field: UInt8, hash: UInt64) {
            self.field = field
            self.hash = hash
        }
    }

    public private(set) var times: [Int64] = []
    /// Hash of the row's unique key, which is also one of its terms (``LogEngine/Settings/uniqueField``).
    public private(set) var uniqueHashes: [UInt64] = []
    public private(set) var termEnds: [UInt32] = []
    public private(set) var terms: [Term] = []

    public init() {}

    public var count: Int { times.count }

    public mutating func reserve(rows: Int) {
        times.reserveCapacity(rows)
        uniqueHashes.reserveCapacity(rows)
        termEnds.reserveCapacity(rows)
        terms.reserveCapacity(rows * 13)
    }

    public mutating func append(term: Term) { terms.append(term) }

    /// Ends a row begun with ``append(term:)``.
    public mutating func endRow(time: Int64, uniqueHash: UInt64) {
        times.append(time)
        uniqueHashes.append(uniqueHash)
        termEnds.append(UInt32(terms.count))
    }

    public func terms(of row: Int) -> ArraySlice<Term> {
        terms[(row == 0 ? 0 : Int(termEnds[row - 1]))..<Int(termEnds[row])]
    }

    /// Copies one row of another run.
    public mutating func append(row: Int, of other: RowFacts) {
        terms.append(contentsOf: other.terms(of: row))
        endRow(time: other.times[row], uniqueHash: other.uniqueHashes[row])
    }
}
