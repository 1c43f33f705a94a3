// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Foundation
import TestSupport
import Testing

@Suite struct `The JSON scanner` {
    @Test(arguments: 0..<400)
    func `leaves out white space and nothing else`(seed: Int) throws {
        var maker = RandomJSON(seed: UInt64(seed))
        let text = maker.value(depth: 0)
        let bytes = Array(text.utf8)
        let minified = try JSONTape.minify(bytes)
        #expect(minified == naivelyMinified(bytes), "seed \(seed)")
        let before = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed) as! NSObject
        let after = try JSONSerialization.jsonObject(with: Data(minified), options: .fragmentsAllowed) as! NSObject
        #expect(before == after, "seed \(seed)")
        #expect(try JSONTape.minify(minified) == minified, "seed \(seed)")
    }

    @Test(arguments: [
        "0", "-0", "1.5e+10", "1E9", "-12.25e-3", "null", "true", "false", "\"\"", "[]", "{}", "[[]]", "[{}]",
        #""\u0000\u001f\"\\\/\b\f\n\r\t""#, #""\uD83D\uDE00""#, #""\uD800""#, #""\udc00x""#, "\"\u{7f}\"",
        "\"\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}\"", #"{"a":1,"a":2}"#, #"{"":0}"#,
        "123456789012345678901234567890.123456789012345678901234567890",
    ])
    func `takes every valid text as it is`(text: String) throws {
        #expect(try JSONTape.minify(Array(text.utf8)) == Array(text.utf8))
    }

    @Test(arguments: [
        "", " ", "{", "}", "[", "]", ",", ":", "\"", "nul", "nulL", "True", "tru", "fals", "NaN", "Infinity",
        "-Infinity",
        "+1", "01", "-01", "-", "--1", "1.", ".5", "1.e5", "1e", "1e+", "0x10", "1_000", "1,", "1 2", "00", "-a",
        "[1,]", "[,1]", "[1 2]", "[1,,2]", "[1", "[1}", "[\"a\"", "[\"a", "]1[", "[][]", "[1]x", "{\"a\"}", "{\"a\":}",
        "{\"a\":1,}", "{,\"a\":1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{a:1}", "{'a':1}", "{1:1}", "{\"a\":1]",
        "{\"a\":1}}", "{\"a\":1", "{\"a\":", "{\"a\"", "{null:1}", "{\"a\":1//c\n}", "/*c*/1", "#", "'a'",
        "\"\\\"", "\"\\", "\"\\x\"", "\"\\u\"", "\"\\u12\"", "\"\\u12G4\"", "\"\\U0041\"", "\"a\tb\"", "\"a\nb\"",
        "\"\u{0}\"", "\"\u{1f}\"", "[\u{0c}]", "[\u{a0}1]", "\u{feff}1", "[1]\u{0}", "{\"a\":\"\n\"}", "{\"\\a\":1}",
    ])
    func `refuses what is not JSON`(text: String) {
        #expect(throws: JSONFailure.self) { try JSONTape.minify(Array(text.utf8)) }
    }

    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
            [0xE1, 0x80], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xEF, 0xBF], [0xF0, 0x80, 0x80, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
            [0xF0, 0x9F, 0x98], [0xE4, 0xB8, 0x41],
        ] as [[UInt8]])
    func `refuses bytes that are not UTF-8`(bad: [UInt8]) throws {
        // At every distance from the end, so that both the fast and the careful loop meet it.
        for tail in 0..<12 {
            let text = [0x22, 0x61, 0x62] + bad + [UInt8](repeating: 0x61, count: tail) + [0x22]
            let failure = #expect(throws: JSONFailure.self) { try JSONTape.minify(text) }
            #expect(failure?.reason == .badUTF8 && failure?.offset == 3, "\(bad) with \(tail) bytes behind")
        }
    }

    @Test func `finds each special byte wherever it stands in a word`() throws {
        for position in 0..<40 {
            let plain = String(repeating: "x", count: position)
            #expect(throws: JSONFailure(reason: .controlCharacter, offset: position + 1)) {
                try JSONTape.minify(Array("\"\(plain)\u{1f}yyyyyyyyyyyyyyyy\"".utf8))
            }
            #expect(throws: JSONFailure(reason: .trailingText, offset: position + 2)) {
                try JSONTape.minify(Array("\"\(plain)\"yyyyyyyyyyyyyyyy\"".utf8))
            }
            #expect(throws: JSONFailure(reason: .badEscape, offset: position + 1)) {
                try JSONTape.minify(Array("\"\(plain)\\qyyyyyyyyyyyyyy\"".utf8))
            }
            let good = Array("\"\(plain)é 字 😀\(plain)\"".utf8)
            #expect(try JSONTape.minify(good) == good)
        }
    }

    @Test func `takes nesting up to the limit and not beyond`() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(try JSONTape.minify(nested(128)) == nested(128))
        #expect(throws: JSONFailure(reason: .tooDeep, offset: 128)) { try JSONTape.minify(nested(129)) }
        #expect(throws: JSONFailure(reason: .tooDeep, offset: 128)) {
            try JSONTape.minify([UInt8](repeating: 0x5B, count: 1_000_000))
        }
    }

    private func naivelyMinified(_ text: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var inString = false
        var isEscaped = false
        for byte in text {
            if inString {
                output.append(byte)
                if isEscaped {
                    isEscaped = false
                } else if byte == 0x5C {
                    isEscaped = true
                } else if byte == 0x22 {
                    inString = false
                }
            } else if ![0x20, 0x09, 0x0A, 0x0D].contains(byte) {
                output.append(byte)
                inString = byte == 0x22
            }
        }
        return output
    }
}

/// Makes JSON with white space in all permitted places.
private struct RandomJSON {
    var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(state: seed) }

    mutating func pick<Element>(_ choices: [Element]) -> Element { choices.randomElement(using: &generator)! }

    mutating func gap() -> String { pick(["", "", "", " ", "\n", "\t", "\r\n", "    "]) }

    mutating func value(depth: Int) -> String {
        let kind = Int.random(in: 0..<(depth > 6 ? 4 : 8), using: &generator)
        let inside =
            switch kind {
            case 0: pick(["null", "true", "false"])
            case 1: pick(["0", "-1", "3.25", "1e3", "12345678", "-0.5E-2"])
            case 2, 3: string()
            case 4, 5: list("[", "]") { $0.value(depth: depth + 1) }
            default:
                list("{", "}") { maker in
                    "\(maker.string())\(maker.gap()):\(maker.value(depth: depth + 1))"
                }
            }
        return gap() + inside + gap()
    }

    private mutating func list(_ open: String, _ close: String, _ element: (inout Self) -> String) -> String {
        let count = Int.random(in: 0..<6, using: &generator)
        let elements = (0..<count).map { _ in gap() + element(&self) + gap() }
        return open + (count == 0 ? gap() : elements.joined(separator: ",")) + close
    }

    mutating func string() -> String {
        let pieces = [
            "a", " ", "key", "{", "}", ",", ":", "[", "\\\"", "\\\\", "\\n", "\\u0041", "\\ud83d\\ude00", "é", "中文",
            "😀", "longer plain text here",
        ]
        let count = Int.random(in: 0..<8, using: &generator)
        return "\"" + (0..<count).map { _ in pick(pieces) }.joined() + "\""
    }
}
