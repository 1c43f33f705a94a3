// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// One value or key of a scanned text.
///
/// - Shape: nodes lie in document order, so a container's first child follows it and `next` skips what is
///   inside; an object's children alternate key, value.
/// - Units: `start..<end` are offsets of the value's bytes; for strings and keys, of what is between the quotes.
struct JSONNode {
    enum Kind: UInt8 {
        case null, `true`, `false`, number, string, object, array
    }

    var start: UInt32
    var end: UInt32
    var next: UInt32
    var kind: Kind
    /// Whether a string's bytes must be decoded before they are compared.
    var hasEscapes: Bool
}
