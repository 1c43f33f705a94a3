// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AuditEvent
import Foundation

/// Which events a command is about.
struct EventFilter: ParsableArguments {
    @Option(name: [.short, .long], help: "KEY=VALUE, any number of times.") var attribute: [String] = []
    @Option(help: "First time, as 2026-01-31T08:00:00Z, 2026-01-31, or 3d, 12h, 30m ago.") var start: String?
    @Option(help: "Last time; default now.") var end: String?

    /// As the calls take them.
    var parameters: [(String, String)] {
        get throws {
            var parameters: [(String, String)] = []
            if start != nil || end != nil {
                let last = try end.map { try Self.time($0, isEnd: true) } ?? Self.text(Date())
                let first = try start.map { try Self.time($0, isEnd: false) } ?? Self.text(Date().addingTimeInterval(-7 * 86_400))
                parameters += [("StartTime", first), ("EndTime", last)]
            }
            for (index, text) in attribute.enumerated() {
                let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, !parts[1].isEmpty else { throw Failure.usage("`\(text)` is not KEY=VALUE") }
                try Self.check(String(parts[0]))
                parameters += [
                    ("LookupAttribute.\(index + 1).Key", String(parts[0])),
                    ("LookupAttribute.\(index + 1).Value", String(parts[1])),
                ]
            }
            return parameters
        }
    }

    /// - Throws: what the attributes are, if `name` is none.
    static func check(_ name: String) throws {
        guard LookupAttribute(wireName: name) == nil else { return }
        throw Failure.usage(
            "`\(name)` is not an attribute; they are \(LookupAttribute.allCases.map(\.wireName).joined(separator: ", "))")
    }

    static func text(_ date: Date) -> String { date.ISO8601Format() }

    static func time(_ text: String, isEnd: Bool) throws -> String {
        if let unit = text.last, let number = Double(text.dropLast()),
            let seconds = ["s": 1.0, "m": 60, "h": 3600, "d": 86_400][unit], (0...1e10).contains(number * seconds)
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
