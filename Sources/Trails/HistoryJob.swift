// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// Delivers, once, what a trail's bucket does not have yet of the events still held.
public struct HistoryJob: Codable, Sendable, Equatable {
    public enum Status: Int, Codable, Sendable {
        case initializing = 0
        case delivering = 1
        case done = 2
        case failed = 3

        var isOver: Bool { self == .done || self == .failed }
    }

    public var id: Int
    public var trailName: String
    public var trailId: String
    public var accountId: String
    public var homeRegion: String
    public var clientToken: String?
    public var status: Status
    public var createdAt: Date
    public var updatedAt: Date
    /// The range of recording that the job covers.
    public var startTime: Date
    public var endTime: Date
    /// What is still to be delivered, ascending; the first one is being worked on.
    package internal(set) var runs: [DeliveryState.Run]
    public var delivery = DeliveryState()

    var chain: String { "job-\(id)" }
}

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
            guard !trail.ossBucketName.isEmpty else {
                throw TrailError.jobNotPossible("The trail \(name) delivers to no bucket.")
            }
            if let running = jobs.first(where: { !$0.status.isOver }) { throw TrailError.jobRunning(running.id) }
            let state = try transaction.value(DeliveryState.self, at: Self.statePath(trail)) ?? DeliveryState()
            let last = try transaction.value(Int.self, at: "counters/jobs") ?? 0
            try transaction.put(last + 1, at: "counters/jobs")
            let job = HistoryJob(
                id: last + 1, trailName: name, trailId: trail.id, accountId: account, homeRegion: trail.homeRegion,
                clientToken: clientToken, status: .initializing, createdAt: date, updatedAt: date,
                startTime: date.addingTimeInterval(-86_400 * Double(retentionDays)), endTime: date,
                runs: state.uncovered(
                    within: held,
                    isLogging: trail.status == .enabled || (trail.status == .disabled && state.stop == nil)))
            try transaction.put(job, at: Self.path(account, job.id))
            return job
        }
    }

    /// Keeps a job's progress; when a run is complete, the trail knows it for delivered.
    func save(_ job: HistoryJob, delivered: DeliveryState.Run? = nil, of trail: Trail? = nil) throws {
        try metadata.transact { transaction in
            // A job that was deleted meanwhile stays deleted.
            guard try transaction.entry(Self.path(job.accountId, job.id)) != nil else { throw TrailError.jobNotFound(job.id) }
            try transaction.put(job, at: Self.path(job.accountId, job.id))
            if let delivered, let trail {
                var state = try transaction.value(DeliveryState.self, at: Self.statePath(trail)) ?? DeliveryState()
                state.cover(delivered.first..<delivered.end)
                try transaction.put(state, at: Self.statePath(trail))
            }
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
            var state = try transaction.value(DeliveryState.self, at: Self.statePath(trail)) ?? DeliveryState()
            for run in job.delivery.covered { state.cover(run.first..<run.end) }
            try transaction.put(state, at: Self.statePath(trail))
        }
    }
}

extension DeliveryState {
    /// Runs of `held` that are neither covered nor still to come in the present run of logging.
    ///
    /// - Parameter isLogging: also while the end of the run is not known yet.
    package func uncovered(within held: Range<UInt64>, isLogging: Bool) -> [Run] {
        var taken = covered
        if isLogging || plan != nil || (stop.map { next < $0 } ?? false) {
            taken.append(Run(first: min(next, digestStart), end: isLogging ? .max : stop ?? .max))
        }
        taken.sort { $0.first < $1.first }
        var runs: [Run] = []
        var position = held.lowerBound
        for run in taken where run.end > position {
            if run.first > position { runs.append(Run(first: position, end: min(run.first, held.upperBound))) }
            position = max(position, run.end)
            if position >= held.upperBound { break }
        }
        if position < held.upperBound { runs.append(Run(first: position, end: held.upperBound)) }
        return runs.filter { $0.first < $0.end }
    }
}
