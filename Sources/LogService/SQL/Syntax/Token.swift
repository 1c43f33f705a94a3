// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A word of SQL.
struct SQLToken: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// A bare word, as written: a keyword or a name.
        case word(String)
        /// In double quotes or backticks: always a name.
        case name(String)
        case text(String)
        case integer(Int64)
        case double(Double)
        case symbol(String)
        case end
    }

    var kind: Kind
    /// Byte of the SQL where it begins.
    var position: Int
}

/// Cuts SQL into tokens; blanks and comments (`--` and `/* */`) are left out.
struct SQLLexer {
    private let bytes: [UInt8]
    private var place = 0

    static let maximumLength = 65_536

    private init(_ sql: String) { bytes = Array(sql.utf8) }

    static func tokens(of sql: String) throws -> [SQLToken] {
        if sql.utf8.count > maximumLength { throw SQLFailure.limit("the query is longer than \(maximumLength) bytes") }
        var lexer = SQLLexer(sql)
        var tokens: [SQLToken] = []
        repeat { tokens.append(try lexer.next()) } while tokens.last?.kind != .end
        return tokens
    }

    private func byte(_ distance: Int = 0) -> UInt8 { place + distance < bytes.count ? bytes[place + distance] : 0 }

    private func fail(_ message: String, at position: Int) -> SQLFailure {
        SQLFailure(kind: .syntax, message: message, position: position)
    }

    private mutating func skipBlanks() throws {
        while place < bytes.count {
            switch byte() {
            case 0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D: place += 1
            case 0x2D where byte(1) == 0x2D:
                while place < bytes.count, byte() != 0x0A { place += 1 }
            case 0x2F where byte(1) == 0x2A:
                let start = place
                place += 2
                while place < bytes.count, !(byte() == 0x2A && byte(1) == 0x2F) { place += 1 }
                if place >= bytes.count { throw fail("a comment does not end", at: start) }
                place += 2
            default: return
            }
        }
    }

    private mutating func next() throws -> SQLToken {
        try skipBlanks()
        let start = place
        guard place < bytes.count else { return SQLToken(kind: .end, position: start) }
        let first = byte()
        let kind: SQLToken.Kind
        switch first {
        case 0x27: kind = .text(try quoted(by: first))
        case 0x22, 0x60:
            let name = try quoted(by: first)
            if name.isEmpty { throw fail("a name is empty", at: start) }
            kind = .name(name)
        case 0x30...0x39: kind = try number()
        case 0x2E where byte(1) >= 0x30 && byte(1) <= 0x39: kind = try number()
        case _ where SQLLexer.isLetter(first): kind = .word(word())
        default: kind = try symbol()
        }
        return SQLToken(kind: kind, position: start)
    }

    /// Letters of any script, `_`, `$` and `@`.
    private static func isLetter(_ byte: UInt8) -> Bool {
        (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || byte == 0x5F || byte == 0x24 || byte == 0x40 || byte >= 0x80
    }

    private mutating func word() -> String {
        let start = place
        while place < bytes.count, SQLLexer.isLetter(byte()) || (byte() >= 0x30 && byte() <= 0x39) { place += 1 }
        return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    /// A quote inside is written twice.
    private mutating func quoted(by quote: UInt8) throws -> String {
        let start = place
        var content: [UInt8] = []
        place += 1
        while place < bytes.count {
            if byte() == quote {
                if byte(1) != quote {
                    place += 1
                    return String(decoding: content, as: UTF8.self)
                }
                place += 1
            }
            content.append(byte())
            place += 1
        }
        throw fail("a quotation mark is missing", at: start)
    }

    private mutating func number() throws -> SQLToken.Kind {
        let start = place
        func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
        var isInteger = true
        while isDigit(byte()) { place += 1 }
        if byte() == 0x2E {
            isInteger = false
            place += 1
            while isDigit(byte()) { place += 1 }
        }
        if byte() | 0x20 == 0x65 {
            let sign = byte(1) == 0x2B || byte(1) == 0x2D ? 1 : 0
            if isDigit(byte(1 + sign)) {
                isInteger = false
                place += 1 + sign
                while isDigit(byte()) { place += 1 }
            }
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        if SQLLexer.isLetter(byte()) { throw fail("a name that begins with a digit needs double quotes", at: start) }
        if isInteger {
            guard let value = Int64(text) else { throw fail("the number \(text) is out of range", at: start) }
            return .integer(value)
        }
        // Of `1.` and `.5` too.
        guard let value = Double(text.last == "." ? text + "0" : (text.first == "." ? "0" + text : text)), value.isFinite else {
            throw fail("the number \(text) is out of range", at: start)
        }
        return .double(value)
    }

    private static let symbols = [
        "<>", "!=", "<=", ">=", "||", "->", "(", ")", "[", "]", ",", ".", ";", "+", "-", "*", "/", "%", "<", ">", "=",
    ]

    private mutating func symbol() throws -> SQLToken.Kind {
        for symbol in SQLLexer.symbols where bytes[place...].starts(with: symbol.utf8) {
            place += symbol.utf8.count
            return .symbol(symbol)
        }
        throw fail("unexpected character '\(Unicode.Scalar(byte()))'", at: place)
    }
}
