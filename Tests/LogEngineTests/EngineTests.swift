// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import KeyManagement
import LogEngine
import Testing

@Suite struct `A log engine` {
    /// A folder of its own on the machine's disk, or none for a disk in memory.
    private static func withDisk(local: Bool, _ body: (any Disk, String) throws -> Void) throws {
        guard local else { return try body(MemoryDisk(), "h") }
        let folder = NSTemporaryDirectory() + "cairn-engine-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(LocalDisk(), folder)
    }

    @Test(arguments: Array(UInt64(1)...16))
    func `agrees with an array over a random walk`(seed: UInt64) throws {
        try Self.withDisk(local: seed % 4 == 0) { disk, folder in
            var random = Seeded(seed)
            var model = Model()
            var now: Int64 = 1_700_000_000_000
            let tailRows = [50, 20, 64][random.below(3)]
            var store: Store? = try Store(disk: disk, folder: folder, tailRows: tailRows)
            var pages:
                [(account: String, terms: [(field: UInt8, value: String)], direction: SearchDirection, after: LogPosition?)] = []
            for step in 0..<160 {
                let label = "seed \(seed), step \(step)"
                now += Int64(random.below(3) * random.below(40))
                switch random.below(20) {
                case 0..<9:
                    let records = (0..<(1 + random.below(30))).map {
                        SampleRecord.random(model.rows.count + $0, now: now, &random)
                    }
                    var facts = RowFacts()
                    for record in records { record.index(store!.engine.hasher(account: record.account), &facts) }
                    let possible = Set(try store!.engine.possiblyKnown(facts))
                    for (row, record) in records.enumerated()
                    where model.rows[model.first...].contains(where: {
                        $0.record.unique == record.unique && $0.record.account == record.account
                    }) { try #require(possible.contains(row), "\(label)") }
                    let first = try store!.commit(records, recordedAt: now)
                    try #require(first == UInt64(model.rows.count), "\(label)")
                    model.rows += records.map { Model.Row(record: $0, recordedAt: now) }
                case 9..<15:
                    let account = ["anna", "bert", "carl"][random.below(3)]
                    var terms: [(field: UInt8, value: String)] = []
                    for _ in 0..<random.below(4) {
                        terms.append(
                            [
                                (SampleRecord.colour, ["red", "blue"][random.below(2)]),
                                (SampleRecord.tag, "t\(random.below(5))"),
                                (SampleRecord.unique, "u\(random.below(model.rows.count + 1))"), (SampleRecord.tag, "t1"),
                            ][random.below(4)])
                    }
                    let ends = [now - Int64(random.below(200)), now + Int64(random.below(600)), .min, .max]
                    let (one, two) = (ends[random.below(4)], ends[random.below(4)])
                    let times = min(one, two)...max(one, two)
                    let direction: SearchDirection = random.below(2) == 0 ? .oldestFirst : .newestFirst
                    let after =
                        random.below(3) == 0
                        ? LogPosition(
                            time: ends[random.below(4)],
                            sequence: [0, UInt64(random.below(model.rows.count + 1)), .max][random.below(3)]) : nil
                    let expected = model.search(account, terms, times: times, direction: direction, after: after)
                    let query = store!.query(account, terms, times: times, direction: direction, after: after)
                    let found = try store!.search(query)
                    try #require(found == expected, "\(label): \(terms) \(times) \(direction) \(String(describing: after))")
                    if pages.count < 4 { pages.append((account, terms, direction, nil)) }
                case 15:
                    // Pages go on while records arrive.
                    for index in pages.indices {
                        let page = pages[index]
                        let expected = model.search(
                            page.account, page.terms, times: .min ... .max, direction: page.direction, after: page.after)
                        let found = try store!.search(
                            store!.query(page.account, page.terms, direction: page.direction, after: page.after), limit: 9)
                        try #require(found == Array(expected.prefix(9)), "\(label)")
                        if let last = found.last { pages[index].after = last }
                    }
                case 16:
                    guard model.rows.count > model.first else { continue }
                    for _ in 0..<5 {
                        let row = model.first + random.below(model.rows.count - model.first)
                        let record = model.rows[row].record
                        let hash = store!.engine.hasher(account: record.account).hash(
                            field: SampleRecord.unique, value: record.unique)
                        let expected = (model.first..<model.rows.count).filter {
                            model.rows[$0].record.unique == record.unique && model.rows[$0].record.account == record.account
                        }
                        try #require(
                            try store!.engine.sequences(uniqueHash: hash).sorted() == expected.map(UInt64.init), "\(label)")
                        try #require(try store!.engine.record(at: UInt64(row)).bytes == record.bytes, "\(label)")
                    }
                case 17:
                    let cutoff = now - Int64(random.below(400))
                    let first = Int(store!.engine.dropRecords(olderThan: cutoff))
                    for row in model.first..<max(first, model.first) {
                        try #require(model.rows[row].retentionBasis < cutoff, "\(label)")
                    }
                    try #require(first >= model.first, "\(label)")
                    model.first = first
                case 18:
                    if random.below(2) == 0 { store!.engine.close() } else { store!.settle() }
                    store = nil
                    store = try Store(disk: disk, folder: folder, tailRows: random.below(3) == 0 ? 33 : tailRows)
                    try #require(store!.reports.isEmpty, "\(label): \(store!.reports)")
                    try model.expectSame(as: store!, label)
                default: store!.settle()
                }
            }
            try model.expectSame(as: store!, "seed \(seed), end")
            store!.settle()
            try model.expectSame(as: store!, "seed \(seed), settled")
            try #require(store!.reports.isEmpty, "seed \(seed): \(store!.reports)")
        }
    }

    @Test func `joins segments and agrees with the array after it`() throws {
        let disk = MemoryDisk()
        var random = Seeded(99)
        var model = Model()
        let store = try Store(disk: disk, tailRows: 300)
        for step in 0..<40 {
            let records = (0..<250).map { SampleRecord.random(step * 250 + $0, now: Int64(step * 1000), &random) }
            _ = try store.commit(records, recordedAt: Int64(step * 1000), perFrame: 40)
            model.rows += records.map { Model.Row(record: $0, recordedAt: Int64(step * 1000)) }
            store.settle()
        }
        #expect(store.engine.statistics.segments < 12)
        try model.expectSame(as: store, "joined")
        try model.expectSame(as: try Store(disk: disk, tailRows: 300), "reopened")
    }

    /// Tails that hold a few records each become segments of their own; retention drops whole segments.
    @Test(arguments: [1, 4]) func `forgets old records although few are recorded at a time`(commitsPerDay: Int) throws {
        let day: Int64 = 86_400_000
        let store = try Store(disk: MemoryDisk(), settings: Store.settings())
        var now: Int64 = 1_700_000_000_000
        for commit in 0..<200 * commitsPerDay {
            // A little more than a day, so that a tail is over with it.
            now += day / Int64(commitsPerDay) + 1
            let records = (0..<3).map {
                SampleRecord(account: "anna", time: now, unique: "u\(commit)-\($0)", colour: "red", tags: [])
            }
            _ = try store.commit(records, recordedAt: now)
            store.settle()
            let first = store.engine.dropRecords(olderThan: now - 90 * day)
            let oldest = try store.engine.record(at: first).recordedAt
            // A segment may wait for its last record, and the tail becomes one only after a day.
            try #require(oldest >= now - 100 * day, "commit \(commit): the oldest is \((now - oldest) / day) days old")
            try #require(commit > 80 * commitsPerDay || first == 0, "commit \(commit): \(first)")
        }
        let held = Int(store.engine.firstSequence)..<Int(store.engine.endSequence)
        #expect(held.count <= 3 * 102 * commitsPerDay)
        #expect(try store.search(store.query("anna")).count == held.count)
        #expect(store.reports.isEmpty)
    }

    @Test func `forgets old records although nothing is recorded any more`() throws {
        let disk = MemoryDisk()
        let store = try Store(disk: disk, tailRows: 6000)
        let records = (0..<20).map { SampleRecord(account: "anna", time: Int64($0), unique: "u\($0)", colour: "red", tags: []) }
        _ = try store.commit(records, recordedAt: 6000)
        store.engine.endTail(olderThan: 6000)
        #expect(store.engine.dropRecords(olderThan: 6000) == 0)
        #expect(store.engine.statistics.tailRows == 20)
        store.engine.endTail(olderThan: 6001)
        #expect(store.engine.dropRecords(olderThan: 6001) == 20)
        #expect(store.engine.statistics.journals == 0)
        // Nothing is there to end.
        store.engine.endTail(olderThan: .max)
        _ = try store.commit(records, recordedAt: 7000)
        #expect(try store.search(store.query("anna")).count == 20)
        #expect(store.engine.firstSequence == 20 && store.reports.isEmpty)
        store.engine.close()
        store.engine.endTail(olderThan: .max)
        #expect(try Store(disk: disk, tailRows: 6000).engine.firstSequence == 20)
    }

    @Test func `starts where it ended even after retention dropped everything`() throws {
        let disk = MemoryDisk()
        let records = (0..<5000).map {
            SampleRecord(account: "anna", time: Int64($0), unique: "u\($0)", colour: "red", tags: [])
        }
        do {
            let store = try Store(disk: disk, tailRows: 6000)
            _ = try store.commit(records, recordedAt: 6000, perFrame: 500)
            store.engine.close()
            #expect(store.engine.statistics.segments == 1)
            // Another engine may have the folder now.
            #expect(store.engine.dropRecords(olderThan: 7000) == 0)
        }
        #expect(try Store(disk: disk, tailRows: 6000).engine.dropRecords(olderThan: 7000) == 5000)
        for seed in UInt64(0)..<8 {
            let store = try Store(disk: disk.afterPowerLoss(seed: seed))
            #expect(store.engine.endSequence == 5000, "seed \(seed)")
            #expect(store.engine.firstSequence == 5000, "seed \(seed)")
            #expect(try store.search(store.query("anna")).isEmpty, "seed \(seed)")
            #expect(try store.commit(Array(records.prefix(3)), recordedAt: 8000) == 5000, "seed \(seed)")
            #expect(try store.search(store.query("anna")).count == 3, "seed \(seed)")
        }
    }

    @Test func `keeps records readable that came before and after a dictionary`() throws {
        let disk = MemoryDisk()
        var model = Model()
        var random = Seeded(5)
        do {
            let store = try Store(disk: disk, tailRows: 200)
            for step in 0..<60 {
                let records = (0..<20).map { row in
                    SampleRecord(
                        account: "anna", time: Int64(step), unique: "u\(step * 20 + row)", colour: "red", tags: [],
                        filling: (0..<40).map { _ in "some words \(random.below(1000)) in a record, " }.joined())
                }
                _ = try store.commit(records, recordedAt: Int64(step), perFrame: 20)
                model.rows += records.map { Model.Row(record: $0, recordedAt: Int64(step)) }
                store.settle()
            }
            #expect(store.engine.dictionaries.current != nil)
            try model.expectSame(as: store, "running")
        }
        let ids = try disk.list("h/dictionaries")
        try model.expectSame(as: try Store(disk: disk, tailRows: 200), "reopened")
        let copy = disk.afterPowerLoss(seed: 1)
        for id in ids { copy.flipBit(in: "h/dictionaries/\(id)", at: 150) }
        let damaged = try Store(disk: copy, tailRows: 200)
        #expect(damaged.engine.endSequence == UInt64(model.rows.count))
        #expect(try damaged.engine.record(at: 0).bytes == model.rows[0].record.bytes)
        let error = #expect(throws: StoreDamage.self) { try damaged.engine.record(at: UInt64(model.rows.count - 1)) }
        #expect(error?.path.contains("/dictionaries/") == true)
        // And what is recorded from now on can be read.
        let next = try damaged.commit([model.rows[0].record], recordedAt: 1)
        #expect(try damaged.engine.record(at: next).bytes == model.rows[0].record.bytes)
    }

    @Test func `keeps the file that a commit is writing when retention drops all before it`() throws {
        let disk = MemoryDisk()
        let store = try Store(disk: disk, tailRows: 10)
        func record(_ number: Int) -> SampleRecord {
            SampleRecord(account: "anna", time: 1, unique: "u\(number)", colour: "", tags: [])
        }
        for step in 0..<2 { _ = try store.commit((0..<10).map { record(step * 10 + $0) }, recordedAt: 1) }
        store.settle()
        // The second ten wait in the tail; the third commit seals them and begins a file.
        let path = "h/journal/00000000000000000020.journal"
        let engine = store.engine
        disk.setFault { operation, asked in
            if operation == .append && asked == path { engine.dropRecords(olderThan: .max) }
            return nil
        }
        #expect(try store.commit([record(20)], recordedAt: 2) == 20)
        disk.setFault(nil)
        #expect(engine.firstSequence == 20)
        #expect(try engine.record(at: 20).bytes == record(20).bytes)
        let again = try Store(disk: disk.afterPowerLoss(seed: 1), tailRows: 10)
        #expect(try again.engine.record(at: 20).bytes == record(20).bytes)
        #expect(try again.search(again.query("anna")).map(\.sequence) == [20])
    }

    @Test(arguments: [MemoryDisk.Operation.create, .append, .sync, .rename, .syncDirectory], [true, false])
    func `never uses a dictionary that is not on disk`(operation: MemoryDisk.Operation, isKept: Bool) throws {
        let disk = MemoryDisk()
        disk.setFault { asked, path in
            guard asked == operation, path.contains("/dictionaries") else { return nil }
            return isKept ? .kept(errno: 5) : .lost(errno: 5)
        }
        let store = try Store(disk: disk, tailRows: 10)
        var random = Seeded(3)
        var model = Model()
        for step in 0..<8 {
            if step == 6 { disk.setFault(nil) }
            let records = (0..<5).map { row in
                SampleRecord(
                    account: "anna", time: 1, unique: "u\(step * 5 + row)", colour: "", tags: [],
                    filling: (0..<3000).map { _ in "words \(random.below(1000)), " }.joined())
            }
            _ = try store.commit(records, recordedAt: 1)
            model.rows += records.map { Model.Row(record: $0, recordedAt: 1) }
            store.settle()
            if step < 6 { #expect(store.engine.dictionaries.current == nil) }
        }
        #expect(store.engine.dictionaries.current != nil)
        for seed in UInt64(0)..<3 { try model.expectSame(as: try Store(disk: disk.afterPowerLoss(seed: seed)), "seed \(seed)") }
    }

    @Test func `refuses a wrong key without touching anything`() throws {
        let disk = MemoryDisk()
        do {
            let store = try Store(disk: disk)
            _ = try store.commit([SampleRecord(account: "a", time: 1, unique: "u", colour: "", tags: [])], recordedAt: 1)
        }
        let names = try disk.list("h/journal")
        let other = ServiceKey(id: UUID(), key: .init(size: .bits256))
        #expect(throws: StoreDamage(path: "h/identity", offset: 0, reason: .notAuthentic)) { try Store(disk: disk, key: other) }
        #expect(try disk.list("h/journal") == names)
        try disk.remove("h/identity")
        #expect(throws: StoreDamage(path: "h/identity", offset: 0, reason: .truncated)) { try Store(disk: disk) }
    }

    @Test func `can be dropped with tails that wait`() throws {
        let disk = MemoryDisk()
        disk.setFault { operation, path in path.contains("/segments/") && operation == .create ? .lost(errno: 28) : nil }
        do {
            let store = try Store(disk: disk, tailRows: 10)
            for step in 0..<4 {
                let records = (0..<10).map { SampleRecord(account: "a", time: 1, unique: "u\(step)-\($0)", colour: "", tags: []) }
                _ = try store.commit(records, recordedAt: 1)
            }
            #expect(store.engine.statistics.waitingTails == 3)
            store.engine.close()
        }
        disk.setFault(nil)
        let store = try Store(disk: disk, tailRows: 10)
        store.settle()
        #expect(store.engine.statistics.waitingTails == 0)
        #expect(try store.search(store.query("a")).count == 40)
    }

    @Test(.timeLimit(.minutes(1)))
    func `shows each acknowledged record at once while others search and retention runs`() async throws {
        let store = try Store(disk: MemoryDisk(), tailRows: 100)
        let total = 6000
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for step in 0..<(total / 20) {
                    let records = (0..<20).map {
                        SampleRecord(
                            account: "anna", time: Int64(step), unique: "u\(step * 20 + $0)", colour: "red", tags: ["t\($0)"])
                    }
                    _ = try store.commit(records, recordedAt: Int64(step))
                }
            }
            for worker in 0..<3 {
                group.addTask {
                    var random = Seeded(UInt64(worker))
                    while true {
                        let end = Int(store.engine.endSequence)
                        guard end > 0 else { await Task.yield(); continue }
                        let wanted = max(0, end - 1 - random.below(40))
                        let found = try store.search(store.query("anna", [(SampleRecord.unique, "u\(wanted)")]))
                        // Retention may have been faster, but it drops from the oldest on.
                        if found.map(\.sequence) != [UInt64(wanted)] {
                            try #require(store.engine.firstSequence > UInt64(wanted), "record \(wanted) of \(end): \(found)")
                        }
                        let some = try store.search(store.query("anna", [(SampleRecord.tag, "t3")]), limit: 30)
                        try #require(some == some.sorted(by: >))
                        if end >= total { return }
                    }
                }
            }
            group.addTask {
                while Int(store.engine.endSequence) < total {
                    let first = store.engine.dropRecords(olderThan: Int64(store.engine.endSequence) / 20 - 100)
                    try #require(first <= store.engine.endSequence)
                    try await Task.sleep(for: .milliseconds(2))
                }
            }
            try await group.waitForAll()
        }
        #expect(store.reports.isEmpty)
        #expect(store.engine.endSequence == UInt64(total))
    }
}
