// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The XML of a request's body: elements and text, and nothing else. Attributes are passed over; a document type, an
/// entity of its own, or too much depth is refused, so that no body can grow while it is read.
struct XMLElement {
    static let depthLimit = 16
    /// The list of parts of the longest upload has 30,001.
    static let countLimit = 40_000

    var name: String
    var text = ""
    var children: [XMLElement] = []

    /// - Throws: `MalformedXML`.
    init(parsing bytes: [UInt8]) throws(OSSError) {
        var reader = XMLReader(bytes)
        self = try reader.document()
    }

    init(name: String) { self.name = name }

    /// The first child of that name; nil if there is none.
    subscript(name: String) -> XMLElement? { children.first { $0.name == name } }

    /// Text of a child without blanks around it; nil if it is absent or empty.
    func value(_ name: String) -> String? {
        guard let text = self[name]?.text.trimmingCharacters(in: .whitespacesAndNewlines), !text.isEmpty else { return nil }
        return text
    }
}
