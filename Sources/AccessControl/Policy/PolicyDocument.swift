// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A policy, read and checked.
public struct PolicyDocument: Sendable {
    /// Where the document stands decides which elements it must and must not have; source: ram.md section 4.
    public enum Kind: Sendable {
        case identity, session, trust, bucket, key
    }

    public let kind: Kind
    /// The very text it was made of.
    public let text: String

    public init(parsing text: String, as kind: Kind) throws(PolicySyntaxError) {
        self.kind = kind
        self.text = text
    }
}

/// A document that breaks the grammar, and where.
public struct PolicySyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Such as `Statement[2].Condition.StringEqual`.
    public var place: String
    public var reason: String

    public init(_ place: String, _ reason: String) {
        self.place = place
        self.reason = reason
    }

    public var description: String { "\(place): \(reason)" }
}

/// A policy under its name, for the reasons given with a decision.
public struct NamedPolicy: Sendable {
    public enum PolicyType: String, Sendable, Codable {
        case system = "System"
        case custom = "Custom"
    }

    public var name: String
    public var type: PolicyType
    public var document: PolicyDocument

    public init(name: String, type: PolicyType, document: PolicyDocument) {
        self.name = name
        self.type = type
        self.document = document
    }
}
