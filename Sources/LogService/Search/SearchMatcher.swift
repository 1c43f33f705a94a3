// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Looks at one log after another for what a plan searches. For one thread at a time.
///
/// A field is looked up, and the leaves of a JSON field are found, when the first condition asks for them, once for each log.
package struct SearchMatcher {
    private struct Field {
        var isKnown = false
        var value: UnsafeRawBufferPointer?
        var areLeavesKnown = false
        var leaves: [JSONLeaf?]
    }

    private let plan: SearchPlan
    private var fields: [Field]
    private let scratch = ScratchBytes()

    package init(_ plan: SearchPlan) {
        self.plan = plan
        fields = plan.fields.map { Field(leaves: Array(repeating: nil, count: $0.paths.count)) }
    }

    package mutating func matches(_ log: LogView) -> Bool {
        for index in fields.indices {
            fields[index].isKnown = false
            fields[index].areLeavesKnown = false
        }
        var step = plan.program.first
        while step >= 0 {
            let now = plan.program.steps[step]
            step = holds(now.condition, log) ? now.ifTrue : now.ifFalse
        }
        return step == SearchProgram.found
    }

    private mutating func holds(_ number: Int, _ log: LogView) -> Bool {
        let condition = plan.conditions[number]
        switch condition.target {
        case .topic: return condition.test.matches(log.topic, scratch: scratch)
        case .source: return condition.test.matches(log.source, scratch: scratch)
        case .tag: return condition.test.matches(Self.last(of: log.tags, called: condition.tag), scratch: scratch)
        case .field: return condition.test.matches(value(condition.field, log), scratch: scratch)
        case .leaf:
            guard let leaf = leaf(condition, log) else { return condition.test.matches(nil, scratch: scratch) }
            return leaf.withText(scratch: scratch) { condition.test.matches($0, scratch: ScratchBytes()) }
        case .line:
            guard case .words(let test) = condition.test else { return false }
            return hasWords(test, log)
        }
    }

    private mutating func value(_ field: Int, _ log: LogView) -> UnsafeRawBufferPointer? {
        if !fields[field].isKnown {
            fields[field].value = Self.last(of: log.contents, called: plan.fields[field].key)
            fields[field].isKnown = true
        }
        return fields[field].value
    }

    private mutating func leaf(_ condition: BoundCondition, _ log: LogView) -> JSONLeaf? {
        guard let text = value(condition.field, log) else { return nil }
        if !fields[condition.field].areLeavesKnown {
            plan.fields[condition.field].paths.find(in: text, into: &fields[condition.field].leaves)
            fields[condition.field].areLeavesKnown = true
        }
        return fields[condition.field].leaves[condition.path]
    }

    private static func last(of fields: [LogView.Field], called name: [UInt8]) -> UnsafeRawBufferPointer? {
        name.withUnsafeBytes { name in
            fields.last { ByteText.equal($0.key, name) }?.value
        }
    }

    /// Words may stand in different fields, a phrase stands in one.
    private func hasWords(_ test: WordTest, _ log: LogView) -> Bool {
        var missing = test.everyWord
        for field in log.contents where missing != 0 {
            test.takeWords(of: field.key, from: &missing)
            if isJSON(field) {
                test.takeWords(ofJSON: field.value, from: &missing, scratch: scratch)
            } else {
                test.takeWords(of: field.value, from: &missing)
            }
        }
        guard missing == 0 else { return false }
        guard let phrase = test.phrase else { return true }
        return log.contents.contains { field in
            phrase.isIn(field.key)
                || (isJSON(field) ? test.hasPhrase(inJSON: field.value, scratch: scratch) : phrase.isIn(field.value))
        }
    }

    private func isJSON(_ field: LogView.Field) -> Bool {
        plan.jsonKeys.contains { key in key.withUnsafeBytes { ByteText.equal($0, field.key) } }
    }
}
