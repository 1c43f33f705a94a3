// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import Testing

/// Aggregates over ten rows, worked out by hand; every answer is the same whether rows come one by one or weighted.
@Suite struct `An aggregate of SQL` {
    /// x is 1 to 8, then NULL twice; half the x of rows with an even one is y; g is a or b.
    static let rows = SQLRows(
        columns: [
            SQLColumn(name: "g", type: .varchar), SQLColumn(name: "x", type: .bigint), SQLColumn(name: "y", type: .double),
            SQLColumn(name: "t", type: .varchar),
        ],
        rows: [
            ["a", "1", nil, "q"], ["b", "2", "1", "q"], ["a", "3", nil, "r"], ["b", "4", "2", "r"], ["a", "5", nil, "r"],
            ["b", "6", "3", "s"], ["a", "7", nil, nil], ["b", "8", "4", nil], ["a", nil, nil, "q"], ["b", nil, nil, "q"],
        ])

    static let values: [(String, String)] = [
        ("count(*)", "10"), ("count(1)", "10"), ("count(x)", "8"), ("count(DISTINCT t)", "3"), ("count(NULL)", "0"),
        ("approx_distinct(t)", "3"),
        ("approx_distinct(t, 0.01)", "3"), ("count_if(x > 3)", "5"), ("count(*) FILTER (WHERE g = 'a')", "5"), ("sum(x)", "36"),
        ("sum(y)", "10.0"), ("sum(DISTINCT x % 3)", "3"),
        ("avg(x)", "4.5"), ("avg(y)", "2.5"), ("min(x)", "1"), ("max(t)", "s"), ("min(x, 2)", "[1,2]"), ("max(x, 3)", "[8,7,6]"),
        ("arbitrary(g)", "a"),
        ("any_value(t)", "q"), ("max_by(t, x)", "null"), ("max_by(g, x)", "b"), ("min_by(t, x)", "q"),
        ("max_by(g, x, 2)", #"["b","a"]"#),
        ("array_agg(x)", "[1,2,3,4,5,6,7,8,null,null]"), ("array_agg(DISTINCT t)", #"["q","r","s",null]"#),
        ("array_agg(x ORDER BY x DESC)", "[8,7,6,5,4,3,2,1,null,null]"),
        ("array_agg(x) FILTER (WHERE x < 3)", "[1,2]"), ("histogram(t)", #"{"q":4,"r":3,"s":1}"#),
        ("map_agg(x, g) FILTER (WHERE x < 3)", #"{"1":"a","2":"b"}"#),
        ("multimap_agg(g, x) FILTER (WHERE x < 4)", #"{"a":[1,3],"b":[2]}"#),
        ("geometric_mean(x) FILTER (WHERE x IN (2, 8))", "4.0"),
        ("bool_and(x > 0)", "true"), ("bool_or(x > 7)", "true"), ("every(x > 1)", "false"),
        ("bitwise_and_agg(x) FILTER (WHERE x > 5)", "0"), ("bitwise_or_agg(x)", "15"), ("bitwise_xor_agg(x)", "8"),
        ("approx_percentile(x, 0.5)", "4"), ("approx_percentile(x, 1.0)", "8"),
        ("approx_percentile(x, array[0.25, 0.75])", "[2,6]"), ("approx_percentile(y, 0.5)", "2.0"),
        ("approx_percentile(x, x, 0.5)", "6"), ("var_pop(x)", "5.25"), ("variance(x)", "6.0"),
        ("stddev_pop(y)", "1.118033988749895"), ("stddev(x)", "2.449489742783178"),
        ("covar_pop(x, y)", "2.5"), ("covar_samp(x, y)", "3.3333333333333335"), ("corr(x, y)", "1.0"),
        ("regr_slope(x, y)", "2.0"), ("regr_intercept(x, y)", "0.0"), ("regr_count(x, y)", "4.0"),
        ("regr_r2(x, y)", "1.0"), ("skewness(x)", "0.0"), ("numeric_histogram(2, x)", #"{"2.5":4.0,"6.5":4.0}"#),
        ("numeric_histogram(8, y)", #"{"1.0":1.0,"2.0":1.0,"3.0":1.0,"4.0":1.0}"#),
        ("sum(x) + count(*)", "46"), ("sum(x) / count(x)", "4"), ("max(x) - min(x)", "7"), ("sum(x * 2)", "72"),
        ("sum(x) FILTER (WHERE x > 100)", "null"), ("checksum(g) = checksum(g)", "true"),
        ("cast(sum(if(t IS NULL, 1, 0)) AS double) / count(*)", "0.2"),
    ]

    @Test(arguments: values) func `gives what is documented`(_ expression: String, _ value: String) throws {
        #expect(try Self.rows.ask("SELECT \(expression) FROM log").rows == [[value]], "\(expression)")
    }

    @Test func `of no rows is NULL, a count is 0`() throws {
        let answer = try Self.rows.ask("SELECT count(*), count(x), sum(x), min(x), array_agg(x), avg(y) WHERE x > 100")
        #expect(answer.rows == [["0", "0", "null", "null", "null", "null"]])
        #expect(try Self.rows.ask("SELECT g, count(*) WHERE x > 100 GROUP BY g").rows.isEmpty)
    }

    static let groups: [(String, [[String]])] = [
        ("SELECT g, sum(x), count(*) GROUP BY g ORDER BY g", [["a", "16", "5"], ["b", "20", "5"]]),
        ("SELECT t, count(*) c GROUP BY t ORDER BY c DESC, t", [["q", "4"], ["r", "3"], ["null", "2"], ["s", "1"]]),
        (
            "SELECT g, t, count(*) c GROUP BY g, t ORDER BY 1, 2 LIMIT 3",
            [["a", "q", "2"], ["a", "r", "2"], ["a", "null", "1"]]
        ),
        ("SELECT x > 4 AS big, count(*) GROUP BY big ORDER BY big", [["false", "4"], ["true", "4"], ["null", "2"]]),
        (
            "SELECT coalesce(t, 'none') AS t, count(*) GROUP BY t ORDER BY t",
            [["none", "2"], ["q", "4"], ["r", "3"], ["s", "1"]]
        ),
        ("SELECT count(*) GROUP BY g HAVING sum(x) > 16", [["5"]]),
        ("SELECT g, sum(x) AS s GROUP BY g HAVING s > 16", [["b", "20"]]),
        ("SELECT upper(g), max(x) GROUP BY upper(g) ORDER BY max(x) DESC", [["B", "8"], ["A", "7"]]),
        ("SELECT concat(upper(g), '!') AS k, sum(x) GROUP BY upper(g) ORDER BY k", [["A!", "16"], ["B!", "20"]]),
        ("SELECT DISTINCT g ORDER BY g", [["a"], ["b"]]),
        (
            "SELECT g, count(DISTINCT t), array_agg(DISTINCT t) GROUP BY g ORDER BY g",
            [["a", "2", #"["q","r",null]"#], ["b", "3", #"["q","r","s",null]"#]]
        ),
        ("SELECT max(x) AS x GROUP BY g ORDER BY x", [["7"], ["8"]]),
        ("SELECT sum(c) FROM (SELECT g, count(*) AS c FROM log GROUP BY g)", [["10"]]),
        (
            "SELECT g, avg(s) FROM (SELECT g, t, sum(x) AS s FROM log GROUP BY g, t) GROUP BY g ORDER BY g",
            [["a", "5.333333333333333"], ["b", "5.0"]]
        ),
    ]

    @Test(arguments: groups) func `is grouped`(_ sql: String, _ rows: [[String]]) throws {
        #expect(try Self.rows.ask(sql).rows == rows, "\(sql)")
    }
}
