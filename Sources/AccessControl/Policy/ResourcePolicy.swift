// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A policy that hangs on the resource itself: of a bucket, of a key, or a role's trust.
public struct ResourcePolicy: Sendable {
    public var document: PolicyDocument
    /// Account the resource belongs to.
    public var owner: String

    public init(_ document: PolicyDocument, owner: String) {
        self.document = document
        self.owner = owner
    }
}
