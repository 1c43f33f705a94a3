// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import Testing

/// Which queries let the source give equal rows once.
@Suite struct `A grouping of a scan` {
    /// Notes what it is asked for, and has no rows.
    private final class Listener: ColumnSource {
        struct Nothing: ColumnScan {
            mutating func nextBatch() -> ColumnBatch? { nil }
        }

        let columns = `A clause of SQL`.rows.columns
        private(set) var groupings: [ScanGrouping?] = []

        func scan(_ columns: [Int], grouping: ScanGrouping?, shift: Int64) throws -> any ColumnScan {
            groupings.append(grouping)
            return Nothing()
        }
    }

    private static func groupings(_ sql: String, _ timeZone: SQLTimeZone = .standard) throws -> [String] {
        let listener = Listener()
        let options = SQLOptions(timeZone: timeZone, now: 0)
        _ = try SQLQuery(sql, columns: listener.columns, options: options).run(on: listener)
        return listener.groupings.map { grouping in
            guard let grouping else { return "none" }
            return grouping.timeStep.map { "step \($0)" } ?? "rows"
        }
    }

    static let cases: [(String, [String])] = [
        ("SELECT count(1)", ["rows"]), ("SELECT name, count(1), sum(n), avg(n), max(r) GROUP BY name", ["rows"]),
        ("SELECT DISTINCT name", ["rows"]), ("SELECT count(DISTINCT r), array_agg(DISTINCT name)", ["rows"]),
        ("SELECT count(1) FROM (SELECT lower(name) AS k FROM log WHERE n > 1) WHERE k = 'a'", ["rows"]),
        ("SELECT date_trunc('minute', __time__) AS t, count(1) GROUP BY t", ["step 60"]),
        ("SELECT date_trunc('hour', from_unixtime(__time__)) AS t, count(1) GROUP BY t", ["step 3600"]),
        ("SELECT date_format(__time__, '%m-%d %H:%i') AS t, count(1) GROUP BY t", ["step 60"]),
        ("SELECT date_format(__time__, '%H:%i:%s') AS t, count(1) GROUP BY t", ["step 1"]),
        ("SELECT __time__ - __time__ % 300 AS t, count(1) GROUP BY t", ["step 300"]),
        ("SELECT date_trunc('hour', __time__) AS t, __time__ - __time__ % 1400 AS u, count(1) GROUP BY t, u", ["step 200"]),
        // Midnight in UTC+8 is 16 o'clock in UTC.
        ("SELECT date_trunc('day', __time__) AS t, count(1) GROUP BY t", ["step 28800"]),
        ("SELECT time_series(__time__, '5m', '%H:%i', '0') AS t, count(1) GROUP BY t ORDER BY t", ["step 300"]),
        ("SELECT date_trunc('hour', t) AS h, count(1) FROM (SELECT __time__ AS t FROM log) GROUP BY h", ["step 3600"]),
        ("SELECT min(__time__)", ["none"]), ("SELECT count(1) WHERE __time__ > 5", ["none"]),
        ("SELECT count(DISTINCT __time__)", ["none"]), ("SELECT __time__ % 300, count(1) GROUP BY 1", ["none"]),
        // Their result depends on each row, or on the order of additions.
        ("SELECT sum(r)", ["none"]), ("SELECT array_agg(name)", ["none"]), ("SELECT approx_percentile(n, 0.5)", ["none"]),
        ("SELECT max_by(name, n)", ["none"]), ("SELECT count(1) WHERE random() < 0.5", ["none"]), ("SELECT name", ["none"]),
        ("SELECT count(1) FROM (SELECT name FROM log LIMIT 5)", ["none"]),
        ("SELECT count(1) FROM log a JOIN log b ON a.n = b.n", ["none", "none"]),
    ]

    @Test(arguments: cases) func `is asked for where it changes nothing`(_ sql: String, _ wanted: [String]) throws {
        #expect(try Self.groupings(sql) == wanted, "\(sql)")
    }

    @Test func `follows the time zone`() throws {
        let sql = "SELECT date_trunc('day', __time__) AS t, count(1) GROUP BY t"
        #expect(try Self.groupings(sql, SQLTimeZone(offset: 0)) == ["step 86400"])
        #expect(try Self.groupings(sql, SQLTimeZone(offset: 19_800)) == ["step 1800"])
    }
}
