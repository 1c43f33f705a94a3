// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A value while a query runs. What it means is in the expression's static type: a timestamp is an integer of milliseconds
/// since 1970 UTC, a date one of days, an interval one of milliseconds or months; JSON is its text.
enum SQLValue: Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case double(Double)
    case text(String)
    case array(SQLArray)
    case map(SQLMap)

    var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// Bytes that keeping the value costs, roughly.
    var cost: Int {
        switch self {
        case .null, .boolean, .integer, .double: 24
        case .text(let text):
            // A text of up to 15 bytes is kept in place.
            text.utf8.count > 15 ? 56 + text.utf8.count : 24
        case .array(let array): 24 + array.cost
        case .map(let map): 24 + map.keys.cost + map.values.cost + 32 * map.keys.elements.count
        }
    }

    /// Values in it and in what it holds: 1 for anything but arrays and maps.
    var weight: Int {
        switch self {
        case .array(let array): array.weight
        case .map(let map): map.keys.weight + map.values.weight
        default: 1
        }
    }
}

/// Equal as GROUP BY, DISTINCT and IN need it: NULL equals NULL, NaN equals NaN, texts by their bytes.
extension SQLValue: Hashable {
    static func == (left: SQLValue, right: SQLValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.boolean(let a), .boolean(let b)): a == b
        case (.integer(let a), .integer(let b)): a == b
        case (.double(let a), .double(let b)): a == b || (a.isNaN && b.isNaN)
        case (.text(let a), .text(let b)): a.hasSameBytes(as: b)
        case (.array(let a), .array(let b)): a === b || a.elements == b.elements
        case (.map(let a), .map(let b)): a === b || a.hasSameEntries(as: b)
        default: false
        }
    }

    func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .boolean(let value): hasher.combine(value)
        case .integer(let value): hasher.combine(value)
        case .double(let value): hasher.combine(value.isNaN ? Double.nan.bitPattern : (value == 0 ? 0 : value.bitPattern))
        case .text(let value): value.hashBytes(into: &hasher)
        case .array(let array): hasher.combine(array.elements)
        case .map(let map):
            // Without regard to the order of the entries.
            hasher.combine(map.keys.elements.count)
            hasher.combine(map.keys.elements.reduce(0) { $0 ^ $1.hashValue })
        }
    }

    /// As ORDER BY, min and max need it; of two values of one type, neither NULL. False before true, NaN last.
    func isBefore(_ other: SQLValue) -> Bool { compared(with: other) < 0 }

    /// Negative, zero or positive. NULL, which only arrays hold here, comes last.
    func compared(with other: SQLValue) -> Int {
        switch (self, other) {
        case (.integer(let a), .integer(let b)): return a < b ? -1 : (a == b ? 0 : 1)
        case (.double(let a), .double(let b)):
            if a < b { return -1 }
            if a == b { return 0 }
            if a > b { return 1 }
            return a.isNaN ? (b.isNaN ? 0 : 1) : -1
        case (.text(let a), .text(let b)): return a.comparedBytes(with: b)
        case (.boolean(let a), .boolean(let b)): return a == b ? 0 : (b ? -1 : 1)
        case (.array(let a), .array(let b)):
            for (left, right) in zip(a.elements, b.elements) {
                let order = left.compared(with: right)
                if order != 0 { return order }
            }
            return a.elements.count - b.elements.count
        case (.null, .null): return 0
        case (.null, _): return 1
        case (_, .null): return -1
        default: return 0
        }
    }
}

extension SQLValue {
    init(_ value: Bool?) { self = value.map { .boolean($0) } ?? .null }
    init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }
    init(_ value: Double?) { self = value.map { .double($0) } ?? .null }
    init(_ value: String?) { self = value.map { .text($0) } ?? .null }

    /// The accessors are for values whose static type was checked; they give a neutral value rather than trap.
    var bool: Bool {
        if case .boolean(let value) = self { value } else { false }
    }
    var int: Int64 {
        if case .integer(let value) = self { value } else { 0 }
    }
    var real: Double {
        switch self {
        case .double(let value): value
        case .integer(let value): Double(value)
        default: 0
        }
    }
    var string: String {
        if case .text(let value) = self { value } else { "" }
    }
    var elements: [SQLValue] {
        if case .array(let value) = self { value.elements } else { [] }
    }
    var entries: SQLMap {
        if case .map(let value) = self { value } else { .empty }
    }
}
