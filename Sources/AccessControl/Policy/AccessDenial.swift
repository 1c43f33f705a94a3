// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A refusal by the policies, with what decided it; source: ram.md section 3 (`AccessDeniedDetail`).
public struct AccessDenial: Error, Sendable, Hashable {
    public enum Kind: String, Sendable {
        case explicitDeny = "ExplicitDeny"
        case implicitDeny = "ImplicitDeny"
    }

    public var kind: Kind
    public var action: String
    public var resource: String
    /// `SubUser`, `AssumedRoleUser`, …
    public var principalType: String
    public var principalName: String
    public var principalAccount: String
    /// `AccountLevelIdentityBasedPolicy`, `SessionPolicy`, `ResourceBasedPolicy`, …
    public var policyType: String
    /// Policies and statements that matched, such as `Custom/ops statement 2 (NoStop)`; empty if none did.
    public var matched: [String]
    /// Opaque to the client; DecodeDiagnosticMessage tells what is behind it.
    public var encodedDiagnosticMessage: String

    public init(
        _ kind: Kind, action: String, resource: String, principalType: String, principalName: String,
        principalAccount: String, policyType: String, matched: [String], encodedDiagnosticMessage: String
    ) {
        self.kind = kind
        self.action = action
        self.resource = resource
        self.principalType = principalType
        self.principalName = principalName
        self.principalAccount = principalAccount
        self.policyType = policyType
        self.matched = matched
        self.encodedDiagnosticMessage = encodedDiagnosticMessage
    }
}

extension AccessDenial: CustomStringConvertible {
    /// What decided, fit for the caller to read.
    public var reason: String {
        switch kind {
        case .explicitDeny: "\(action) on \(resource) is denied by \(matched.joined(separator: ", "))"
        case .implicitDeny: "no statement allows \(action) on \(resource)"
        }
    }

    public var description: String { "refused to \(principalName): \(reason)" }
}
