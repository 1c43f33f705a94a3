// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Made-up events of many accounts, for measuring: no story, but the variety that real traffic has.
///
/// Twenty accounts, 2,000 callers with as many keys, 5,000 addresses, some 1,400 operations of 49 services, each in three
/// forms; what is called by whom, from where and about what is as skewed as it is in logs of real accounts. The same
/// arguments give the same bytes for ever, and fewer events are the beginning of more.
///
/// - Shape: one JSON object a line, some 1,400 bytes, mostly in order of `eventTime`; one in thirty comes up to five minutes
///   late.
/// - Units: `start` is in seconds since 1970.
public struct SampleTraffic: Sendable {
    /// Of event time, on average over a day.
    public static let eventsPerSecond: Int64 = 50

    public let seed: UInt64
    public let eventCount: Int
    public let start: Int64

    public init(seed: UInt64, eventCount: Int, start: Int64) {
        self.seed = seed
        self.eventCount = eventCount
        self.start = start
    }

    /// Hands over the events in chunks of some sixty-four kilobytes, each of whole lines; a chunk is valid only during the
    /// call.
    public func writeLines(to sink: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        var writer = TrafficWriter(seed: seed, start: start)
        for _ in 0..<eventCount {
            writer.writeEvent()
            if writer.output.count >= Self.chunkSize { try flush(&writer, sink) }
        }
        try flush(&writer, sink)
    }

    private func flush(_ writer: inout TrafficWriter, _ sink: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        guard !writer.output.isEmpty else { return }
        try writer.output.withUnsafeBytes(sink)
        writer.clearOutput()
    }

    private static let chunkSize = 64 << 10
}
