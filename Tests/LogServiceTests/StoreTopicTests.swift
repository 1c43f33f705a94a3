// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService
import Testing

@Suite struct `Topics` {
    private static func filled(_ service: LogService) async throws -> (Logstore, [String]) {
        let logstore = try await service.made(try StoreWorld.logstore(shards: 1))
        // Long ones are in no list of values.
        let topics = (0..<300).map { "topic-\($0)" } + (0..<9).map { "long-\($0)-" + String(repeating: "ä", count: 400) } + [""]
        for topic in topics {
            var group = StoreWorld.group(0..<1)
            group.topic = topic
            try await service.put(group, into: logstore)
        }
        return (logstore, topics.filter { !$0.isEmpty }.sorted())
    }

    @Test(arguments: [40, 1000]) func `are listed page by page, long ones too`(tailRows: Int) async throws {
        let world = try StoreWorld(tailRows: tailRows)
        let service = try world.open()
        let (logstore, topics) = try await Self.filled(service)
        try await service.settle(logstore)
        for size in [1, 7, 100, 1000] {
            var listed: [String] = []
            while true {
                let page = try await service.topics(after: listed.last ?? "", limit: size, in: logstore)
                try #require(page.isComplete && page.topics.count <= size)
                listed += page.topics
                if page.topics.count < size { break }
            }
            try #require(listed == topics, "\(size) a page")
        }
        service.close()
    }

    @Test func `are said to be incomplete when the time is up`() async throws {
        let world = try StoreWorld(tailRows: 40)
        let service = try world.open()
        let (logstore, topics) = try await Self.filled(service)
        let store = try await service.store(logstore)
        let over = WorkLimit(deadline: .now - .seconds(1), isCancelled: { false })
        let page = try store.topics(after: "", count: 1000, limit: over)
        #expect(!page.isComplete && page.topics.count < topics.count)
        let cancelled = WorkLimit(deadline: .now + .seconds(100), isCancelled: { true })
        #expect(throws: CancellationError.self) { try store.topics(after: "", count: 1000, limit: cancelled) }
        service.close()
    }
}
