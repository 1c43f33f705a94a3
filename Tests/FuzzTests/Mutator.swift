// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// Changes inputs, with some knowledge of what they are.
struct Mutator {
    enum Kind {
        /// Fields of fixed and variable length.
        case binary
        /// JSON, whole or broken.
        case json
        /// Lines.
        case text
    }

    let kind: Kind
    let sizeLimit: Int
    var random: SeededGenerator

    mutating func below(_ bound: Int) -> Int { Int(random.next() % UInt64(max(bound, 1))) }

    /// One of the pool with one to four changes.
    mutating func input(from pool: [[UInt8]]) -> [UInt8] {
        var bytes = pool[below(pool.count)]
        let changes = 1 + below(4)
        for _ in 0..<changes {
            switch kind {
            case .binary: changeBytes(&bytes, pool)
            case .json: if below(3) == 0 { changeBytes(&bytes, pool) } else { changeJSON(&bytes) }
            case .text: if below(2) == 0 { changeBytes(&bytes, pool) } else { changeText(&bytes) }
            }
        }
        if bytes.count > sizeLimit { bytes.removeLast(bytes.count - sizeLimit) }
        return bytes
    }

    // MARK: Any bytes

    private mutating func changeBytes(_ bytes: inout [UInt8], _ pool: [[UInt8]]) {
        guard !bytes.isEmpty else {
            bytes = pool[below(pool.count)]
            return
        }
        switch below(11) {
        case 0: bytes[below(bytes.count)] ^= 1 << UInt8(below(8))
        case 1: bytes[below(bytes.count)] = pick([0, 1, 0x7F, 0x80, 0xFE, 0xFF, UInt8(below(256))])
        case 2: bytes.removeLast(1 + below(bytes.count))
        case 3: bytes.removeSubrange(part(of: bytes))
        case 4:
            let copied = Array(bytes[part(of: bytes)])
            bytes.insert(contentsOf: copied, at: below(bytes.count + 1))
        case 5:
            // The front of one, the end of another.
            let other = pool[below(pool.count)]
            bytes = Array(bytes.prefix(below(bytes.count + 1))) + other.suffix(below(other.count + 1))
        case 6, 7: overwriteInteger(&bytes)
        case 8:
            let at = below(bytes.count)
            bytes.replaceSubrange(at..<min(bytes.count, at + 1 + below(2)), with: varint())
        case 9:
            let added = (0...below(16)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            bytes.insert(contentsOf: added, at: below(bytes.count + 1))
        default: bytes.swapAt(below(bytes.count), below(bytes.count))
        }
    }

    /// Up to 64 bytes, now and then any number.
    private mutating func part(of bytes: [UInt8]) -> Range<Int> {
        let start = below(bytes.count)
        let longest = bytes.count - start
        return start..<start + 1 + below(below(8) == 0 ? longest : min(longest, 64))
    }

    /// A field of 1, 2, 4 or 8 bytes gets a value at the edge of what it holds, or near its own.
    private mutating func overwriteInteger(_ bytes: inout [UInt8]) {
        let width = pick([1, 2, 4, 8].filter { $0 <= bytes.count })
        let at = below(bytes.count - width + 1)
        var old: UInt64 = 0
        for index in 0..<width { old |= UInt64(bytes[at + index]) << UInt64(8 * index) }
        let top = UInt64(1) << UInt64(8 * width - 1)
        let size = UInt64(bytes.count)
        let value = pick([
            0, 1, top - 1, top, top + 1, .max, .max - 1, old &+ 1, old &- 1, old &* 2, size, size &- 1, 0x7FFF_FFFF,
        ])
        let isBigEndian = below(8) == 0
        for index in 0..<width {
            let shift = UInt64(8 * (isBigEndian ? width - 1 - index : index))
            bytes[at + index] = UInt8(truncatingIfNeeded: value >> shift)
        }
    }

    /// Long forms of small values, the largest values, and ones that never end.
    private mutating func varint() -> [UInt8] {
        switch below(5) {
        case 0: [UInt8](repeating: 0x80, count: 1 + below(9)) + [0]
        case 1: [UInt8](repeating: 0xFF, count: 9) + [UInt8(below(2))]
        case 2: [UInt8](repeating: 0xFF, count: 4) + [UInt8(pick([0x07, 0x08, 0x0F, 0x10]))]
        case 3: [UInt8](repeating: 0xFF, count: 10 + below(4))
        default: [UInt8(0x80 | below(128)), UInt8(below(128))]
        }
    }

    // MARK: JSON

    private static let tokens: [[UInt8]] =
        ([
            "\"", "\\", "{", "}", "[", "]", ",", ":", "\n", "\r\n", " ", "\t", "null", "true", "false", "\"\"", "{}", "[]", "-0",
            "0", "1e999", "-1E-999", "1.5e+10", "00", "1.", ".5", "NaN", "123456789012345678901234567890",
            "9223372036854775808", "-9223372036854775809", "18446744073709551616", "\\u0000", "\\u001f", "\\u0022", "\\ud800",
            "\\udc00", "\\ud83d\\ude00", "\\ude00\\ud83d", "\\ud83d\\ud83d\\ude00", "\\uD8", "\\u", "\\/", "\\b", "é",
            "\u{10FFFF}",
            "\u{2028}", "\u{FEFF}", "\u{7F}", "{\"Records\":[", "{\"kind\":\"EventList\",\"items\":[", "]}", "}\n{", "},{",
            "\"eventId\":\"\",", "\"eventId\":null,", "\"EventId\":\"x\",", "\"eventID\":\"y\",", "\"eventTime\":1767225600,",
            "\"eventTime\":\"2026-01-01T00:00:60+23:59\",", "\"eventName\":\"x\",", "\"\\u0065ventName\":\"y\",",
            "\"userIdentity\":{\"type\":\"assumed-role\",\"userName\":\"a:b\"},", "\"acsRegion\":null,",
            "\"resourceName\":\"a;b,c;;\",", "\"referencedResources\":{\"t\":[\"a\",\"a\",1],\"t\":\"b\"},",
            "\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"//s/\",\"type\":\"t\",", "\"awsRegion\":\"r\",",
            "\"kind\":\"Event\",\"verb\":\"get\",", "\"apiVersion\":\"audit.k8s.io/v1\",", "\"requestParameters\":{\"a\":1},",
            "\"data\":{\"eventName\":\"n\",\"eventId\":\"i\",\"userIdentity\":{}},",
        ] as [String]).map { Array($0.utf8) }
        + [[0], [0x1F], [0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF0, 0x9F, 0x98], [0xFF]]

    private mutating func changeJSON(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else {
            bytes = pick(Self.tokens)
            return
        }
        switch below(9) {
        case 0, 1: bytes.insert(contentsOf: pick(Self.tokens), at: below(bytes.count + 1))
        case 2:
            // A member in front of an object's others.
            if let brace = place(of: UInt8(ascii: "{"), in: bytes) {
                bytes.insert(contentsOf: pick(Self.tokens), at: brace + 1)
            }
        case 3:
            // Other content of a text.
            guard let quote = place(of: UInt8(ascii: "\""), in: bytes),
                let end = bytes[(quote + 1)...].firstIndex(of: UInt8(ascii: "\""))
            else { return }
            bytes.replaceSubrange(quote + 1..<end, with: pick(Self.tokens))
        case 4:
            // A letter as an escape.
            let at = below(bytes.count)
            guard bytes[at] > 0x20, bytes[at] < 0x7F else { return }
            let digits = Array("0123456789abcdef".utf8)
            let escape = Array("\\u00".utf8) + [digits[Int(bytes[at] >> 4)], digits[Int(bytes[at] & 15)]]
            bytes.replaceSubrange(at...at, with: escape)
        case 5:
            // Nesting, around the limits.
            let depth = pick([1, 2, 120, 126, 127, 128, 129, 130, 131, 400])
            let isObject = below(2) == 0
            let open = isObject ? Array("{\"a\":".utf8) : [UInt8(ascii: "[")]
            let close = UInt8(ascii: isObject ? "}" : "]")
            let inside = below(2) == 0 ? bytes : [UInt8(ascii: "1")]
            let nested = Array(repeatElement(open, count: depth).joined()) + inside + [UInt8](repeating: close, count: depth)
            if below(2) == 0 {
                bytes = nested
            } else if let colon = place(of: UInt8(ascii: ":"), in: bytes) {
                bytes.insert(contentsOf: nested + [UInt8(ascii: ",")], at: colon + 1)
            }
        case 6:
            // Another number where one stands.
            guard let start = bytes.indices.first(where: { (48...57).contains(bytes[$0]) && $0 >= bytes.count / 2 }) else {
                return
            }
            let end = bytes[start...].firstIndex { !(48...57).contains($0) } ?? bytes.count
            bytes.replaceSubrange(start..<end, with: pick(Self.tokens))
        case 7:
            // A very long text.
            guard let quote = place(of: UInt8(ascii: "\""), in: bytes) else { return }
            bytes.insert(contentsOf: [UInt8](repeating: pick([0x61, 0x5C, 0x3B, 0xC3]), count: 1 + below(600)), at: quote + 1)
        default:
            // A line, or all of it, once more.
            let start = place(of: 0x0A, in: bytes).map { $0 + 1 } ?? 0
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            bytes.insert(contentsOf: Array(bytes[start..<end]) + [0x0A], at: start)
        }
    }

    // MARK: Lines

    private static let words: [[UInt8]] =
        ([
            "\n", "\n\n", "\r\n", "— ", " ", "+", "/", "x", ".p/", "=", "==", "A", "0", "00", "-1", "18446744073709551615",
            "18446744073709551616", "9223372036854775807", "\u{0}", "\t", "\u{A0}", "\u{85}", "\u{301}", "é", "e\u{301}", "&",
            "&#x",
            "&#55296;", ";", "<", ">", "</", "<Key>", "</Key>", "index ", "extra ", "entries/", "063/", "64/", "x999/",
        ] as [String]).map { Array($0.utf8) } + [[0x80], [0xFF], [0xE2, 0x80]]

    private mutating func changeText(_ bytes: inout [UInt8]) {
        switch below(4) {
        case 0, 1: bytes.insert(contentsOf: pick(Self.words), at: below(bytes.count + 1))
        case 2:
            guard let start = bytes.indices.first(where: { (48...57).contains(bytes[$0]) && $0 >= bytes.count / 3 }) else {
                return
            }
            let end = bytes[start...].firstIndex { !(48...57).contains($0) } ?? bytes.count
            bytes.replaceSubrange(start..<end, with: pick(Self.words))
        default:
            // A line moves, comes twice, or goes.
            var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
            let line = lines[below(lines.count)]
            switch below(3) {
            case 0: lines.insert(line, at: below(lines.count + 1))
            case 1: lines.remove(at: below(lines.count))
            default: lines.swapAt(below(lines.count), below(lines.count))
            }
            bytes = Array(lines.joined(separator: [0x0A]))
        }
    }

    // MARK: Choosing

    private mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }

    /// The first `byte` from some place on.
    private mutating func place(of byte: UInt8, in bytes: [UInt8]) -> Int? {
        bytes[below(bytes.count)...].firstIndex(of: byte) ?? bytes.firstIndex(of: byte)
    }
}
