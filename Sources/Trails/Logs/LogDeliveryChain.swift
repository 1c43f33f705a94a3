// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import EventHistory
import Foundation
import LogEngine

/// Deliveries to a logstore going forward: a batch, then the cursor.
///
/// A crash between the two sends events again, in other batches perhaps. The embedded log service remembers the last
/// sequence of each stream, and so has each once; another service may have some twice, which their `eventId` tells.
struct LogDeliveryChain {
    /// An event that is refused alone is parked at once if others beside it were taken, else after so many attempts: the
    /// fault may be the log service's.
    static let attemptsBeforeParking = 5

    /// Named the same at every attempt, and after every restart.
    let stream: String
    let trail: Trail
    let history: EventHistory
    let target: any LogDeliveryTarget
    let now: @Sendable () -> Date
    /// Makes a new state durable.
    let save: (LogDeliveryState) throws -> Void

    /// Goes one batch towards `limit`; false when there is nothing more to do.
    func step(_ state: inout LogDeliveryState, limit: UInt64) async throws -> Bool {
        let held = history.firstSequence
        if state.next < held {
            // Retention overtook a delivery that was in trouble for months: say so, and go on with what is there.
            state.lastError = "events \(state.next) to \(held - 1) were dropped by retention before they could be delivered"
            state.next = held
            try save(state)
        }
        guard state.next < limit else { return false }
        let (events, end) = try batch(from: state.next, to: limit)
        if events.isEmpty {
            state.cover(state.next..<end)
            state.next = end
            try save(state)
        } else {
            try await deliver(events, end: end, &state)
        }
        return state.next < limit
    }

    /// The trail's next events, as many as one batch should hold, and where the following batch begins.
    private func batch(from first: UInt64, to limit: UInt64) throws -> (events: [LogEvent], end: UInt64) {
        let limits = target.batchLimits
        var events: [LogEvent] = []
        var size = 0
        var next: UInt64?
        let reached = try history.forEachRecord(in: first..<limit) { record in
            guard let (fields, _) = trail.selection(of: record) else { return true }
            guard events.isEmpty || (size + record.count <= limits.bytes && events.count < limits.count) else {
                next = record.sequence
                return false
            }
            size += record.count
            events.append(
                record.withBytes { bytes in
                    LogEvent(
                        sequence: record.sequence, time: fields.timeMilliseconds,
                        eventId: fields.withBytes(of: fields.eventId, in: bytes) { String(decoding: $0, as: UTF8.self) },
                        text: String(decoding: bytes, as: UTF8.self))
                })
            return true
        }
        return (events, next ?? reached)
    }

    private func deliver(_ events: [LogEvent], end: UInt64, _ state: inout LogDeliveryState) async throws {
        // What is still to be sent, the earliest last; parts that are refused are halved.
        var parts = [events[...]]
        var hasDelivered = false
        while let part = parts.popLast() {
            let partEnd = parts.last?.first?.sequence ?? end
            do {
                try await target.deliver(part, stream: stream)
                hasDelivered = true
                state.cover(state.next..<partEnd)
                state.next = partEnd
                state.deliveredEvents += UInt64(part.count)
                state.lastDeliveredAt = now()
                state.lastError = nil
                state.refusal = nil
            } catch let refused as LogsRefused {
                let half = part.startIndex + part.count / 2
                guard let event = part.first, part.count == 1 else {
                    parts += [part[half...], part[..<half]]
                    continue
                }
                let count = state.refusal.map { $0.sequence == event.sequence ? $0.count + 1 : 1 } ?? 1
                guard hasDelivered || count >= Self.attemptsBeforeParking else {
                    state.refusal = .init(sequence: event.sequence, count: count)
                    try save(state)
                    throw refused
                }
                // What came before it and was none of the trail's is accounted for; the event itself stays a hole.
                state.cover(state.next..<event.sequence)
                state.park(
                    .init(sequence: event.sequence, eventId: event.eventId, reason: refused.reason, parkedAt: now()))
                state.cover(event.sequence + 1..<partEnd)
                state.next = partEnd
            }
            try save(state)
        }
    }
}
