// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Trails

struct LogFailure: Error {}

/// A log service in memory whose deliveries fail as a test says.
final class MemoryLogs: Sendable {
    enum Fault: CaseIterable {
        /// Nothing was stored.
        case lost
        /// All was stored, and the answer did not arrive.
        case kept
        /// The first half was stored.
        case torn
    }

    private struct Logstore {
        var trail: String?
        var logs: [LogEvent] = []
        /// The last sequence of each stream.
        var last: [String: UInt64] = [:]
    }

    private struct State {
        var projects: Set<String> = ["logs-a", "logs-b"]
        var logstores: [String: Logstore] = [:]
        var deliveries = 0
        var failAt = -1
        var fault = Fault.lost
        var isDown = false
        var bad: Set<String> = []
        var refusesAll = false
        var prepared = 0
        var limits = LogBatchLimits(bytes: 1 << 20, count: 8)
        var remembers = true
        var beforeStoring: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    var deliveries: Int { state.withLock { $0.deliveries } }
    var prepared: Int { state.withLock { $0.prepared } }

    /// Fails at a delivery from now on, counted from 0.
    func fail(at number: Int, _ fault: Fault) {
        state.withLock {
            $0.deliveries = 0
            $0.failAt = number
            $0.fault = fault
        }
    }

    func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }
    /// Event ids that are refused for what they are.
    func refuse(_ ids: Set<String>) { state.withLock { $0.bad = ids } }
    func refuseAll(_ refuses: Bool) { state.withLock { $0.refusesAll = refuses } }
    /// Whether streams are known, as the embedded service knows them.
    func setRemembers(_ remembers: Bool) { state.withLock { $0.remembers = remembers } }
    func setProject(_ name: String, exists: Bool) {
        state.withLock { if exists { $0.projects.insert(name) } else { $0.projects.remove(name) } }
    }
    func dropLogstore(_ name: String, of project: String) { state.withLock { $0.logstores["\(project)/\(name)"] = nil } }
    /// Runs once, in the middle of the next delivery.
    func meanwhile(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.beforeStoring = body } }

    func texts(_ project: String = "logs-a", _ logstore: String = "actiontrail_audit") -> [String] {
        state.withLock { $0.logstores["\(project)/\(logstore)"]?.logs.map(\.text) ?? [] }
    }

    func trail(_ project: String = "logs-a", _ logstore: String = "actiontrail_audit") -> String? {
        state.withLock { $0.logstores["\(project)/\(logstore)"]?.trail }
    }

    struct Target: LogDeliveryTarget {
        let logs: MemoryLogs
        let owner: LogDeliveryTargets.Owner
        let now: @Sendable () -> Date

        private var path: String { "\(owner.project.name)/\(owner.logstore)" }
        var location: String { "memory \(path)" }
        var batchLimits: LogBatchLimits { logs.state.withLock { $0.limits } }

        func prepare() async throws -> LogTargetReadiness {
            try logs.state.withLock { state in
                guard !state.isDown, state.projects.contains(owner.project.name) else { throw LogFailure() }
                state.prepared += 1
                state.logstores[path, default: .init()].trail = owner.trailARN
            }
            return LogTargetReadiness(location: location, checkedAt: now())
        }

        func deliver(_ events: ArraySlice<LogEvent>, stream: String) async throws {
            let meanwhile = logs.state.withLock { state in
                defer { state.beforeStoring = nil }
                return state.beforeStoring
            }
            meanwhile?()
            try logs.state.withLock { state in
                guard !state.isDown, state.projects.contains(owner.project.name), var logstore = state.logstores[path] else {
                    throw LogFailure()
                }
                state.deliveries += 1
                let fails = state.deliveries - 1 == state.failAt
                if fails, state.fault == .lost { throw LogFailure() }
                if state.refusesAll || events.contains(where: { state.bad.contains($0.eventId) }) {
                    throw LogsRefused(reason: "made-up refusal")
                }
                for event in fails && state.fault == .torn ? events.prefix(events.count / 2) : events {
                    if state.remembers, let last = logstore.last[stream], event.sequence <= last { continue }
                    logstore.last[stream] = event.sequence
                    logstore.logs.append(event)
                }
                state.logstores[path] = logstore
                if fails { throw LogFailure() }
            }
        }

        func lastSequence(of stream: String) async throws -> UInt64? {
            logs.state.withLock { state in state.remembers ? state.logstores[path]?.last[stream] : nil }
        }

        func release() async throws {
            logs.state.withLock { state in
                if state.logstores[path]?.trail == owner.trailARN { state.logstores[path]?.trail = nil }
            }
        }
    }
}
