// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Why a note, key, checkpoint or proof was not taken.
public enum LogTextError: Error, Equatable {
    /// The kind of text that was being read or written.
    public enum Subject: String, Sendable {
        case note, checkpoint, proof
        case verifierKey = "verifier key"
        case keyName = "key name"
    }

    /// Longer than any honest text; the limit is in bytes.
    case tooLarge(Subject, limit: Int)
    /// Not of the form the specification asks for; the reason ends the sentence "… is malformed: ".
    case malformed(Subject, reason: String)
    /// A key we know is named by a signature that does not verify, which condemns the note.
    case badSignature(keyName: String)
    /// No signature is by the key we know.
    case notSigned(keyName: String)
    /// The checkpoint is of another log.
    case wrongOrigin(expected: String, found: String)
    /// The cryptographic library refused a key or would not sign.
    case keyFailure(reason: String)
}

extension LogTextError: CustomStringConvertible {
    /// One sentence for a person.
    public var description: String {
        switch self {
        case .tooLarge(let subject, let limit):
            "The \(subject.rawValue) is larger than \(limit) bytes."
        case .malformed(let subject, let reason):
            "The \(subject.rawValue) is malformed: \(reason)."
        case .badSignature(let keyName):
            "A signature in the name of the key \(keyName) does not verify."
        case .notSigned(let keyName):
            "The note has no signature by the key \(keyName)."
        case .wrongOrigin(let expected, let found):
            "The checkpoint is of the log \(found), not of \(expected)."
        case .keyFailure(let reason):
            "The signing key failed: \(reason)."
        }
    }
}
