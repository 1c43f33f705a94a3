// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What operators stand between: literals, columns, lambdas, and the forms that begin with a keyword.
extension SQLParser {
    mutating func primary() throws -> SQLSyntax {
        let start = position
        switch token.kind {
        case .integer(let value): return try literal(.integer(value), .bigint)
        case .double(let value): return try literal(.double(value), .double)
        case .text(let value): return try literal(.text(value), .varchar)
        case .name: return try named()
        case .word(let word): return try self.word(word.lowercased())
        case .symbol("("):
            if isAtLambda { return try lambda() }
            advance()
            if isAtQuery || isAtQueryInParentheses { return try queryNode(at: start) { .query($0) } }
            let inner = try expression()
            try expect(symbol: ")")
            return inner
        default: throw unexpected(wanted: "an expression")
        }
    }

    private mutating func literal(_ value: SQLValue, _ type: SQLType) throws -> SQLSyntax {
        let start = position
        advance()
        return try node(.literal(value, type), at: start, over: [])
    }

    /// A column, perhaps with its table before it; or a call.
    private mutating func named() throws -> SQLSyntax {
        let start = position
        if isAt(symbol: "->", ahead: 1) { return try lambda() }
        let first = try name()
        if isAt(symbol: "(") { return try call(first.lowercased(), at: start) }
        var parts = [first]
        while isAt(symbol: "."), parts.count < 16 {
            advance()
            // After a point every word is a name.
            if case .word(let word) = token.kind {
                parts.append(word)
                advance()
            } else {
                parts.append(try name())
            }
        }
        return try node(.name(parts), at: start, over: [])
    }

    /// `x -> …` or `(x, y) -> …`
    var isAtLambda: Bool {
        var distance = 1
        guard isAt(symbol: "(") else { return isAt(symbol: "->", ahead: 1) }
        while true {
            switch ahead(distance).kind {
            case .word, .name: distance += 1
            case .symbol(")") where distance == 1: return isAt(symbol: "->", ahead: 2)
            default: return false
            }
            if isAt(symbol: ")", ahead: distance) { return isAt(symbol: "->", ahead: distance + 1) }
            guard isAt(symbol: ",", ahead: distance) else { return false }
            distance += 1
        }
    }

    mutating func lambda() throws -> SQLSyntax {
        let start = position
        var parameters: [String] = []
        if skip(symbol: "(") {
            if !isAt(symbol: ")") { parameters = try list { try $0.name() } }
            try expect(symbol: ")")
        } else {
            parameters = [try name()]
        }
        try expect(symbol: "->")
        let body = try expression()
        return try node(.lambda(parameters, body), at: start, over: [body])
    }

    private mutating func word(_ word: String) throws -> SQLSyntax {
        let start = position
        switch word {
        case "null": return try literal(.null, .unknown)
        case "true": return try literal(.boolean(true), .boolean)
        case "false": return try literal(.boolean(false), .boolean)
        case "case":
            advance()
            return try cases(at: start)
        case "cast", "try_cast":
            guard isAt(symbol: "(", ahead: 1) else { break }
            advance()
            return try cast(isTry: word == "try_cast", at: start)
        case "exists":
            advance()
            try expect(symbol: "(")
            return try queryNode(at: start) { .exists($0) }
        case "array" where isAt(symbol: "[", ahead: 1):
            advance()
            advance()
            let elements = isAt(symbol: "]") ? [] : try list { try $0.expression() }
            try expect(symbol: "]")
            return try node(.array(elements), at: start, over: elements)
        case "timestamp", "date":
            guard case .text = ahead(1).kind else { break }
            advance()
            let text = try primary()
            let type: SQLType = word == "date" ? .date : .timestamp
            return try node(.cast(text, type, length: nil, isTry: false), at: start, over: [text])
        case "interval":
            if let interval = try interval() { return interval }
        case "current_date", "current_timestamp", "localtimestamp":
            if isAt(symbol: "(", ahead: 1) { break }
            advance()
            return try node(.call(SQLCall(name: word, arguments: [])), at: start, over: [])
        case "extract" where isAt(symbol: "(", ahead: 1):
            advance()
            advance()
            let field = try name().lowercased()
            try expect("from")
            let operand = try expression()
            try expect(symbol: ")")
            return try node(.call(SQLCall(name: field, arguments: [operand])), at: start, over: [operand])
        case "position" where isAt(symbol: "(", ahead: 1):
            advance()
            advance()
            let part = try sum()
            try expect("in")
            let whole = try expression()
            try expect(symbol: ")")
            return try node(.call(SQLCall(name: "strpos", arguments: [whole, part])), at: start, over: [whole, part])
        default: break
        }
        return try named()
    }

    private mutating func cases(at start: Int) throws -> SQLSyntax {
        let operand = isAt("when") ? nil : try expression()
        var branches: [(when: SQLSyntax, then: SQLSyntax)] = []
        while skip("when") {
            let condition = try expression()
            try expect("then")
            branches.append((condition, try expression()))
        }
        if branches.isEmpty { throw unexpected(wanted: "WHEN") }
        let otherwise = skip("else") ? try expression() : nil
        try expect("end")
        let children = branches.flatMap { [$0.when, $0.then] } + [operand, otherwise].compactMap { $0 }
        return try node(.cases(operand: operand, branches, otherwise: otherwise), at: start, over: children)
    }

    private mutating func cast(isTry: Bool, at start: Int) throws -> SQLSyntax {
        try expect(symbol: "(")
        let operand = try expression()
        try expect("as")
        let (type, length) = try type()
        try expect(symbol: ")")
        return try node(.cast(operand, type, length: length, isTry: isTry), at: start, over: [operand])
    }

    private mutating func interval() throws -> SQLSyntax? {
        let start = position
        let isNegative = isAt(symbol: "-", ahead: 1)
        let text = isNegative || isAt(symbol: "+", ahead: 1) ? 2 : 1
        let amount: Int64?
        switch ahead(text).kind {
        case .text(let digits): amount = Int64(digits)
        case .integer(let value): amount = value
        default: return nil
        }
        for _ in 0...text { advance() }
        let unit = try name().lowercased()
        let units: [String: (Int64, SQLType)] = [
            "second": (1000, .intervalDayToSecond), "minute": (60_000, .intervalDayToSecond),
            "hour": (3_600_000, .intervalDayToSecond), "day": (86_400_000, .intervalDayToSecond),
            "week": (604_800_000, .intervalDayToSecond), "month": (1, .intervalYearToMonth), "year": (12, .intervalYearToMonth),
        ]
        let singular = unit.last == "s" ? String(unit.dropLast()) : unit
        guard let (factor, type) = units[singular] else { throw fail("unknown interval unit '\(unit)'", at: start) }
        guard let amount, case let (value, hasOverflowed) = amount.multipliedReportingOverflow(by: factor), !hasOverflowed,
            value != .min
        else { throw fail("the interval is not a number in range", at: start) }
        return try node(.literal(.integer(isNegative ? -value : value), type), at: start, over: [])
    }

    /// The type of a CAST, and the most characters of a varchar.
    private mutating func type() throws -> (SQLType, length: Int?) {
        let start = position
        let name = try name().lowercased()
        let type: SQLType
        switch name {
        case "varchar", "char", "string":
            guard skip(symbol: "(") else { return (.varchar, nil) }
            let length = try nonNegative("a length")
            try expect(symbol: ")")
            return (.varchar, Int(length))
        case "bigint", "integer", "int", "smallint", "tinyint", "long": type = .bigint
        case "double", "real", "float":
            _ = skip("precision")
            type = .double
        case "decimal", "numeric":
            if skip(symbol: "(") {
                _ = try list { try $0.nonNegative("a number of digits") }
                try expect(symbol: ")")
            }
            type = .double
        case "boolean": type = .boolean
        case "json": type = .json
        case "date": type = .date
        case "timestamp":
            if skip("with") {
                try expect("time")
                try expect("zone")
            }
            type = .timestamp
        case "array", "map":
            let isLess = skip(symbol: "<")
            if !isLess { try expect(symbol: "(") }
            let first = try nested { try $0.type().0 }
            if name == "map" {
                try expect(symbol: ",")
                type = .map(first, try nested { try $0.type().0 })
            } else {
                type = .array(first)
            }
            try expect(symbol: isLess ? ">" : ")")
        default: throw fail("unknown type '\(name)'", at: start)
        }
        if type.depth > SQLType.maximumDepth { throw fail("the type is nested too deeply", at: start) }
        return (type, nil)
    }
}
