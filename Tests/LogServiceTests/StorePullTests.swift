// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import LogService
import TestSupport
import Testing

extension LogService {
    /// All logs of all shards, as consumers read them, in the order of each shard, one shard after another.
    func pulled(_ logstore: Logstore, count: Int = 1000) async throws -> [Log] {
        var logs: [Log] = []
        for shard in logstore.shards {
            var cursor = try await self.cursor(.begin, shard: shard.id, in: logstore)
            let end = try await self.cursor(.end, shard: shard.id, in: logstore)
            while cursor < end {
                let pulled = try await pull(shard: shard.id, from: cursor, to: nil, count: count, query: nil, in: logstore)
                try #require(pulled.next > cursor && pulled.groups.count <= count)
                logs += pulled.groups.flatMap(\.logs)
                cursor = pulled.next
            }
        }
        return logs
    }
}

@Suite struct `Reading in order of arrival` {
    @Test(arguments: UInt64(0)..<6) func `gives every log once, in order, whatever the steps`(seed: UInt64) async throws {
        var random = SeededGenerator(seed)
        let world = try StoreWorld(tailRows: 30)
        let service = try world.open()
        let logstore = try await service.made(try StoreWorld.logstore(shards: 4))
        // By shard, as the hash keys say.
        var expected: [[(log: Log, group: LogGroup, second: Int64)]] = Array(repeating: [], count: 4)
        for number in 0..<60 {
            world.now += Int64(random.below(3)) * 1000
            var group = StoreWorld.group(number * 10..<number * 10 + 1 + random.below(8))
            group.topic = random.pick(["", "a", "b"])
            group.tags = random.chance(1, of: 2) ? [.init("__pack_id__", "pack-\(number)")] : []
            let shard = random.below(4)
            try await service.put(group, into: logstore, hashKey: logstore.shards[shard].beginKey)
            expected[shard] += group.logs.map { ($0, group, world.now / 1000) }
            if random.chance(1, of: 10) { try await service.settle(logstore) }
        }
        for (end, current) in [service, try world.with(world.disk.afterKill()).open()].enumerated() {
            for shard in 0..<4 {
                var found: [(Log, LogGroup)] = []
                var cursor = try await current.cursor(.begin, shard: shard, in: logstore)
                let last = try await current.cursor(.end, shard: shard, in: logstore)
                while cursor < last {
                    let to = random.chance(1, of: 3) ? cursor + UInt64(1 + random.below(20)) : nil
                    let count = random.pick([1, 2, 5, 100])
                    let pulled = try await current.pull(
                        shard: shard, from: cursor, to: to, count: count, query: nil, in: logstore)
                    try #require(pulled.groups.count <= count)
                    try #require(pulled.rawLogs == pulled.groups.reduce(0) { $0 + $1.logs.count })
                    try #require(pulled.next > cursor && pulled.next <= to ?? .max)
                    if let lastLog = pulled.last { try #require(lastLog < pulled.next && lastLog >= cursor) }
                    for group in pulled.groups { found += group.logs.map { ($0, group) } }
                    cursor = pulled.next
                }
                try #require(found.map(\.0) == expected[shard].map(\.log), "seed \(seed), end \(end), shard \(shard)")
                for (one, other) in zip(found, expected[shard]) {
                    try #require(one.1.topic == other.group.topic && one.1.tags == other.group.tags)
                    try #require(one.1.source == other.group.source)
                }
                // The first log of a second or later.
                for second in [0, 5, 20, 31, 1000].map({ StoreWorld.start / 1000 + $0 }) {
                    let cursor = try await current.cursor(.receivedAt(second), shard: shard, in: logstore)
                    let rest = try await current.pull(
                        shard: shard, from: cursor, to: nil, count: 10_000, query: nil, in: logstore)
                    let later = expected[shard].filter { $0.second >= second }.map(\.log)
                    try #require(rest.groups.flatMap(\.logs) == later)
                    if cursor < last {
                        let time = try await current.receiveTime(ofCursor: cursor, in: logstore)
                        try #require(time >= second)
                    }
                }
            }
            let all = try await current.pulled(logstore)
            #expect(all.count == expected.reduce(0) { $0 + $1.count })
        }
        service.close()
    }

    @Test func `with a query gives what it finds, and says what was looked at`() async throws {
        let service = try StoreWorld(tailRows: 20).open()
        let logstore = try await service.made(try StoreWorld.logstore(shards: 1))
        for batch in 0..<10 { try await service.put(batch * 10..<batch * 10 + 10, into: logstore) }
        let pulled = try await service.pull(shard: 0, from: 0, to: nil, count: 100, query: "n: 7 or n: 42", in: logstore)
        #expect(pulled.groups.flatMap(\.logs).map { $0.contents[0].value } == ["7", "42"])
        #expect(pulled.rawLogs == 100 && pulled.next == 100 && pulled.last == 42)
        await #expect(throws: LogServiceError.self) {
            _ = try await service.pull(shard: 0, from: 0, to: nil, count: 1, query: "* | SELECT 1", in: logstore)
        }
        await #expect(throws: LogServiceError.self) { _ = try await service.cursor(.begin, shard: 9, in: logstore) }
        // Past the end, and backwards.
        #expect(try await service.pull(shard: 0, from: 500, to: nil, count: 1, query: nil, in: logstore).next == 500)
        #expect(try await service.pull(shard: 0, from: 50, to: 20, count: 1, query: nil, in: logstore).groups.isEmpty)
    }

    @Test func `takes whole groups, not a log each`() async throws {
        let service = try StoreWorld(tailRows: 1000).open()
        let logstore = try await service.made(try StoreWorld.logstore(shards: 1))
        try await service.put(0..<500, into: logstore)
        let pulled = try await service.pull(shard: 0, from: 0, to: nil, count: 1, query: nil, in: logstore)
        #expect(pulled.groups.count == 1 && pulled.groups[0].logs.count == 500 && pulled.next == 500)
    }

    @Test func `shows what its writer wrote around a log`() async throws {
        let service = try StoreWorld(tailRows: 25).open()
        let logstore = try await service.made(try StoreWorld.logstore())
        for batch in 0..<20 {
            var group = StoreWorld.group(batch * 3..<batch * 3 + 3)
            group.tags = [.init("__pack_id__", batch % 2 == 0 ? "AB-\(batch)" : "CD-\(batch)")]
            try await service.put(group, into: logstore)
        }
        var query = LogQuery(text: "n: 25 | with_pack_meta", times: 0..<Int64.max / 2)
        query.line = 1
        let row = try #require(try await service.query(query, in: logstore).rows.first)
        func value(_ key: String) -> String { row.first { $0.key == key }?.value ?? "" }
        // 24, 25 and 26 are of the eighth group.
        #expect(value("__tag__:__pack_id__") == "AB-8")
        let context = try await service.context(
            packId: "AB-8", packMeta: value("__pack_meta__"), back: 5, forward: 4, in: logstore)
        #expect(context.backLines == 5 && context.forwardLines == 4)
        #expect(context.rows.map(\.index) == Array(-5...4))
        let numbers = context.rows.map { row in row.fields.first { $0.key == "n" }!.value }
        #expect(numbers == ["14", "18", "19", "20", "24", "25", "26", "30", "31", "32"])
        for (packId, meta) in [("CD-8", value("__pack_meta__")), ("AB-8", "nonsense"), ("AB-8", "0|OTk5OTk=|0|0"), ("", "")] {
            await #expect(throws: LogServiceError.self) {
                _ = try await service.context(packId: packId, packMeta: meta, back: 1, forward: 1, in: logstore)
            }
        }
    }
}
