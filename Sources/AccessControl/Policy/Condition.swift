// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// One key of one operator, with its operands read.
struct Condition: Sendable {
    private enum Operands: Sendable {
        case texts([String])
        case patterns([Glob])
        case numbers([PolicyNumber], ConditionOperator.Comparison)
        case dates([WireTime], ConditionOperator.Comparison)
        case bools([Bool])
        case networks([IPNetwork])
    }

    private let key: ConditionKey
    private let quantifier: ConditionOperator.Quantifier
    private let isNegated: Bool
    private let ignoresCase: Bool
    private let operands: Operands

    init(_ condition: ConditionOperator, key: ConditionKey, operands: [String]) throws(ConditionOperator.BadOperand) {
        self.key = key
        quantifier = condition.quantifier
        isNegated = condition.isNegated
        let isPrincipal = key == .principalARN
        switch condition.test {
        case .string(let ignoringCase):
            ignoresCase = ignoringCase || isPrincipal
            var texts = isPrincipal ? operands.map(Self.principal) : operands
            if ignoresCase { texts = texts.map { $0.asciiLowercased() } }
            self.operands = .texts(texts)
        case .like:
            ignoresCase = isPrincipal
            let patterns = isPrincipal ? operands.map { Self.principal($0).asciiLowercased() } : operands
            for pattern in patterns where !Glob.isSearchable(pattern) {
                throw ConditionOperator.BadOperand(
                    text: pattern, expected: "at most \(Glob.longestSearch) characters with ? between two *")
            }
            self.operands = .patterns(patterns.map(Glob.init))
        case .number(let comparison):
            ignoresCase = false
            self.operands = .numbers(try Self.read(operands, as: "a number") { PolicyNumber($0) }, comparison)
        case .date(let comparison):
            ignoresCase = false
            self.operands = .dates(
                try Self.read(operands, as: "a date like 2026-08-12T17:00:00+08:00") { WireTime(policyDate: $0) }, comparison)
        case .bool:
            ignoresCase = false
            self.operands = .bools(try Self.read(operands, as: "true or false", Self.bool))
        case .address:
            ignoresCase = false
            self.operands = .networks(try Self.read(operands, as: "an address or a network") { IPNetwork($0) })
        }
    }

    private static func read<Value>(
        _ texts: [String], as expected: String, _ read: (String) -> Value?
    ) throws(ConditionOperator.BadOperand) -> [Value] {
        var values: [Value] = []
        for text in texts {
            guard let value = read(text) else { throw ConditionOperator.BadOperand(text: text, expected: expected) }
            values.append(value)
        }
        return values
    }

    /// Principals are written with and without a `*` for their region, which they do not have.
    private static func principal(_ text: String) -> String {
        let prefix = "acs:ram:*:"
        return text.startsIgnoringAsciiCase(with: prefix)
            ? "acs:ram::" + String(decoding: text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self) : text
    }

    private static func bool(_ text: String) -> Bool? {
        switch text.asciiLowercased() {
        case "true": true
        case "false": false
        default: nil
        }
    }
}

extension Condition {
    /// Whether it holds. A key that the request lacks fails a positive operator and passes a negated one; under
    /// `ForAnyValue:` it fails both, under `ForAllValues:` it passes both, as sets without members do.
    func holds(in context: DecisionContext) -> Bool {
        let values = context.values(of: key)
        switch quantifier {
        case .plain: return values.contains(where: matches) != isNegated
        case .forAnyValue: return values.contains { matches($0) != isNegated }
        case .forAllValues: return values.allSatisfy { matches($0) != isNegated }
        }
    }

    /// Whether one of the operands fits. A value that is none of the operator's kind fits none.
    private func matches(_ value: String) -> Bool {
        let value = ignoresCase ? value.asciiLowercased() : value
        switch operands {
        case .texts(let texts): return texts.contains { $0.hasSameBytes(as: value) }
        case .patterns(let patterns): return patterns.contains { $0.matches(value) }
        case .numbers(let numbers, let comparison):
            guard let value = PolicyNumber(value) else { return false }
            return numbers.contains { comparison.holds(value, $0) }
        case .dates(let dates, let comparison):
            guard let value = WireTime(policyDate: value) else { return false }
            return dates.contains { comparison.holds(value, $0) }
        case .bools(let bools): return Self.bool(value).map(bools.contains) ?? false
        case .networks(let networks):
            guard let address = IPAddress(value) else { return false }
            return networks.contains { $0.contains(address) }
        }
    }
}
