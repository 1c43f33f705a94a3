// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import Testing

/// Clauses over seven rows, worked out by hand.
@Suite struct `A clause of SQL` {
    static let rows = SQLRows(
        columns: [
            SQLColumn(name: "__time__", type: .bigint), SQLColumn(name: "name", type: .varchar),
            SQLColumn(name: "n", type: .bigint),
            SQLColumn(name: "r", type: .double), SQLColumn(name: "event.user.Name", alias: "who", type: .varchar),
            SQLColumn(name: "tags", type: .varchar),
        ],
        rows: [
            ["1700000000", "a", "1", "0.5", "ann", "x;y"], ["1700000060", "b", "2", nil, "ben", "y"],
            ["1700000125", "a", "3", "1.5", "ann", nil],
            ["1700000300", nil, "4", "2", "cy", "z"], ["1700000301", "b", "5", "-1", "ann", ""],
            ["1700000900", "a", nil, "3", nil, "x;z"],
            ["1700000901", "c", "7", "3", "ben", "x"],
        ])

    static let cases: [(String, [[String]])] = [
        // Projection, FROM, names.
        ("SELECT n LIMIT 2", [["1"], ["2"]]), ("select N from LOG limit 1", [["1"]]), ("SELECT n FROM mystore LIMIT 1", [["1"]]),
        (#"SELECT "event.user.name" FROM log LIMIT 1"#, [["ann"]]),
        ("SELECT event.user.Name FROM log LIMIT 1", [["ann"]]), ("SELECT who, log.who FROM log LIMIT 1", [["ann", "ann"]]),
        ("SELECT l.n FROM log l LIMIT 1", [["1"]]),
        ("SELECT * FROM log WHERE n = 4", [["1700000300", "null", "4", "2.0", "cy", "z"]]),
        ("SELECT l.* FROM log AS l WHERE n = 7", [["1700000901", "c", "7", "3.0", "ben", "x"]]),
        ("SELECT n -- a remark\n FROM /* another */ log LIMIT 1;", [["1"]]),
        ("SET SESSION parallel_sql=true; SELECT count(1)", [["7"]]), ("(SELECT n LIMIT 1)", [["1"]]),
        // WHERE.
        ("SELECT n WHERE name = 'a'", [["1"], ["3"], ["null"]]), ("SELECT n WHERE name <> 'a'", [["2"], ["5"], ["7"]]),
        ("SELECT n WHERE NOT name = 'a' OR n = 4", [["2"], ["4"], ["5"], ["7"]]),
        ("SELECT n WHERE name IS NULL", [["4"]]), ("SELECT n WHERE name IN ('b', 'c') AND n BETWEEN 2 AND 5", [["2"], ["5"]]),
        ("SELECT n WHERE r > n", []),
        ("SELECT n WHERE r < 1 AND n > 1", [["5"]]),
        ("SELECT n WHERE name LIKE '%'", [["1"], ["2"], ["3"], ["5"], ["null"], ["7"]]), ("SELECT n WHERE tags = ''", [["5"]]),
        ("SELECT n WHERE NULL", []), ("SELECT n WHERE n > 2 LIMIT 2", [["3"], ["4"]]),
        // ORDER BY, LIMIT.
        ("SELECT name, n ORDER BY name DESC, n LIMIT 3", [["c", "7"], ["b", "2"], ["b", "5"]]),
        ("SELECT n ORDER BY n", [["1"], ["2"], ["3"], ["4"], ["5"], ["7"], ["null"]]),
        ("SELECT n ORDER BY n DESC NULLS FIRST LIMIT 2", [["null"], ["7"]]),
        ("SELECT n ORDER BY n DESC", [["7"], ["5"], ["4"], ["3"], ["2"], ["1"], ["null"]]),
        ("SELECT n AS x ORDER BY -x LIMIT 2", [["7"], ["5"]]), ("SELECT name ORDER BY n DESC LIMIT 1", [["c"]]),
        ("SELECT n, name ORDER BY 2, 1 DESC LIMIT 2", [["3", "a"], ["1", "a"]]),
        ("SELECT n ORDER BY n LIMIT 2, 3", [["3"], ["4"], ["5"]]),
        ("SELECT n ORDER BY n LIMIT 3 OFFSET 2", [["3"], ["4"], ["5"]]),
        ("SELECT n ORDER BY n OFFSET 5 LIMIT 10", [["7"], ["null"]]),
        ("SELECT n ORDER BY r, n DESC LIMIT 3", [["5"], ["1"], ["3"]]), ("SELECT n LIMIT 0", []),
        ("SELECT DISTINCT name ORDER BY name", [["a"], ["b"], ["c"], ["null"]]),
        ("SELECT DISTINCT name, who ORDER BY 1, 2 LIMIT 2", [["a", "ann"], ["a", "null"]]),
        // GROUP BY with ordinals, hidden sort keys, HAVING.
        ("SELECT name, count(*) GROUP BY 1 ORDER BY 2 DESC, 1", [["a", "3"], ["b", "2"], ["c", "1"], ["null", "1"]]),
        ("SELECT name GROUP BY name ORDER BY sum(n) DESC, name", [["b"], ["c"], ["a"], ["null"]]),
        ("SELECT name, sum(n) AS s GROUP BY name HAVING count(*) > 1 AND s > 5", [["b", "7"]]),
        ("SELECT n % 2 AS odd, count(*) GROUP BY odd ORDER BY odd", [["0", "2"], ["1", "4"], ["null", "1"]]),
        ("SELECT count(*) HAVING count(*) > 100", []),
        ("SELECT name AS n, count(*) GROUP BY n ORDER BY n LIMIT 1", [["a", "3"]]),
        // Subqueries.
        ("SELECT m FROM (SELECT max(n) AS m FROM log)", [["7"]]), ("SELECT n WHERE n = (SELECT max(n) FROM log)", [["7"]]),
        ("SELECT n WHERE n IN (SELECT n FROM log WHERE name = 'b')", [["2"], ["5"]]),
        ("SELECT n WHERE n NOT IN (SELECT n FROM log WHERE n > 2)", [["1"], ["2"]]),
        ("SELECT n WHERE n NOT IN (SELECT n FROM log)", []),
        ("SELECT n WHERE name NOT IN (SELECT name FROM log WHERE name = 'a')", [["2"], ["5"], ["7"]]),
        ("SELECT n FROM log o WHERE EXISTS (SELECT 1 FROM log i WHERE i.n = o.n + 1)", [["1"], ["2"], ["3"], ["4"]]),
        ("SELECT n, (SELECT count(*) FROM log i WHERE i.n < o.n) FROM log o WHERE n > 4", [["5", "4"], ["7", "5"]]),
        ("SELECT n WHERE n > (SELECT avg(n) FROM log) ORDER BY n", [["4"], ["5"], ["7"]]),
        (
            "SELECT x.name, x.c FROM (SELECT name, count(*) c FROM log GROUP BY name) x WHERE x.c > 1 ORDER BY 1",
            [["a", "3"], ["b", "2"]]
        ),
        (
            "SELECT o.name, (SELECT max(i.n) FROM log i WHERE i.name = o.name) m FROM (SELECT DISTINCT name FROM log) o ORDER BY 1",
            [["a", "3"], ["b", "5"], ["c", "7"], ["null", "null"]]
        ),
        // Joins.
        (
            "SELECT a.n, b.n FROM log a JOIN log b ON a.n = b.n - 1 ORDER BY 1",
            [["1", "2"], ["2", "3"], ["3", "4"], ["4", "5"]]
        ),
        (
            "SELECT a.n, b.n FROM log a LEFT JOIN log b ON a.n + 2 = b.n AND b.n > 3 WHERE a.n < 4 ORDER BY 1",
            [["1", "null"], ["2", "4"], ["3", "5"]]
        ),
        (
            "SELECT a.n, b.n FROM (SELECT n FROM log WHERE n < 3) a RIGHT JOIN (SELECT n FROM log WHERE n IN (2, 7)) b ON a.n = b.n ORDER BY 2",
            [["2", "2"], ["null", "7"]]
        ),
        (
            "SELECT a.n, b.n FROM (SELECT n FROM log WHERE n < 3) a FULL JOIN (SELECT n FROM log WHERE n IN (2, 7)) b ON a.n = b.n ORDER BY 1, 2",
            [["1", "null"], ["2", "2"], ["null", "7"]]
        ),
        (
            "SELECT n FROM (SELECT n FROM log WHERE n < 3) a FULL JOIN (SELECT n FROM log WHERE n IN (2, 7)) b USING (n) ORDER BY 1",
            [["1"], ["2"], ["7"]]
        ),
        (
            "SELECT name, c FROM log JOIN (SELECT name, count(*) AS c FROM log GROUP BY name) USING (name) WHERE n < 3 ORDER BY name",
            [["a", "3"], ["b", "2"]]
        ),
        ("SELECT count(*) FROM log a, log b", [["49"]]),
        ("SELECT count(*) FROM log a CROSS JOIN log b WHERE a.n < b.n", [["15"]]),
        ("SELECT count(*) FROM log a JOIN log b ON a.n < b.n AND a.name = b.name", [["2"]]),
        ("SELECT count(*) FROM log a LEFT JOIN (SELECT * FROM log WHERE n > 100) b ON a.n = b.n", [["7"]]),
        // UNNEST.
        (
            "SELECT n, t.x FROM log CROSS JOIN UNNEST(split(tags, ';')) AS t(x) WHERE n < 3 ORDER BY n, x",
            [["1", "x"], ["1", "y"], ["2", "y"]]
        ),
        (
            "SELECT x, count(*) FROM log, UNNEST(split(tags, ';')) AS t(x) GROUP BY x ORDER BY x",
            [["", "1"], ["x", "3"], ["y", "2"], ["z", "2"]]
        ),
        ("SELECT x, i FROM UNNEST(array['p', 'q']) WITH ORDINALITY AS t(x, i)", [["p", "1"], ["q", "2"]]),
        ("SELECT k, v FROM UNNEST(map(array['p'], array[1])) AS t(k, v)", [["p", "1"]]),
        ("SELECT a, b FROM UNNEST(array[1, 2], array['x']) AS t(a, b)", [["1", "x"], ["2", "null"]]),
        // Set operations, VALUES, WITH.
        ("SELECT name FROM log WHERE n < 3 UNION SELECT name FROM log WHERE n = 3 ORDER BY name", [["a"], ["b"]]),
        ("SELECT 1 AS x FROM log WHERE n = 1 UNION ALL SELECT 2.5 FROM log WHERE n < 3 ORDER BY x", [["1.0"], ["2.5"], ["2.5"]]),
        ("SELECT name FROM log INTERSECT SELECT name FROM log WHERE n > 4 ORDER BY 1", [["b"], ["c"]]),
        ("SELECT name FROM log EXCEPT SELECT name FROM log WHERE n > 4 ORDER BY 1", [["a"], ["null"]]),
        ("SELECT x FROM (VALUES (1, 'a'), (2, 'b')) AS v(x, y) WHERE y = 'b'", [["2"]]),
        (
            "WITH t AS (SELECT name, max(n) AS m FROM log GROUP BY name), u(k) AS (SELECT m FROM t WHERE m > 3) SELECT sum(k) FROM u",
            [["16"]]
        ),
        // Window functions.
        (
            "SELECT n, row_number() OVER (PARTITION BY name ORDER BY n DESC) AS k WHERE name = 'b' ORDER BY n",
            [["2", "2"], ["5", "1"]]
        ),
        (
            "SELECT r, rank() OVER (ORDER BY r) AS a, dense_rank() OVER (ORDER BY r) AS b, cume_dist() OVER (ORDER BY r) AS c WHERE r >= 2 ORDER BY r, n",
            [["2.0", "1", "1", "0.3333333333333333"], ["3.0", "2", "2", "1.0"], ["3.0", "2", "2", "1.0"]]
        ),
        ("SELECT n, sum(n) OVER (ORDER BY n) AS s WHERE n < 4", [["1", "1"], ["2", "3"], ["3", "6"]]),
        ("SELECT n, sum(n) OVER () WHERE n < 3", [["1", "3"], ["2", "3"]]),
        (
            "SELECT n, sum(n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) WHERE n < 5 ORDER BY n",
            [["1", "3"], ["2", "6"], ["3", "9"], ["4", "7"]]
        ),
        (
            "SELECT n, lag(n) OVER (ORDER BY n), lead(n, 2, 0) OVER (ORDER BY n) WHERE n < 4",
            [["1", "null", "3"], ["2", "1", "0"], ["3", "2", "0"]]
        ),
        (
            "SELECT n, first_value(n) OVER (ORDER BY n), last_value(n) OVER (ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), nth_value(n, 2) OVER (ORDER BY n) WHERE n < 3",
            [["1", "1", "2", "null"], ["2", "1", "2", "2"]]
        ),
        ("SELECT n, ntile(2) OVER (ORDER BY n) WHERE n < 4", [["1", "1"], ["2", "1"], ["3", "2"]]),
        (
            "SELECT name, count(*) AS c, rank() OVER (ORDER BY count(*) DESC) AS k GROUP BY name ORDER BY k, name",
            [["a", "3", "1"], ["b", "2", "2"], ["c", "1", "3"], ["null", "1", "3"]]
        ),
        ("SELECT percent_rank() OVER (ORDER BY n) WHERE n < 4", [["0.0"], ["0.5"], ["1.0"]]),
        (
            "SELECT n FROM (SELECT n, row_number() OVER (PARTITION BY name ORDER BY n) AS k FROM log) WHERE k = 1 AND n < 5 ORDER BY n",
            [["1"], ["2"], ["4"]]
        ),
    ]

    @Test(arguments: cases) func `gives its answer`(_ sql: String, _ rows: [[String]]) throws {
        #expect(try Self.rows.ask(sql, logstore: "mystore").rows == rows, "\(sql)")
    }

    static let series: [(String, [[String]])] = [
        // 1700000000 is 06:13:20; five-minute buckets begin at 06:10, 06:15 and 06:25.
        (
            "SELECT __time__ - __time__ % 300 AS t, count(*) GROUP BY t ORDER BY t",
            [["1699999800", "2"], ["1700000100", "3"], ["1700000700", "2"]]
        ),
        (
            "SELECT date_trunc('minute', __time__) AS t, count(*) GROUP BY t ORDER BY t LIMIT 2",
            [["2023-11-15 06:13:00.000", "1"], ["2023-11-15 06:14:00.000", "1"]]
        ),
        ("SELECT date_format(__time__, '%d %H') AS t, count(*) GROUP BY t", [["15 06", "7"]]),
        ("SELECT date_trunc('day', __time__) AS t, sum(n) GROUP BY t", [["2023-11-15 00:00:00.000", "22"]]),
        (
            "SELECT time_series(__time__, '5m', '%H:%i', '0') AS time, count(*) AS c FROM log GROUP BY time ORDER BY time",
            [["06:10", "2"], ["06:15", "3"], ["06:20", "0"], ["06:25", "2"]]
        ),
        (
            "SELECT time_series(__time__, '5m', '%H:%i', 'null') AS time, count(*) AS c FROM log GROUP BY time ORDER BY time",
            [["06:10", "2"], ["06:15", "3"], ["06:20", "null"], ["06:25", "2"]]
        ),
        (
            "SELECT time_series(__time__, '5m', '%H:%i', 'last') AS time, count(*) AS c FROM log GROUP BY time ORDER BY time",
            [["06:10", "2"], ["06:15", "3"], ["06:20", "3"], ["06:25", "2"]]
        ),
        (
            "SELECT time_series(__time__, '5m', '%H:%i', 'next') AS time, count(*) AS c FROM log GROUP BY time ORDER BY time",
            [["06:10", "2"], ["06:15", "3"], ["06:20", "2"], ["06:25", "2"]]
        ),
        (
            "SELECT time_series(__time__, '5m', '%H:%i', 'avg') AS time, avg(n) AS c FROM log GROUP BY time ORDER BY time",
            [["06:10", "1.5"], ["06:15", "4.0"], ["06:20", "5.5"], ["06:25", "7.0"]]
        ),
        (
            "SELECT time_series(__time__, '1h', '%Y-%m-%d %H:%i:%s', '0') AS time, sum(n) AS c GROUP BY time ORDER BY time",
            [["2023-11-15 06:00:00", "22"]]
        ),
        (
            "SELECT time_series(__time__, '5m', '%H:%i', '0') AS time, name, count(*) AS c FROM log WHERE name = 'a' GROUP BY time, name ORDER BY time",
            [["06:10", "a", "1"], ["06:15", "a", "1"], ["06:20", "a", "0"], ["06:25", "a", "1"]]
        ),
    ]

    @Test(arguments: series) func `groups by time`(_ sql: String, _ rows: [[String]]) throws {
        #expect(try Self.rows.ask(sql).rows == rows, "\(sql)")
    }

    static let comparisons: [(String, [[String]])] = [
        ("SELECT compare(c, 86400) FROM (SELECT count(1) AS c FROM log)", [["[7.0,2.0,3.5]"]]),
        (
            "SELECT d[1] AS today, d[2] AS before, d[3] AS ratio FROM (SELECT compare(c, 86400) AS d FROM (SELECT count(1) AS c FROM log))",
            [["7.0", "2.0", "3.5"]]
        ),
        ("SELECT compare(c, 86400, 604800) FROM (SELECT count(1) AS c FROM log)", [[#"[7.0,2.0,0.0,3.5,"Infinity"]"#]]),
        (
            "SELECT name, compare(c, 86400) AS d FROM (SELECT name, count(1) AS c FROM log GROUP BY name) GROUP BY name ORDER BY name LIMIT 2",
            [["a", "[3.0,2.0,1.5]"], ["b", "[2.0,null,null]"]]
        ),
        (
            "SELECT t, ts_compare(c, 86400) AS d FROM (SELECT date_trunc('hour', __time__) AS t, count(*) AS c FROM log GROUP BY t) GROUP BY t ORDER BY t",
            [["2023-11-15 06:00:00.000", "[7.0,2.0,3.5,1699912800.0]"]]
        ),
    ]

    @Test(arguments: comparisons) func `compares with earlier`(_ sql: String, _ rows: [[String]]) throws {
        var source = Self.rows
        source.earlier[86_400] = [["1699913600", "a", "1", nil, nil, nil], ["1699913700", "a", "2", nil, nil, nil]]
        #expect(try source.ask(sql).rows == rows, "\(sql)")
    }

    @Test func `names its columns`() throws {
        let answer = try Self.rows.ask(#"SELECT n, count(*) OVER (), name AS Who, "event.user.NAME", log.r, 1 + 1 FROM log"#)
        #expect(answer.columns == ["n", "_col1", "Who", "event.user.NAME", "r", "_col5"])
        #expect(try Self.rows.ask("SELECT * LIMIT 1").columns == ["__time__", "name", "n", "r", "who", "tags"])
    }

    @Test func `without LIMIT means 100 rows`() throws {
        let query = try SQLQuery("SELECT 1", columns: Self.rows.columns, options: SQLOptions(now: 0))
        #expect(query.hasImplicitLimit)
        var many = Self.rows
        many.rows = Array(repeating: Self.rows.rows[0], count: 150)
        #expect(try many.ask("SELECT n").rows.count == 100)
        #expect(try many.ask("SELECT n LIMIT 105").rows.count == 105)
        #expect(try many.ask("SELECT n FROM (SELECT n FROM log) LIMIT 120").rows.count == 120)
    }

    @Test func `reads the columns it needs and no others`() throws {
        func read(_ sql: String) throws -> [Int] {
            try SQLQuery(sql, columns: Self.rows.columns, options: SQLOptions(now: 0)).readColumns
        }
        #expect(try read("SELECT count(1)") == [])
        #expect(try read("SELECT name, count(1) GROUP BY name") == [1])
        #expect(try read("SELECT a FROM (SELECT n AS a, name, r FROM log WHERE who = 'x')") == [2, 4])
        #expect(try read("SELECT count(*) FROM (SELECT * FROM log ORDER BY n LIMIT 5)") == [2])
        #expect(try read("SELECT 1 WHERE n IN (SELECT r FROM log i WHERE i.name = log.tags)") == [1, 2, 3, 5])
    }

    @Test func `follows the time zone`() throws {
        let sql = "SELECT date_format(min(__time__), '%H:%i'), min(date_trunc('day', __time__)) FROM log"
        #expect(try Self.rows.ask(sql, timeZone: SQLTimeZone(offset: 0)).rows == [["22:13", "2023-11-14 00:00:00.000"]])
        #expect(try Self.rows.ask(sql, timeZone: SQLTimeZone(offset: -12_600)).rows == [["18:43", "2023-11-14 00:00:00.000"]])
    }
}
