// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// An operator of a condition block. Source: ram.md section 4.
///
/// `StringEqualsAny` is read as `StringEquals`, of which one value is enough in any case.
struct ConditionOperator: Sendable, Hashable {
    /// Over which of several values in the request it must hold.
    enum Quantifier: Sendable {
        /// Of a positive operator one, of a negated one none.
        case plain
        case forAnyValue
        case forAllValues
    }

    enum Test: Sendable, Hashable {
        case string(ignoringCase: Bool)
        case like
        case number(Comparison)
        case date(Comparison)
        case bool
        case address
    }

    enum Comparison: Sendable {
        case equal, less, lessOrEqual, greater, greaterOrEqual

        func holds<Value: Comparable>(_ value: Value, _ operand: Value) -> Bool {
            switch self {
            case .equal: value == operand
            case .less: value < operand
            case .lessOrEqual: value <= operand
            case .greater: value > operand
            case .greaterOrEqual: value >= operand
            }
        }
    }

    /// An operand that is none of the operator's kind.
    struct BadOperand: Error {
        let text: String
        let expected: String
    }

    let quantifier: Quantifier
    let test: Test
    let isNegated: Bool

    init?(_ name: String) {
        let (prefix, rest) = name.splitAtFirst(Ascii.colon)
        switch (prefix, rest) {
        case ("ForAnyValue", _?): quantifier = .forAnyValue
        case ("ForAllValues", _?): quantifier = .forAllValues
        case (_, nil): quantifier = .plain
        default: return nil
        }
        guard let (test, isNegated) = Self.tests[rest ?? prefix] else { return nil }
        self.test = test
        self.isNegated = isNegated
    }

    private static let tests: [String: (Test, isNegated: Bool)] = [
        "StringEquals": (.string(ignoringCase: false), false),
        "StringEqualsAny": (.string(ignoringCase: false), false),
        "StringNotEquals": (.string(ignoringCase: false), true),
        "StringEqualsIgnoreCase": (.string(ignoringCase: true), false),
        "StringNotEqualsIgnoreCase": (.string(ignoringCase: true), true),
        "StringLike": (.like, false),
        "StringNotLike": (.like, true),
        "NumericEquals": (.number(.equal), false),
        "NumericNotEquals": (.number(.equal), true),
        "NumericLessThan": (.number(.less), false),
        "NumericLessThanEquals": (.number(.lessOrEqual), false),
        "NumericGreaterThan": (.number(.greater), false),
        "NumericGreaterThanEquals": (.number(.greaterOrEqual), false),
        "DateEquals": (.date(.equal), false),
        "DateNotEquals": (.date(.equal), true),
        "DateLessThan": (.date(.less), false),
        "DateLessThanEquals": (.date(.lessOrEqual), false),
        "DateGreaterThan": (.date(.greater), false),
        "DateGreaterThanEquals": (.date(.greaterOrEqual), false),
        "Bool": (.bool, false),
        "IpAddress": (.address, false),
        "NotIpAddress": (.address, true),
    ]
}
