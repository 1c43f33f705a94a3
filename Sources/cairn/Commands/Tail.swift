// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import LogService

struct Tail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow events or logs as they arrive.",
        discussion: """
            Without a trail or a logstore it follows the event history: every event that is recorded from now on, once, in the \
            order of their times as far as they have arrived; one that comes more than a minute late, or after 2000 newer ones, \
            is not shown. With one it follows all shards of the logstore, in order of arrival.

            Goes on while the service is restarted. Ctrl-C ends it.
            """)

    @OptionGroup var options: LogOptions
    @Option(
        help: ArgumentHelp(
            "Only these.", discussion: "With a logstore a search; else words that stand anywhere in an event.",
            valueName: "search"))
    var query: String?
    @Option(help: "Begin so long ago, as 30s, 10m, 2h, 1d. Default: now.") var since: String?
    @Option(help: "table or json.") var output = OutputForm.table

    func run() async throws {
        let since = try since.map(Self.seconds)
        let (options, output) = (options, output)
        let query = query.flatMap { $0.isEmpty ? nil : $0 }
        if options.isNamed {
            let client = try options.client()
            let place = try await options.place()
            do {
                try await Interruption.run {
                    var follower = try await LogstoreFollower(
                        client: client, place: place, search: query,
                        since: since.map { max(0, Int64(Date().timeIntervalSince1970) - $0) })
                    var screen = TailScreen(output)
                    try await follower.follow { rows in
                        try screen.show(rows.map { row in (row.event, row, output == .json ? row.json : "") })
                    }
                }
            } catch let error as SLSClientError {
                throw error.failure(endpoint: client.base, query: query)
            }
        } else {
            let client = try options.connection.client()
            let parameters = query.map { [("LookupAttribute.1.Key", "Text"), ("LookupAttribute.1.Value", $0)] } ?? []
            try await Interruption.run {
                var follower = try await HistoryFollower(client: client, parameters: parameters, since: since.map { $0 * 1000 })
                var screen = TailScreen(output)
                try await follower.follow { events in
                    try screen.show(events.map { (EventSummary($0.content), nil, $0.json) })
                }
            }
        }
    }

    private static func seconds(_ text: String) throws -> Int64 {
        guard let unit = text.last, let scale = ["s": 1, "m": 60, "h": 3600, "d": 86_400][unit],
            let number = Int64(text.dropLast()), (0...100_000_000).contains(number)
        else { throw Failure.usage("`\(text)` is not a span of time such as 30s, 10m, 2h or 1d") }
        return number * Int64(scale)
    }
}

/// Lines of a table that grows.
private struct TailScreen {
    private static let wanted = [20, 24, 30, 16, 16, 24]

    private let output: OutputForm
    private let table = TextTable(wanted: wanted, screen: Terminal.screenWidth, whole: 0)
    private var hasHeader = false

    init(_ output: OutputForm) { self.output = output }

    /// - Parameter entries: each an event, or a log that is none, and its JSON.
    mutating func show(_ entries: [(event: EventSummary?, log: LogRow?, json: String)]) throws {
        guard output == .table else { return try Terminal.write(entries.map(\.json)) }
        var lines: [String] = []
        for entry in entries {
            if let event = entry.event {
                if !hasHeader { lines.append(table.line(EventSummary.mainHeader)) }
                hasHeader = true
                lines.append(table.line(event.mainColumns))
            } else if let log = entry.log {
                lines.append(Self.line(log))
            }
        }
        try Terminal.write(lines)
    }

    /// A log that is no event: its time, then its fields.
    private static func line(_ log: LogRow) -> String {
        let fields = log.fields.filter { !$0.key.hasPrefix("__") }.map { "\($0.key)=\($0.value)" }
        let text = TextTable.plain(([LogRow.timeText(log[LogRow.timeKey] ?? "")] + fields).joined(separator: "  "))
        return Terminal.screenWidth.map { TextTable.cut(text, to: $0) } ?? text
    }
}
