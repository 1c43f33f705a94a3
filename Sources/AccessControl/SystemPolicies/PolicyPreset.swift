// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A ready-made document for a custom policy.
public struct PolicyPreset: Sendable, Hashable {
    public let name: String
    public let description: String
    /// The document's text, at most 6,144 characters.
    public let document: String
}
