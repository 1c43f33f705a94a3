// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import Logging
import ObjectStorage

extension DeliveryService {
    func deliverObjects(of trail: Trail) async throws {
        let target = targets.target(trail.ossBucketName, account: trail.accountId)
        let chain = DeliveryChain(
            name: "trail-" + trail.id, trail: trail, history: history, target: target, now: now,
            save: { try self.registry.save($0, of: trail) })
        var state = try registry.deliveryState(of: trail)
        let end = history.endSequence
        if state.isUnfinished, let protection = try await checkIfDue(.objects(trail), target.check) {
            tell(protection, before: state.protection, trail: trail)
            state = try registry.change(trail) { $0.protection = protection }
        }
        let before = state
        while !Task.isCancelled {
            // A trail that was stopped, but whose stop is not sealed yet, waits.
            guard let limit = state.stop ?? (trail.status == .enabled ? end : nil) else { break }
            guard try await chain.step(&state, limit: min(limit, end)) else { break }
        }
        count(state, since: before)
    }

    func deliverObjects(of work: HistoryJob) async throws {
        guard var job = try registry.job(work.id, account: work.accountId) else { return }
        guard let trail = try trailOf(job) else { return }
        guard !trail.ossBucketName.isEmpty else {
            // The trail has no bucket any more.
            try registry.change(job) { $0.runs = [] }
            return
        }
        guard !job.runs.isEmpty else {
            if job.isComplete { try registry.change(job) { _ in } }
            return
        }
        let target = targets.target(trail.ossBucketName, account: trail.accountId)
        _ = try await checkIfDue(.jobObjects(work), target.check)
        while let run = job.runs.first, !Task.isCancelled {
            if job.delivery.plan == nil && !(run.first...run.end).contains(job.delivery.next) || job.delivery.next == 0 {
                job.delivery.begin(at: run.first)
            }
            var state = job.delivery
            let current = job
            let chain = DeliveryChain(
                name: job.chain, trail: trail, history: history, target: target, now: now,
                save: { state in
                    try self.registry.change(current) { job in
                        job.status = .delivering
                        job.delivery = state
                    }
                })
            while try await chain.step(&state, limit: run.end), !Task.isCancelled {}
            guard state.next >= run.end else { return }
            count(state, since: job.delivery)
            let done = state
            job = try registry.change(job, delivered: run, of: trail) { job in
                job.delivery = done
                job.runs.removeAll { $0 == run }
            }
        }
    }

    /// The trail of a job; without it, the job has failed.
    func trailOf(_ job: HistoryJob) throws -> Trail? {
        if let trail = try registry.trail(job.trailName, account: job.accountId), trail.id == job.trailId { return trail }
        try registry.change(job) { job in
            job.status = .failed
            job.delivery.lastError = "the trail was deleted"
        }
        return nil
    }

    private func count(_ state: DeliveryState, since before: DeliveryState) {
        deliveredEvents.increment(by: Int64(state.deliveredEvents - before.deliveredEvents))
        deliveredObjects.increment(by: Int64(state.deliveredObjects - before.deliveredObjects))
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
}

extension DigestLink {
    init(key: String, content: [UInt8]) {
        self.init(key: key, sha256: Data(SHA256.hash(data: content)).base64EncodedString())
    }
}
