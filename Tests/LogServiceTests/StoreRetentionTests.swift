// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService
import Testing

@Suite struct `Logs past their time` {
    private static let hour: Int64 = 3_600_000
    private static let times = StoreWorld.start * 1_000_000..<(StoreWorld.start + hour) * 1_000_000

    /// Everything that reads finds these.
    private static func expect(_ numbers: [Int], _ service: LogService, _ logstore: Logstore) async throws {
        #expect(try await service.numbers(logstore) == numbers)
        #expect(try await service.numbers(logstore, "number") == numbers)
        let histogram = try await service.histogram(LogQuery(text: "*", times: times), interval: nil, in: logstore)
        #expect(histogram.count == numbers.count)
        let sql = LogQuery(text: "* | SELECT count(1) AS c, max(n) AS highest", times: times)
        let row = try await service.query(sql, in: logstore).rows[0]
        #expect(row[0].value == String(numbers.count))
        #expect(try await service.pulled(logstore).compactMap { Int($0.contents[0].value) } == numbers)
        #expect(try await service.topics(after: "", limit: 10, in: logstore).topics == (numbers.isEmpty ? [] : ["t"]))
    }

    @Test func `are dropped though nobody writes any more`() async throws {
        let world = try StoreWorld()
        var service = try world.open()
        let logstore = try await service.made(try StoreWorld.logstore(shards: 1))
        try await service.put(0..<5, into: logstore)
        world.now += 30 * StoreWorld.day
        await service.dropExpired()
        try await Self.expect([0, 1, 2, 3, 4], service, logstore)
        world.now += 1
        try await Self.expect([], service, logstore)
        // What is dated some seconds after it was received is kept as much longer.
        world.now += 10_000
        await service.dropExpired()
        #expect(try world.files().allSatisfy { !$0.hasSuffix(".journal") && !$0.hasSuffix(".segment") })
        // Places are not given again.
        for _ in 0..<2 {
            let engine = try await service.store(logstore).engine
            #expect(engine.firstSequence == 5 && engine.endSequence == 5)
            service.close()
            service = try world.open()
        }
        try await service.put(7..<9, into: logstore)
        try await Self.expect([7, 8], service, logstore)
        service.close()
    }

    @Test func `are not shown while newer ones are beside them`() async throws {
        let world = try StoreWorld()
        var service = try world.open()
        let logstore = try await service.made(try StoreWorld.logstore(shards: 1))
        for first in [0, 5, 10] {
            try await service.put(first..<first + 5, into: logstore)
            world.now += 6 * Self.hour
        }
        world.now = StoreWorld.start + 30 * StoreWorld.day
        try await Self.expect((0..<15).map { $0 }, service, logstore)
        for (hours, first) in [(1, 5), (6, 5), (7, 10), (13, 15)] {
            world.now = StoreWorld.start + 30 * StoreWorld.day + Int64(hours) * Self.hour
            for _ in 0..<2 {
                try await Self.expect((first..<15).map { $0 }, service, logstore)
                service.close()
                service = try world.open()
            }
        }
        service.close()
    }

    @Test func `are shown again when the logstore keeps logs longer`() async throws {
        let world = try StoreWorld()
        let service = try world.open()
        let logstore = try await service.made(try StoreWorld.logstore(shards: 1))
        try await service.put(0..<5, into: logstore)
        world.now += 40 * StoreWorld.day
        try await Self.expect([], service, logstore)
        let longer = try service.registry.updateLogstore("audit", project: "trails") { $0.ttl = 50 }
        try await Self.expect([0, 1, 2, 3, 4], service, longer)
        await service.dropExpired()
        try await Self.expect([0, 1, 2, 3, 4], service, longer)
        service.close()
    }
}
