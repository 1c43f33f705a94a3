// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The JSON of a policy document (RFC 8259), read strictly: a member that stands twice is refused, because two readers
/// might take it for two different policies. Numbers keep the text they were written in.
enum PolicyJSON: Sendable {
    struct Member: Sendable {
        let name: String
        let value: PolicyJSON
    }

    case object([Member])
    case array([PolicyJSON])
    case string(String)
    case number(String)
    case bool(Bool)
    case null

    init(parsing text: String) throws(PolicySyntaxError) {
        var parser = Parser(bytes: Array(text.utf8))
        self = try parser.document()
    }
}

private struct Parser {
    /// A policy nests five deep at most.
    private static let deepest = 16

    let bytes: [UInt8]
    private var place = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func document() throws(PolicySyntaxError) -> PolicyJSON {
        let value = try value(depth: 0)
        skipBlanks()
        guard place == bytes.count else { throw failure("more text after the end of the value") }
        return value
    }

    private mutating func value(depth: Int) throws(PolicySyntaxError) -> PolicyJSON {
        guard depth < Self.deepest else { throw failure("nested too deep") }
        skipBlanks()
        switch peek {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), (UInt8(ascii: "0")...UInt8(ascii: "9"))?: return .number(try number())
        default:
            if skip(word: "true") { return .bool(true) }
            if skip(word: "false") { return .bool(false) }
            if skip(word: "null") { return .null }
            throw failure(peek == nil ? "the text ends early" : "a value is expected")
        }
    }

    private mutating func object(depth: Int) throws(PolicySyntaxError) -> PolicyJSON {
        place += 1
        var members: [PolicyJSON.Member] = []
        var names: Set<String> = []
        if skip("}") { return .object([]) }
        repeat {
            skipBlanks()
            guard peek == UInt8(ascii: "\"") else { throw failure("a member's name in quotes is expected") }
            let name = try string()
            guard names.insert(name).inserted else { throw failure("the member \(PolicyReader.shown(name)) stands twice") }
            guard skip(":") else { throw failure("a colon is expected") }
            members.append(PolicyJSON.Member(name: name, value: try value(depth: depth + 1)))
        } while skip(",")
        guard skip("}") else { throw failure("a comma or } is expected") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(PolicySyntaxError) -> PolicyJSON {
        place += 1
        var values: [PolicyJSON] = []
        if skip("]") { return .array([]) }
        repeat { values.append(try value(depth: depth + 1)) } while skip(",")
        guard skip("]") else { throw failure("a comma or ] is expected") }
        return .array(values)
    }

    private mutating func string() throws(PolicySyntaxError) -> String {
        place += 1
        var text: [UInt8] = []
        while let byte = peek {
            place += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text += Array(String(try escaped()).utf8)
            case 0..<0x20: throw failure("a control character must be escaped")
            default: text.append(byte)
            }
        }
        throw failure("a text without its closing quote")
    }

    private mutating func escaped() throws(PolicySyntaxError) -> Unicode.Scalar {
        let letter = peek
        place += 1
        switch letter {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            var code = try hexUnit()
            if (0xd800..<0xdc00).contains(code), skip(word: "\\u") {
                let low = try hexUnit()
                guard (0xdc00..<0xe000).contains(low) else { throw failure("half a surrogate pair") }
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("half a surrogate pair") }
            return scalar
        default: throw failure("an unknown escape")
        }
    }

    private mutating func hexUnit() throws(PolicySyntaxError) -> UInt32 {
        let digits = bytes[place..<min(place + 4, bytes.count)]
        let areDigits = digits.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
        }
        guard digits.count == 4, areDigits, let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16) else {
            throw failure("four hex digits are expected")
        }
        place += 4
        return unit
    }

    private mutating func number() throws(PolicySyntaxError) -> String {
        let start = place
        _ = skip(word: "-")
        let whole = digits()
        var isSound = whole > 0 && (whole == 1 || bytes[place - whole] != UInt8(ascii: "0"))
        if skip(word: ".") { isSound = digits() > 0 && isSound }
        if skip(word: "e") || skip(word: "E") {
            if !skip(word: "+") { _ = skip(word: "-") }
            isSound = digits() > 0 && isSound
        }
        guard isSound else { throw failure("a malformed number") }
        return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    private mutating func digits() -> Int {
        let start = place
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { place += 1 }
        return place - start
    }

    private var peek: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipBlanks() {
        while let byte = peek, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { place += 1 }
    }

    private mutating func skip(_ sign: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard peek == UInt8(ascii: sign) else { return false }
        place += 1
        return true
    }

    private mutating func skip(word: String) -> Bool {
        guard bytes[place...].starts(with: word.utf8) else { return false }
        place += word.utf8.count
        return true
    }

    private func failure(_ reason: String) -> PolicySyntaxError {
        let before = bytes.prefix(place)
        let line = before.count { $0 == 0x0a } + 1
        let column = place - (before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0) + 1
        return PolicySyntaxError("document", "not JSON: \(reason) (line \(line), byte \(column))")
    }
}
