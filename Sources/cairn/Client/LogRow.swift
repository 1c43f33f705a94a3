// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService

/// A log, or a row that SQL made of logs.
struct LogRow {
    var fields: [(key: String, value: String)]

    /// - Parameter order: of the columns; without one the service's own fields stand around the log's.
    init(_ row: [String: Any], order: [String]) {
        func value(_ value: Any) -> String { value as? String ?? (value is NSNull ? "null" : "\(value)") }
        let keys = order.isEmpty ? Self.sorted(row.keys) : order
        fields = keys.compactMap { key in row[key].map { (key, value($0)) } }
    }

    init(_ log: Log, of group: LogGroup) {
        fields = [(Self.timeKey, String(log.time))]
        if let part = log.nanoseconds { fields.append((Self.nanosecondsKey, String(part))) }
        fields += log.contents.map { ($0.key, $0.value) }
        fields += [("__topic__", group.topic), ("__source__", group.source)]
        fields += group.tags.map { ("__tag__:" + $0.key, $0.value) }
    }

    static let timeKey = "__time__"
    static let nanosecondsKey = "__time_ns_part__"

    static func sorted(_ keys: some Sequence<String>) -> [String] {
        func rank(_ key: String) -> Int { key == timeKey ? 0 : key == nanosecondsKey ? 1 : key.hasPrefix("__") ? 3 : 2 }
        return keys.sorted { (rank($0), $0) < (rank($1), $1) }
    }

    subscript(key: String) -> String? { fields.last { $0.key == key }?.value }

    /// Seconds since 1970.
    var seconds: Int64? { self[Self.timeKey].flatMap { Int64($0) } }

    /// The event that a trail delivered.
    var event: EventSummary? {
        guard let text = self["event"], text.utf8.first == UInt8(ascii: "{"),
            let event = (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any],
            event["eventName"] is String || event["eventId"] is String
        else { return nil }
        return EventSummary(event)
    }

    /// As a line of JSON; all values are texts, as SLS gives them.
    var json: String {
        "{" + fields.map { Self.quoted($0.key) + ":" + Self.quoted($0.value) }.joined(separator: ",") + "}"
    }

    private static func quoted(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }

    /// A time as a table shows it.
    static func timeText(_ seconds: String) -> String {
        guard let number = Int64(seconds), (0...253_402_300_799).contains(number) else { return seconds }
        return Date(timeIntervalSince1970: Double(number)).ISO8601Format()
    }
}
