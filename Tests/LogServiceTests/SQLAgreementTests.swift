// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import GRDBSQLite
import LogService
import TestSupport
import Testing

/// Made-up queries of what both dialects have in common, over the same rows in an ordinary table of SQLite.
@Suite struct `SQL and SQLite` {
    @Test(arguments: 1...16) func `agree`(seed: Int) throws {
        var random = SeededGenerator(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        let rows = (0..<random.below(60)).map { _ in random.row() }
        let source = SQLRows(
            columns: [
                SQLColumn(name: "a", type: .varchar), SQLColumn(name: "b", type: .varchar), SQLColumn(name: "n", type: .bigint),
                SQLColumn(name: "m", type: .bigint), SQLColumn(name: "r", type: .double),
            ], rows: rows, batch: 7)
        let database = try SQLiteTable(rows)
        for _ in 0..<50 {
            var maker = SQLQueryMaker(random: random)
            let (query, isOrdered) = maker.query()
            random = maker.random
            let expected = try database.ask(query.replacing(" ORDERED", with: " NULLS LAST"))
            let answer = try source.ask(query.replacing(" ORDERED", with: "") + " LIMIT 1000000").rows
            let sorted = { (rows: [[String]]) in isOrdered ? rows : rows.sorted { $0.lexicographicallyPrecedes($1) } }
            try #require(sorted(answer) == sorted(expected), "seed \(seed): \(query)")
        }
    }
}

extension SeededGenerator {
    /// Fractions are quarters, so that sums of them are exact in any order.
    mutating func row() -> [String?] {
        let texts: [String?] = ["", "a", "B", "ab", "aä", "%_", nil]
        return [
            pick(texts), pick(texts), below(6) == 0 ? nil : String(below(20) - 5), below(6) == 0 ? nil : String(below(4)),
            below(6) == 0 ? nil : String(Double(below(40) - 20) / 4),
        ]
    }
}

/// Makes queries that mean the same in both dialects; `ORDERED` stands where SQLite must be told that NULL comes last.
struct SQLQueryMaker {
    var random: SeededGenerator

    private mutating func chance(_ one: Int) -> Bool { random.below(one) == 0 }

    mutating func text(_ depth: Int = 2) -> String {
        if depth == 0 || chance(2) { return random.pick(["a", "b", "'a'", "'ab'", "''", "a", "b"]) }
        switch random.below(8) {
        case 0: return "(\(text(depth - 1)) || \(text(depth - 1)))"
        case 1: return "lower(\(text(depth - 1)))"
        case 2: return "coalesce(\(text(depth - 1)), \(text(depth - 1)))"
        case 3: return "nullif(\(text(depth - 1)), \(text(depth - 1)))"
        case 4: return "substr(\(text(depth - 1)), \(random.pick(["1", "2", "-1"])), \(random.pick(["1", "2"])))"
        case 5: return "CASE WHEN \(condition(depth - 1)) THEN \(text(depth - 1)) ELSE \(text(depth - 1)) END"
        case 6: return "replace(\(text(depth - 1)), 'a', 'xy')"
        default: return "CASE \(whole(depth - 1)) WHEN 1 THEN \(text(depth - 1)) WHEN 2 THEN 'two' END"
        }
    }

    mutating func whole(_ depth: Int = 2) -> String {
        if depth == 0 || chance(2) { return random.pick(["n", "m", "n", "m", "0", "3", "-2"]) }
        switch random.below(7) {
        case 0: return "(\(whole(depth - 1)) \(random.pick(["+", "-", "*"])) \(whole(depth - 1)))"
        case 1: return "(\(whole(depth - 1)) / \(random.pick(["2", "3", "-2"])))"
        case 2: return "(\(whole(depth - 1)) % \(random.pick(["2", "3", "-3"])))"
        case 3: return "length(\(text(depth - 1)))"
        case 4: return "abs(\(whole(depth - 1)))"
        case 5: return "coalesce(\(whole(depth - 1)), \(whole(depth - 1)))"
        default: return "CASE WHEN \(condition(depth - 1)) THEN \(whole(depth - 1)) END"
        }
    }

    mutating func real(_ depth: Int = 1) -> String {
        if depth == 0 || chance(2) { return "r" }
        return random.pick(["(r + \(whole(depth - 1)))", "(r * 2)", "coalesce(r, 0.5)", "(r / 2)"])
    }

    mutating func condition(_ depth: Int = 2) -> String {
        let sign = random.pick(["=", "<>", "<", "<=", ">", ">="])
        if depth == 0 || chance(3) {
            return random.pick(["n \(sign) m", "a \(sign) b", "n IS NULL", "a IS NOT NULL", "r \(sign) n", "m = 1"])
        }
        switch random.below(9) {
        case 0: return "(\(condition(depth - 1)) AND \(condition(depth - 1)))"
        case 1: return "(\(condition(depth - 1)) OR \(condition(depth - 1)))"
        case 2: return "NOT (\(condition(depth - 1)))"
        case 3: return "\(text(depth - 1)) \(sign) \(text(depth - 1))"
        case 4: return "\(whole(depth - 1)) \(chance(2) ? "NOT " : "")BETWEEN \(whole(depth - 1)) AND \(whole(depth - 1))"
        case 5: return "\(whole(depth - 1)) \(chance(2) ? "NOT " : "")IN (\(whole(depth - 1)), 1, \(random.pick(["NULL", "7"])))"
        case 6:
            return
                "\(text(depth - 1)) \(chance(2) ? "NOT " : "")LIKE \(random.pick(["'%a%'", "'_'", "'a_'", "''", "'%'", "'A%'"]))"
        case 7: return "\(real(depth)) \(sign) \(whole(depth - 1))"
        default: return subquery()
        }
    }

    private mutating func subquery() -> String {
        random.pick([
            "n IN (SELECT m FROM log)", "n NOT IN (SELECT m FROM log WHERE m IS NOT NULL)", "m = (SELECT max(m) FROM log)",
            "EXISTS (SELECT 1 FROM log i WHERE i.n = log.m)", "n > (SELECT count(*) FROM log i WHERE i.a = log.a)",
            "m NOT IN (SELECT n FROM log)",
        ])
    }

    private mutating func value() -> String { random.pick([text(), whole(), real()]) }

    private mutating func aggregate() -> String {
        switch random.below(8) {
        case 0: return "count(*)"
        case 1: return "count(\(value()))"
        case 2: return "count(DISTINCT \(value()))"
        case 3: return "sum(\(whole()))"
        case 4: return "avg(\(whole(1)))"
        case 5: return "min(\(value()))"
        case 6: return "max(\(value()))"
        default: return "sum(\(real(0)))"
        }
    }

    /// The query, without LIMIT, and whether its rows are in one order only.
    mutating func query() -> (String, isOrdered: Bool) {
        let filter = chance(2) ? "" : " WHERE \(condition())"
        switch random.below(8) {
        case 0, 1: return ("SELECT \(value()), \(value()) FROM log\(filter)", false)
        case 2: return ("SELECT \(aggregate()), \(aggregate()), \(aggregate()) FROM log\(filter)", false)
        case 3, 4:
            let keys = chance(2) ? [text()] : [text(), whole()]
            let names = keys.indices.map { "k\($0)" }.joined(separator: ", ")
            let items = keys.enumerated().map { "\($1) AS k\($0)" }.joined(separator: ", ")
            let having = chance(3) ? " HAVING count(*) > 1 AND \(aggregate()) IS NOT NULL" : ""
            let order = keys.indices.map { "k\($0) \(chance(2) ? "DESC" : "ASC") ORDERED" }.joined(separator: ", ")
            return (
                "SELECT \(items), \(aggregate()), \(aggregate()) FROM log\(filter) GROUP BY \(names)\(having) ORDER BY \(order)",
                true
            )
        case 5:
            let join = random.pick(["JOIN", "LEFT JOIN"])
            let on = random.pick(["x.n = y.m", "x.a = y.b AND x.n < y.n", "x.n + 1 = y.n AND y.a IS NOT NULL", "x.m > y.n"])
            return ("SELECT x.a, y.b, x.n, y.m FROM log x \(join) log y ON \(on)", false)
        case 6:
            let operation = random.pick(["UNION", "UNION ALL", "INTERSECT", "EXCEPT"])
            return ("SELECT \(text()), \(whole()) FROM log\(filter) \(operation) SELECT \(text()), \(whole()) FROM log", false)
        default:
            let partition = random.pick(["", "PARTITION BY a ", "PARTITION BY m % 2 "])
            let call = random.pick([
                "row_number() OVER (\(partition)ORDER BY n ORDERED, m ORDERED, a ORDERED, b ORDERED, r ORDERED)",
                "rank() OVER (\(partition)ORDER BY n DESC ORDERED)", "dense_rank() OVER (\(partition)ORDER BY a ORDERED)",
                "sum(n) OVER (\(partition)ORDER BY m ORDERED)",
                "count(*) OVER (\(partition)ORDER BY n ORDERED, m ORDERED, a ORDERED, b ORDERED, r ORDERED ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING)",
                "max(n) OVER (\(partition))",
                "ntile(3) OVER (\(partition)ORDER BY n ORDERED, m ORDERED, a ORDERED, b ORDERED, r ORDERED)",
            ])
            return ("SELECT a, b, n, m, r, \(call) FROM log\(filter)", false)
        }
    }
}

/// An ordinary table `log` in memory.
final class SQLiteTable {
    struct Fault: Error {
        var message: String
    }

    private let database: OpaquePointer

    init(_ rows: [[String?]]) throws {
        var opened: OpaquePointer?
        guard sqlite3_open(":memory:", &opened) == SQLITE_OK, let opened else { throw Fault(message: "open") }
        database = opened
        _ = try ask("PRAGMA case_sensitive_like = ON")
        _ = try ask("CREATE TABLE log (a TEXT, b TEXT, n INTEGER, m INTEGER, r REAL)")
        for row in rows {
            let texts = row.prefix(2).map { $0.map { "'\($0)'" } ?? "NULL" }
            _ = try ask("INSERT INTO log VALUES (\((texts + row.dropFirst(2).map { $0 ?? "NULL" }).joined(separator: ",")))")
        }
    }

    deinit { sqlite3_close(database) }

    func ask(_ sql: String) throws -> [[String]] {
        var prepared: OpaquePointer?
        guard sqlite3_prepare_v2(database, sql, -1, &prepared, nil) == SQLITE_OK, let prepared else {
            throw Fault(message: String(cString: sqlite3_errmsg(database)) + ": " + sql)
        }
        defer { sqlite3_finalize(prepared) }
        var rows: [[String]] = []
        while sqlite3_step(prepared) == SQLITE_ROW {
            rows.append(
                (0..<sqlite3_column_count(prepared)).map { column in
                    switch sqlite3_column_type(prepared, column) {
                    case SQLITE_NULL: "null"
                    case SQLITE_INTEGER: String(sqlite3_column_int64(prepared, column))
                    case SQLITE_FLOAT: String(sqlite3_column_double(prepared, column))
                    default: sqlite3_column_text(prepared, column).map { String(cString: $0) } ?? ""
                    }
                })
        }
        return rows
    }
}
