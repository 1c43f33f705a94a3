// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging

extension DeliveryService {
    func deliverLogs(of trail: Trail) async throws {
        let target = try logTargets.target(of: trail)
        var state = try registry.logDeliveryState(of: trail)
        let end = history.endSequence
        if let readiness = try await checkIfDue(.logs(trail), target.prepare) {
            tell(readiness, before: state.readiness, trail: trail)
            state = try registry.changeLogs(of: trail) { state in
                state.readiness = readiness
                // Where nothing waits to be delivered, no delivery would tell that the trouble is over.
                if !state.isUnfinished || state.next >= end { state.lastError = nil }
            }
        }
        let chain = LogDeliveryChain(
            stream: "trail-" + trail.id, trail: trail, history: history, target: target, now: now,
            save: { try self.registry.save($0, of: trail) })
        let before = state
        defer { count(state, since: before, of: trail) }
        while !Task.isCancelled {
            // A trail that was stopped, but whose stop is not sealed yet, waits.
            guard let limit = state.stop ?? (trail.status == .enabled ? end : nil) else { break }
            guard try await chain.step(&state, limit: min(limit, end)) else { break }
        }
    }

    func deliverLogs(of work: HistoryJob) async throws {
        guard var job = try registry.job(work.id, account: work.accountId), let trail = try trailOf(job) else { return }
        guard !trail.slsProjectArn.isEmpty else {
            // The trail has no logstore any more.
            try registry.change(job) { $0.logRuns = [] }
            return
        }
        let target = try logTargets.target(of: trail)
        _ = try await checkIfDue(.jobLogs(work), target.prepare)
        job = try await settleAbandoned(of: trail, target, in: job)
        while let run = job.logRuns?.first, !Task.isCancelled {
            var state = job.logs ?? LogDeliveryState()
            if !(run.first...run.end).contains(state.next) { state.next = run.first }
            let current = job
            let chain = LogDeliveryChain(
                stream: job.chain, trail: trail, history: history, target: target, now: now,
                save: { state in
                    try self.registry.change(current) { job in
                        job.status = .delivering
                        job.logs = state
                    }
                })
            let before = state
            if state.parkedEvents == 0 { state.lastError = nil }
            // From here on, deleting the job leaves a note of what it has in hand.
            try chain.save(state)
            defer { count(state, since: before, of: trail) }
            while try await chain.step(&state, limit: run.end), !Task.isCancelled {}
            guard state.next >= run.end else { return }
            let done = state
            job = try registry.change(job, logs: done.covered, of: trail) { job in
                job.logs = done
                job.logRuns?.removeAll { $0 == run }
            }
        }
        if job.isComplete, !job.status.isOver { try registry.change(job) { _ in } }
    }

    private func settleAbandoned(of trail: Trail, _ target: any LogDeliveryTarget, in job: HistoryJob) async throws -> HistoryJob
    {
        let abandoned = try registry.logDeliveryState(of: trail).abandoned
        guard !abandoned.isEmpty else { return job }
        var arrived: [String: UInt64] = [:]
        for item in abandoned { arrived[item.stream] = try await target.lastSequence(of: item.stream) }
        return try registry.settleAbandoned(arrived, of: trail, in: job)
    }

    private func count(_ state: LogDeliveryState, since before: LogDeliveryState, of trail: Trail) {
        deliveredLogs.increment(by: Int64(state.deliveredEvents - before.deliveredEvents))
        guard state.parkedEvents > before.parkedEvents else { return }
        parkedEvents.increment(by: Int64(state.parkedEvents - before.parkedEvents))
        for event in state.parked.suffix(Int(min(state.parkedEvents - before.parkedEvents, 20))) {
            logger.error(
                "an event is refused by the log service and was passed over; a delivery history job tries it again",
                metadata: [
                    "trail": "\(trail.name)", "event": "\(event.eventId)", "sequence": "\(event.sequence)",
                    "reason": "\(event.reason)",
                ])
        }
    }

    private func tell(_ readiness: LogTargetReadiness, before: LogTargetReadiness?, trail: Trail) {
        guard readiness.location != before?.location || readiness.gaps != before?.gaps else { return }
        let facts: Logger.Metadata = ["trail": "\(trail.name)", "target": "\(readiness.location)"]
        guard !readiness.gaps.isEmpty else { return logger.info("a trail's logstore is ready", metadata: facts) }
        logger.warning(
            "a trail's logstore is not as it should be",
            metadata: facts.merging(["gaps": .array(readiness.gaps.map { .string($0) })]) { $1 })
    }
}
