// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import EventHistory
import Foundation
import Logging
import Metrics
import ObjectStorage
import ServiceLifecycle
import Synchronization

/// Runs every trail and every history job, to each of its destinations on its own: one's trouble touches no other.
public final class DeliveryService: Service {
    private struct Progress {
        var inFlight: Set<String> = []
        var dueAt: [String: Date] = [:]
        var failures: [String: Int] = [:]
        /// When the target of a piece of work was last found fit, and which it was.
        var checked: [String: (target: String, at: Date)] = [:]
    }

    /// A policy that was not locked lapses, a bucket is made anew: what was seen of a target holds for so many seconds.
    private static let checkInterval: TimeInterval = 3600
    /// Logs wait this long at most, in seconds: they become no objects, so there is no need to gather many.
    private static let logInterval: TimeInterval = 2

    let registry: TrailRegistry
    let history: EventHistory
    let targets: DeliveryTargets
    let logTargets: LogDeliveryTargets
    let logger: Logger
    let now: @Sendable () -> Date
    private let interval: Duration
    private let progress = Mutex(Progress())
    let deliveredEvents = Counter(label: "cairn_delivered_events_total")
    let deliveredObjects = Counter(label: "cairn_delivered_objects_total")
    let deliveredLogs = Counter(label: "cairn_delivered_logs_total")
    let parkedEvents = Counter(label: "cairn_parked_events_total")
    private let failures = Counter(label: "cairn_delivery_failures_total")

    /// - Parameter interval: events of so much time go into one step.
    public init(
        registry: TrailRegistry, history: EventHistory, targets: DeliveryTargets, logTargets: LogDeliveryTargets,
        interval: Duration, logger: Logger, now: @escaping @Sendable () -> Date
    ) {
        self.registry = registry
        self.history = history
        self.targets = targets
        self.logTargets = logTargets
        self.interval = interval
        self.logger = logger
        self.now = now
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                do { try self.registry.sealForgottenStops(at: self.history.endSequence) } catch {
                    self.logger.error("stopped trails cannot be sealed", metadata: ["error": "\(error)"])
                }
                let pause = min(self.interval, .milliseconds(500))
                while !Task.isCancelled {
                    for work in self.dueWork() { group.addTask { await self.perform(work) } }
                    try? await Task.sleep(for: pause)
                }
            }
        }
    }

    enum Work: Sendable {
        case objects(Trail)
        case logs(Trail)
        case jobObjects(HistoryJob)
        case jobLogs(HistoryJob)
        case releases

        /// Work of one name is done one after the other. A job's logs are named by the trail: a job that was deleted in the
        /// middle of a batch has to end before the next one asks what arrived of it.
        var id: String {
            switch self {
            case .objects(let trail): "trail-" + trail.id
            case .logs(let trail): "logs-" + trail.id
            case .jobObjects(let job): job.chain
            case .jobLogs(let job): "job-logs-" + job.trailId
            case .releases: "releases"
            }
        }

        /// Of a job it is not known before its trail is read.
        var target: String {
            switch self {
            case .objects(let trail): trail.ossBucketName
            case .logs(let trail): trail.slsProjectArn
            case .jobObjects, .jobLogs, .releases: ""
            }
        }

        var isOfLogs: Bool {
            switch self {
            case .logs, .jobLogs, .releases: true
            case .objects, .jobObjects: false
            }
        }
    }

    private func allWork() throws -> [Work] {
        let trails = try registry.allTrails()
        let jobs = try registry.allJobs().filter { !$0.status.isOver }
        return trails.filter { $0.status != .fresh && !$0.ossBucketName.isEmpty }.map(Work.objects)
            // A logstore is there from the beginning, so that it can be looked at.
            + trails.filter { !$0.slsProjectArn.isEmpty }.map(Work.logs)
            + jobs.map(Work.jobObjects) + jobs.filter { !($0.logRuns?.isEmpty ?? true) }.map(Work.jobLogs)
            + (try registry.releases().isEmpty ? [] : [.releases])
    }

    private func dueWork() -> [Work] {
        do {
            let all = try allWork()
            let date = now()
            return progress.withLock { progress in
                all.filter { work in
                    guard !progress.inFlight.contains(work.id), progress.dueAt[work.id] ?? date <= date else { return false }
                    progress.inFlight.insert(work.id)
                    return true
                }
            }
        } catch {
            logger.error("trails cannot be read", metadata: ["error": "\(error)"])
            return []
        }
    }

    /// Goes through all trails and jobs once, due or not.
    package func deliverOnce() async throws {
        progress.withLock { $0.dueAt = [:] }
        for work in dueWork() { await perform(work) }
    }

    private func perform(_ work: Work) async {
        var failed = false
        var wish = 0
        do {
            switch work {
            case .objects(let trail): try await deliverObjects(of: trail)
            case .logs(let trail): try await deliverLogs(of: trail)
            case .jobObjects(let job): try await deliverObjects(of: job)
            case .jobLogs(let job): try await deliverLogs(of: job)
            case .releases: try await logTargets.carryOutReleases(of: registry)
            }
        } catch is CancellationError {
        } catch TrailError.jobNotFound {
        } catch {
            failed = true
            wish = (error as? RemoteError)?.retryAfter ?? 0
            failures.increment()
            logger.warning("delivery failed, will be tried again", metadata: ["what": "\(work.id)", "error": "\(error)"])
            note("\(error)", of: work)
        }
        let seconds = Double(interval.components.seconds) + Double(interval.components.attoseconds) / 1e18
        let pause = work.isOfLogs ? min(seconds, Self.logInterval) : seconds
        progress.withLock { progress in
            progress.inFlight.remove(work.id)
            let count = failed ? (progress.failures[work.id] ?? 0) + 1 : 0
            progress.failures[work.id] = count
            // A logstore in trouble is looked at before the next attempt: what is missing there can be made again.
            if failed, work.isOfLogs { progress.checked[work.id] = nil }
            // After a failure: one second, two, four, up to five minutes, whatever the interval; longer if the store asks.
            let wait = count > 0 ? max(min(0.5 * Double(1 << min(count, 10)), 300), Double(min(wish, 3600))) : pause
            progress.dueAt[work.id] = now().addingTimeInterval(wait)
        }
    }

    private func note(_ error: String, of work: Work) {
        do {
            switch work {
            case .objects(let trail): try registry.change(trail) { $0.lastError = error }
            case .logs(let trail): try registry.changeLogs(of: trail) { $0.lastError = error }
            case .jobObjects(let job): try registry.change(job) { $0.delivery.lastError = error }
            case .jobLogs(let job):
                try registry.change(job) { job in
                    var logs = job.logs ?? LogDeliveryState()
                    logs.lastError = error
                    job.logs = logs
                }
            case .releases: break
            }
        } catch is CancellationError {
        } catch TrailError.jobNotFound {
        } catch { logger.error("a delivery's state cannot be kept", metadata: ["error": "\(error)"]) }
    }

    /// Looks at the target of a piece of work, unless that was done a short while ago.
    func checkIfDue<Finding>(_ work: Work, _ check: () async throws -> Finding) async throws -> Finding? {
        let date = now()
        let isDue = progress.withLock { progress in
            guard let last = progress.checked[work.id], last.target == work.target else { return true }
            return date.timeIntervalSince(last.at) >= Self.checkInterval
        }
        guard isDue else { return nil }
        let finding = try await check()
        progress.withLock { $0.checked[work.id] = (work.target, date) }
        return finding
    }
}
