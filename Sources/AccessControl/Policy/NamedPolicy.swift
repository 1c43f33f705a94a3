// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

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
