// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import TestSupport
import Testing

/// Who reads which shard, with consumers that come, go, die, lose answers and stop slowly.
@Suite struct RegistryAssignmentTests {
    static let timeout = Duration.seconds(40)

    /// A consumer as the vendor's clients are: it reports what it reads, starts what it is told, and stops the rest, which
    /// may take it several heartbeats.
    private struct Consumer {
        var reading: Set<Int> = []
        var stopping: Set<Int> = []
        var nextBeat: Int

        mutating func obey(_ shards: [Int], _ random: inout SeededGenerator) {
            stopping.formUnion(reading.subtracting(shards))
            reading.formUnion(shards)
            stopping.subtract(shards)
            for shard in stopping where random.chance(60, of: 100) {
                stopping.remove(shard)
                reading.remove(shard)
            }
        }
    }

    private func expectDisjoint(_ consumers: [String: Consumer], _ step: Int) {
        var readers: [Int: String] = [:]
        for (name, consumer) in consumers {
            for shard in consumer.reading {
                if let other = readers.updateValue(name, forKey: shard) {
                    Issue.record("shard \(shard) is read by \(other) and \(name) at \(step)")
                }
            }
        }
    }

    @Test(arguments: 1...40) func noShardIsReadTwiceAndInTheEndAllAreReadEvenly(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        var assignment = ConsumerAssignment(isNew: true)
        var consumers: [String: Consumer] = [:]
        var shards = Array(0..<(1 + random.below(20)))
        var made = 0
        func beat(_ name: String, at now: Int, _ losing: Int) throws {
            guard var consumer = consumers[name] else { return }
            let answer = try assignment.heartbeat(
                of: name, reported: consumer.reading, readable: shards, all: Set(shards), timeout: Self.timeout,
                now: .seconds(now))
            if !random.chance(losing, of: 100) { consumer.obey(answer, &random) }
            consumer.nextBeat = now + 5 + random.below(10)
            consumers[name] = consumer
            expectDisjoint(consumers, now)
        }
        for now in 0..<1500 {
            if random.chance(3, of: 100), consumers.count < 8 {
                made += 1
                consumers["c\(made)"] = Consumer(nextBeat: now)
            }
            // It is dead at once, and stops reading; nobody hears of it.
            if random.chance(1, of: 100), let name = consumers.keys.sorted().randomElement(using: &random) {
                consumers[name] = nil
            }
            if random.chance(1, of: 100), shards.count < 40 { shards.append(shards.count) }
            for name in consumers.keys.sorted() where consumers[name]?.nextBeat == now { try beat(name, at: now, 20) }
        }
        if consumers.isEmpty { consumers["last"] = Consumer(nextBeat: 1500) }
        for name in consumers.keys.sorted() { consumers[name]?.nextBeat = 1500 + random.below(10) }
        for now in 1500..<2000 {
            for name in consumers.keys.sorted() where consumers[name]?.nextBeat == now { try beat(name, at: now, 0) }
        }
        #expect(consumers.values.reduce(0) { $0 + $1.reading.count } == shards.count, "all shards are read")
        let counts = consumers.values.map(\.reading.count)
        #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1, "evenly: \(counts)")
        // And it stays so: nothing moves without need.
        let settled = consumers.mapValues(\.reading)
        for now in 2000..<2100 {
            for name in consumers.keys.sorted() where consumers[name]?.nextBeat == now { try beat(name, at: now, 0) }
        }
        #expect(consumers.mapValues(\.reading) == settled)
    }

    @Test(arguments: 1...30) func aRestartTakesNothingFromThoseThatReadOn(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        // Before the restart, shards were divided in any way among some of the consumers.
        let names = (0..<4).map { "c\($0)" }
        var consumers = Dictionary(uniqueKeysWithValues: names.map { ($0, Consumer(nextBeat: random.below(20))) })
        for shard in 0..<12 where random.chance(80, of: 100) { consumers[names[random.below(3)]]?.reading.insert(shard) }
        var assignment = ConsumerAssignment(isNew: false)
        for now in 0..<400 {
            for name in names where consumers[name]?.nextBeat == now {
                guard var consumer = consumers[name] else { continue }
                let answer = try assignment.heartbeat(
                    of: name, reported: consumer.reading, readable: Array(0..<12), all: Set(0..<12), timeout: Self.timeout,
                    now: .seconds(now))
                consumer.obey(answer, &random)
                consumer.nextBeat = now + 20
                consumers[name] = consumer
            }
            expectDisjoint(consumers, now)
        }
        #expect(consumers.values.allSatisfy { $0.reading.count == 3 })
    }

    private func beat(
        _ assignment: inout ConsumerAssignment, _ name: String, _ held: Set<Int>, at now: Int, shards: Int = 4
    ) throws -> [Int] {
        try assignment.heartbeat(
            of: name, reported: held, readable: Array(0..<shards), all: Set(0..<shards), timeout: Self.timeout,
            now: .seconds(now))
    }

    @Test func aSecondConsumerWaitsUntilTheFirstLetsGo() throws {
        var group = ConsumerAssignment(isNew: true)
        #expect(try beat(&group, "a", [], at: 0) == [0, 1, 2, 3])
        #expect(try beat(&group, "b", [], at: 1) == [])
        #expect(try beat(&group, "a", [0, 1, 2, 3], at: 2) == [0, 1])
        #expect(try beat(&group, "b", [], at: 3) == [], "a was told to stop, not heard to have stopped")
        #expect(try beat(&group, "a", [0, 1, 2], at: 4) == [0, 1])
        #expect(try beat(&group, "b", [], at: 5) == [3])
        #expect(try beat(&group, "a", [0, 1], at: 6) == [0, 1])
        #expect(try beat(&group, "b", [3], at: 7) == [2, 3])
    }

    @Test func aLostAnswerMayStillArrive() throws {
        var group = ConsumerAssignment(isNew: true)
        #expect(try beat(&group, "a", [], at: 0) == [0, 1, 2, 3])
        #expect(try beat(&group, "b", [], at: 1) == [])
        #expect(try beat(&group, "a", [], at: 2) == [0, 1])
        #expect(try beat(&group, "b", [], at: 3) == [], "the first answer to a may be on its way yet")
        #expect(try beat(&group, "a", [0, 1], at: 4) == [0, 1])
        #expect(try beat(&group, "b", [], at: 5) == [2, 3])
    }

    @Test func theSilentAreGoneAfterTheTimeout() throws {
        var group = ConsumerAssignment(isNew: true)
        _ = try beat(&group, "a", [], at: 0)
        #expect(try beat(&group, "b", [], at: 40) == [])
        #expect(try beat(&group, "b", [], at: 41) == [0, 1, 2, 3])
        // The first comes back and still reads: it is told to stop, the second is not disturbed.
        #expect(try beat(&group, "a", [0, 1, 2, 3], at: 42) == [])
        #expect(try beat(&group, "b", [0, 1, 2, 3], at: 43) == [0, 1])
    }

    @Test func onlyWhoHoldsAShardSaysHowFarItIsRead() throws {
        var group = ConsumerAssignment(isNew: true)
        func check(_ shard: Int, _ name: String, at now: Int) throws {
            try group.checkOwner(of: shard, is: name, timeout: Self.timeout, now: .seconds(now))
        }
        registryRefuses("ConsumerNotExist", status: 404) { try check(0, "a", at: 0) }
        _ = try beat(&group, "a", [], at: 0)
        try check(3, "a", at: 1)
        _ = try beat(&group, "b", [], at: 1)
        registryRefuses("ConsumerNotMatch") { try check(3, "b", at: 1) }
        _ = try beat(&group, "a", [0, 1, 2, 3], at: 2)
        try check(3, "a", at: 3)  // It stops reading, and says how far it came.
        _ = try beat(&group, "a", [0, 1], at: 4)
        _ = try beat(&group, "b", [], at: 5)
        registryRefuses("ConsumerNotMatch") { try check(3, "a", at: 6) }
        try check(3, "b", at: 6)
        registryRefuses("ConsumerNotExist", status: 404) { try check(0, "a", at: 45) }
        _ = try beat(&group, "b", [2, 3], at: 45)
        _ = try beat(&group, "a", [0, 1], at: 46)
        registryRefuses("ConsumerNotMatch") { try check(0, "a", at: 46) }
    }

    @Test func afterARestartWhoWasNotHeardOfYetIsTrusted() throws {
        var group = ConsumerAssignment(isNew: false)
        try group.checkOwner(of: 0, is: "a", timeout: Self.timeout, now: .seconds(1))
        #expect(try beat(&group, "b", [0], at: 2) == [0], "others may read the rest")
        registryRefuses("ConsumerNotExist", status: 404) {
            try group.checkOwner(of: 0, is: "a", timeout: Self.timeout, now: .seconds(3))
        }
        #expect(try beat(&group, "b", [0], at: 40) == [0, 1, 2, 3])
        registryRefuses("ConsumerNotExist", status: 404) {
            try group.checkOwner(of: 1, is: "a", timeout: Self.timeout, now: .seconds(41))
        }
    }

    @Test func shardsThatAreGoneOrNotReadableAreTakenAway() throws {
        var group = ConsumerAssignment(isNew: true)
        #expect(try beat(&group, "a", [-1, 9], at: 0, shards: 2) == [0, 1])
        let answer = try group.heartbeat(
            of: "a", reported: [0, 1], readable: [1], all: [0, 1], timeout: Self.timeout, now: .seconds(1))
        #expect(answer == [1])
    }

    @Test func consumersAreBounded() throws {
        var group = ConsumerAssignment(isNew: true)
        for index in 0..<1000 { _ = try beat(&group, "c\(index)", [], at: 0) }
        registryRefuses("ParameterInvalid") { _ = try beat(&group, "more", [], at: 1) }
        #expect(try beat(&group, "more", [], at: 100) == [0, 1, 2, 3])
    }
}
