// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// An event on its way to a log service.
public struct LogEvent: Sendable, Equatable {
    public var sequence: UInt64
    /// Of the event itself, in milliseconds since 1970.
    public var time: Int64
    public var eventId: String
    /// The event's exact bytes, which are UTF-8.
    public var text: String

    public init(sequence: UInt64, time: Int64, eventId: String, text: String) {
        self.sequence = sequence
        self.time = time
        self.eventId = eventId
        self.text = text
    }
}

/// What a trail needs of the log service it delivers to: a logstore of its own that takes logs in order.
public protocol LogDeliveryTarget: Sendable {
    /// Kind, project and logstore, for logs and errors.
    var location: String { get }

    /// The most that one delivery should hold; a single event may be larger.
    var batchLimits: LogBatchLimits { get }

    /// Makes logstore, index and dashboard where they are missing. The project has to be there.
    func prepare() async throws -> LogTargetReadiness

    /// Stores events in order of their sequences; all of them are durable when it returns, or it throws.
    ///
    /// Where the target can tell, events that are not past the last one stored of `stream` are left out, so that sending
    /// again what may have arrived never doubles it.
    ///
    /// - Throws: ``LogsRefused`` if the same events will always be refused.
    func deliver(_ events: ArraySlice<LogEvent>, stream: String) async throws

    /// The last sequence stored of a stream; nil if there is none, or the target cannot tell.
    func lastSequence(of stream: String) async throws -> UInt64?

    /// Leaves the logstore to its owner; it is not there, or another trail's: nothing to do.
    func release() async throws
}

public struct LogBatchLimits: Sendable, Equatable {
    public var bytes: Int
    public var count: Int

    public init(bytes: Int, count: Int) {
        self.bytes = bytes
        self.count = count
    }
}

/// What there is to deliver to.
public struct LogTargetReadiness: Codable, Sendable, Equatable {
    public var location: String
    /// What could not be made, though it does not keep events from being delivered; a sentence each.
    public var gaps: [String]
    public var checkedAt: Date

    public init(location: String, gaps: [String] = [], checkedAt: Date) {
        self.location = location
        self.gaps = gaps
        self.checkedAt = checkedAt
    }
}

/// The log service takes these events never: not as many at once, or one of them not at all.
public struct LogsRefused: Error, Equatable, CustomStringConvertible {
    public var reason: String

    public init(reason: String) { self.reason = reason }

    public var description: String { reason }
}
