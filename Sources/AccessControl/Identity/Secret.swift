// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A text that must not be seen: it prints, dumps and reflects as a mark in its place.
public struct Secret: Sendable {
    let bytes: [UInt8]

    public init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// The text itself, to be stored sealed or handed once to its owner; never to be logged.
    public func reveal() -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    /// Compares in constant time. Deliberately not `==`: a secret is no key for a dictionary and no search term.
    public func matches(_ other: String) -> Bool {
        ConstantTime.equal(bytes, other.utf8)
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "<secret>" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
