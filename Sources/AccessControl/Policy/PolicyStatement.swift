// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// One statement as written, checked but not yet in the form that decisions read.
struct PolicyStatement: Sendable {
    enum Effect: String, Sendable {
        case allow = "Allow"
        case deny = "Deny"
    }

    /// Patterns, or everything but them.
    struct Patterns: Sendable {
        var texts: [String]
        var areExcluded: Bool
    }

    /// Place in the document, from 1.
    var number: Int
    var sid: String?
    var effect: Effect
    var actions: Patterns
    /// Nil where the kind of document has no resources, and every resource is meant.
    var resources: Patterns?
    /// Nil where the document hangs on the caller.
    var principals: [PolicyPrincipal]?
    var conditions: [Condition]

    /// How reasons name it: `statement 2 (NoStop)`.
    var label: String { "statement \(number)" + (sid.map { " (\($0))" } ?? "") }
}
