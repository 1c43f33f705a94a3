// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What a search says, before it is known which fields there are.
package indirect enum SearchExpression: Sendable, Equatable {
    /// Every log: an empty search, or `*`.
    case all
    case condition(SearchCondition)
    /// Of at least two.
    case and([SearchExpression])
    case or([SearchExpression])
    case not(SearchExpression)

    /// - Parameter search: the part of a query before its pipe.
    package init(_ search: String) throws(LogServiceError) { self = try SearchParser.parse(search) }
}

package struct SearchCondition: Sendable, Equatable {
    package enum Test: Sendable, Equatable {
        /// `key:value`, or a value alone.
        case value(SearchValue)
        /// `key:*`
        case exists
        /// `key > 5`
        case comparison(Comparison, number: String)
        /// `key in [1 2)`
        case range(from: String, includesFrom: Bool, to: String, includesTo: Bool)
    }

    package enum Comparison: String, Sendable {
        case equal = "="
        case greater = ">"
        case greaterOrEqual = ">="
        case less = "<"
        case lessOrEqual = "<="
    }

    /// Nil for words anywhere. Of a tag, `__tag__:` and its name.
    package var key: String?
    package var test: Test
    /// Where it begins in the query, in characters from 1.
    package var column: Int

    package init(key: String?, test: Test, column: Int) {
        self.key = key
        self.test = test
        self.column = column
    }
}

package struct SearchValue: Sendable, Equatable {
    package enum Form: Sendable {
        /// `*` and `?` are wildcards.
        case word
        case quoted
        /// `#"…"`: as it stands there, not only its words.
        case phrase
    }

    /// Without quotes and escapes.
    package var text: String
    package var form: Form

    package init(text: String, form: Form) {
        self.text = text
        self.form = form
    }
}
