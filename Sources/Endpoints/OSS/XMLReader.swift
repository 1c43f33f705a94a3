// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Reads ``XMLElement``s.
struct XMLReader {
    private let bytes: [UInt8]
    private var place = 0
    private var elements = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(OSSError) -> XMLElement {
        if starts(with: [0xEF, 0xBB, 0xBF]) { place += 3 }
        try skipBetweenElements()
        let root = try element(depth: 1)
        try skipBetweenElements()
        guard place == bytes.count else { throw malformed("something follows the root element") }
        return root
    }

    private mutating func element(depth: Int) throws(OSSError) -> XMLElement {
        guard depth <= XMLElement.depthLimit else { throw malformed("elements are nested too deeply") }
        elements += 1
        guard elements <= XMLElement.countLimit else { throw malformed("there are too many elements") }
        guard take("<") else { throw malformed("an element was expected") }
        var element = XMLElement(name: try name())
        try skipAttributes()
        if take("/>") { return element }
        guard take(">") else { throw malformed("a tag does not end") }
        var text: [UInt8] = []
        while true {
            // Markup begins with one of two bytes; whatever lies before is text.
            let end = bytes[place...].firstIndex { $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: "&") } ?? bytes.count
            text += bytes[place..<end]
            place = end
            guard place < bytes.count else { throw malformed("the element \(element.name) does not end") }
            if bytes[place] == UInt8(ascii: "&") {
                text += try reference()
            } else if take("<!--") {
                try skip(past: "-->")
            } else if take("<![CDATA[") {
                let start = place
                try skip(past: "]]>")
                text += bytes[start..<place - 3]
            } else if take("</") {
                guard try name() == element.name else { throw malformed("the element \(element.name) ends under another name") }
                skipBlanks()
                guard take(">") else { throw malformed("a tag does not end") }
                guard let string = String(validating: text, as: UTF8.self) else { throw malformed("the text is not UTF-8") }
                element.text = string
                return element
            } else if starts(with: "<?".utf8) || starts(with: "<!".utf8) {
                throw malformed("only elements and text are taken")
            } else {
                element.children.append(try self.element(depth: depth + 1))
            }
        }
    }

    /// One of the five names, or a character's number.
    private mutating func reference() throws(OSSError) -> [UInt8] {
        let start = place + 1
        guard let end = bytes[start..<min(bytes.count, start + 12)].firstIndex(of: UInt8(ascii: ";")) else {
            throw malformed("an entity does not end")
        }
        place = end + 1
        let name = String(decoding: bytes[start..<end], as: UTF8.self)
        switch name {
        case "lt": return Array("<".utf8)
        case "gt": return Array(">".utf8)
        case "amp": return Array("&".utf8)
        case "quot": return Array("\"".utf8)
        case "apos": return Array("'".utf8)
        default:
            let number =
                name.hasPrefix("#x") ? UInt32(name.dropFirst(2), radix: 16) : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
            guard let scalar = number.flatMap(Unicode.Scalar.init) else { throw malformed("the entity `\(name)` is not known") }
            return Array(String(Character(scalar)).utf8)
        }
    }

    private mutating func name() throws(OSSError) -> String {
        let start = place
        while place < bytes.count, !" \t\r\n/><=\"'&".utf8.contains(bytes[place]) { place += 1 }
        guard place > start, let name = String(validating: bytes[start..<place], as: UTF8.self) else {
            throw malformed("a name was expected")
        }
        return name
    }

    private mutating func skipAttributes() throws(OSSError) {
        skipBlanks()
        while place < bytes.count, bytes[place] != UInt8(ascii: ">"), bytes[place] != UInt8(ascii: "/") {
            _ = try name()
            guard take("="), place < bytes.count, [UInt8(ascii: "\""), UInt8(ascii: "'")].contains(bytes[place]) else {
                throw malformed("an attribute has no value")
            }
            let quote = bytes[place]
            place += 1
            while place < bytes.count, bytes[place] != quote { place += 1 }
            place += 1
            skipBlanks()
        }
    }

    private mutating func skipBetweenElements() throws(OSSError) {
        while true {
            skipBlanks()
            if take("<?") {
                try skip(past: "?>")
            } else if take("<!--") {
                try skip(past: "-->")
            } else {
                return
            }
        }
    }

    private mutating func skip(past end: String) throws(OSSError) {
        guard let first = end.utf8.first else { return }
        while let next = bytes[place...].firstIndex(of: first) {
            place = next
            if take(end) { return }
            place += 1
        }
        place = bytes.count
        throw malformed("`\(end)` is missing")
    }

    private mutating func skipBlanks() {
        while place < bytes.count, " \t\r\n".utf8.contains(bytes[place]) { place += 1 }
    }

    private func starts(with prefix: some Collection<UInt8>) -> Bool {
        bytes.count - place >= prefix.count && bytes[place..<place + prefix.count].elementsEqual(prefix)
    }

    private mutating func take(_ text: String) -> Bool {
        guard place <= bytes.count, starts(with: text.utf8) else { return false }
        place += text.utf8.count
        return true
    }

    private func malformed(_ reason: String) -> OSSError {
        OSSError(400, "MalformedXML", "The XML you provided was not well-formed: \(reason), at byte \(min(place, bytes.count)).")
    }
}
