// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Makes of a condition what is asked of the values of a field of some kind.
struct ConditionTest {
    private let condition: SearchCondition
    private let kind: FieldKind

    init(_ condition: SearchCondition, _ kind: FieldKind) {
        self.condition = condition
        self.kind = kind
    }

    func test() throws(LogServiceError) -> ValueTest {
        switch condition.test {
        case .exists: return .exists
        case .value(let value):
            if condition.key != nil, value.text.isEmpty { return .isEmpty }
            switch kind {
            case .text(let text, let isJSON): return try words(value, TextRules(text), isJSON: isJSON)
            case .number: return try equal(value)
            }
        case .comparison(let comparison, let number):
            let closed = NumberRange.Bound(number: number, isIncluded: true)
            let open = NumberRange.Bound(number: number, isIncluded: false)
            return switch comparison {
            case .equal: try range(from: closed, to: closed)
            case .greater: try range(from: open, to: nil)
            case .greaterOrEqual: try range(from: closed, to: nil)
            case .less: try range(from: nil, to: open)
            case .lessOrEqual: try range(from: nil, to: closed)
            }
        case .range(let from, let includesFrom, let to, let includesTo):
            return try range(
                from: NumberRange.Bound(number: from, isIncluded: includesFrom),
                to: NumberRange.Bound(number: to, isIncluded: includesTo))
        }
    }

    private func words(_ value: SearchValue, _ rules: TextRules, isJSON: Bool) throws(LogServiceError) -> ValueTest {
        let patterns = try value.words(by: rules, column: condition.column)
        guard !patterns.isEmpty || value.form == .phrase else {
            let advice = condition.key.map { "; \($0):* finds any value, \($0):\"\" an empty one" } ?? ""
            throw .parameter(
                "The value '\(value.text)' at column \(condition.column) has no words, only delimiters of the index\(advice).")
        }
        let phrase = value.form == .phrase ? PhrasePattern(value.text, rules: rules) : nil
        let test = WordTest(rules: rules, patterns: patterns, phrase: phrase)
        return isJSON ? .wordsOfJSON(test) : .words(test)
    }

    private func equal(_ value: SearchValue) throws(LogServiceError) -> ValueTest {
        let bound = NumberRange.Bound(number: value.text, isIncluded: true)
        guard value.form != .phrase, NumberText.isNumber(value.text) else {
            throw .parameter(
                "\(condition.key ?? "") at column \(condition.column) is a number: '\(value.text)' cannot be one of its values.")
        }
        return try range(from: bound, to: bound)
    }

    private func range(from: NumberRange.Bound?, to: NumberRange.Bound?) throws(LogServiceError) -> ValueTest {
        guard case .number(let isLong) = kind else {
            let key = condition.key ?? ""
            throw .parameter(
                "\(key) at column \(condition.column) is indexed as text and cannot be compared with a number:"
                    + " write \(key):value, or index it as long or double.")
        }
        guard let range = NumberRange(from: from, to: to, isLong: isLong) else {
            throw .parameter("A number is expected for \(condition.key ?? "") at column \(condition.column).")
        }
        return .number(range)
    }
}
