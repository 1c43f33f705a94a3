// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Who reads which shard in one consumer group: decides on each heartbeat, knows no clock and no storage.
///
/// A shard has an owner, who shall have it, and may be held: by a consumer who reported it in its last heartbeat or was
/// granted it in one of the last two answers. It is granted to its owner once nobody else holds it. So at most one living
/// consumer is granted a shard at a time, also when an answer is lost on its way.
package struct ConsumerAssignment: Sendable {
    package static let mostConsumers = 1000

    private struct Member {
        var lastSeen: Duration
        var granted: Set<Int> = []
        var held: Set<Int> = []
    }

    private var members: [String: Member] = [:]
    private var owners: [Int: String] = [:]
    /// Whether all consumers there may be are in `members`: not so after a restart, when those that read on were not heard
    /// of yet.
    private let isComplete: Bool

    /// - Parameter isNew: the group was just made, so that nobody reads yet.
    package init(isNew: Bool) { isComplete = isNew }

    /// - Parameters:
    ///   - reported: the shards the consumer says it holds.
    ///   - readable: the shards to be divided, ascending.
    ///   - all: the logstore's shards.
    ///   - now: since the service started.
    /// - Returns: the shards the consumer shall hold, ascending.
    package mutating func heartbeat(
        of consumer: String, reported: Set<Int>, readable: [Int], all: Set<Int>, timeout: Duration, now: Duration
    ) throws(LogServiceError) -> [Int] {
        forget(before: now, timeout)
        guard members[consumer] != nil || members.count < Self.mostConsumers else {
            throw .parameter("a consumer group has at most \(Self.mostConsumers) consumers")
        }
        let before = members[consumer]?.granted ?? []
        members[consumer, default: Member(lastSeen: now)].lastSeen = now
        members[consumer]?.held = reported.intersection(all).union(before)

        let toDivide = Set(readable)
        owners = owners.filter { toDivide.contains($0.key) && members[$0.value] != nil }
        let heldElsewhere = members.reduce(into: Set<Int>()) { if $1.key != consumer { $0.formUnion($1.value.held) } }
        for shard in readable where owners[shard] == nil && reported.contains(shard) && !heldElsewhere.contains(shard) {
            owners[shard] = consumer
        }
        divide(readable, knowsAll: isComplete || now >= timeout)

        let granted = readable.filter {
            owners[$0] == consumer && (before.contains($0) || !heldElsewhere.contains($0))
        }
        members[consumer]?.granted = Set(granted)
        members[consumer]?.held.formUnion(granted)
        return granted
    }

    /// Whether this consumer may say how far the shard was read: it holds it, and nobody else was granted it since.
    package mutating func checkOwner(
        of shard: Int, is consumer: String, timeout: Duration, now: Duration
    ) throws(LogServiceError) {
        forget(before: now, timeout)
        guard let member = members[consumer] else {
            // It read on while the service was started again, and was not heard of yet.
            guard !isComplete, now < timeout, !members.values.contains(where: { $0.held.contains(shard) }) else {
                throw .noConsumer(consumer)
            }
            return
        }
        let isGrantedElsewhere = members.contains { $0.key != consumer && $0.value.granted.contains(shard) }
        guard member.held.contains(shard), !isGrantedElsewhere else { throw .otherConsumer(shard: shard) }
    }

    private mutating func forget(before now: Duration, _ timeout: Duration) {
        members = members.filter { now - $0.value.lastSeen <= timeout }
    }

    /// Gives each living consumer as many shards as any other, or one more, and moves as few as that needs.
    private mutating func divide(_ shards: [Int], knowsAll: Bool) {
        var owned: [String: [Int]] = members.mapValues { _ in [] }
        for shard in shards { if let owner = owners[shard] { owned[owner]?.append(shard) } }
        // Whoever has most keeps most; names decide between equals, so that the outcome is the same every time.
        let names = owned.map { ($0.value.count, $0.key) }.sorted { ($1.0, $0.1) < ($0.0, $1.1) }.map(\.1)
        var quotas: [String: Int] = [:]
        for (place, name) in names.enumerated() {
            quotas[name] = shards.count / names.count + (place < shards.count % names.count ? 1 : 0)
        }
        for name in names {
            let held = members[name]?.held ?? []
            let own = owned[name] ?? []
            // What it does not read yet is taken first.
            let ranked = own.filter(held.contains) + own.filter { !held.contains($0) }
            for shard in ranked.dropFirst(quotas[name] ?? 0) { owners[shard] = nil }
            owned[name] = Array(ranked.prefix(quotas[name] ?? 0))
        }
        var unowned = Set(shards.filter { owners[$0] == nil })
        func give(_ shard: Int, to name: String) {
            owners[shard] = name
            owned[name]?.append(shard)
            unowned.remove(shard)
        }
        func room(_ name: String) -> Int { (quotas[name] ?? 0) - (owned[name]?.count ?? 0) }
        // Who holds a shard need not give it up.
        for name in names {
            let held = members[name]?.held ?? []
            for shard in unowned.filter(held.contains).sorted().prefix(room(name)) { give(shard, to: name) }
        }
        if !knowsAll {
            // The rest may be read by those who were not heard of yet.
            let held = members.values.reduce(into: Set<Int>()) { $0.formUnion($1.held) }
            unowned.formIntersection(held)
        }
        var rest = unowned.sorted()[...]
        for name in names {
            let share = rest.prefix(room(name))
            for shard in share { give(shard, to: name) }
            rest = rest.dropFirst(share.count)
        }
    }
}
