// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Calls of functions, with what aggregates and window functions have behind them.
extension SQLParser {
    mutating func call(_ name: String, at start: Int) throws -> SQLSyntax {
        try expect(symbol: "(")
        var call = SQLCall(name: name, arguments: [])
        if skip(symbol: "*") {
            call.isStar = true
        } else if !isAt(symbol: ")") {
            call.isDistinct = skip("distinct")
            call.arguments = try list { parser in parser.isAtLambda ? try parser.lambda() : try parser.expression() }
            if skip("order") {
                try expect("by")
                call.order = try list { try $0.sortItem() }
            }
        }
        try expect(symbol: ")")
        if isAt("filter"), isAt(symbol: "(", ahead: 1) {
            advance()
            advance()
            try expect("where")
            call.filter = try expression()
            try expect(symbol: ")")
        }
        if skip("over") { call.window = try window() }
        let children =
            call.arguments + call.order.map(\.expression) + (call.filter.map { [$0] } ?? [])
            + (call.window.map { $0.partition + $0.order.map(\.expression) } ?? [])
        return try node(.call(call), at: start, over: children)
    }

    private mutating func window() throws -> SQLWindowSyntax {
        var window = SQLWindowSyntax()
        try expect(symbol: "(")
        if skip("partition") {
            try expect("by")
            window.partition = try list { try $0.expression() }
        }
        if skip("order") {
            try expect("by")
            window.order = try list { try $0.sortItem() }
        }
        if isAt("rows") || isAt("range") {
            window.frame.isRows = isAt("rows")
            advance()
            if skip("between") {
                window.frame.start = try bound()
                try expect("and")
                window.frame.end = try bound()
            } else {
                window.frame.start = try bound()
            }
        }
        try expect(symbol: ")")
        return window
    }

    private mutating func bound() throws -> SQLFrameBounds.Bound {
        if skip("current") {
            try expect("row")
            return .currentRow
        }
        if skip("unbounded") {
            if skip("preceding") { return .unboundedPreceding }
            try expect("following")
            return .unboundedFollowing
        }
        let count = try nonNegative("a number of rows")
        if skip("preceding") { return .preceding(count) }
        try expect("following")
        return .following(count)
    }
}
