// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import LogEngine
import Testing

@Suite struct `Counts of records` {
    /// The same by reading each record.
    private static func counts(
        _ log: WordLog, _ account: String, _ terms: [(field: UInt8, value: String)], _ times: ClosedRange<Int64>,
        by fields: [UInt8]
    ) -> [[String]: [Int]] {
        var groups: [[String]: [Int]] = [:]
        for sequence in log.held {
            let record = log.records[sequence]
            guard record.account == account, times.contains(record.fields.time) else { continue }
            guard terms.allSatisfy({ record.fields.values($0.field).contains($0.value) }) else { continue }
            for first in Set(record.fields.values(fields[0])) {
                guard fields.count == 2 else {
                    groups[[first], default: []].append(sequence)
                    continue
                }
                for second in record.fields.values(fields[1]) { groups[[first, second], default: []].append(sequence) }
            }
        }
        return groups
    }

    private static func expectSame(
        _ store: WordStore, _ log: WordLog, _ label: String, rounds: Int, _ random: inout Seeded
    ) throws {
        let ways: [[UInt8]] = [
            [WordRecord.colour], [WordRecord.tag], [WordRecord.unique], [WordRecord.tag, WordRecord.colour],
            [WordRecord.unique, WordRecord.colour], [WordRecord.colour, WordRecord.unique], [WordRecord.tag, WordRecord.unique],
        ]
        for round in 0..<rounds {
            let fields = ways[round % ways.count]
            let pattern = log.records[log.first + random.below(log.held.count)]
            let account = random.below(12) == 0 ? "dora" : pattern.account
            var terms: [(field: UInt8, value: String)] = []
            if let colour = pattern.fields.colour, random.below(4) == 0 { terms.append((WordRecord.colour, colour)) }
            for tag in pattern.fields.tags ?? [] where random.below(4) == 0 { terms.append((WordRecord.tag, tag)) }
            let other = log.records[log.first + random.below(log.held.count)].fields.time
            let range = min(other, pattern.fields.time)...max(other, pattern.fields.time)
            let times = random.below(2) == 0 ? Int64.min ... .max : range
            let expected = counts(log, account, terms, times, by: fields)
            // Neither direction nor place matters.
            let query = store.query(
                account: account, terms: terms, times: times, direction: random.below(2) == 0 ? .oldestFirst : .newestFirst,
                after: log.position(log.first))
            let counted = try store.engine.count(query, by: fields)
            let text = "\(label): \(account) \(terms) \(times) by \(fields)"
            try #require(counted.groupCount == expected.count, "\(text)")
            let hasher = store.engine.hasher(account: account)
            let groups = try counted.largest(.max)
            try #require(groups.count == expected.count, "\(text)")
            var met: Set<[String]> = []
            for group in groups {
                let example = log.records[Int(group.example)].fields
                let values = zip(fields, group.keys).compactMap { field, key in
                    example.values(field).first { GroupCounts.isKey(key, of: hasher.hash(field: field, value: $0)) }
                }
                let isNew = met.insert(values).inserted
                try #require(isNew, "\(text): \(values)")
                let sequences = try #require(expected[values], "\(text): \(values)")
                try #require(group.count == sequences.count, "\(text): \(values)")
                try #require(sequences.contains(Int(group.example)), "\(text): \(values)")
            }
            let sizes = groups.map(\.count)
            try #require(sizes == sizes.sorted(by: >), "\(text)")
            let some = try counted.largest(3)
            try #require(some.map(\.keys) == groups.prefix(3).map(\.keys), "\(text)")
        }
    }

    @Test(arguments: UInt64(1)...4) func `are those of a plain count, whatever becomes of the store`(seed: UInt64) throws {
        let accounts = [["anna"], ["anna", "anna", "bert"], ["anna", "bert", "carl"]][Int(seed) % 3]
        try WordStoreLife(seed: seed, accounts: accounts, commits: 14).lead(rounds: (14, 70), Self.expectSame)
    }

    /// Lists of several blocks, dense and sparse, and windows that end with the segment.
    @Test func `go over long lists of a joined segment`() throws {
        var random = Seeded(31)
        var log = WordLog()
        let disk = MemoryDisk()
        // Eight tails with as many rows as three windows have, and one.
        let tailRows = 3 * 8192 / 8 + 1
        let store = try WordStore(disk: disk, tailRows: tailRows)
        for _ in 0..<9 {
            let records = (0..<tailRows).map { row in
                let number = log.records.count + row
                let colour = random.below(50) == 0 ? "rare" : "red"
                return WordRecord(
                    account: number % 9 == 0 ? "bert" : "anna", eventId: "e\(number)",
                    time: Int64(number / 7 + random.below(900)), colour: number % 5 == 0 ? nil : colour,
                    tags: number % 2 == 0 ? ["t1", "t2"] : ["t2", "t2"])
            }
            try store.commit(records, perFrame: 100)
            log.records += records
            store.settle()
        }
        #expect(store.engine.statistics.segments == 1)
        #expect(store.engine.statistics.tailRows == tailRows)
        try Self.expectSame(store, log, "joined", rounds: 21, &random)
        store.engine.close()
        try Self.expectSame(try WordStore(disk: disk.afterKill(), tailRows: tailRows), log, "opened again", rounds: 7, &random)
    }

    @Test func `of one account leave out the others of a segment, and what has no value`() throws {
        let store = try WordStore(disk: MemoryDisk(), tailRows: 100)
        try store.commit([
            WordRecord(account: "anna", eventId: "1", time: 1, colour: "red", tags: ["x", "y"]),
            WordRecord(account: "anna", eventId: "2", time: 2, tags: ["x", "x"]),
            WordRecord(account: "bert", eventId: "3", time: 3, colour: "red", tags: ["x"]),
            WordRecord(account: "anna", eventId: "4", time: 4, colour: "blue"),
        ])
        func sizes(_ account: String, _ fields: [UInt8], _ times: ClosedRange<Int64> = .min ... .max) throws -> [Int] {
            try store.engine.count(store.query(account: account, times: times), by: fields).largest(9).map(\.count)
        }
        for _ in 0..<2 {
            #expect(try sizes("anna", [WordRecord.tag]) == [2, 1])
            #expect(try sizes("anna", [WordRecord.colour]) == [1, 1])
            #expect(try sizes("anna", [WordRecord.tag, WordRecord.colour]) == [1, 1])
            #expect(try sizes("anna", [WordRecord.colour], 2...4) == [1])
            #expect(try sizes("bert", [WordRecord.tag]) == [1])
            #expect(try sizes("carl", [WordRecord.tag]).isEmpty)
            // And once more from a segment.
            try store.commit((0..<100).map { WordRecord(account: "dora", eventId: "d\($0)", time: 9) })
            store.settle()
        }
        #expect(store.engine.statistics.segments >= 1)
    }
}
