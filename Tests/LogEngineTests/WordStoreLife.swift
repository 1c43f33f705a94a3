// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import LogEngine
import Testing

/// A store that records, comes to rest, loses power, is opened again and drops what is old, and what it should hold meanwhile.
struct WordStoreLife {
    let seed: UInt64
    let accounts: [String]
    let commits: Int

    /// - Parameters:
    ///   - rounds: questions at each stop while it records, and at each later one.
    ///   - compare: asks so many and says where it did.
    func lead(
        rounds: (recording: Int, later: Int),
        _ compare: (
            _ store: WordStore, _ log: WordLog, _ label: String, _ rounds: Int, _ random: inout Seeded
        ) throws -> Void
    ) throws {
        var random = Seeded(seed)
        let maker = WordMaker(accounts: accounts)
        let disk = MemoryDisk()
        var log = WordLog()
        do {
            let store = try WordStore(disk: disk, tailRows: [30, 90, 700][Int(seed) % 3])
            for step in 0..<commits {
                let records = (0..<1 + random.below(120)).map { maker.record(log.records.count + $0, &random) }
                try store.commit(records, recordedAt: Int64(log.records.count), perFrame: 1 + random.below(30))
                log.records += records
                if step % 3 == 0 { try compare(store, log, "seed \(seed), step \(step)", rounds.recording, &random) }
            }
            store.settle()
            try compare(store, log, "seed \(seed), settled", rounds.later, &random)
        }
        let store = try WordStore(disk: disk.afterPowerLoss(seed: seed), tailRows: 40)
        try compare(store, log, "seed \(seed), opened again", rounds.later, &random)
        store.settle()
        log.first = Int(store.engine.dropRecords(olderThan: Int64(log.records.count / 2)))
        try compare(store, log, "seed \(seed), shortened", rounds.later, &random)
        #expect(store.trouble.isEmpty)
    }
}
