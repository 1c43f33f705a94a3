// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import LogEngine
import Testing

/// The engine against what a log is, by definition. `CAIRN_MODEL_SEED=n` does the program of one seed alone,
/// `CAIRN_MODEL_FRESH=n` as many more that nobody has tried yet.
@Suite struct `A log engine and an array` {
    static let seeds: [UInt64] = {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["CAIRN_MODEL_SEED"].flatMap(UInt64.init) { return [seed] }
        let fresh = environment["CAIRN_MODEL_FRESH"].flatMap(Int.init) ?? 0
        return Array(UInt64(1)...64) + (0..<fresh).map { _ in UInt64.random(in: 1000...999_999_999) }
    }()

    @Test(arguments: seeds) func `agree over a random program`(seed: UInt64) throws {
        try RandomProgram(seed: seed).run(steps: 75)
    }

    /// Eight full tails: ranks of sixteen bits up to the last, filters of many pages, a joined segment of a higher level.
    @Test func `agree over half a million records`() throws {
        let full = 1 << 16
        let bulk = ManyRecords(count: 8 * full + 5000)
        let disk = MemoryDisk()
        var settings = Store.settings()
        settings.tailRows = full
        settings.cacheBytes = 16 << 20
        do {
            let store = try Store(disk: disk, settings: settings)
            var next = 0
            while next < bulk.count {
                let end = min(next + LogEngine.commitRowLimit, bulk.count)
                let recordedAt: Int64 = next < 8 * full ? 1_000_000 : 1_500_000
                let first = try store.engine.commit(bulk.batches(next..<end, store.engine), recordedAt: recordedAt)
                try #require(first == UInt64(next))
                next = end
            }
            store.settle()
            #expect(store.engine.statistics.segments == 1)
            #expect(store.engine.statistics.tailRows == 5000)
            try bulk.expectSame(as: store, "joined", seed: 1)
            try bulk.expectColumns(in: store)
            store.engine.close()
            #expect(store.engine.statistics.segments == 2)
            #expect(store.reports.isEmpty)
        }
        settings.tailAge = 1
        let store = try Store(disk: disk.afterPowerLoss(seed: 7), settings: settings)
        try bulk.expectSame(as: store, "opened", seed: 2)
        // Small ones are joined among themselves, not with larger ones.
        var grown = bulk
        for step in 0..<9 {
            let range = grown.count..<grown.count + 100
            grown.count = range.upperBound
            _ = try store.engine.commit(grown.batches(range, store.engine), recordedAt: Int64(2_000_000 + 10 * step))
            store.settle()
        }
        #expect(store.engine.statistics.segments == 3)
        #expect(store.engine.statistics.tailRows == 100)
        try grown.expectSame(as: store, "grown", seed: 3)
        #expect(store.engine.dropRecords(olderThan: 1_000_001) == UInt64(8 * full))
        grown.first = 8 * full
        try grown.expectSame(as: store, "shortened", seed: 4)
        #expect(store.reports.isEmpty)
    }
}
