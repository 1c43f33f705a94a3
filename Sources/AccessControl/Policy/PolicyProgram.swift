// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A document's statements laid out for deciding: all patterns in one run of bytes, Deny before Allow.
///
/// A user may have hundreds of statements and nearly all say nothing about a request, so what is walked through holds
/// no references: passing over a statement counts nothing up or down and follows no pointer but that of the bytes.
struct PolicyProgram: Sendable {
    /// Patterns of one statement, and whether they are the ones it does not mean.
    struct Patterns: Sendable {
        var first: Int32
        var end: Int32
        var areExcluded: Bool
    }

    struct Head: Sendable {
        var actions: Patterns
        var resources: Patterns
        var hasConditions: Bool
    }

    /// In the order of `heads`: Deny first, each as written.
    let statements: [PolicyStatement]
    private let heads: [Head]
    private let denyCount: Int
    private let actions: [PatternTable.Pattern]
    private let resources: [ResourcePattern]
    private let table: PatternTable

    init(_ written: [PolicyStatement]) {
        statements = written.filter { $0.effect == .deny } + written.filter { $0.effect == .allow }
        denyCount = written.count { $0.effect == .deny }
        var table = PatternTable()
        var actions: [PatternTable.Pattern] = []
        var resources: [ResourcePattern] = []
        heads = statements.map { statement in
            let firstAction = actions.count
            for text in statement.actions.texts { actions.append(table.add(text.asciiLowercased())) }
            let firstResource = resources.count
            for text in statement.resources?.texts ?? ["*"] { resources.append(ResourcePattern(text, in: &table)) }
            return Head(
                actions: Patterns(
                    first: Int32(firstAction), end: Int32(actions.count), areExcluded: statement.actions.areExcluded),
                resources: Patterns(
                    first: Int32(firstResource), end: Int32(resources.count),
                    areExcluded: statement.resources?.areExcluded ?? false),
                hasConditions: !statement.conditions.isEmpty)
        }
        self.table = table
        self.actions = actions
        self.resources = resources
    }
}

extension PolicyProgram {
    /// The statements of one effect, as indices of `statements`.
    func range(of effect: PolicyStatement.Effect) -> Range<Int> {
        effect == .deny ? 0..<denyCount : denyCount..<heads.count
    }

    /// The first statement from `start` on that speaks of the request, whoever it means.
    func next(_ effect: PolicyStatement.Effect, from start: Int? = nil, for question: Question) -> Int? {
        let range = range(of: effect)
        var index = max(start ?? range.lowerBound, range.lowerBound)
        let heads = heads.span
        while index < range.upperBound {
            if speaks(heads[index], of: question),
                !heads[index].hasConditions || statements[index].conditions.allSatisfy({ $0.holds(in: question.context) })
            {
                return index
            }
            index += 1
        }
        return nil
    }

    private func speaks(_ head: Head, of question: Question) -> Bool {
        matchesAction(head.actions, question) != head.actions.areExcluded
            && matchesResource(head.resources, question) != head.resources.areExcluded
    }

    private func matchesAction(_ patterns: Patterns, _ question: Question) -> Bool {
        let actions = actions.span
        let text = question.action.span
        var index = Int(patterns.first)
        while index < Int(patterns.end) {
            if table.matches(actions[index], text) { return true }
            index += 1
        }
        return false
    }

    private func matchesResource(_ patterns: Patterns, _ question: Question) -> Bool {
        let resources = resources.span
        var index = Int(patterns.first)
        while index < Int(patterns.end) {
            if resources[index].matches(question, in: table) { return true }
            index += 1
        }
        return false
    }
}
