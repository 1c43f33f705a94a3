// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService

extension LogGroup {
    static let eventTopic = "actiontrail_audit_event"
    static let eventSource = "actiontrail_internal"

    /// One log an event, with the event's exact text in the one field `event`; source: sls.md section 13.
    ///
    /// - Parameter time: of the log in milliseconds since 1970, given the event's.
    package init(events: ArraySlice<LogEvent>, time: (Int64) -> Int64 = { $0 }) {
        self.init(
            logs: events.map { event in
                var (second, millisecond) = time(event.time).quotientAndRemainder(dividingBy: 1000)
                if millisecond < 0 {
                    second -= 1
                    millisecond += 1000
                }
                // A time before 1970 or after 2106 has no other form.
                return Log(
                    time: UInt32(clamping: second), nanoseconds: UInt32(millisecond) * 1_000_000,
                    contents: [.init(TrailIndex.field, event.text)])
            }, topic: Self.eventTopic, source: Self.eventSource)
    }
}

extension LogsRefused {
    /// Codes that say that the body itself is at fault; source: sls.md sections 5 and 16.
    private static let codes: Set = [
        "PostBodyInvalid", "PostBodyTooLarge", "PostBodyUncompressError", "InvalidEncoding", "InvalidKey", "InvalidTimestamp",
    ]

    /// Nil for an error that other events, or the same ones later, would not meet.
    init?(status: Int, code: String, message: String) {
        guard Self.codes.contains(code) || status == 413 else { return nil }
        self.init(reason: "\(status) \(code): \(message)")
    }
}
