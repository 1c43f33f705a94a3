// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A JSON text as RFC 8259 says it, read in the plainest way: what the scanner is compared with.
enum ReferenceJSON: Equatable {
    case null
    case bool(Bool)
    /// As written.
    case number([UInt8])
    /// Decoded. Half of a surrogate pair is U+FFFD.
    case string([UInt8])
    case array([ReferenceJSON])
    /// In the order of the text, repeated keys too.
    case object([Member])

    struct Member: Equatable {
        var key: [UInt8]
        var value: ReferenceJSON
    }

    /// The value of the first member of this name.
    subscript(key: String) -> ReferenceJSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == Array(key.utf8) }?.value
    }

    /// Nil unless `bytes` are one JSON text, with white space around it, of at most so many open brackets at a time.
    static func read(_ bytes: [UInt8], maximumDepth: Int) -> ReferenceJSON? {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        var reader = ReferenceReader(bytes: bytes, maximumDepth: maximumDepth)
        guard let value = try? reader.value(depth: 0) else { return nil }
        reader.skipWhitespace()
        return reader.isAtEnd ? value : nil
    }

    /// Whether Foundation read the same. Numbers are only looked at for being numbers, and byte order marks are passed over,
    /// as Foundation leaves some of them out.
    func isSame(as other: Any) -> Bool {
        switch self {
        case .null: return other is NSNull
        case .bool(let value): return ((other as? NSNumber)?.boolValue ?? (other as? Bool)) == value
        case .number: return other is NSNumber
        case .string(let bytes): return (other as? String).map { Self.unmarked(Array($0.utf8)) } == Self.unmarked(bytes)
        case .array(let elements):
            guard let others = other as? [Any], others.count == elements.count else { return false }
            return zip(elements, others).allSatisfy { $0.isSame(as: $1) }
        case .object(let members):
            guard let others = other as? [String: Any] else { return false }
            let keys = members.map { String(decoding: Self.unmarked($0.key), as: UTF8.self) }
            // Of keys that are equal to Swift, a dictionary keeps one.
            guard Set(keys).count == keys.count else { return others.count <= keys.count }
            guard others.count == keys.count else { return false }
            let values = others.map { (String(decoding: Self.unmarked(Array($0.key.utf8)), as: UTF8.self), $0.value) }
            let byKey = Dictionary(values) { first, _ in first }
            return zip(members, keys).allSatisfy { member, key in byKey[key].map { member.value.isSame(as: $0) } ?? false }
        }
    }

    private static func unmarked(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(0xEF) else { return text }
        var kept = String.UnicodeScalarView()
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars where scalar != "\u{FEFF}" { kept.append(scalar) }
        return Array(String(kept).utf8)
    }
}

private struct ReferenceReader {
    struct Refusal: Error {}

    let bytes: [UInt8]
    let maximumDepth: Int
    private var at = 0

    init(bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    var isAtEnd: Bool { at == bytes.count }

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    mutating func skipWhitespace() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { at += 1 }
    }

    private mutating func take(_ text: String) -> Bool {
        guard bytes[at...].starts(with: text.utf8) else { return false }
        at += text.utf8.count
        return true
    }

    private mutating func expect(_ text: String) throws {
        guard take(text) else { throw Refusal() }
    }

    mutating func value(depth: Int) throws -> ReferenceJSON {
        skipWhitespace()
        if take("null") { return .null }
        if take("true") { return .bool(true) }
        if take("false") { return .bool(false) }
        switch next {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "["): return .array(try list("[", "]", depth) { reader in try reader.value(depth: depth + 1) })
        case UInt8(ascii: "{"):
            return .object(
                try list("{", "}", depth) { reader in
                    let key = try reader.string()
                    reader.skipWhitespace()
                    try reader.expect(":")
                    return ReferenceJSON.Member(key: key, value: try reader.value(depth: depth + 1))
                })
        default: return .number(try number())
        }
    }

    private mutating func list<Element>(
        _ open: String, _ close: String, _ depth: Int, _ element: (inout ReferenceReader) throws -> Element
    ) throws -> [Element] {
        guard depth < maximumDepth else { throw Refusal() }
        try expect(open)
        skipWhitespace()
        var elements: [Element] = []
        if take(close) { return elements }
        while true {
            skipWhitespace()
            elements.append(try element(&self))
            skipWhitespace()
            if take(close) { return elements }
            try expect(",")
        }
    }

    private mutating func digits() -> Int {
        let start = at
        while let byte = next, (48...57).contains(byte) { at += 1 }
        return at - start
    }

    private mutating func number() throws -> [UInt8] {
        let start = at
        _ = take("-")
        if !take("0") {
            guard digits() > 0 else { throw Refusal() }
        }
        if take(".") {
            guard digits() > 0 else { throw Refusal() }
        }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { throw Refusal() }
        }
        return Array(bytes[start..<at])
    }

    private mutating func string() throws -> [UInt8] {
        try expect("\"")
        var text: [UInt8] = []
        // A run of \u escapes, which may hold surrogate pairs.
        var units: [UInt16] = []
        func ended(_ units: inout [UInt16]) -> [UInt8] {
            defer { units = [] }
            return Array(String(decoding: units, as: UTF16.self).utf8)
        }
        while true {
            guard let byte = next, byte >= 0x20 else { throw Refusal() }
            if take("\\u") {
                guard at + 4 <= bytes.count else { throw Refusal() }
                let digits = bytes[at..<at + 4]
                guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit && $0 < 0x80 }),
                    let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
                else { throw Refusal() }
                units.append(unit)
                at += 4
                continue
            }
            text += ended(&units)
            at += 1
            if byte == UInt8(ascii: "\"") { return text }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            guard let escape = next else { throw Refusal() }
            at += 1
            switch escape {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(escape)
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            default: throw Refusal()
            }
        }
    }
}
