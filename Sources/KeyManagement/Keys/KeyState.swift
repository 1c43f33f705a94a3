// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What may be done with a key at present; source: kms.md section 5.
public enum KeyState: String, Sendable, Codable, CaseIterable {
    case enabled = "Enabled"
    case disabled = "Disabled"
    case pendingDeletion = "PendingDeletion"
    case pendingImport = "PendingImport"
}

/// Groups of operations that the state of a key treats alike: the rows of kms.md section 5.
public enum KeyAction: Sendable, CaseIterable {
    /// Anything that computes with the key, its public half included.
    case use
    /// EnableKey, DisableKey.
    case enableOrDisable
    case scheduleDeletion
    case cancelDeletion
    /// Description, tags, policy, deletion protection, and becoming an alias's new target.
    case edit
    /// CreateKeyVersion, UpdateRotationPolicy.
    case rotate
    case createAlias
    case importMaterial

    /// Why `state` forbids it, or nil if it does not.
    public func refusal(in state: KeyState) -> KeyError? {
        switch (self, state) {
        case (.use, .enabled), (.rotate, .enabled): nil
        case (.use, _), (.rotate, _): .rejected(state)
        case (.cancelDeletion, .pendingDeletion): nil
        case (.cancelDeletion, _): .stateChangeRefused(state)
        case (.enableOrDisable, .pendingImport): .stateChangeRefused(state)
        case (.edit, .pendingDeletion): .rejected(state)
        case (_, .pendingDeletion): .stateChangeRefused(state)
        default: nil
        }
    }
}
