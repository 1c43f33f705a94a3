// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Names that an expression may use, and those of the queries around.
final class SQLScope {
    struct Column {
        /// Of the relation, lower case; nil if it has none.
        var qualifier: String?
        /// As it was given.
        var name: String
        var alias: String?
        var type: SQLType
        /// The other side of a USING has the same.
        var isHidden = false
    }

    let columns: [Column]
    let parent: SQLScope?
    /// Queries around.
    let level: Int
    /// Places of columns by name and by alias, lower case.
    private var places: [String: [Int]] = [:]

    init(_ columns: [Column], parent: SQLScope?) {
        self.columns = columns
        self.parent = parent
        level = (parent?.level ?? -1) + 1
        for (index, column) in columns.enumerated() {
            for name in Set([column.name, column.alias].compactMap { $0?.lowercased() }) {
                places[name, default: []].append(index)
            }
        }
    }

    enum Match {
        case none
        case one(Int)
        case ambiguous
    }

    /// A column of this scope by its name, which may have the relation's before it. A dotted name may also be written
    /// without quotes.
    func find(_ parts: [String]) -> Match {
        let whole = find(parts.joined(separator: "."), in: nil)
        if case .none = whole, parts.count > 1 {
            return find(parts.dropFirst().joined(separator: "."), in: parts[0].lowercased())
        }
        return whole
    }

    private func find(_ name: String, in qualifier: String?) -> Match {
        let lower = name.lowercased()
        let found = (places[lower] ?? []).filter { index in
            qualifier.map { columns[index].qualifier == $0 } ?? !columns[index].isHidden
        }
        guard let first = found.first else { return .none }
        if found.count == 1 { return .one(first) }
        // Keys of logs may differ in case alone; then it counts.
        let exact = found.filter { columns[$0].name.hasSameBytes(as: name) || columns[$0].alias?.hasSameBytes(as: name) == true }
        if exact.count == 1 { return .one(exact[0]) }
        // An alias may be another column's name; it was given for SQL.
        let aliased = found.filter { columns[$0].alias?.lowercased() == lower }
        if aliased.count == 1 { return .one(aliased[0]) }
        return .ambiguous
    }
}
