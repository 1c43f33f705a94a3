// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// An XML document being written; OSS answers have neither attributes nor namespaces.
struct XMLText {
    private(set) var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

    init(_ root: String, _ content: (inout XMLText) -> Void) { element(root, content) }

    /// A document of one element with text.
    init(leaf name: String, _ value: String) { element(name, value) }

    mutating func element(_ name: String, _ content: (inout XMLText) -> Void) {
        text += "<\(name)>"
        content(&self)
        text += "</\(name)>"
    }

    mutating func element(_ name: String, _ value: String) {
        text += "<\(name)>"
        for scalar in value.unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            // XML 1.0 has no other way to write these; a client that asked for them asks for url encoding.
            case "\u{9}", "\u{A}", "\u{D}": text += "&#\(scalar.value);"
            case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": text += "\u{FFFD}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "</\(name)>"
    }

    var bytes: [UInt8] { Array(text.utf8) }
}
