// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import LogService
import Synchronization
import TestSupport
import Testing

/// Which of the things that change a disk fail, and how.
struct StoreFaults {
    enum Way: CaseIterable {
        case lost, kept, tornEarly, tornLate
        /// The process ends here: nothing is written from now on.
        case ended

        func fault(_ operation: MemoryDisk.Operation) -> MemoryDisk.Fault? {
            switch (self, operation) {
            case (.lost, _), (.ended, _): .lost(errno: 5)
            case (.kept, _): .kept(errno: 5)
            case (.tornEarly, .append): .torn(bytes: 40, errno: 28)
            case (.tornLate, .append): .torn(bytes: 170, errno: 5)
            case (.tornEarly, _), (.tornLate, _): nil
            }
        }
    }

    private let plan: FaultPlan

    init(failing: Int?, way: Way) {
        let run = failing.map { $0..<(way == .ended ? .max : $0 + 1) }
        plan = FaultPlan(failing: run ?? 0..<0, way.fault)
    }

    /// What changed the disk so far, or tried to.
    var total: Int { plan.total }

    func install(on disk: MemoryDisk) { plan.install(on: disk) }
}

@Suite struct `Writing logs` {
    private struct Outcome {
        var acknowledged: [Int] = []
        /// Groups of which nobody was told that they are stored.
        var open: [Range<Int>] = []
        var delivered: UInt64 = 0
    }

    /// Groups of five, and between them what a trail delivers, sent again until it is taken.
    private static func run(_ service: LogService, _ logstore: Logstore) async throws -> Outcome {
        var outcome = Outcome()
        for step in 0..<9 {
            let numbers = step * 5..<step * 5 + 5
            do {
                try await service.put(numbers, into: logstore)
                outcome.acknowledged += numbers
            } catch { outcome.open.append(numbers) }
            let positions = (UInt64(step) * 3..<UInt64(step) * 3 + 3).map { $0 + 1 }
            for _ in 0..<3 {
                do {
                    let missing = positions.filter { $0 > outcome.delivered }
                    try await service.deliver(
                        StoreWorld.group(missing.map { 1000 + Int($0) }), positions: missing, stream: "trail", into: logstore)
                    outcome.delivered = positions[2]
                    break
                } catch {}
            }
            try? await service.settle(logstore)
        }
        return outcome
    }

    private static func check(_ outcome: Outcome, _ world: StoreWorld, _ logstore: Logstore, _ label: String) async throws {
        let service = try world.open()
        let numbers = try await service.numbers(logstore)
        try #require(Set(numbers).count == numbers.count, "\(label): doubled \(numbers)")
        let put = Set(numbers.filter { $0 < 1000 })
        try #require(put.isSuperset(of: outcome.acknowledged), "\(label): lost \(Set(outcome.acknowledged).subtracting(put))")
        for group in outcome.open {
            let kept = group.filter { put.contains($0) }
            try #require(kept.isEmpty || kept.count == 5, "\(label): a part of \(group)")
        }
        try #require(put.count <= outcome.acknowledged.count + 5 * outcome.open.count)
        // The trail begins again where it is told that it was.
        let last = try await service.lastPosition(stream: "trail", in: logstore) ?? 0
        try #require(last >= outcome.delivered, "\(label)")
        let again = Array(UInt64(1)...40)
        try await service.deliver(
            StoreWorld.group(again.map { 1000 + Int($0) }), positions: again, stream: "trail", into: logstore)
        let delivered = try await service.numbers(logstore).filter { $0 > 1000 }
        try #require(delivered.sorted() == (1001...1040).map { $0 }, "\(label): \(delivered)")
        try #require(world.damages.isEmpty, "\(label): \(world.damages)")
        service.close()
    }

    @Test(arguments: StoreFaults.Way.allCases)
    func `loses nothing acknowledged and doubles nothing, whatever write fails`(way: StoreFaults.Way) async throws {
        var total = 0
        var failing = -1
        while failing < total {
            let world = try StoreWorld(tailRows: 14)
            let service = try world.open()
            let logstore = try await service.made(try StoreWorld.logstore())
            let faults = StoreFaults(failing: failing < 0 ? nil : failing, way: way)
            faults.install(on: world.disk)
            let outcome = try await Self.run(service, logstore)
            if failing < 0 {
                total = faults.total
                try #require(total > 60 && outcome.acknowledged.count == 45 && outcome.delivered == 27)
            }
            world.disk.setFault(nil)
            let label = "\(way) at \(failing)"
            if way != .ended, failing >= 0 {
                let numbers = try await service.numbers(logstore)
                try #require(numbers.filter { $0 < 1000 } == outcome.acknowledged, "\(label), running")
            }
            for disk in [world.disk.afterKill(), world.disk.afterPowerLoss(seed: UInt64(failing + 1))] {
                try await Self.check(outcome, world.with(disk), logstore, label)
            }
            failing += way == .ended ? 1 : 2
        }
    }

    @Test(arguments: UInt64(0)..<8) func `of several trails survives anything`(seed: UInt64) async throws {
        var random = SeededGenerator(seed)
        var world = try StoreWorld(tailRows: 20)
        var service = try world.open()
        let logstore = try await service.made(try StoreWorld.logstore())
        // Of each stream: positions with gaps, and how many of them are known to be stored.
        let positions = (0..<3).map { _ in
            var position: UInt64 = 0
            return (0..<120).map { _ in
                position += UInt64(1 + random.below(5))
                return position
            }
        }
        var done = [0, 0, 0]
        let chance = Mutex(SeededGenerator(seed &+ 77))
        func install() {
            world.disk.setFault { operation, _ in
                guard operation != .read else { return nil }
                return chance.withLock { random in
                    guard random.chance(1, of: 12) else { return nil }
                    return random.pick([.lost(errno: 5), .kept(errno: 5), .torn(bytes: random.below(300), errno: 28)])
                }
            }
        }
        install()
        while let stream = (0..<3).filter({ done[$0] < 120 }).randomElement(using: &random) {
            // Sometimes what was sent already comes again.
            let from = random.chance(1, of: 3) ? max(0, done[stream] - random.below(30)) : done[stream]
            let batch = Array(positions[stream][from..<min(120, from + 1 + random.below(25))])
            let group = StoreWorld.group(batch.map { stream * 10_000 + Int($0) })
            do {
                try await service.deliver(group, positions: batch, stream: "trail-\(stream)", into: logstore)
                done[stream] = max(done[stream], from + batch.count)
            } catch {}
            if random.chance(1, of: 9) {
                world.disk.setFault(nil)
                switch random.below(3) {
                case 0: service.close()
                case 1: world = try world.with(world.disk.afterKill())
                default: world = try world.with(world.disk.afterPowerLoss(seed: random.next()))
                }
                service = try world.open()
                for stream in 0..<3 {
                    let last = try await service.lastPosition(stream: "trail-\(stream)", in: logstore) ?? 0
                    let stored = positions[stream].count { $0 <= last }
                    try #require(stored >= done[stream], "seed \(seed): \(stored) of \(done[stream])")
                }
                install()
            }
        }
        world.disk.setFault(nil)
        for reopening in 0..<2 {
            if reopening == 1 {
                service.close()
                service = try world.open()
            }
            let numbers = try await service.numbers(logstore)
            for stream in 0..<3 {
                let found = numbers.filter { $0 / 10_000 == stream }
                try #require(found.sorted() == positions[stream].map { stream * 10_000 + Int($0) }, "seed \(seed)")
            }
        }
        #expect(world.damages.isEmpty)
        service.close()
    }

    @Test func `at the same time keeps each group whole and in order`() async throws {
        let world = try StoreWorld(tailRows: 50)
        let service = try world.open()
        let logstore = try await service.made(try StoreWorld.logstore(shards: 1))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for writer in 0..<8 {
                tasks.addTask {
                    for batch in 0..<20 {
                        let first = writer * 1000 + batch * 10
                        try await service.put(first..<first + 10, into: logstore)
                    }
                }
                tasks.addTask {
                    for batch in UInt64(0)..<10 {
                        let positions = Array(batch * 7 + 1...batch * 7 + 7)
                        try await service.deliver(
                            StoreWorld.group(positions.map { 100_000 + writer * 1000 + Int($0) }), positions: positions,
                            stream: "trail-\(writer)", into: logstore)
                    }
                }
            }
            try await tasks.waitForAll()
        }
        let logs = try await service.pulled(logstore)
        let numbers = logs.compactMap { Int($0.contents[0].value) }
        #expect(Set(numbers).count == numbers.count && numbers.count == 8 * 200 + 8 * 70)
        for writer in 0..<8 {
            #expect(numbers.filter { $0 / 1000 == writer } == (writer * 1000..<writer * 1000 + 200).map { $0 })
            #expect(numbers.filter { $0 / 1000 == 100 + writer } == (1...70).map { 100_000 + writer * 1000 + $0 })
        }
        service.close()
    }

    @Test func `on a full disk is refused, and goes on when there is room`() async throws {
        let world = try StoreWorld()
        let service = try world.open()
        let logstore = try await service.made(try StoreWorld.logstore())
        try await service.put(0..<20, into: logstore)
        world.disk.setCapacity(world.disk.used)
        for _ in 0..<3 {
            await #expect(throws: LogServiceError.self) { try await service.put(100..<120, into: logstore) }
        }
        #expect(try await service.numbers(logstore) == (0..<20).map { $0 })
        world.disk.setCapacity(.max)
        try await service.put(20..<40, into: logstore)
        #expect(try await service.numbers(logstore) == (0..<40).map { $0 })
        let later = try world.with(world.disk.afterPowerLoss(seed: 3)).open()
        #expect(try await later.numbers(logstore) == (0..<40).map { $0 })
        service.close()
    }

    @Test func `while the index changes leaves no log behind that is not found by it`() async throws {
        let world = try StoreWorld(tailRows: 100)
        let service = try world.open()
        _ = try await service.made(try StoreWorld.logstore(index: Data(#"{"line":{}}"#.utf8)))
        let indexes = ["a", "b", "c"].map { key in
            Data(#"{"line":{},"keys":{"n":{"type":"long"},"\#(key)":{"type":"text"}}}"#.utf8)
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for writer in 0..<4 {
                tasks.addTask {
                    for batch in 0..<40 {
                        let current = try service.registry.logstore("audit", project: "trails")
                        let logs = (0..<3).map { row in
                            Log(
                                time: 1_767_225_600,
                                contents: ["a", "b", "c"].map { .init($0, "same") } + [
                                    .init("n", String(writer * 1000 + batch * 3 + row))
                                ])
                        }
                        try await service.put(LogGroup(logs: logs), into: current)
                    }
                }
            }
            tasks.addTask {
                for round in 0..<30 {
                    try service.registry.setIndex(indexes[round % 3], logstore: "audit", project: "trails", isNew: false)
                    _ = try await service.store(service.registry.logstore("audit", project: "trails"))
                    try await Task.sleep(for: .milliseconds(2))
                }
            }
            try await tasks.waitForAll()
        }
        for (key, index) in zip(["a", "b", "c"], indexes) {
            try service.registry.setIndex(index, logstore: "audit", project: "trails", isNew: false)
            let current = try service.registry.logstore("audit", project: "trails")
            #expect(try await service.numbers(current, "\(key): same").count == 480)
            #expect(try await service.numbers(current, "not \(key): same").isEmpty)
        }
        service.close()
    }
}
