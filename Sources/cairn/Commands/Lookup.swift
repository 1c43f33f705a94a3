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
            Several are joined by AND. Without --start, the last 7 days.
            """)

    @OptionGroup var connection: ConnectionOptions
    @Option(name: [.short, .long], help: "KEY=VALUE, any number of times.") var attribute: [String] = []
    @Option(help: "First time, as 2026-01-31T08:00:00Z, 2026-01-31, or 3d, 12h, 30m ago.") var start: String?
    @Option(help: "Last time; default now.") var end: String?
    @Option(help: "At most so many events.") var limit = 50
    @Flag(help: "Oldest first.") var oldestFirst = false
    @Option(help: "table or json.") var output = OutputForm.table
    @Flag(help: "Exit with 1 if nothing is found.") var assert = false

    func run() async throws {
        guard limit > 0 else { throw Failure.usage("--limit is at least 1") }
        let client = try connection.client()
        var parameters: [(String, String)] = [("Direction", oldestFirst ? "FORWARD" : "BACKWARD")]
        if start != nil || end != nil {
            let last = try end.map { try Self.time($0, isEnd: true) } ?? Self.text(Date())
            let first = try start.map { try Self.time($0, isEnd: false) } ?? Self.text(Date().addingTimeInterval(-7 * 86_400))
            parameters += [("StartTime", first), ("EndTime", last)]
        }
        for (index, text) in attribute.enumerated() {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[1].isEmpty else { throw Failure.usage("`\(text)` is not KEY=VALUE") }
            guard LookupAttribute(wireName: String(parts[0])) != nil else {
                throw Failure.usage(
                    "`\(parts[0])` is not an attribute; they are \(LookupAttribute.allCases.map(\.wireName).joined(separator: ", "))"
                )
            }
            parameters += [
                ("LookupAttribute.\(index + 1).Key", String(parts[0])), ("LookupAttribute.\(index + 1).Value", String(parts[1])),
            ]
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
        func text(_ key: String) -> String { event[key] as? String ?? "" }
        let identity = event["userIdentity"] as? [String: Any] ?? [:]
        let who = identity["userName"] as? String ?? identity["accessKeyId"] as? String ?? identity["type"] as? String ?? "-"
        var resource = text("resourceName")
        if resource.isEmpty, let references = event["referencedResources"] as? [String: [String]] {
            resource = references.sorted { $0.key < $1.key }.flatMap(\.value).first ?? ""
        }
        let error = text("errorCode")
        let id = text("eventId")
        return [
            text("eventTime"), clip(text("eventName"), 28), clip(text("serviceName"), 14), clip(who, 28),
            clip(text("sourceIpAddress"), 20), clip(resource.isEmpty ? "-" : resource, 32),
            error.isEmpty ? "ok" : clip(error, 24), conflicting.contains(id) ? id + " (conflict)" : id,
        ].map { $0.filter { !$0.isNewline && $0 != "\u{1B}" } }
    }

    private static func clip(_ text: String, _ width: Int) -> String {
        text.count <= width ? text : text.prefix(width - 1) + "…"
    }

    // MARK: Times

    static func text(_ date: Date) -> String { date.ISO8601Format() }

    static func time(_ text: String, isEnd: Bool) throws -> String {
        if let unit = text.last, let number = Double(text.dropLast()),
            let seconds = ["s": 1.0, "m": 60, "h": 3600, "d": 86_400][unit]
        {
            return Self.text(Date().addingTimeInterval(-number * seconds))
        }
        if text.count == 10, EventTime.milliseconds(text + "T00:00:00Z") != nil {
            return text + (isEnd ? "T23:59:59Z" : "T00:00:00Z")
        }
        guard let time = EventTime.milliseconds(text) else {
            throw Failure.usage("`\(text)` is not a time such as 2026-01-31T08:00:00Z, 2026-01-31 or 3d")
        }
        return EventTime.text(time)
    }
}
