// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// An immutable array that knows how many values it holds in all, arrays within it counted through. Arrays share their parts,
/// so a small expression could stand for more values than there is time to look at: making such an array fails.
final class SQLArray: Sendable {
    let elements: [SQLValue]
    let weight: Int
    /// Bytes, roughly.
    let cost: Int

    static let empty = SQLArray(elements: [], weight: 1, cost: 32)
    static let maximumWeight = 1_000_000
    static let maximumCost = 64 << 20

    private init(elements: [SQLValue], weight: Int, cost: Int) {
        self.elements = elements
        self.weight = weight
        self.cost = cost
    }

    static func of(_ elements: [SQLValue]) throws -> SQLArray {
        var weight = 1
        var cost = 32
        for element in elements {
            weight += element.weight
            cost += element.cost
            if weight > maximumWeight || cost > maximumCost { throw SQLFailure.limit("an array is too large") }
        }
        return SQLArray(elements: elements, weight: weight, cost: cost)
    }
}

extension SQLValue {
    static func array(of elements: [SQLValue]) throws -> SQLValue { .array(try SQLArray.of(elements)) }
}

/// An immutable map in order of insertion.
final class SQLMap: Sendable {
    let keys: SQLArray
    let values: SQLArray
    private let places: [SQLValue: Int]

    static let empty = SQLMap(keys: .empty, values: .empty, places: [:])

    private init(keys: SQLArray, values: SQLArray, places: [SQLValue: Int]) {
        self.keys = keys
        self.values = values
        self.places = places
    }

    /// Of two entries with one key the last counts, at the place of the first.
    static func of(_ entries: some Sequence<(SQLValue, SQLValue)>) throws -> SQLMap {
        var places: [SQLValue: Int] = [:]
        var keys: [SQLValue] = []
        var values: [SQLValue] = []
        for (key, value) in entries {
            if let place = places[key] {
                values[place] = value
            } else {
                places[key] = keys.count
                keys.append(key)
                values.append(value)
            }
        }
        return SQLMap(keys: try .of(keys), values: try .of(values), places: places)
    }

    subscript(key: SQLValue) -> SQLValue? { places[key].map { values.elements[$0] } }

    func hasSameEntries(as other: SQLMap) -> Bool {
        keys.elements.count == other.keys.elements.count
            && zip(keys.elements, values.elements).allSatisfy { other[$0] == $1 }
    }
}
