// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import Testing

/// What SQL refuses, in which words, and where it points.
@Suite struct `A refusal of SQL` {
    private static let rows = SQLRows(
        columns: [
            SQLColumn(name: "a", type: .varchar), SQLColumn(name: "n", type: .bigint), SQLColumn(name: "Src", type: .varchar),
            SQLColumn(name: "src", type: .varchar),
        ],
        rows: [["x", "0", "upper", "lower"], ["y", "9223372036854775807", nil, nil]])

    static let mistakes: [(String, String, column: Int, String)] = [
        ("SELECT nope", "COLUMN_NOT_EXISTS", 8, "Column 'nope' cannot be resolved;please add the column in the index attribute"),
        (
            "SELECT count(*) WHERE \"no.pe\" = 1", "COLUMN_NOT_EXISTS", 23,
            "Column 'no.pe' cannot be resolved;please add the column in the index attribute"
        ),
        ("SELEC 1", "SYNTAX_ERROR", 1, "unexpected 'SELEC', SELECT expected"),
        ("SELECT", "SYNTAX_ERROR", 7, "unexpected end of query, an expression expected"),
        ("SELECT a FROM", "SYNTAX_ERROR", 14, "unexpected end of query, a name expected"),
        ("SELECT a b c", "SYNTAX_ERROR", 12, "unexpected 'c'"),
        ("SELECT (n", "SYNTAX_ERROR", 10, "unexpected end of query, ')' expected"),
        ("SELECT 'x", "SYNTAX_ERROR", 8, "a quotation mark is missing"),
        ("SELECT 1 ? 2", "SYNTAX_ERROR", 10, "unexpected character '?'"),
        ("SELECT 1a", "SYNTAX_ERROR", 8, "a name that begins with a digit needs double quotes"),
        ("SELECT 99999999999999999999", "SYNTAX_ERROR", 8, "the number 99999999999999999999 is out of range"),
        ("SELECT a /* x", "SYNTAX_ERROR", 10, "a comment does not end"),
        ("SELECT * FROM other", "SYNTAX_ERROR", 15, "Table 'other' does not exist"),
        ("SELECT nofunc(1)", "FUNCTION_NOT_FOUND", 8, "Function 'nofunc' not registered"),
        ("SELECT lower(1)", "TYPE_MISMATCH", 8, "Unexpected parameters (bigint) for function lower. Expected: lower(varchar)"),
        ("SELECT \"$moved\"(1)", "FUNCTION_NOT_FOUND", 8, "Function '$moved' not registered"),
        ("SELECT n WHERE a = 1", "TYPE_MISMATCH", 18, "'=' cannot be applied to varchar, bigint"),
        ("SELECT n WHERE n", "TYPE_MISMATCH", 16, "a condition must be boolean, not bigint"),
        ("SELECT a + 1", "TYPE_MISMATCH", 10, "'+' cannot be applied to varchar, bigint"),
        ("SELECT n IN ('x')", "TYPE_MISMATCH", 10, "IN cannot be applied to bigint, varchar"),
        ("SELECT a, count(*) GROUP BY n", "SYNTAX_ERROR", 8, "'a' must be an aggregate expression or appear in GROUP BY clause"),
        ("SELECT count(*) ORDER BY a", "SYNTAX_ERROR", 26, "'a' must be an aggregate expression or appear in GROUP BY clause"),
        ("SELECT n WHERE count(*) > 1", "SYNTAX_ERROR", 16, "count cannot be used in WHERE"),
        ("SELECT sum(count(*))", "SYNTAX_ERROR", 12, "count cannot be used inside of another aggregate or window function"),
        ("SELECT count(*) GROUP BY count(*)", "SYNTAX_ERROR", 26, "count cannot be used in GROUP BY"),
        ("SELECT a ORDER BY 2", "SYNTAX_ERROR", 19, "position 2 is not in the select list"),
        ("SELECT count(*) GROUP BY 1", "SYNTAX_ERROR", 26, "GROUP BY position 1 is an aggregate"),
        ("SELECT 1 UNION SELECT 1, 2", "SYNTAX_ERROR", 16, "the queries of a set operation have different numbers of columns"),
        ("SELECT n = (SELECT 1, 2)", "SYNTAX_ERROR", 12, "a subquery must have one column, not 2"),
        (
            "SELECT x.a FROM log a JOIN log b ON a.n = b.n", "COLUMN_NOT_EXISTS", 8,
            "Column 'x.a' cannot be resolved;please add the column in the index attribute"
        ),
        ("SELECT n FROM log a JOIN log b ON a.n = b.n", "SYNTAX_ERROR", 8, "Column 'n' is ambiguous"),
        ("SELECT SRC", "SYNTAX_ERROR", 8, "Column 'SRC' is ambiguous"),
        ("SELECT cast(a AS array(bigint))", "TYPE_MISMATCH", 8, "Cannot cast varchar to array(bigint)"),
        ("SELECT cast(a AS blob)", "SYNTAX_ERROR", 18, "unknown type 'blob'"),
        ("SELECT x -> x", "SYNTAX_ERROR", 8, "a lambda can only be an argument of a function that takes one"),
        ("SELECT filter(array[1], (x, y) -> true)", "SYNTAX_ERROR", 25, "the lambda must have 1 parameters"),
        (
            "SELECT DISTINCT a ORDER BY n", "SYNTAX_ERROR", 28,
            "For SELECT DISTINCT, ORDER BY expressions must appear in select list"
        ), ("SELECT a LIMIT 1000001", "EXCEEDED_LIMIT", 1, "LIMIT must not exceed 1000000 rows"),
        ("SELECT a LIMIT 5 OFFSET 9223372036854775807", "EXCEEDED_LIMIT", 1, "LIMIT must not exceed 1000000 rows"),
        ("SELECT a LIMIT 5, 10001", "EXCEEDED_LIMIT", 1, "LIMIT must not exceed 10000 rows when rows are skipped"),
        (
            "SELECT row_number() OVER (ORDER BY a) AS k WHERE k = 1", "COLUMN_NOT_EXISTS", 50,
            "Column 'k' cannot be resolved;please add the column in the index attribute"
        ),
        ("SELECT max(map(array[1], array[1]))", "TYPE_MISMATCH", 8, "Type map(bigint, bigint) is not orderable"),
        (
            "SELECT time_series(n, 'x', '%H', '0')", "SYNTAX_ERROR", 8,
            "time_series takes a time, a window such as '5m', a format and a padding"
        ),
        (
            "SELECT sum(n) OVER (ORDER BY n RANGE BETWEEN 1 PRECEDING AND CURRENT ROW)", "NOT_SUPPORTED", 8,
            "RANGE takes UNBOUNDED and CURRENT ROW only"
        ),
    ]

    @Test(arguments: mistakes) func `names the mistake and its place`(
        _ sql: String, _ type: String, _ column: Int, _ message: String
    ) {
        #expect(
            SQLRows.refusal(sql, of: Self.rows)
                == "ErrorType:\(type).ErrorPosition,line:1,column:\(column).ErrorMessage:\(message)", "\(sql)")
    }

    static let faults: [(String, String)] = [
        ("SELECT 1 / n", "/ by zero"), ("SELECT n + 1", "bigint overflow: 9223372036854775807 + 1"),
        ("SELECT cast(a AS bigint)", "Cannot cast 'x' to bigint"),
        ("SELECT split(a, 'y')[2]", "Array subscript out of bounds"),
        ("SELECT json_extract(a, '$.b')", "Cannot convert 'x' to JSON"),
        ("SELECT regexp_like(a, '(')", "invalid regular expression '(': missing closing parenthesis at byte 1"),
        ("SELECT sum(a.n) FROM log a, log b", "bigint overflow: sum"),
        ("SELECT (SELECT n FROM log)", "a scalar subquery gave more than one row"),
        ("SELECT date_parse(a, '%Y')", "Invalid format: \"x\""), ("SELECT date_trunc(a, 1)", "'x' is not a valid time unit"),
        ("SELECT json_extract('{}', 'a[')", "Invalid JSON path: 'a['"),
        ("SELECT map(array['a'], array[1])[a]", "Key not present in map"),
        ("SELECT abs(-9223372036854775807 - 1)", "bigint overflow: abs"),
        ("SELECT from_unixtime(n)", "Cannot cast '9223372036854775807' to timestamp"),
    ]

    @Test(arguments: faults) func `names what the data do not allow`(_ sql: String, _ message: String) {
        let refusal = SQLRows.refusal(sql, of: Self.rows)
        #expect(refusal.hasSuffix(".ErrorMessage:" + message), "\(refusal)")
        // TRY takes the same for NULL.
        let expression = sql.dropFirst("SELECT ".count)
        if !sql.contains("FROM"), !sql.contains("sum(") {
            #expect(!SQLRows.refusal("SELECT try(\(expression))", of: Self.rows).contains("ErrorMessage"), "\(sql)")
        }
    }

    @Test func `points into the whole query`() throws {
        let text = "name: ä and\n x | SELECT a,\n  nope"
        let offset = text.utf8.count - " SELECT a,\n  nope".utf8.count
        #expect(
            throws: LogServiceError.parameter(
                "ErrorType:COLUMN_NOT_EXISTS.ErrorPosition,line:3,column:3.ErrorMessage:Column 'nope' cannot be resolved;please add the column in the index attribute"
            )
        ) {
            try SQLQuery(text, sqlAt: offset, columns: Self.rows.columns, options: SQLOptions(now: 0))
        }
    }

    @Test func `tells keys that differ in case alone apart`() throws {
        #expect(try Self.rows.ask("SELECT src, Src LIMIT 1").rows == [["lower", "upper"]])
    }

    // MARK: Bounds

    private static func ended(_ sql: String, _ rows: SQLRows = rows, _ change: (inout SQLLimits) -> Void) -> String {
        var limits = SQLLimits()
        change(&limits)
        do {
            _ = try SQLQuery(sql, columns: rows.columns, options: SQLOptions(now: 0)).run(on: rows, limits: limits)
            return "answered"
        } catch let error as LogServiceError {
            return error.message.contains("EXCEEDED_LIMIT")
                ? String(error.message.split(separator: "ErrorMessage:").last ?? "") : error.message
        } catch {
            return "\(error)"
        }
    }

    static let endless = [
        "SELECT count(*) FROM (SELECT 1 AS k FROM log) a, UNNEST(sequence(1, 900000)) AS b(x), UNNEST(sequence(1, 900000)) AS c(y)",
        "SELECT reduce(sequence(1, 900000), 0, (s, x) -> s + reduce(sequence(1, 900000), 0, (t, y) -> t, t -> t), s -> s)",
        "SELECT count(*) FROM UNNEST(sequence(1, 3000)) AS a(x) JOIN UNNEST(sequence(1, 90000)) AS b(y) ON x + y < 0 JOIN UNNEST(sequence(1, 9000)) AS c(z) ON x + z < 0",
        "SELECT sum(y) OVER (ORDER BY y ROWS BETWEEN 100000 PRECEDING AND 100000 FOLLOWING) FROM UNNEST(sequence(1, 500000)) AS a(y)",
        "SELECT count(*) FROM UNNEST(sequence(1, 100000)) AS a(x) WHERE regexp_like(rpad('a', 3000, 'a'), '^(a+)+$' || cast(x AS varchar)) AND x < 0",
        "SELECT count(*) FROM UNNEST(sequence(1, 900000)) AS a(x) WHERE (SELECT max(y) FROM UNNEST(sequence(1, 1000)) AS b(y) WHERE y <> x) = 0",
        "SELECT count(*) FROM UNNEST(sequence(1, 900000)) AS a(x) WHERE rpad('', 20000, 'ab') LIKE concat('%a%b%a%c', cast(x AS varchar))",
    ]

    @Test(.timeLimit(.minutes(1)), arguments: endless) func `ends what would take too long`(_ sql: String) {
        let begin = ContinuousClock.now
        let end = Self.ended(sql) { $0.duration = .milliseconds(300) }
        #expect(end == "the query takes longer than 0.3 seconds" || end.contains("takes too long on this text"), "\(sql): \(end)")
        #expect(ContinuousClock.now - begin < .seconds(10))
    }

    static let large = [
        "SELECT array_agg(x) FROM UNNEST(sequence(1, 200000)) AS a(x)",
        "SELECT x, count(*) FROM UNNEST(sequence(1, 200000)) AS a(x) GROUP BY x LIMIT 1",
        "SELECT count(DISTINCT x) FROM UNNEST(sequence(1, 200000)) AS a(x)",
        "SELECT x FROM UNNEST(sequence(1, 200000)) AS a(x) ORDER BY x LIMIT 200000",
        "SELECT count(*) FROM log JOIN UNNEST(sequence(1, 200000)) AS a(x) ON n = x",
        "SELECT histogram(cast(x AS varchar)) FROM UNNEST(sequence(1, 200000)) AS a(x)",
        "SELECT approx_percentile(x, 0.5) FROM UNNEST(sequence(1, 200000)) AS a(x)",
        "SELECT row_number() OVER () FROM UNNEST(sequence(1, 200000)) AS a(x)",
        "SELECT max(rpad('', 1000000, 'x') || cast(x AS varchar)) FROM UNNEST(sequence(1, 200000)) AS a(x)",
        "SELECT x FROM UNNEST(sequence(1, 200000)) AS a(x) EXCEPT SELECT x + 1 FROM UNNEST(sequence(1, 200000)) AS a(x)",
        "SELECT 1 WHERE 1 IN (SELECT x + 5 FROM UNNEST(sequence(1, 200000)) AS a(x))",
        "SELECT array_agg(x ORDER BY x) FROM UNNEST(sequence(1, 200000)) AS a(x)",
    ]

    @Test(.timeLimit(.minutes(1)), arguments: large) func `ends what would need too much memory`(_ sql: String) {
        #expect(Self.ended(sql) { $0.memoryBytes = 2 << 20 } == "the query needs more memory than 2 MiB", "\(sql)")
    }

    static let oversized: [(String, String)] = [
        ("SELECT rpad('', 100000000, 'x')", "a text is longer than 16 MiB"),
        ("SELECT replace(rpad('', 1000000, 'x'), '', 'yyyyyyyyyyyyyyyyyyyy')", "a text is longer than 16 MiB"),
        ("SELECT sequence(1, 2000000)", "an array is too large"), ("SELECT repeat('x', 9000000000)", "an array is too large"),
        ("SELECT reduce(sequence(1, 60), 'x', (s, x) -> s || s, s -> s)", "a text is longer than 16 MiB"),
        ("SELECT reduce(sequence(1, 60), array[1], (s, x) -> s || s, s -> s)", "an array is too large"),
        ("SELECT repeat(repeat(repeat(1, 1000), 1000), 1000)", "an array is too large"),
        ("SELECT transform(sequence(1, 100000), x -> rpad('', 100000, 'x'))", "an array is too large"),
    ]

    @Test(arguments: oversized) func `ends what makes too large a value`(_ sql: String, _ message: String) {
        #expect(Self.ended(sql) { _ in } == message, "\(sql)")
    }

    @Test func `ends too large a result`() {
        #expect(
            Self.ended("SELECT x FROM UNNEST(sequence(1, 5000)) AS a(x) LIMIT 5000") { $0.resultRows = 4999 }
                == "the result has more than 4999 rows")
        #expect(
            Self.ended("SELECT rpad('', 1000, 'x') FROM UNNEST(sequence(1, 5000)) AS a(x) LIMIT 5000") {
                $0.resultBytes = 1 << 20
            } == "the result is larger than 1 MiB")
    }

    private static func list(_ part: String, _ count: Int, _ separator: String) -> String {
        repeatElement(part, count: count).joined(separator: separator)
    }

    static let deep: [String] = [
        "SELECT 1" + String(repeating: ", n + 1", count: 5000),
        "SELECT count(1) GROUP BY a" + String(repeating: ", a", count: 5000),
        "SELECT " + String(repeating: "(", count: 5000) + "1" + String(repeating: ")", count: 5000),
        "SELECT -" + String(repeating: "- ", count: 3000) + "1",
        "SELECT " + String(repeating: "NOT ", count: 5000) + "true", "SELECT 1" + String(repeating: " + 1", count: 5000),
        "SELECT " + String(repeating: "abs(", count: 3000) + "1",
        String(repeating: "SELECT * FROM (", count: 1000) + "SELECT 1",
        "SELECT 1" + String(repeating: " UNION SELECT 1", count: 2000),
        "SELECT 1 FROM log" + String(repeating: ", log", count: 2000),
        "SELECT " + String(repeating: "CASE WHEN true THEN ", count: 2000) + "1",
        "SELECT " + String(repeating: "array[", count: 2000) + "1", "SELECT " + String(repeating: "x -> ", count: 3000) + "1",
        "SELECT cast(1 AS " + String(repeating: "array(", count: 3000) + "bigint",
        "SELECT a" + String(repeating: "[1]", count: 5000), "SELECT " + String(repeating: "(SELECT ", count: 3000) + "1",
        "SELECT 1 " + String(repeating: "WHERE 1 IN (SELECT 1 ", count: 1000), String(repeating: " ", count: 70_000) + "SELECT 1",
        "WITH a AS (SELECT 1 AS x)"
            + (1...30).map { number in
                let before = number == 1 ? "a" : "a\(number - 1)"
                return ", a\(number) AS (SELECT p.x FROM \(before) p, \(before) q)"
            }.joined() + " SELECT * FROM a30",
        "SELECT \(list("y", 2000, "+")) AS z, \(list("n", 200, "+")) AS y ORDER BY \(list("y", 2000, ","))",
    ]

    @Test(arguments: deep.indices) func `stops at what is too deep or too long`(_ place: Int) {
        let sql = Self.deep[place]
        let refusal = SQLRows.refusal(sql, of: Self.rows)
        #expect(refusal.contains("ErrorMessage:"), "\(sql.prefix(60)): \(refusal.prefix(200))")
    }

    @Test func `is a cancellation if nobody waits`() throws {
        let query = try SQLQuery(Self.endless[0], columns: Self.rows.columns, options: SQLOptions(now: 0))
        var asked = 0
        #expect(throws: CancellationError.self) {
            try query.run(on: Self.rows) {
                asked += 1
                return asked > 20
            }
        }
    }

    @Test func `accepts long conditions that are not deep`() throws {
        let terms = (0..<1500).map { "n = \($0)" }.joined(separator: " OR ")
        #expect(try Self.rows.ask("SELECT a WHERE \(terms)").rows == [["x"]])
        let texts = (0..<100).map { "'\($0)'" }.joined(separator: " || ")
        #expect(try Self.rows.ask("SELECT length(\(texts)) LIMIT 1").rows == [["190"]])
    }
}
