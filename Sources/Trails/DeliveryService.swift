// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import EventHistory
import Foundation
import Logging
import Metadata
import Metrics
import ObjectStorage
import ServiceLifecycle
import Synchronization

/// Runs every trail and every history job, each on its own: one's trouble touches no other.
public final class DeliveryService: Service {
    private struct Progress {
        var inFlight: Set<String> = []
        var dueAt: [String: Date] = [:]
        var failures: [String: Int] = [:]
        /// When the target of a piece of work was last found fit, and which bucket it was.
        var checked: [String: (bucket: String, at: Date)] = [:]
    }

    /// A policy that was not locked lapses, a bucket is made anew: what was seen of a target holds for so many seconds.
    private static let checkInterval: TimeInterval = 3600

    private let registry: TrailRegistry
    private let history: EventHistory
    private let targets: DeliveryTargets
    private let interval: Duration
    private let logger: Logger
    private let now: @Sendable () -> Date
    private let progress = Mutex(Progress())
    private let deliveredEvents = Counter(label: "cairn_delivered_events_total")
    private let deliveredObjects = Counter(label: "cairn_delivered_objects_total")
    private let failures = Counter(label: "cairn_delivery_failures_total")

    /// - Parameter interval: events of so much time go into one step.
    public init(
        registry: TrailRegistry, history: EventHistory, targets: DeliveryTargets, interval: Duration, logger: Logger,
        now: @escaping @Sendable () -> Date
    ) {
        self.registry = registry
        self.history = history
        self.targets = targets
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

    private enum Work: Sendable {
        case trail(Trail)
        case job(HistoryJob)

        var id: String {
            switch self {
            case .trail(let trail): "trail-" + trail.id
            case .job(let job): job.chain
            }
        }

        /// Of a job it is not known before its trail is read.
        var bucket: String {
            switch self {
            case .trail(let trail): trail.ossBucketName
            case .job: ""
            }
        }
    }

    private func dueWork() -> [Work] {
        do {
            let trails = try registry.allTrails().filter { $0.status != .fresh && !$0.ossBucketName.isEmpty }
            let jobs = try registry.allJobs().filter { !$0.status.isOver }
            let date = now()
            return progress.withLock { progress in
                (trails.map(Work.trail) + jobs.map(Work.job)).filter { work in
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
            case .trail(let trail): try await deliver(trail)
            case .job(let job): try await deliver(job)
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
        progress.withLock { progress in
            progress.inFlight.remove(work.id)
            let count = failed ? (progress.failures[work.id] ?? 0) + 1 : 0
            progress.failures[work.id] = count
            // After a failure: one second, two, four, up to five minutes, whatever the interval; longer if the store asks.
            let wait = count > 0 ? max(min(0.5 * Double(1 << min(count, 10)), 300), Double(min(wish, 3600))) : seconds
            progress.dueAt[work.id] = now().addingTimeInterval(wait)
        }
    }

    private func note(_ error: String, of work: Work) {
        do {
            switch work {
            case .trail(let trail):
                var state = try registry.deliveryState(of: trail)
                state.lastError = error
                try saveIfPresent(state, of: trail)
            case .job(let job):
                guard var current = try registry.job(job.id, account: job.accountId) else { return }
                current.delivery.lastError = error
                try registry.save(current)
            }
        } catch { logger.error("a delivery's state cannot be kept", metadata: ["error": "\(error)"]) }
    }

    // MARK: Trails

    private func deliver(_ trail: Trail) async throws {
        let target = targets.target(trail.ossBucketName, account: trail.accountId)
        let chain = DeliveryChain(
            name: "trail-" + trail.id, trail: trail, history: history, target: target, now: now,
            save: { try self.saveIfPresent($0, of: trail) })
        var state = try registry.deliveryState(of: trail)
        let end = history.endSequence
        if trail.status == .enabled || state.plan != nil || state.stop.map({ state.next < $0 }) ?? false,
            let protection = try await checkIfDue(target, for: .trail(trail))
        {
            tell(protection, before: state.protection, trail: trail)
            state.protection = protection
            try saveIfPresent(state, of: trail)
        }
        let before = state
        while !Task.isCancelled {
            // A trail that was stopped, but whose stop is not sealed yet, waits.
            guard let limit = state.stop ?? (trail.status == .enabled ? end : nil) else { break }
            guard try await chain.step(&state, limit: min(limit, end)) else { break }
        }
        deliveredEvents.increment(by: Int64(state.deliveredEvents - before.deliveredEvents))
        deliveredObjects.increment(by: Int64(state.deliveredObjects - before.deliveredObjects))
    }

    /// Asks a target what protects objects there, unless it was asked a short while ago.
    private func checkIfDue(_ target: any DeliveryTarget, for work: Work) async throws -> TargetProtection? {
        let date = now()
        let isDue = progress.withLock { progress in
            guard let last = progress.checked[work.id], last.bucket == work.bucket else { return true }
            return date.timeIntervalSince(last.at) >= Self.checkInterval
        }
        guard isDue else { return nil }
        let protection = try await target.check()
        progress.withLock { $0.checked[work.id] = (work.bucket, date) }
        return protection
    }

    private func tell(_ protection: TargetProtection, before: TargetProtection?, trail: Trail) {
        guard !protection.says(sameAs: before) else { return }
        let facts: Logger.Metadata = [
            "trail": "\(trail.name)", "target": "\(protection.location)", "retention": "\(protection.retention ?? "none")",
            "versioning": "\(protection.versioning ?? "none")", "encryption": "\(protection.encryption ?? "none")",
        ]
        guard !protection.gaps.isEmpty else {
            return logger.info("what a trail delivers is protected", metadata: facts)
        }
        logger.warning(
            "what a trail delivers is not protected in every way",
            metadata: facts.merging(["gaps": .array(protection.gaps.map { .string($0) })]) { $1 })
    }

    /// Writes a trail's state unless the trail is gone; a stop that was sealed meanwhile is kept.
    private func saveIfPresent(_ state: DeliveryState, of trail: Trail) throws {
        try registry.metadata.transact { transaction in
            guard let current = try transaction.value(Trail.self, at: "trails/\(trail.accountId)/\(trail.name)"),
                current.id == trail.id
            else { throw CancellationError() }
            var state = state
            if let kept = try transaction.value(DeliveryState.self, at: TrailRegistry.statePath(trail)) {
                state.stop = kept.stop
                for run in kept.covered where !state.covers(run) { state.cover(run.first..<run.end) }
            }
            try transaction.put(state, at: TrailRegistry.statePath(trail))
        }
    }

    // MARK: History jobs

    private func deliver(_ work: HistoryJob) async throws {
        guard var job = try registry.job(work.id, account: work.accountId) else { return }
        guard let trail = try registry.trail(job.trailName, account: job.accountId), trail.id == job.trailId else {
            job.status = .failed
            job.updatedAt = now()
            job.delivery.lastError = "the trail was deleted"
            return try registry.save(job)
        }
        let target = targets.target(trail.ossBucketName, account: trail.accountId)
        _ = try await checkIfDue(target, for: .job(work))
        job.status = .delivering
        while let run = job.runs.first, !Task.isCancelled {
            if job.delivery.plan == nil && !(run.first...run.end).contains(job.delivery.next) || job.delivery.next == 0 {
                job.delivery.hasGap = job.delivery.lastDigest != nil
                job.delivery.next = run.first
                job.delivery.digestStart = run.first
            }
            var state = job.delivery
            let base = job
            let chain = DeliveryChain(
                name: job.chain, trail: trail, history: history, target: target, now: now,
                save: { state in
                    var job = base
                    job.delivery = state
                    job.updatedAt = self.now()
                    try self.registry.save(job)
                })
            while try await chain.step(&state, limit: run.end), !Task.isCancelled {}
            guard state.next >= run.end else { return }
            deliveredEvents.increment(by: Int64(state.deliveredEvents - job.delivery.deliveredEvents))
            deliveredObjects.increment(by: Int64(state.deliveredObjects - job.delivery.deliveredObjects))
            job.delivery = state
            job.runs.removeFirst()
            job.updatedAt = now()
            try registry.save(job, delivered: run, of: trail)
        }
        guard job.runs.isEmpty else { return }
        job.status = .done
        job.updatedAt = now()
        try registry.save(job)
    }
}

extension DeliveryState {
    fileprivate func covers(_ run: Run) -> Bool {
        covered.contains { $0.first <= run.first && run.end <= $0.end }
    }
}

extension DigestLink {
    init(key: String, content: [UInt8]) {
        self.init(key: key, sha256: Data(SHA256.hash(data: content)).base64EncodedString())
    }
}
