// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Reads the search language; source of the grammar: sls.md section 10.1.
///
/// Where the vendor's documents differ, `not` binds closer than `and`. What is SQL and no search, such as `key is not NULL` and
/// `key != ''`, which one of the vendor's own rules has before its pipe, is refused with a word on how to write it.
struct SearchParser {
    /// Documented; operators do not count.
    static let mostConditions = 30
    /// Brackets and `not` within one another.
    static let deepest = 64
    static let longest = 65_536

    private var scanner: SearchScanner
    private var depth = 0
    private var conditions = 0

    static func parse(_ search: String) throws(LogServiceError) -> SearchExpression {
        guard search.utf8.count <= longest else {
            throw .parameter("The search is longer than \(longest) bytes.")
        }
        var parser = SearchParser(scanner: SearchScanner(search))
        try parser.refuseStatement()
        parser.scanner.skipBlanks()
        guard !parser.scanner.isAtEnd else { return .all }
        let expression = try parser.alternatives()
        guard parser.scanner.isAtEnd else { throw parser.unexpected("and, or, or another condition is expected") }
        return expression
    }

    private init(scanner: SearchScanner) { self.scanner = scanner }

    /// A statement without a search and its pipe before it would be looked for word by word.
    private func refuseStatement() throws(LogServiceError) {
        var ahead = scanner
        ahead.skipBlanks()
        guard let first = try ahead.word(), !first.isQuoted, first.text.lowercased() == "select" else { return }
        ahead.skipBlanks()
        guard !ahead.isAtEnd, ahead.peek() != UInt8(ascii: ":") else { return }
        throw .parameter(
            "sql query must follow search query,please read syntex doc: write * | select …, or put the word \"select\" in quotes")
    }

    private mutating func alternatives() throws(LogServiceError) -> SearchExpression {
        var parts = [try sequence()]
        while try takeKeyword("or") { parts.append(try sequence()) }
        return parts.count == 1 ? parts[0] : .or(parts)
    }

    private mutating func sequence() throws(LogServiceError) -> SearchExpression {
        var parts = [try unary()]
        while true {
            if try !takeKeyword("and") {
                scanner.skipBlanks()
                if scanner.isAtEnd || scanner.peek() == UInt8(ascii: ")") { break }
                if let next = try nextWord(), next.isKeyword, next.text.lowercased() == "or" { break }
            }
            parts.append(try unary())
        }
        return parts.count == 1 ? parts[0] : .and(parts)
    }

    private mutating func unary() throws(LogServiceError) -> SearchExpression {
        scanner.skipBlanks()
        let start = scanner.place
        if try takeKeyword("not") { return .not(try deeper(at: start) { parser throws(LogServiceError) in try parser.unary() }) }
        guard scanner.take("(") else { return try condition() }
        let inner = try deeper(at: start) { parser throws(LogServiceError) in try parser.alternatives() }
        scanner.skipBlanks()
        guard scanner.take(")") else {
            throw unexpected("the bracket opened at column \(scanner.column(of: start)) is not closed: ) is expected")
        }
        return inner
    }

    private mutating func deeper(
        at place: Int, _ read: (inout SearchParser) throws(LogServiceError) -> SearchExpression
    ) throws(LogServiceError) -> SearchExpression {
        guard depth < Self.deepest else {
            throw .parameter("Brackets and not are nested more than \(Self.deepest) deep at column \(scanner.column(of: place)).")
        }
        depth += 1
        defer { depth -= 1 }
        return try read(&self)
    }

    private mutating func condition() throws(LogServiceError) -> SearchExpression {
        let column = scanner.column(of: scanner.place)
        conditions += 1
        guard conditions <= Self.mostConditions else {
            throw .parameter(
                "A search has at most \(Self.mostConditions) conditions; number \(conditions) begins at column \(column).")
        }
        if let phrase = try phrase() {
            return .condition(SearchCondition(key: nil, test: .value(phrase), column: column))
        }
        guard let word = try scanner.word() else { throw unexpected("a condition is expected") }
        guard !word.isKeyword else {
            throw .parameter(
                "A condition is expected at column \(column), before '\(word.text)';"
                    + " put the word in double quotes to search for it."
            )
        }
        scanner.skipBlanks()
        if scanner.take(":") {
            let key = try keyOfTag(word)
            return .condition(SearchCondition(key: key, test: try value(of: key), column: column))
        }
        if let comparison = try comparison(after: word) {
            return .condition(SearchCondition(key: word.text, test: comparison, column: column))
        }
        if scanner.isRange() {
            return .condition(SearchCondition(key: word.text, test: try range(), column: column))
        }
        try refuseNullTest(of: word)
        if !word.isQuoted, word.text == "*" { return .all }
        let value = SearchValue(text: word.text, form: word.isQuoted ? .quoted : .word)
        return .condition(SearchCondition(key: nil, test: .value(value), column: column))
    }

    /// Behind the colon of `__tag__:` comes the tag's name and another colon.
    private mutating func keyOfTag(_ word: SearchScanner.Word) throws(LogServiceError) -> String {
        guard word.text == "__tag__" else { return word.text }
        scanner.skipBlanks()
        guard let name = try scanner.word() else { throw unexpected("the name of a tag is expected after __tag__:") }
        scanner.skipBlanks()
        guard scanner.take(":") else { throw unexpected("a colon and a value are expected after __tag__:\(name.text)") }
        return "__tag__:" + name.text
    }

    private mutating func value(of key: String) throws(LogServiceError) -> SearchCondition.Test {
        scanner.skipBlanks()
        if let phrase = try phrase() { return .value(phrase) }
        guard let next = try nextWord() else {
            if scanner.peek() == UInt8(ascii: "(") {
                throw unexpected("a value is expected after \(key): (write key:a or key:b, each with its key)")
            }
            throw unexpected("a value is expected after \(key):")
        }
        guard !next.isKeyword else {
            throw .parameter(
                "A value is expected after \(key): at column \(scanner.column(of: next.place));"
                    + " put '\(next.text)' in double quotes if it is one."
            )
        }
        let word = try scanner.word() ?? next
        if scanner.peek() == UInt8(ascii: ":") {
            throw unexpected("a key or value that has a colon in it must be put in double quotes")
        }
        return !word.isQuoted && word.text == "*"
            ? .exists : .value(SearchValue(text: word.text, form: word.isQuoted ? .quoted : .word))
    }

    private mutating func phrase() throws(LogServiceError) -> SearchValue? {
        guard scanner.peek() == UInt8(ascii: "#"), scanner.peek(1) == UInt8(ascii: "\"") else { return nil }
        let start = scanner.place
        _ = scanner.take("#")
        guard let word = try scanner.word(), !word.text.isEmpty else {
            throw .parameter("The phrase at column \(scanner.column(of: start)) is empty.")
        }
        return SearchValue(text: word.text, form: .phrase)
    }

    private mutating func comparison(after word: SearchScanner.Word) throws(LogServiceError) -> SearchCondition.Test? {
        let start = scanner.place
        for sign in [">=", "<=", "=", ">", "<"] where scanner.take(sign) {
            if !word.isQuoted, sign == "=", word.text.hasSuffix("!") {
                throw .parameter(
                    "!= at column \(scanner.column(of: start) - 1) is SQL, which comes after the pipe;"
                        + " in a search write not key:value (and not key:\"\" for a value that is not empty).")
            }
            scanner.skipBlanks()
            guard let number = try nextWord() else { throw unexpected("a number is expected after \(sign)") }
            guard NumberText.isNumber(number.text), let comparison = SearchCondition.Comparison(rawValue: sign) else {
                throw .parameter(
                    "A number is expected after \(sign) at column \(scanner.column(of: number.place)), not '\(number.text)';"
                        + " texts are searched with key:value.")
            }
            _ = try scanner.word()
            return .comparison(comparison, number: number.text)
        }
        return nil
    }

    private mutating func range() throws(LogServiceError) -> SearchCondition.Test {
        _ = scanner.take("in")
        scanner.skipBlanks()
        let includesFrom = scanner.take("[")
        if !includesFrom { _ = scanner.take("(") }
        let from = try rangeNumber()
        let to = try rangeNumber()
        scanner.skipBlanks()
        let includesTo = scanner.take("]")
        guard includesTo || scanner.take(")") else { throw unexpected("] or ) is expected at the end of a range") }
        return .range(from: from, includesFrom: includesFrom, to: to, includesTo: includesTo)
    }

    private mutating func rangeNumber() throws(LogServiceError) -> String {
        scanner.skipBlanks()
        let before = scanner
        guard let text = scanner.rangeNumber(), NumberText.isNumber(text) else {
            scanner = before
            throw unexpected(
                "a number is expected: a range is written key in [1 100], with a blank between its ends;"
                    + " put \"in\" in double quotes to search for the word")
        }
        return text
    }

    /// `key is NULL` and `key is not NULL` would be three or four words to look for.
    private func refuseNullTest(of word: SearchScanner.Word) throws(LogServiceError) {
        var ahead = scanner
        guard let verb = try ahead.word(), !verb.isQuoted, verb.text.lowercased() == "is" else { return }
        ahead.skipBlanks()
        var next = try ahead.word()
        let isNegated = next.map { !$0.isQuoted && $0.text.lowercased() == "not" } ?? false
        if isNegated {
            ahead.skipBlanks()
            next = try ahead.word()
        }
        guard let next, !next.isQuoted, next.text.lowercased() == "null" else { return }
        throw .parameter(
            "is \(isNegated ? "not " : "")NULL at column \(scanner.column(of: verb.place)) is SQL, which comes after the pipe;"
                + " in a search write " + (isNegated ? "\(word.text):*" : "not \(word.text):*")
                + ", or put the words in double quotes.")
    }

    private mutating func takeKeyword(_ keyword: String) throws(LogServiceError) -> Bool {
        scanner.skipBlanks()
        guard let next = try nextWord(), next.isKeyword, next.text.lowercased() == keyword else { return false }
        _ = try scanner.word()
        return true
    }

    private func nextWord() throws(LogServiceError) -> SearchScanner.Word? {
        var ahead = scanner
        return try ahead.word()
    }

    private func unexpected(_ expectation: String) -> LogServiceError {
        .parameter("Unexpected \(scanner.here()) at column \(scanner.column(of: scanner.place)): \(expectation).")
    }
}
