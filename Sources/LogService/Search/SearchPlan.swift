// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A search that is ready to look at logs of a logstore.
package struct SearchPlan: Sendable {
    struct Field: Sendable {
        let key: [UInt8]
        let paths: JSONLeafPaths
    }

    /// Over the numbers of `conditions`.
    package let expression: BoundExpression
    package let conditions: [BoundCondition]
    /// For highlighting: what is looked for, without what must not be there.
    package let terms: [LogAnswer.Term]
    /// Some value is a phrase, `#"…"`.
    package let isPhraseSearch: Bool
    let fields: [Field]
    let program: SearchProgram
    /// Of fields whose values are looked through as JSON by words without a key.
    let jsonKeys: [[UInt8]]

    /// - Parameters:
    ///   - search: the part of a query before its pipe.
    ///   - index: nil if the logstore has none.
    package init(_ search: String, index: IndexConfiguration?) throws(LogServiceError) {
        let parsed = try SearchExpression(search)
        guard let index else { throw LogServiceError(400, "IndexConfigNotExist", "logstore without index config") }
        var binder = SearchBinder(index: index)
        expression = try binder.bind(parsed)
        conditions = binder.conditions
        terms = binder.terms
        isPhraseSearch = binder.isPhraseSearch
        fields = binder.fields.map { Field(key: Array($0.key.utf8), paths: JSONLeafPaths($0.paths)) }
        program = SearchProgram(expression)
        jsonKeys = index.fields.compactMap { key, field in
            if case .json = field { Array(key.utf8) } else { nil }
        }
    }

    /// Every log is found.
    package var matchesAll: Bool { program.first == SearchProgram.found }
}
