// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// One thing that the protection of a trail consists of: looked at, put right, looked at again.
///
/// A safeguard keeps nothing between its calls: whatever it needs to know it reads from the service, so that a run
/// which was cut off anywhere is taken up by the next one.
protocol Safeguard {
    /// Such as `bucket encryption`.
    var what: String { get }
    /// How it should be: `SSE-KMS with the key`.
    var wanted: String { get }
    /// The operation that tells how it is.
    var evidence: String { get }

    /// How it is now.
    ///
    /// - Throws: ``Failure`` with code 1 if it is in a way that only its owner can decide about.
    func inspect(_ site: ProtectionSite) async throws -> Finding

    /// Puts it right; called only when ``inspect(_:)`` found it wanting.
    func establish(_ site: ProtectionSite, _ finding: Finding) async throws

    /// What will be impossible from then on, in a sentence; nil if it can be undone.
    func consequence(_ site: ProtectionSite, _ finding: Finding) -> String?
}

extension Safeguard {
    func consequence(_ site: ProtectionSite, _ finding: Finding) -> String? { nil }
}

/// How a safeguard was found.
struct Finding {
    var text: String
    var isInPlace: Bool

    static func inPlace(_ text: String) -> Finding { Finding(text: text, isInPlace: true) }
    static func wanting(_ text: String) -> Finding { Finding(text: text, isInPlace: false) }
}
