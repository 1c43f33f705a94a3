// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What a verifier found: a judgement, not an error.
public enum ProofVerdict: Sendable, Equatable {
    /// Everything that was claimed follows from the hashes and signatures given.
    case valid
    /// Something does not hold; `reason` is a sentence for a person.
    case refused(reason: String)

    /// True for `.valid` alone.
    public var isValid: Bool { self == .valid }
}

extension ProofVerdict: CustomStringConvertible {
    /// "valid", or "refused: " and the reason.
    public var description: String {
        switch self {
        case .valid: "valid"
        case .refused(let reason): "refused: \(reason)"
        }
    }
}
