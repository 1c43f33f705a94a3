// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What a function takes or gives: a type, perhaps with variables that the arguments fill.
indirect enum SQLPattern: Sendable {
    case type(SQLType)
    case variable(Int)
    case arrayOf(SQLPattern)
    case mapOf(SQLPattern, SQLPattern)
    case lambda([SQLPattern], SQLPattern)
    /// A timestamp, or what can be read as one: a date, seconds since 1970, a text.
    case time
    /// bigint or double.
    case number

    static let boolean = SQLPattern.type(.boolean)
    static let bigint = SQLPattern.type(.bigint)
    static let double = SQLPattern.type(.double)
    static let varchar = SQLPattern.type(.varchar)
    static let json = SQLPattern.type(.json)
    static let timestamp = SQLPattern.type(.timestamp)
    static let date = SQLPattern.type(.date)
    static let texts = SQLPattern.type(.array(.varchar))
    static let t = SQLPattern.variable(0)
    static let u = SQLPattern.variable(1)
    static let v = SQLPattern.variable(2)
    static let ts = SQLPattern.arrayOf(.variable(0))

    var name: String {
        switch self {
        case .type(let type): type.name
        case .variable(let place): ["T", "U", "V", "W"][place % 4]
        case .arrayOf(let element): "array(\(element.name))"
        case .mapOf(let key, let value): "map(\(key.name), \(value.name))"
        case .lambda(let parameters, let result): "function(\(parameters.map(\.name).joined(separator: ", ")), \(result.name))"
        case .time: "timestamp"
        case .number: "number"
        }
    }
}

/// Variables of a pattern and what they stand for in one call.
struct SQLBindings {
    private var types: [Int: SQLType] = [:]

    /// Takes an argument's type into account.
    ///
    /// - Parameter isExact: Whether the argument may not be converted.
    /// - Returns: Whether it fits.
    mutating func bind(_ pattern: SQLPattern, _ type: SQLType, isExact: Bool) -> Bool {
        switch pattern {
        case .type(let wanted): return type == wanted || type == .unknown || (!isExact && type.becomes(wanted))
        case .variable(let place):
            guard let known = types[place] else {
                types[place] = type
                return true
            }
            guard let common = SQLType.common(known, type), !isExact || known == type || known == .unknown || type == .unknown
            else { return false }
            types[place] = common
            return true
        case .arrayOf(let element):
            if type == .unknown { return bind(element, .unknown, isExact: isExact) }
            guard case .array(let found) = type else { return false }
            return bind(element, found, isExact: isExact)
        case .mapOf(let key, let value):
            if type == .unknown { return bind(key, .unknown, isExact: isExact) && bind(value, .unknown, isExact: isExact) }
            guard case .map(let foundKey, let foundValue) = type else { return false }
            return bind(key, foundKey, isExact: isExact) && bind(value, foundValue, isExact: isExact)
        case .lambda: return false
        case .time:
            switch type {
            case .timestamp, .unknown: return true
            case .date, .bigint, .double, .varchar: return !isExact
            default: return false
            }
        case .number: return type.isNumber || type == .unknown
        }
    }

    /// The type a pattern stands for; nil for a lambda.
    func type(of pattern: SQLPattern) -> SQLType? {
        switch pattern {
        case .type(let type): return type
        case .variable(let place): return types[place] ?? .unknown
        case .arrayOf(let element): return type(of: element).map { .array($0) }
        case .mapOf(let key, let value):
            guard let key = type(of: key), let value = type(of: value) else { return nil }
            return .map(key, value)
        case .lambda, .number: return nil
        case .time: return .timestamp
        }
    }
}
