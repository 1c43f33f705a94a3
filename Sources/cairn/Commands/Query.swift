// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AuditEvent
import Foundation
import LogService

struct Query: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Search a logstore, or analyse it with SQL.",
        discussion: """
            For example: cairn query 'event.errorCode: * not event.userIdentity.type: system'
            cairn query 'event.eventRW: Write | SELECT "event.userIdentity.userName" AS u, count(*) AS n GROUP BY u ORDER BY n DESC'

            Without --project and --logstore it is that of the only trail that delivers to a logstore. Without --start, the last \
            7 days. Tables show the main columns of events; json and csv give every field of a log as a text.
            """)

    enum Output: String, ExpressibleByArgument, CaseIterable { case table, json, csv }

    @OptionGroup var options: LogOptions
    @Option(help: "First time, as 2026-01-31T08:00:00Z, 2026-01-31, or 3d, 12h, 30m ago.") var start: String?
    @Option(help: "Last time; default now.") var end: String?
    @Option(help: "At most so many rows. Default: 100 of a search; of SQL what its LIMIT says.") var limit: Int?
    @Flag(help: "Oldest first; of a search only.") var oldestFirst = false
    @Option(help: "table, json or csv.") var output = Output.table
    @Flag(help: "Exit with 1 if nothing is found.") var assert = false
    @Argument(help: "Search, or 'search | SELECT …'; * is everything.") var query: String

    func validate() throws {
        // Tables and CSV are made of all rows at once.
        let most = output == .json ? 1_000_000_000 : 100_000
        guard (1...most).contains(limit ?? 1) else { throw ValidationError("--limit is from 1 to \(most) for \(output)") }
    }

    func run() async throws {
        let times = try times()
        let client = try options.client()
        let search = LogSearch(
            client: client, place: try await options.place(), query: query, times: times, isNewestFirst: !oldestFirst)
        var rows: [LogRow] = []
        var columns: [String] = []
        var count = 0
        var note: String?
        do {
            try await search.forEachPage { page in
                if page.hasSQL {
                    columns = page.keys
                    if page.implicitLimit > 0, page.rows.count >= page.implicitLimit {
                        note = "... SQL without a LIMIT gives at most \(page.implicitLimit) rows"
                    }
                }
                let limit = limit ?? (page.hasSQL ? .max : 100)
                let wanted = page.rows.prefix(limit - count)
                count += wanted.count
                if output == .json { try Terminal.write(wanted.map(\.json)) } else { rows += wanted }
                guard wanted.count == page.rows.count else {
                    note = "... more; ask with a higher --limit"
                    return false
                }
                return true
            }
        } catch let error as SLSClientError {
            throw error.failure(endpoint: client.base, query: query)
        }
        switch output {
        case .json: break
        case .csv:
            let lines = LogTable.csv(rows, columns: columns)
            FileHandle.standardOutput.write(Data(lines.map { $0 + "\r\n" }.joined().utf8))
        case .table where rows.isEmpty: print("no logs")
        case .table:
            for line in LogTable.lines(rows, columns: columns, screen: Terminal.screenWidth) { print(line) }
            if let note { print(note) }
        }
        if assert && count == 0 { throw ExitCode(1) }
    }

    /// Seconds since 1970, the end not included.
    private func times() throws -> Range<Int64> {
        func seconds(_ text: String, isEnd: Bool) throws -> Int64 {
            (EventTime.milliseconds(try EventFilter.time(text, isEnd: isEnd)) ?? 0) / 1000
        }
        let now = Int64(Date().timeIntervalSince1970)
        let last = try end.map { try seconds($0, isEnd: true) } ?? now
        let first = try start.map { try seconds($0, isEnd: false) } ?? last - 7 * 86_400
        guard first <= last else { throw Failure.usage("--end is before --start") }
        // Times of logs have 32 bits.
        func kept(_ seconds: Int64) -> Int64 { min(max(0, seconds), Int64(UInt32.max) - 1) }
        return kept(first)..<kept(last) + 1
    }
}
