// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

extension TrailRegistry {
    private static func path(_ account: String, _ id: Int) -> String {
        "jobs/\(account)/" + String(format: "%010d", id)
    }

    public func jobs(account: String) throws -> [HistoryJob] {
        try metadata.values(HistoryJob.self, prefix: "jobs/\(account)/")
    }

    func allJobs() throws -> [HistoryJob] { try metadata.values(HistoryJob.self, prefix: "jobs/") }

    public func job(_ id: Int, account: String) throws -> HistoryJob? {
        try metadata.value(HistoryJob.self, at: Self.path(account, id))
    }

    /// Makes a job for everything in `held` that the trail has not delivered and is not delivering.
    public func createJob(
        trail name: String, account: String, clientToken: String?, held: Range<UInt64>, retentionDays: Int, at date: Date
    ) throws -> HistoryJob {
        try metadata.transact { transaction in
            let jobs = try transaction.values(HistoryJob.self, prefix: "jobs/\(account)/")
            if let clientToken, let same = jobs.first(where: { $0.clientToken == clientToken }) { return same }
            guard let trail = try transaction.value(Trail.self, at: "trails/\(account)/\(name)") else {
                throw TrailError.notFound(name)
            }
            guard !(trail.ossBucketName.isEmpty && trail.slsProjectArn.isEmpty) else {
                throw TrailError.jobNotPossible("The trail \(name) delivers to no bucket and to no log service.")
            }
            if let running = jobs.first(where: { !$0.status.isOver }) { throw TrailError.jobRunning(running.id) }
            let last = try transaction.value(Int.self, at: "counters/jobs") ?? 0
            try transaction.put(last + 1, at: "counters/jobs")
            var job = HistoryJob(
                id: last + 1, trailName: name, trailId: trail.id, accountId: account, homeRegion: trail.homeRegion,
                clientToken: clientToken, status: .initializing, createdAt: date, updatedAt: date,
                startTime: date.addingTimeInterval(-86_400 * Double(retentionDays)), endTime: date, runs: [], logRuns: [])
            if !trail.ossBucketName.isEmpty {
                let state = try transaction.value(DeliveryState.self, at: Self.statePath(trail)) ?? DeliveryState()
                job.runs = state.uncovered(within: held, isLogging: state.stop == nil)
            }
            if !trail.slsProjectArn.isEmpty {
                let state = try transaction.value(LogDeliveryState.self, at: Self.logStatePath(trail)) ?? LogDeliveryState()
                job.logRuns = state.uncovered(within: held, isLogging: state.stop == nil)
            }
            try transaction.put(job, at: Self.path(account, job.id))
            return job
        }
    }

    /// Changes a job in place, and what its trail knows for delivered with it. The two halves of a job, which run beside
    /// each other, so never overwrite what the other noted.
    ///
    /// - Parameters:
    ///   - run: delivered to the bucket in full.
    ///   - logs: runs delivered to the logstore.
    /// - Throws: ``TrailError/jobNotFound(_:)``: one that was deleted meanwhile stays deleted.
    @discardableResult
    func change(
        _ job: HistoryJob, delivered run: DeliveryState.Run? = nil, logs: [DeliveryState.Run] = [], of trail: Trail? = nil,
        _ change: (inout HistoryJob) -> Void
    ) throws -> HistoryJob {
        try metadata.transact { transaction in
            let path = Self.path(job.accountId, job.id)
            guard var current = try transaction.value(HistoryJob.self, at: path) else { throw TrailError.jobNotFound(job.id) }
            change(&current)
            if current.isComplete, !current.status.isOver { current.status = .done }
            current.updatedAt = now()
            try transaction.put(current, at: path)
            guard let trail, try transaction.value(Trail.self, at: "trails/\(trail.accountId)/\(trail.name)")?.id == trail.id
            else {
                return current
            }
            if let run { try changeState(of: trail, in: transaction) { $0.cover(run.first..<run.end) } }
            if !logs.isEmpty {
                try changeLogState(of: trail, in: transaction) { state in
                    for run in logs { state.cover(run.first..<run.end) }
                }
            }
            return current
        }
    }

    public func deleteJob(_ id: Int, account: String) throws {
        try metadata.transact { transaction in
            guard let job = try transaction.value(HistoryJob.self, at: Self.path(account, id)) else {
                throw TrailError.jobNotFound(id)
            }
            try transaction.delete(Self.path(account, id))
            // What it has delivered stays delivered: the next job leaves it out.
            guard !job.status.isOver,
                let trail = try transaction.value(Trail.self, at: "trails/\(account)/\(job.trailName)"), trail.id == job.trailId
            else { return }
            try changeState(of: trail, in: transaction) { state in
                for run in job.delivery.covered { state.cover(run.first..<run.end) }
            }
            guard let logs = job.logs else { return }
            try changeLogState(of: trail, in: transaction) { state in
                for run in logs.covered { state.cover(run.first..<run.end) }
                // A batch may be under way.
                guard let run = job.logRuns?.first, logs.next < run.end else { return }
                state.abandoned.append(.init(stream: job.chain, first: max(logs.next, run.first), end: run.end))
            }
        }
    }

    /// Notes how much arrived of what deleted jobs had in hand, and leaves it out of `job`.
    ///
    /// - Parameter arrived: the last sequence stored, by stream.
    func settleAbandoned(_ arrived: [String: UInt64], of trail: Trail, in job: HistoryJob) throws -> HistoryJob {
        try metadata.transact { transaction in
            let path = Self.path(job.accountId, job.id)
            guard var current = try transaction.value(HistoryJob.self, at: path) else { throw TrailError.jobNotFound(job.id) }
            try changeLogState(of: trail, in: transaction) { state in
                for item in state.abandoned {
                    if let last = arrived[item.stream], last >= item.first {
                        state.cover(item.first..<min(last + 1, item.end))
                    }
                }
                state.abandoned = []
                current.logRuns = current.logRuns?.flatMap { run in
                    state.uncovered(within: run.first..<run.end, isLogging: state.stop == nil)
                }
            }
            try transaction.put(current, at: path)
            return current
        }
    }
}
