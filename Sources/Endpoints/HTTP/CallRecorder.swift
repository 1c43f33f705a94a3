// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import AuditEvent
import EventHistory
import Foundation
import Logging
import Metadata
import Metrics
import Synchronization

/// Records the calls made on Cairn itself as events of the account they concern.
///
/// A call that changes something is noted in the metadata before the change, and answered after its record is durable:
/// if the service is killed in between, the next start records the note, as a change of which nobody knows whether it
/// was made. A record that cannot be written now is kept in memory, up to a limit, and tried again: while any waits,
/// changes are refused.
public final class CallRecorder: Sendable {
    static let waitingLimit = 10_000

    private let history: EventHistory
    private let metadata: Metadata
    private let accountId: String
    private let region: String
    private let logger: Logger
    private let now: @Sendable () -> Date
    /// Calls that were noted and are recorded: their notes can go.
    private let settled = Mutex<[String]>([])
    /// Calls that changed nothing, on the way to their records.
    private let gathered = Mutex<[(call: CallRecord, time: Date)]>([])
    private static let gatheringTime = Duration.milliseconds(5)
    private let inFlight = Atomic<Int>(0)
    private let waiting = Mutex<[(account: String, event: [UInt8])]>([])
    private let unrecorded = Counter(label: "cairn_calls_unrecorded_total")

    public init(
        history: EventHistory, metadata: Metadata, accountId: String, region: String, logger: Logger,
        now: @escaping @Sendable () -> Date
    ) {
        self.history = history
        self.metadata = metadata
        self.accountId = accountId
        self.region = region
        self.logger = logger
        self.now = now
    }

    /// Whether changes may be made: the record of the last call could be written.
    var canRecord: Bool { history.canRecord && waiting.withLock { $0.isEmpty } }

    /// Records a call; returns its sequence once durable, nil if it has to wait for better times.
    @discardableResult
    func record(_ call: CallRecord) async -> UInt64? {
        let account = account(of: call)
        let event = call.event(account: account, region: region, at: now())
        if call.weakening != nil, call.errorCode == nil { weakenings(call.eventName).increment() }
        do {
            let sequence = try await write(event, account: account)
            if call.isNoted { settled.withLock { $0.append(call.eventId) } }
            return sequence
        } catch {
            keep(event, of: call, account: account, for: error)
            return nil
        }
    }

    /// Keeps a record that could not be written until better times.
    private func keep(_ event: [UInt8], of call: CallRecord, account: String, for error: any Error) {
        logger.error("a call could not be recorded", metadata: ["call": "\(call.eventName)", "error": "\(error)"])
        let isKept = waiting.withLock { waiting in
            guard waiting.count < Self.waitingLimit else { return false }
            waiting.append((account, event))
            return true
        }
        if !isKept { unrecorded.increment() }
    }

    private func account(of call: CallRecord) -> String {
        call.caller.map(\.accountId).flatMap { $0.isEmpty ? nil : $0 } ?? accountId
    }

    private func weakenings(_ event: String) -> Counter {
        Counter(label: "cairn_trail_weakened_total", dimensions: [("event", event)])
    }

    // MARK: Notes of changes

    private struct Note: Codable {
        var account: String
        var event: Data
    }

    private static let notes = "begun-calls/"

    /// Notes a change that is about to be made.
    ///
    /// - Throws: if the note cannot be kept; then the change must not be made.
    func begin(_ call: inout CallRecord) throws {
        let account = account(of: call)
        let note = Note(
            account: account, event: Data(call.event(account: account, region: region, at: now(), isOutcomeKnown: false)))
        try metadata.transact { try $0.put(note, at: Self.notes + call.eventId) }
        call.isNoted = true
    }

    /// Records the changes that were begun before the service was killed, unless their records are there.
    public func recordForgotten() async throws {
        let entries = try metadata.entries(prefix: Self.notes)
        for entry in entries {
            let id = String(entry.key.dropFirst(Self.notes.count))
            let note = try JSONDecoder().decode(Note.self, from: Data(entry.value))
            let page = try history.lookUp(
                LookupQuery(account: note.account, conditions: [.init(.eventId, id)], times: 0...Int64.max, limit: 1))
            if page.events.isEmpty { _ = try await write([UInt8](note.event), account: note.account) }
        }
        guard !entries.isEmpty else { return }
        try metadata.transact { for entry in entries { try $0.delete(entry.key) } }
    }

    private func dropSettledNotes() {
        let ids = settled.withLock { settled in
            defer { settled = [] }
            return settled
        }
        guard !ids.isEmpty else { return }
        do { try metadata.transact { for id in ids { try $0.delete(Self.notes + id) } } } catch {
            // They go with the next ones, or at the next start.
            settled.withLock { $0 += ids }
        }
    }

    /// Records something that the service itself did or found.
    public func recordOwn(
        _ name: String, service: String, parameters: [(name: String, value: String)], weakening: String? = nil
    ) async {
        var call = CallRecord(ownEvent: name, service: service, weakening: weakening)
        call.caller = .service("cairn", accountId: accountId)
        call.parameters = parameters.map { .init($0.name, $0.value) }
        await record(call)
    }

    /// Records a call that changes nothing: its answer need not wait for the disk. Calls that come close together share a
    /// write.
    func recordLater(_ call: CallRecord) {
        let time = now()
        let isFirst = gathered.withLock { gathered in
            gathered.append((call, time))
            return gathered.count == 1
        }
        inFlight.wrappingAdd(1, ordering: .relaxed)
        guard isFirst else { return }
        Task {
            try? await Task.sleep(for: Self.gatheringTime)
            await recordGathered()
        }
    }

    private func recordGathered() async {
        let calls = gathered.withLock { gathered in
            defer { gathered = [] }
            return gathered
        }
        for (account, calls) in Dictionary(grouping: calls, by: { account(of: $0.call) }) {
            let events = calls.map { $0.call.event(account: account, region: region, at: $0.time) }
            do { _ = try await write(Array(events.joined(separator: [0x0A])), account: account) } catch {
                for (call, event) in zip(calls, events) { keep(event, of: call.call, account: account, for: error) }
            }
        }
        inFlight.wrappingSubtract(calls.count, ordering: .relaxed)
    }

    /// Waits until every call answered so far is recorded, at most some seconds; for a clean stop.
    public func drain() async {
        for _ in 0..<500 where inFlight.load(ordering: .relaxed) > 0 { try? await Task.sleep(for: .milliseconds(10)) }
        await retry()
    }

    /// Tries again what could not be recorded; called from time to time.
    public func retry() async {
        dropSettledNotes()
        while let next = waiting.withLock({ $0.first }) {
            do { _ = try await write(next.event, account: next.account) } catch { return }
            waiting.withLock { _ = $0.removeFirst() }
        }
    }

    private func write(_ event: [UInt8], account: String) async throws -> UInt64? {
        let context = ReceivingContext(
            accountId: account, region: region, nowMilliseconds: Int64(now().timeIntervalSince1970 * 1000))
        let batch = EventParser().parse(event, format: .actiontrail, context: context)
        return try await history.record(batch, account: account).lastSequence
    }
}
