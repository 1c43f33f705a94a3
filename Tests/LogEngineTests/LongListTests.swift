// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import LogEngine
import Testing

/// Terms of so many rows that their lists fill blocks of their own, in a tail's segment and in a joined one.
@Suite struct `A list longer than a block` {
    static let rowCount = 27_000

    static let (store, model): (Store, Model) = {
        var random = Seeded(21)
        var model = Model()
        // Eight of ten tails are joined into one segment; one is left, one is still a tail.
        let store = try! Store(disk: MemoryDisk(), tailRows: 2700, cacheBytes: 4 << 20)
        for step in 0..<(rowCount / 900) {
            let records = (0..<900).map { row in
                let number = step * 900 + row
                return SampleRecord(
                    account: number % 7 == 0 ? "bert" : "anna", time: Int64(number / 50 * 1000 + random.below(2000)),
                    unique: number % 3 == 0 ? "u\(number)" : "same", colour: random.below(40) == 0 ? "blue" : "red",
                    tags: (number / 6000) % 2 == 0 ? ["t1", "t2"] : ["t2"])
            }
            _ = try! store.commit(records, recordedAt: Int64(step), perFrame: 100)
            model.rows += records.map { Model.Row(record: $0, recordedAt: Int64(step)) }
            store.settle()
        }
        return (store, model)
    }()

    @Test(arguments: UInt64(1)...30) func `is searched from both ends, alone and with others`(seed: UInt64) throws {
        try #require(Self.store.engine.statistics.segments <= 3)
        var random = Seeded(seed)
        let all: [(field: UInt8, value: String)] = [
            (SampleRecord.unique, "same"), (SampleRecord.colour, "red"), (SampleRecord.colour, "blue"), (SampleRecord.tag, "t1"),
            (SampleRecord.tag, "t2"),
        ]
        let terms = (0..<random.below(4)).map { _ in all[random.below(all.count)] }
        let last = Int64(Self.rowCount / 50 * 1000)
        let ends = [Int64.min, .max, Int64.random(in: 0...last, using: &random), Int64.random(in: 0...last, using: &random)]
        let (one, two) = (ends[random.below(4)], ends[random.below(4)])
        let direction: SearchDirection = seed % 2 == 0 ? .oldestFirst : .newestFirst
        let after =
            random.below(2) == 0
            ? nil : LogPosition(time: .random(in: 0...last, using: &random), sequence: UInt64(random.below(Self.rowCount)))
        let times = min(one, two)...max(one, two)
        let expected = Self.model.search("anna", terms, times: times, direction: direction, after: after)
        let found = try Self.store.search(
            Self.store.query("anna", terms, times: times, direction: direction, after: after))
        #expect(found == expected, "seed \(seed): \(terms) \(times) \(direction) \(String(describing: after))")
    }

    @Test func `tells every record of a unique key that was used again and again`() throws {
        let hash = Self.store.engine.hasher(account: "anna").hash(field: SampleRecord.unique, value: "same")
        let expected = Self.model.rows.indices.filter {
            Self.model.rows[$0].record.account == "anna" && Self.model.rows[$0].record.unique == "same"
        }
        #expect(expected.count > 8192)
        #expect(try Self.store.engine.sequences(uniqueHash: hash).sorted() == expected.map(UInt64.init))
    }
}
