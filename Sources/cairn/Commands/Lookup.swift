// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AuditEvent
import Foundation

struct Lookup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look up events.",
        discussion: """
            Attributes: \(LookupAttribute.allCases.map(\.wireName).joined(separator: ", ")). \
            Several are joined by AND. --text takes words that stand anywhere in an event, in any case. Without --start, \
            the last 7 days.
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var filter: EventFilter
    @Option(help: "Words anywhere in the event; all of them.") var text: String?
    @Option(help: "At most so many events.") var limit = 50
    @Flag(help: "Oldest first.") var oldestFirst = false
    @Option(help: "table or json.") var output = OutputForm.table
    @Flag(help: "Exit with 1 if nothing is found.") var assert = false

    func run() async throws {
        guard limit > 0 else { throw Failure.usage("--limit is at least 1") }
        let client = try connection.client()
        var parameters: [(String, String)] = [("Direction", oldestFirst ? "FORWARD" : "BACKWARD")]
        parameters += try filter.parameters
        if let text {
            let number = filter.attribute.count + 1
            parameters += [("LookupAttribute.\(number).Key", "Text"), ("LookupAttribute.\(number).Value", text)]
        }
        var rows: [[String]] = []
        var count = 0
        var token: String?
        repeat {
            var page = parameters + [("MaxResults", String(min(50, limit - count)))]
            if let token { page.append(("NextToken", token)) }
            let answer = try await client.call("LookupEvents", page)
            let events = answer["Events"] as? [[String: Any]] ?? []
            let conflicting = Set(answer["ConflictingEventIds"] as? [String] ?? [])
            for event in events {
                count += 1
                if output == .json { try Self.printJSON(event) } else { rows.append(Self.row(event, conflicting)) }
            }
            if let damaged = answer["DamagedEventCount"] as? Int {
                Terminal.complain("\(damaged) matching events are damaged on disk and cannot be shown; see the service's log")
            }
            token = answer["NextToken"] as? String
        } while token != nil && token != "" && count < limit
        if output == .table {
            if rows.isEmpty {
                print("no events")
            } else {
                Terminal.table(["TIME", "EVENT", "SERVICE", "WHO", "FROM", "RESOURCE", "RESULT", "EVENT ID"], rows)
                if token != nil && token != "" { print("... more; ask with a higher --limit") }
            }
        }
        if assert && count == 0 { throw ExitCode(1) }
    }

    private static func printJSON(_ event: [String: Any]) throws {
        let data = try JSONSerialization.data(withJSONObject: event, options: [.sortedKeys, .withoutEscapingSlashes])
        print(String(decoding: data, as: UTF8.self))
    }

    private static func row(_ event: [String: Any], _ conflicting: Set<String>) -> [String] {
        let event = EventSummary(event)
        return [
            event.time, clip(event.name, 28), clip(event.service, 14), clip(event.who, 28), clip(event.address, 20),
            clip(event.resource.isEmpty ? "-" : event.resource, 32), event.error.isEmpty ? "ok" : clip(event.error, 24),
            conflicting.contains(event.id) ? event.id + " (conflict)" : event.id,
        ].map { $0.filter { !$0.isNewline && $0 != "\u{1B}" } }
    }

    private static func clip(_ text: String, _ width: Int) -> String {
        text.count <= width ? text : text.prefix(width - 1) + "…"
    }
}
