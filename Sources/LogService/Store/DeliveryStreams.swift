// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine
import Metadata
import Synchronization

/// How far each delivery into a logstore is: the position of the last log that is stored.
///
/// Made durable before records get a segment; those without one are read again at opening, so that nothing is missed.
final class DeliveryStreams: Sendable {
    private struct Stream: Codable, Sendable, Equatable {
        var number: UInt64
        /// Nil before the first log.
        var last: UInt64?
    }

    private let metadata: Metadata
    private let path: String
    private let streams: Mutex<[String: Stream]>

    init(logstore id: String, metadata: Metadata) throws {
        self.metadata = metadata
        path = Self.path(id)
        streams = Mutex(try metadata.value([String: Stream].self, at: path) ?? [:])
    }

    static func path(_ id: String) -> String { "logstreams/\(id)" }

    func last(_ name: String) -> UInt64? { streams.withLock { $0[name]?.last } }

    /// The stream's number, given it before its first log.
    func number(_ name: String) throws -> UInt64 {
        try streams.withLock { streams in
            if let known = streams[name] { return known.number }
            let number = (streams.values.map(\.number).max() ?? 0) + 1
            streams[name] = Stream(number: number)
            let kept = streams
            do { try metadata.transact { try $0.put(kept, at: path) } } catch {
                streams[name] = nil
                throw error
            }
            return number
        }
    }

    /// Notes what a record says.
    func note(_ origin: LogRecord.Origin) {
        streams.withLock { streams in
            guard let (name, stream) = streams.first(where: { $0.value.number == origin.stream }) else { return }
            streams[name]?.last = max(stream.last ?? 0, origin.position)
        }
    }

    func note(_ name: String, last: UInt64) {
        streams.withLock { streams in
            guard let stream = streams[name] else { return }
            streams[name]?.last = max(stream.last ?? 0, last)
        }
    }

    func save() throws {
        // Under the lock: an older state must not be written after a newer one, which may have one stream more.
        try streams.withLock { streams in
            guard !streams.isEmpty else { return }
            let kept = streams
            try metadata.transact { try $0.put(kept, at: path) }
        }
    }
}
