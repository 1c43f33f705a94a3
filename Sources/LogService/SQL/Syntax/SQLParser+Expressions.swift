// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Expressions, by precedence: OR, AND, NOT, comparison, `||` and sums, products, sign, subscript.
extension SQLParser {
    mutating func expression() throws -> SQLSyntax {
        try nested { try $0.disjunction() }
    }

    private mutating func disjunction() throws -> SQLSyntax {
        let start = position
        var terms = [try conjunction()]
        while skip("or") { terms.append(try conjunction()) }
        return terms.count == 1 ? terms[0] : try node(.or(terms), at: start, over: terms)
    }

    private mutating func conjunction() throws -> SQLSyntax {
        let start = position
        var terms = [try negation()]
        while skip("and") { terms.append(try negation()) }
        return terms.count == 1 ? terms[0] : try node(.and(terms), at: start, over: terms)
    }

    private mutating func negation() throws -> SQLSyntax {
        let start = position
        guard skip("not") else { return try comparison() }
        let operand = try nested { try $0.negation() }
        return try node(.not(operand), at: start, over: [operand])
    }

    private mutating func comparison() throws -> SQLSyntax {
        var left = try sum()
        while true {
            let start = position
            if let comparison = comparisonSign() {
                let right = try sum()
                left = try node(.binary(comparison, left, right), at: start, over: [left, right])
                continue
            }
            if skip("is") {
                let isNegative = skip("not")
                if skip("distinct") {
                    try expect("from")
                    let right = try sum()
                    left = try node(.isDistinct(left, right), at: start, over: [left, right])
                } else {
                    try expect("null")
                    left = try node(.isNull(left), at: start, over: [left])
                }
                if isNegative { left = try node(.not(left), at: start, over: [left]) }
                continue
            }
            let isNegative = isAt("not") && (isAt("in", ahead: 1) || isAt("like", ahead: 1) || isAt("between", ahead: 1))
            if isNegative { advance() }
            guard let predicate = try predicate(of: left, at: start) else { return left }
            left = isNegative ? try node(.not(predicate), at: start, over: [predicate]) : predicate
        }
    }

    private mutating func comparisonSign() -> SQLOperator? {
        guard case .symbol(let sign) = token.kind, let comparison = SQLOperator(rawValue: sign == "!=" ? "<>" : sign),
            comparison.isComparison
        else { return nil }
        advance()
        return comparison
    }

    /// `BETWEEN`, `IN` or `LIKE` after its operand.
    private mutating func predicate(of left: SQLSyntax, at start: Int) throws -> SQLSyntax? {
        if skip("between") {
            let lower = try sum()
            try expect("and")
            let upper = try sum()
            return try node(.between(left, lower, upper), at: start, over: [left, lower, upper])
        }
        if skip("in") {
            try expect(symbol: "(")
            if isAtQuery { return try queryNode(at: start, over: [left]) { .inQuery(left, $0) } }
            let values = try list { try $0.expression() }
            try expect(symbol: ")")
            return try node(.inList(left, values), at: start, over: [left] + values)
        }
        if skip("like") {
            let pattern = try sum()
            let escape = skip("escape") ? try sum() : nil
            return try node(.like(left, pattern, escape: escape), at: start, over: [left, pattern] + (escape.map { [$0] } ?? []))
        }
        return nil
    }

    mutating func sum() throws -> SQLSyntax {
        var left = try product()
        while true {
            let start = position
            if isAt(symbol: "||") {
                var parts = [left]
                while skip(symbol: "||") { parts.append(try product()) }
                left = try node(.concatenation(parts), at: start, over: parts)
            } else if isAt(symbol: "+") || isAt(symbol: "-") {
                let operation: SQLOperator = isAt(symbol: "+") ? .add : .subtract
                advance()
                let right = try product()
                left = try node(.binary(operation, left, right), at: start, over: [left, right])
            } else {
                return left
            }
        }
    }

    private mutating func product() throws -> SQLSyntax {
        var left = try signed()
        while case .symbol(let sign) = token.kind, let operation = SQLOperator(rawValue: sign),
            [.multiply, .divide, .modulo].contains(operation)
        {
            let start = position
            advance()
            let right = try signed()
            left = try node(.binary(operation, left, right), at: start, over: [left, right])
        }
        return left
    }

    mutating func signed() throws -> SQLSyntax {
        let start = position
        if skip(symbol: "-") {
            let operand = try nested { try $0.signed() }
            switch operand.kind {
            case .literal(.integer(let value), .bigint): return try node(.literal(.integer(-value), .bigint), at: start, over: [])
            case .literal(.double(let value), let type): return try node(.literal(.double(-value), type), at: start, over: [])
            default: return try node(.negative(operand), at: start, over: [operand])
            }
        }
        if skip(symbol: "+") { return try nested { try $0.signed() } }
        return try suffixed()
    }

    /// Subscripts, and `AT TIME ZONE`.
    private mutating func suffixed() throws -> SQLSyntax {
        var base = try primary()
        while true {
            let start = position
            if skip(symbol: "[") {
                let index = try expression()
                try expect(symbol: "]")
                base = try node(.subscripted(base, index), at: start, over: [base, index])
            } else if isAt("at"), isAt("time", ahead: 1) {
                advance()
                advance()
                try expect("zone")
                let zone = try primary()
                base = try node(.atTimeZone(base, zone), at: start, over: [base, zone])
            } else {
                return base
            }
        }
    }
}
