// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How far the delivery to a logstore is: a trail's own, or that of a history job.
public struct LogDeliveryState: Codable, Sendable, Equatable {
    /// An event that the log service refuses for what it is. It is passed over, and left for a history job.
    public struct ParkedEvent: Codable, Sendable, Equatable {
        public var sequence: UInt64
        public var eventId: String
        public var reason: String
        public var parkedAt: Date
    }

    /// An event that was refused alone, and how often.
    package struct Refusal: Codable, Sendable, Equatable {
        package var sequence: UInt64
        package var count: Int
    }

    /// What a history job had in hand when it was deleted: how much of it arrived, the log service knows.
    package struct Abandoned: Codable, Sendable, Equatable {
        package var stream: String
        package var first: UInt64
        package var end: UInt64
    }

    static let parkedKept = 20
    /// More holes than this are not left open for a history job.
    static let runsKept = 1000

    public var next: UInt64 = 0
    public var stop: UInt64? = 0
    public var covered: [DeliveryState.Run] = []
    public var lastDeliveredAt: Date?
    public var lastError: String?
    public var deliveredEvents: UInt64 = 0
    public var parkedEvents: UInt64 = 0
    /// The last ones, newest last.
    public var parked: [ParkedEvent] = []
    package var refusal: Refusal?
    package var abandoned: [Abandoned] = []
    /// What there is to deliver to, as last seen.
    public var readiness: LogTargetReadiness?

    public init() {}

    package mutating func park(_ event: ParkedEvent) {
        parkedEvents += 1
        parked = (parked + [event]).suffix(Self.parkedKept)
        refusal = nil
        if covered.count >= Self.runsKept { cover(event.sequence..<event.sequence + 1) }
        next = event.sequence + 1
        lastError =
            "event \(event.eventId) (sequence \(event.sequence)) is refused and was passed over; a delivery history job tries "
            + "it again: \(event.reason)"
    }
}

extension LogDeliveryState: DeliveryRuns {
    package var firstInHand: UInt64 { next }
    package var isHalfDone: Bool { false }

    package mutating func begin(at sequence: UInt64) { next = sequence }
}
