// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A text, number, boolean or null in a JSON text, where it lies in memory.
package struct JSONLeaf {
    package enum Kind: Sendable {
        case text
        case number
        case boolean
        case null
    }

    package let kind: Kind
    /// As written, a text without its quotes.
    package let raw: UnsafeRawBufferPointer
    /// A text with escapes in it.
    package let isEscaped: Bool

    @inline(__always)
    init(kind: Kind, raw: UnsafeRawBufferPointer, isEscaped: Bool) {
        self.kind = kind
        self.raw = raw
        self.isEscaped = isEscaped
    }

    /// The value as a text: numbers as they are written, `true`, `false`, `null`. Only what has escapes is copied, into
    /// `scratch`, whose former content is lost.
    @inline(__always)
    package func withText<Result>(
        scratch: ScratchBytes, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        guard isEscaped else { return body(raw) }
        scratch.cut(to: 0)
        JSONEscapes.decode(raw, into: scratch)
        return body(scratch.bytes)
    }
}
