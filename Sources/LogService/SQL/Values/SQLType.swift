// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Static type of an expression, in Presto's terms. Every integer type is bigint, every decimal one double.
package indirect enum SQLType: Hashable, Sendable {
    /// Of NULL without a type; becomes any other.
    case unknown
    case boolean
    case bigint
    case double
    case varchar
    case json
    case timestamp
    case date
    case intervalDayToSecond
    case intervalYearToMonth
    case array(SQLType)
    case map(SQLType, SQLType)

    package var name: String {
        switch self {
        case .unknown: "unknown"
        case .boolean: "boolean"
        case .bigint: "bigint"
        case .double: "double"
        case .varchar: "varchar"
        case .json: "json"
        case .timestamp: "timestamp"
        case .date: "date"
        case .intervalDayToSecond: "interval day to second"
        case .intervalYearToMonth: "interval year to month"
        case .array(let element): "array(\(element.name))"
        case .map(let key, let value): "map(\(key.name), \(value.name))"
        }
    }

    /// Levels of arrays and maps; bounded, so that walking a value never goes deep.
    var depth: Int {
        switch self {
        case .array(let element): 1 + element.depth
        case .map(let key, let value): 1 + max(key.depth, value.depth)
        default: 0
        }
    }

    static let maximumDepth = 8

    var isNumber: Bool { self == .bigint || self == .double }

    /// What values of both types can become without being asked for; nil if there is no such type.
    static func common(_ left: SQLType, _ right: SQLType) -> SQLType? {
        if left == right { return left }
        switch (left, right) {
        case (.unknown, let other), (let other, .unknown): return other
        case (.bigint, .double), (.double, .bigint): return .double
        case (.date, .timestamp), (.timestamp, .date): return .timestamp
        case (.array(let a), .array(let b)): return common(a, b).map { .array($0) }
        case (.map(let a, let b), .map(let c, let d)):
            guard let key = common(a, c), let value = common(b, d) else { return nil }
            return .map(key, value)
        default: return nil
        }
    }

    func becomes(_ other: SQLType) -> Bool { SQLType.common(self, other) == other }
}
