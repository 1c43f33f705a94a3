// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// An ordered JSON value in which texts and numbers may hold slots, written `‹slot›`.
package enum JSON: Sendable {
    case text(String)
    case number(String)
    case flag(Bool)
    case list([JSON])
    case object([Field])

    package struct Field: Sendable {
        var name: String
        var value: JSON
    }

    /// A number that is filled in for each event.
    package static func number(_ slot: Slot) -> JSON {
        .number(slot.mark)
    }

    /// A JSON document carried as a text, as policies are.
    package static func document(_ value: JSON) -> JSON {
        .text(value.serialized)
    }

    package var serialized: String {
        switch self {
        case .text(let text): JSON.quoted(text)
        case .number(let digits): digits
        case .flag(let flag): flag ? "true" : "false"
        case .list(let values): "[" + values.map(\.serialized).joined(separator: ",") + "]"
        case .object(let fields):
            "{" + fields.map { JSON.quoted($0.name) + ":" + $0.value.serialized }.joined(separator: ",") + "}"
        }
    }

    /// Slots pass unchanged, and what fills them never needs an escape, so this also holds for filled texts.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for character in text.unicodeScalars {
            if character == "\"" || character == "\\" {
                quoted.append("\\")
            }
            quoted.unicodeScalars.append(character)
        }
        return quoted + "\""
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    package init(stringLiteral value: String) {
        self = .text(value)
    }
}

extension JSON: ExpressibleByIntegerLiteral {
    package init(integerLiteral value: Int) {
        self = .number(String(value))
    }
}

extension JSON: ExpressibleByBooleanLiteral {
    package init(booleanLiteral value: Bool) {
        self = .flag(value)
    }
}

extension JSON: ExpressibleByArrayLiteral {
    package init(arrayLiteral elements: JSON...) {
        self = .list(elements)
    }
}

extension JSON: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(elements.map { Field(name: $0.0, value: $0.1) })
    }
}
