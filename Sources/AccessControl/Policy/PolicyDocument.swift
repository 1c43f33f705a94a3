// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A policy, read and checked.
public struct PolicyDocument: Sendable {
    /// Where the document stands decides which elements it must and must not have; source: ram.md section 4.
    public enum Kind: Sendable, CaseIterable {
        case identity, session, trust, bucket, key
    }

    public let kind: Kind
    /// The very text it was made of.
    public let text: String
    /// What the text says, in the form that decisions read.
    let program: PolicyProgram

    /// - Throws: for a text that is not JSON, that breaks the grammar, or that is longer than the kind allows.
    public init(parsing text: String, as kind: Kind) throws(PolicySyntaxError) {
        self.kind = kind
        self.text = text
        program = PolicyProgram(try PolicyReader(kind: kind).statements(in: text))
    }
}

extension PolicyDocument.Kind {
    /// Characters (Unicode scalars) that a document may have; source: ram.md section 4, kms.md section 4.8. That of
    /// a bucket policy is ours.
    public var maximumLength: Int {
        switch self {
        case .identity: 6144
        case .session, .trust: 2048
        case .bucket: 16_384
        case .key: 32_768
        }
    }
}

extension PolicyDocument: CustomStringConvertible {
    public var description: String { "\(kind) policy of \(program.statements.count) statements" }
}
