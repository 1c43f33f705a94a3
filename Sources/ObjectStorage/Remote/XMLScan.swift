// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Finds elements in the small XML answers of object stores: no namespaces, attributes or nesting of like names.
///
/// A full parser would be a larger risk than what is read here: codes, names and numbers of answers that are bounded.
package enum XMLScan {
    /// The text of the first element of a name, entities resolved.
    package static func first(_ name: String, in text: some StringProtocol) -> String? {
        elements(name, in: text, limit: 1).first.map(unescaped)
    }

    /// The raw insides of the elements of a name, in order.
    package static func elements(_ name: String, in text: some StringProtocol, limit: Int = .max) -> [Substring] {
        var found: [Substring] = []
        var rest = Substring(text).utf8[...]
        let opening = Array("<\(name)".utf8)
        let closing = Array("</\(name)>".utf8)
        while found.count < limit, let start = rest.firstRange(of: opening) {
            rest = rest[start.upperBound...]
            // `<Key>` or `<Key a="b">`, but neither `<KeyCount>` nor `<Key/>`.
            guard let next = rest.first, next == UInt8(ascii: ">") || next == UInt8(ascii: " ") else { continue }
            guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { break }
            rest = rest[rest.index(after: end)...]
            guard let close = rest.firstRange(of: closing) else { break }
            found.append(Substring(rest[..<close.lowerBound]))
            rest = rest[close.upperBound...]
        }
        return found
    }

    private static func unescaped(_ text: Substring) -> String {
        guard text.utf8.contains(UInt8(ascii: "&")) else { return String(text) }
        var result = ""
        var rest = text
        while let ampersand = rest.firstIndex(of: "&") {
            result += rest[..<ampersand]
            guard let end = rest[ampersand...].prefix(12).firstIndex(of: ";") else {
                result += rest[ampersand...]
                return result
            }
            let entity = rest[rest.index(after: ampersand)..<end]
            switch entity {
            case "amp": result += "&"
            case "lt": result += "<"
            case "gt": result += ">"
            case "quot": result += "\""
            case "apos": result += "'"
            default:
                let number = entity.hasPrefix("#x") ? UInt32(entity.dropFirst(2), radix: 16) : UInt32(entity.dropFirst())
                result += entity.hasPrefix("#") ? number.flatMap(Unicode.Scalar.init).map { String($0) } ?? "" : "&\(entity);"
            }
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }
}
