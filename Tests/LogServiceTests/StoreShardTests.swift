// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService
import Testing

@Suite struct `A shard that was split` {
    private static func current(_ service: LogService) throws -> Logstore {
        try service.registry.logstore("audit", project: "trails")
    }

    /// The cursor after the last log of a shard; 0 if it has none.
    private static func end(of shard: Int, _ service: LogService, _ logstore: Logstore) async throws -> UInt64 {
        var end: UInt64 = 0
        var cursor: UInt64 = 0
        while true {
            let pulled = try await service.pull(shard: shard, from: cursor, to: nil, count: 1000, query: nil, in: logstore)
            if let last = pulled.last { end = last + 1 }
            guard pulled.next > cursor else { return end }
            cursor = pulled.next
        }
    }

    @Test func `takes nothing from who knows it as it was`() async throws {
        let service = try StoreWorld().open()
        let stale = try await service.made(try StoreWorld.logstore(shards: 1))
        try await service.put(0..<3, into: stale)
        _ = try service.registry.splitShard(0, at: nil, logstore: "audit", project: "trails")
        let logstore = try Self.current(service)
        #expect(try !service.isRead(shard: 0, upTo: 2, in: logstore) && service.isRead(shard: 0, upTo: 3, in: logstore))
        try await service.put(3..<6, into: stale)
        try await service.deliver(StoreWorld.group(6..<8), positions: [1, 2], stream: "s", into: stale)
        #expect(try await Self.end(of: 0, service, logstore) == 3)
        #expect(try service.isRead(shard: 0, upTo: 3, in: logstore))
        #expect(try await service.numbers(logstore) == (0..<8).map { $0 })
        service.close()
    }

    @Test(arguments: 0..<8) func `is read when its last log is, whoever is still writing`(round: Int) async throws {
        let service = try StoreWorld(tailRows: 50).open()
        let stale = try await service.made(try StoreWorld.logstore(shards: 1))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for writer in 0..<4 {
                tasks.addTask {
                    for number in 0..<40 { try await service.put(writer * 40 + number..<writer * 40 + number + 1, into: stale) }
                }
            }
            tasks.addTask {
                for split in 0..<4 {
                    try await Task.sleep(for: .milliseconds(1 + round))
                    let shard = try #require(Self.current(service).shards.first { $0.isWritable }).id
                    _ = try service.registry.splitShard(shard, at: nil, logstore: "audit", project: "trails")
                    let logstore = try Self.current(service)
                    // Asked as early as can be, for an answer that is kept.
                    for old in logstore.shards where !old.isWritable {
                        _ = try service.isRead(shard: old.id, upTo: UInt64(split), in: logstore)
                    }
                }
            }
            try await tasks.waitForAll()
        }
        let logstore = try Self.current(service)
        for shard in logstore.shards where !shard.isWritable {
            let end = try await Self.end(of: shard.id, service, logstore)
            #expect(try service.isRead(shard: shard.id, upTo: end, in: logstore), "shard \(shard.id)")
            if end > 0 { #expect(try !service.isRead(shard: shard.id, upTo: end - 1, in: logstore), "shard \(shard.id)") }
        }
        #expect(try await service.numbers(logstore) == (0..<160).map { $0 })
        service.close()
    }
}
