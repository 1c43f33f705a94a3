// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A document that breaks the grammar, and where.
public struct PolicySyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Such as `Statement[2].Condition.StringEqual`, counting from 1, or `document` for the whole.
    public var place: String
    public var reason: String

    public init(_ place: String, _ reason: String) {
        self.place = place
        self.reason = reason
    }

    public var description: String { "\(place): \(reason)" }
}
