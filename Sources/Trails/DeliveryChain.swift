// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import EventHistory
import Foundation
import LogEngine
import MerkleLog
import ObjectStorage

/// One chain of deliveries going forward: plan, objects, digest, cursor, in that order.
///
/// Each step is exactly once although the target is only at least once: the plan is durable before the first object,
/// objects are named by their range and content and put only where nothing else is, and the cursor moves in the
/// transaction that forgets the plan. A crash anywhere repeats the step with the same names and bytes.
struct DeliveryChain {
    let name: String
    let trail: Trail
    let history: EventHistory
    let target: any DeliveryTarget
    let now: @Sendable () -> Date
    /// Makes a new state durable.
    let save: (DeliveryState) throws -> Void

    private var builder: DeliveryBuilder { DeliveryBuilder(trail: trail, history: history) }

    /// Goes one step towards `limit`; false when there is nothing to do.
    func step(_ state: inout DeliveryState, limit: UInt64) async throws -> Bool {
        let held = history.firstSequence
        if (state.plan?.first ?? state.next) < held {
            // Retention overtook a delivery that was in trouble for months: say so, and go on with what is there.
            state.plan = nil
            state.lastError = "events \(state.next) to \(held - 1) were dropped by retention before they could be delivered"
            state.hasGap = true
            state.next = held
            state.digestStart = held
            try save(state)
        }
        if state.plan == nil {
            guard state.next < limit else { return false }
            let (end, hasEvents) = try builder.planEnd(from: state.next, to: limit)
            if !hasEvents {
                // The next digest will tell that nothing here was the trail's.
                state.cover(state.next..<end)
                state.next = end
                try save(state)
                return end < limit
            }
            state.plan = DeliveryPlan(first: state.next, end: end, plannedAt: now())
            try save(state)
        }
        if let plan = state.plan { try await carryOut(plan, &state) }
        return state.next < limit
    }

    private func carryOut(_ plan: DeliveryPlan, _ state: inout DeliveryState) async throws {
        let built = try builder.build(plan, digestStart: state.digestStart)
        for object in built.objects {
            _ = try await target.put(object.key, object.content, contentType: "application/gzip")
        }
        let range = state.digestStart..<plan.end
        let key = builder.digestKey(chain: name, range: range, plannedAt: plan.plannedAt)
        state.lastDigest = try await putDigest(built, key: key, range: range, plan: plan, state: state)
        state.digestBucket = trail.ossBucketName
        state.cover(plan.first..<plan.end)
        state.next = plan.end
        state.digestStart = plan.end
        state.hasGap = false
        state.plan = nil
        state.lastDeliveredAt = now()
        state.lastError = nil
        state.deliveredEvents += UInt64(built.eventCount)
        state.deliveredObjects += UInt64(built.objects.count)
        try save(state)
    }

    private func putDigest(
        _ built: DeliveryBuilder.Result, key: String, range: Range<UInt64>, plan: DeliveryPlan, state: DeliveryState
    ) async throws -> DigestLink {
        let log = history.signedLog
        // A digest in another bucket cannot be followed from this one.
        let isMoved = state.lastDigest != nil && state.digestBucket != trail.ossBucketName
        let digest = DeliveryDigest(
            trail: trail.name, accountId: trail.accountId, chain: name, previous: isMoved ? nil : state.lastDigest,
            afterGap: state.hasGap || isMoved, range: range,
            deliveredAt: EventTime.text(Int64(plan.plannedAt.timeIntervalSince1970 * 1000)),
            frontier: try history.subtrees(of: 0..<range.lowerBound).map(\.base64), objects: built.digestObjects,
            omitted: built.omitted, checkpoint: try log.checkpoint(size: range.upperBound).encoded)
        let content = try digest.encoded(sign: log.sign(text:))
        do {
            _ = try await target.put(key, content, contentType: "application/octet-stream")
        } catch let conflict as TargetConflict {
            // A crash came between the digest and the cursor, and this time it was signed with other bytes: the one that
            // is there counts, if it says the same.
            guard let existing = try await target.read(key),
                let kept = try? DeliveryDigest(verifying: existing, with: try NoteVerifier(verifierKey: log.verifierKey)),
                kept.saysTheSame(as: digest)
            else { throw conflict }
            return DigestLink(key: key, content: existing)
        }
        return DigestLink(key: key, content: content)
    }
}

extension DeliveryDigest {
    /// Whether both account for the same events in the same objects, after the same digest.
    fileprivate func saysTheSame(as other: Self) -> Bool {
        var other = other
        // Signed again, a checkpoint has other bytes; its own signature holds, or the digest's would not.
        other.Checkpoint = Checkpoint
        return self == other
    }
}
