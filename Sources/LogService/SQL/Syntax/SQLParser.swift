// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Reads SQL in the dialect of Presto, by recursive descent. It remembers how deep what it has read goes, and refuses what
/// is so deep that walking it could exhaust the stack.
struct SQLParser {
    private let tokens: [SQLToken]
    private var place = 0
    /// Calls under way that a nested expression or query makes.
    private var depth = 0
    /// Of the expressions read so far in the innermost query.
    private var highest = 0

    static let maximumHeight = 120
    /// Of parentheses, calls, queries in one another; each takes some ten frames of the stack.
    static let maximumDepth = 60
    /// Of joins and set operations in a row.
    static let maximumChain = 40

    private init(_ sql: String) throws { tokens = try SQLLexer.tokens(of: sql) }

    static func query(_ sql: String) throws -> SQLQuerySyntax {
        var parser = try SQLParser(sql)
        parser.skipSessionSettings()
        let query = try parser.query()
        _ = parser.skip(symbol: ";")
        guard parser.token.kind == .end else { throw parser.unexpected() }
        return query
    }
}

/// Tokens.
extension SQLParser {
    var token: SQLToken { tokens[place] }
    var position: Int { tokens[place].position }

    func ahead(_ distance: Int) -> SQLToken { tokens[min(place + distance, tokens.count - 1)] }

    mutating func advance() { place = min(place + 1, tokens.count - 1) }

    func isAt(_ keyword: String, ahead distance: Int = 0) -> Bool {
        if case .word(let word) = ahead(distance).kind { word.lowercased() == keyword } else { false }
    }

    func isAt(symbol: String, ahead distance: Int = 0) -> Bool { ahead(distance).kind == .symbol(symbol) }

    mutating func skip(_ keyword: String) -> Bool {
        guard isAt(keyword) else { return false }
        advance()
        return true
    }

    mutating func skip(symbol: String) -> Bool {
        guard isAt(symbol: symbol) else { return false }
        advance()
        return true
    }

    mutating func expect(_ keyword: String) throws {
        if !skip(keyword) { throw unexpected(wanted: keyword.uppercased()) }
    }

    mutating func expect(symbol: String) throws {
        if !skip(symbol: symbol) { throw unexpected(wanted: "'\(symbol)'") }
    }

    func fail(_ message: String, at position: Int? = nil) -> SQLFailure {
        SQLFailure(kind: .syntax, message: message, position: position ?? self.position)
    }

    func unexpected(wanted: String? = nil) -> SQLFailure {
        let found =
            switch token.kind {
            case .word(let text): "'\(text)'"
            case .name(let text): "'\"\(text)\"'"
            case .text(let text): "''\(text)''"
            case .integer(let value): "'\(value)'"
            case .double(let value): "'\(value)'"
            case .symbol(let text): "'\(text)'"
            case .end: "end of query"
            }
        return fail("unexpected \(found)" + (wanted.map { ", \($0) expected" } ?? ""))
    }

    /// Words that end an expression, so that they are no aliases unless quoted.
    private static let reserved: Set<String> = [
        "from", "where", "group", "having", "order", "limit", "offset", "union", "intersect", "except", "as", "on", "using",
        "join", "inner", "left", "right", "full", "cross", "natural", "when", "then", "else", "end", "and", "or", "not", "in",
        "like", "between", "is", "case", "select", "distinct", "with", "asc", "desc", "nulls", "escape", "by", "null", "true",
        "false", "exists", "cast", "try_cast",
    ]

    mutating func name() throws -> String {
        switch token.kind {
        case .name(let name):
            advance()
            return name
        case .word(let word) where !SQLParser.reserved.contains(word.lowercased()):
            advance()
            return word
        default: throw unexpected(wanted: "a name")
        }
    }

    var isAtName: Bool {
        switch token.kind {
        case .name: true
        case .word(let word): !SQLParser.reserved.contains(word.lowercased())
        default: false
        }
    }

    /// An alias, with or without AS.
    mutating func alias() throws -> String? {
        if skip("as") {
            // After AS a text in single quotes is taken for a name too.
            if case .text(let name) = token.kind, !name.isEmpty {
                advance()
                return name
            }
            return try name()
        }
        return isAtName ? try name() : nil
    }

    mutating func nonNegative(_ what: String) throws -> Int64 {
        guard case .integer(let value) = token.kind else { throw unexpected(wanted: what) }
        advance()
        return value
    }

    mutating func list<Item>(_ item: (inout SQLParser) throws -> Item) throws -> [Item] {
        var items = [try item(&self)]
        while skip(symbol: ",") { items.append(try item(&self)) }
        return items
    }

    /// `set session a=b;` before the query: settings of the vendor's engine, which have no meaning here.
    private mutating func skipSessionSettings() {
        while isAt("set"), isAt("session", ahead: 1) {
            while token.kind != .end, !skip(symbol: ";") { advance() }
        }
    }

    /// Goes one level deeper for the time of `body`.
    mutating func nested<Result>(_ body: (inout SQLParser) throws -> Result) throws -> Result {
        depth += 1
        defer { depth -= 1 }
        if depth > SQLParser.maximumDepth { throw tooDeep }
        return try body(&self)
    }

    private var tooDeep: SQLFailure { SQLFailure(kind: .limit, message: "the query is nested too deeply", position: position) }

    mutating func node(_ kind: SQLSyntax.Kind, at position: Int, over children: [SQLSyntax]) throws -> SQLSyntax {
        let height = 1 + (children.map(\.height).max() ?? 0)
        return try node(kind, at: position, height: height)
    }

    private mutating func node(_ kind: SQLSyntax.Kind, at position: Int, height: Int) throws -> SQLSyntax {
        if height > SQLParser.maximumHeight { throw tooDeep }
        highest = max(highest, height)
        return SQLSyntax(kind: kind, position: position, height: height)
    }

    /// A query within another, and how deep it goes.
    mutating func innerQuery() throws -> (SQLQuerySyntax, height: Int) {
        let outer = highest
        highest = 0
        let query = try nested { try $0.query() }
        let height = highest + 1
        highest = max(outer, height)
        return (query, height)
    }

    /// An expression over a query in parentheses, the opening one already read.
    mutating func queryNode(at position: Int, over children: [SQLSyntax] = [], _ kind: (SQLQuerySyntax) -> SQLSyntax.Kind)
        throws -> SQLSyntax
    {
        let (query, height) = try innerQuery()
        try expect(symbol: ")")
        return try node(kind(query), at: position, height: 1 + max(height, children.map(\.height).max() ?? 0))
    }

    var isAtQuery: Bool { isAt("select") || isAt("with") || isAt("values") }

    /// Whether a query begins here, perhaps in more parentheses.
    var isAtQueryInParentheses: Bool {
        var distance = 0
        while isAt(symbol: "(", ahead: distance) { distance += 1 }
        return isAt("select", ahead: distance) || isAt("with", ahead: distance) || isAt("values", ahead: distance)
    }
}
