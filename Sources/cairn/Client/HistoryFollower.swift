// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Foundation

/// Follows the event history by looking it up again and again (LookupEvents), each event handed over once.
///
/// Lookups are in the order of the events' own times, and events arrive late: each look begins some time before the newest
/// event that is known, as long as that repeats few events.
struct HistoryFollower {
    private static let pageSize = 50
    /// Milliseconds that an event may come later than newer ones, and how many of those, and still be seen.
    private static let overlap: Int64 = 60_000
    private static let repeatedEvents = 2000
    /// Milliseconds that an event's time may be ahead of the service's clock.
    private static let ahead: Int64 = 900_000
    private static let pause = Duration.seconds(2)

    struct Event {
        var content: [String: Any]
        /// JSON in one line, keys sorted.
        var json: String
    }

    private let client: APIClient
    private let parameters: [(String, String)]
    private var reconnection = Reconnection()
    /// Milliseconds since 1970: nothing of a time before it is shown.
    private var start: Int64
    /// What the service's clock is ahead of ours, in milliseconds.
    private var clockDifference: Int64 = 0
    /// When the last look began, by the service's clock.
    private var lookedAt: Int64?
    /// Time of each event that was handed over and may be met again, by a hash of its JSON.
    private var seen: [Int: Int64] = [:]
    /// Our own lookups are events too, which would never end.
    private var ownRequests: (recent: Set<String>, earlier: Set<String>) = ([], [])

    /// - Parameters:
    ///   - parameters: of LookupEvents, what is followed.
    ///   - since: how many milliseconds back to begin; nil for what is recorded from now on.
    init(client: APIClient, parameters: [(String, String)], since: Int64?) async throws {
        self.client = client
        self.parameters = parameters
        // The range of a lookup without one ends now, by the service's clock.
        let now = Self.now
        start = now
        let answer = try await ask([("MaxResults", "1")])
        if let end = (answer["EndTime"] as? String).flatMap({ EventTime.milliseconds($0) }) {
            clockDifference = end - now
            start = end
        }
        if let since { start = max(0, start - since) } else { try await passOverRecent() }
    }

    private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    mutating func follow(_ take: ([Event]) throws -> Void) async throws {
        while true {
            try await look(take)
            try await Task.sleep(for: Self.pause)
        }
    }

    private mutating func look(_ take: ([Event]) throws -> Void) async throws {
        let now = Self.now + clockDifference
        // What came late while the last look went on is behind where that one was.
        let first = lookedAt.map { max(start, beginning($0)) } ?? start
        lookedAt = now
        seen = seen.filter { $0.value >= first / 1000 * 1000 }
        try await forEachPage(from: first, now: now, direction: "FORWARD") { events in
            try take(events)
            return true
        }
    }

    /// Takes what was recorded so far for seen: newer events than these come late.
    private mutating func passOverRecent() async throws {
        let now = start
        start -= Self.overlap
        var count = 0
        try await forEachPage(from: start, now: now, direction: "BACKWARD") { events in
            count += events.count
            return count < Self.repeatedEvents
        }
        // There may be more of the oldest second that was reached.
        if count >= Self.repeatedEvents, let oldest = seen.values.min() { start = oldest + 1000 }
    }

    /// Hands over the events that were not seen before, until `take` wants no more.
    private mutating func forEachPage(
        from first: Int64, now: Int64, direction: String, _ take: ([Event]) throws -> Bool
    ) async throws {
        let page = [
            ("StartTime", EventTime.text(first)), ("EndTime", EventTime.text(now + Self.ahead)), ("Direction", direction),
            ("MaxResults", String(Self.pageSize)),
        ]
        var token: String?
        repeat {
            let answer = try await ask(page + (token.map { [("NextToken", $0)] } ?? []))
            var news: [Event] = []
            for content in answer["Events"] as? [[String: Any]] ?? [] {
                if let id = content["requestId"] as? String, isOwn(id) { continue }
                let data = try JSONSerialization.data(withJSONObject: content, options: [.sortedKeys, .withoutEscapingSlashes])
                let json = String(decoding: data, as: UTF8.self)
                let time = (content["eventTime"] as? String).flatMap { EventTime.milliseconds($0) } ?? now
                guard seen.updateValue(time, forKey: json.hashValue) == nil else { continue }
                news.append(Event(content: content, json: json))
            }
            guard try take(news) else { return }
            token = (answer["NextToken"] as? String).flatMap { $0.isEmpty ? nil : $0 }
        } while token != nil
    }

    /// Where a look begins after one that began at `now`.
    private func beginning(_ now: Int64) -> Int64 {
        let overlap = now - Self.overlap
        let recent = seen.values.filter { $0 > overlap && $0 <= now }.sorted(by: >)
        return recent.count > Self.repeatedEvents ? recent[Self.repeatedEvents] : overlap
    }

    private mutating func ask(_ more: [(String, String)]) async throws -> [String: Any] {
        let answer = try await reconnection.answer { try await client.call("LookupEvents", parameters + more) }
        if let id = answer["RequestId"] as? String { ownRequests.recent.insert(id) }
        if ownRequests.recent.count > 10_000 { ownRequests = ([], ownRequests.recent) }
        return answer
    }

    private func isOwn(_ requestId: String) -> Bool {
        ownRequests.recent.contains(requestId) || ownRequests.earlier.contains(requestId)
    }
}
