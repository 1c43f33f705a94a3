// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A column that SQL may name.
package struct SQLColumn: Sendable, Equatable {
    package enum Kind: Sendable {
        case varchar
        case bigint
        case double
    }

    package var name: String
    /// What SQL calls it instead; the name is understood too.
    package var alias: String?
    package var type: Kind

    package init(name: String, alias: String? = nil, type: Kind) {
        self.name = name
        self.alias = alias
        self.type = type
    }
}

/// That equal rows may be told once, with how often they occur.
package struct ScanGrouping: Sendable, Equatable {
    /// Of `__time__` only the last multiple of so many seconds (since 1970 UTC) matters; nil if it is not read.
    package var timeStep: Int64?

    package init(timeStep: Int64?) { self.timeStep = timeStep }
}

/// The logs that a search selected, as a table.
package protocol ColumnSource {
    var columns: [SQLColumn] { get }

    /// Reads some columns of every row.
    ///
    /// - Parameters:
    ///   - columns: Places in `columns`, ascending; maybe none, if only the number of rows matters.
    ///   - grouping: If not nil, the source may give equal rows as one, weighted. It may also give each row by itself, and
    ///     `__time__` exactly or rounded down to the grouping's step.
    ///   - shift: The rows of a range of time that is so many seconds earlier; their times are as they were written.
    func scan(_ columns: [Int], grouping: ScanGrouping?, shift: Int64) throws -> any ColumnScan
}

package protocol ColumnScan {
    /// Nil after the last. Batches of some thousand rows are best.
    mutating func nextBatch() throws -> ColumnBatch?
}

package struct ColumnBatch: Sendable {
    package var count: Int
    /// How often each row occurs; nil for once.
    package var weights: [Int64]?
    /// In the order asked for, each of `count` values.
    package var columns: [ColumnVector]

    package init(count: Int, weights: [Int64]? = nil, columns: [ColumnVector]) {
        self.count = count
        self.weights = weights
        self.columns = columns
    }
}

package enum ColumnVector: Sendable {
    /// Where `nulls` is true there is no value.
    case integers([Int64], nulls: [Bool]?)
    case doubles([Double], nulls: [Bool]?)
    /// `values[code]`; code 0 stands for NULL whatever is there. What is computed from a value is kept for the batches that
    /// come with the same array.
    case dictionary(codes: [UInt32], values: [String?])
    case texts([String?])
}
