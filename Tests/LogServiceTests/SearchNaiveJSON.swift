// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What can be read of a JSON text, by character and with recursion.
struct NaiveJSON {
    /// In the order of the text.
    private(set) var leaves: [(path: String, value: String)] = []
    /// Strings and runs of other characters, wherever they stand.
    private(set) var pieces: [String] = []

    private let text: [Unicode.Scalar]
    private var place = 0

    init(_ json: String) {
        text = Array(json.unicodeScalars)
        readPieces()
        place = 0
        skipBlanks()
        if at("{") { _ = object(path: nil, depth: 1) }
    }

    private func at(_ sign: Unicode.Scalar) -> Bool { place < text.count && text[place] == sign }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool { " \t\r\n".unicodeScalars.contains(scalar) }

    private mutating func skipBlanks() {
        while place < text.count, Self.isBlank(text[place]) { place += 1 }
    }

    private mutating func readPieces() {
        let signs = "{}[],: \t\r\n\"".unicodeScalars
        while place < text.count {
            var piece = ""
            if at("\"") {
                let start = place + 1
                let isClosed = string() != nil
                piece = Self.decoded(text[start..<(isClosed ? place - 1 : text.count)])
                if !isClosed { place = text.count }
            } else if signs.contains(text[place]) {
                place += 1
            } else {
                while place < text.count, !signs.contains(text[place]) {
                    piece.unicodeScalars.append(text[place])
                    place += 1
                }
            }
            if !piece.isEmpty { pieces.append(piece) }
        }
    }

    /// False when nothing more can be read.
    private mutating func object(path: String?, depth: Int) -> Bool {
        place += 1
        skipBlanks()
        if at("}") {
            place += 1
            return true
        }
        while true {
            skipBlanks()
            guard at("\""), let key = string() else { return false }
            skipBlanks()
            guard at(":") else { return false }
            place += 1
            skipBlanks()
            let below = path.map { $0 + "." + key } ?? key
            if at("{"), depth < 128 {
                guard object(path: below, depth: depth + 1) else { return false }
            } else if at("{") || at("[") {
                guard skipContainer() else { return false }
            } else if at("\"") {
                guard let value = string() else { return false }
                leaves.append((below, value))
            } else {
                guard let value = plain() else { return false }
                leaves.append((below, value))
            }
            skipBlanks()
            if at("}") {
                place += 1
                return true
            }
            guard at(",") else { return false }
            place += 1
        }
    }

    private mutating func skipContainer() -> Bool {
        var depth = 0
        while place < text.count {
            if at("\"") {
                guard string() != nil else { return false }
                continue
            }
            if at("{") || at("[") { depth += 1 }
            if at("}") || at("]") { depth -= 1 }
            place += 1
            if depth == 0 { return true }
        }
        return false
    }

    private mutating func plain() -> String? {
        var value = ""
        while place < text.count, text[place].isASCII,
            text[place].properties.isAlphabetic || "0123456789+-.".unicodeScalars.contains(text[place])
        {
            value.unicodeScalars.append(text[place])
            place += 1
        }
        guard place < text.count, let first = value.first else { return nil }
        return ["true", "false", "null"].contains(value) || first == "-" || first.isNumber ? value : nil
    }

    private mutating func string() -> String? {
        let start = place + 1
        var end = start
        while end < text.count, text[end] != "\"" { end += text[end] == "\\" ? 2 : 1 }
        guard end < text.count else { return nil }
        place = end + 1
        return Self.decoded(text[start..<end])
    }

    private static func decoded(_ text: ArraySlice<Unicode.Scalar>) -> String {
        let plain: [Unicode.Scalar: Unicode.Scalar] = [
            "\"": "\"", "\\": "\\", "/": "/", "n": "\n", "t": "\t", "r": "\r", "b": "\u{8}", "f": "\u{C}",
        ]
        var units: [UInt16] = []
        var rest = text
        while let first = rest.popFirst() {
            guard first == "\\", let escape = rest.first else {
                units += Array(String(first).utf16)
                continue
            }
            let digits = String(String.UnicodeScalarView(rest.dropFirst().prefix(4)))
            if escape == "u", digits.unicodeScalars.count == 4, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }),
                let unit = UInt16(digits, radix: 16)
            {
                units.append(unit)
                rest = rest.dropFirst(5)
            } else {
                units += Array((plain[escape].map { String($0) } ?? "\\" + String(escape)).utf16)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: units, as: UTF16.self)
    }
}
