// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import LogEngine
import TestSupport
import Testing

/// Each thing written is failed in each way; then on, then power loss, then a look from outside.
@Suite struct `A failing disk` {
    enum Way: CaseIterable {
        case lost, kept, tornEmpty, tornEarly, tornLate

        func fault(_ operation: MemoryDisk.Operation) -> MemoryDisk.Fault? {
            switch (self, operation) {
            case (.lost, _): .lost(errno: 5)
            case (.kept, _): .kept(errno: 5)
            case (.tornEmpty, .append): .torn(bytes: 1, errno: 28)
            case (.tornEarly, .append): .torn(bytes: 60, errno: 28)
            case (.tornLate, .append): .torn(bytes: 150, errno: 5)
            default: nil
            }
        }
    }

    struct Outcome {
        var model = Model()
        /// Commits that failed since the last that did not: one of them may be there after all, whole, at the end.
        var unanswered: [[SampleRecord]] = []
    }

    /// Records in small commits until several tails, segments and one merge have been; retention near the end.
    static func run(on disk: MemoryDisk, _ label: String) throws -> Outcome {
        var outcome = Outcome()
        guard let store = try? Store(disk: disk, tailRows: 12) else { return outcome }
        for step in 0..<24 {
            let records = (0..<5).map { row in
                SampleRecord(
                    account: row < 3 ? "anna" : "bert", time: Int64(100 + step % 5), unique: "u\(step)-\(row)",
                    colour: row % 2 == 0 ? "red" : "blue", tags: ["t1", "t\(row)"])
            }
            do {
                let first = try store.commit(records, recordedAt: Int64(1000 + step), perFrame: 2)
                try #require(first == UInt64(outcome.model.rows.count), "\(label)")
                outcome.model.rows += records.map { Model.Row(record: $0, recordedAt: Int64(1000 + step)) }
                outcome.unanswered = []
            } catch is DiskError { outcome.unanswered.append(records) }
            store.settle()
            if step == 20 { outcome.model.first = Int(store.engine.dropRecords(olderThan: 1004)) }
        }
        try outcome.model.expectSame(as: store, "\(label), running")
        return outcome
    }

    static func verify(_ outcome: Outcome, on disk: MemoryDisk, _ label: String) throws {
        var model = outcome.model
        let store = try Store(disk: disk, tailRows: 12)
        try #require(store.damages.isEmpty, "\(label): \(store.damages)")
        let extra = Int(store.engine.endSequence) - model.rows.count
        try #require(extra == 0 || extra == 5, "\(label): \(extra) too many")
        if extra == 5 {
            let stored = try (0..<5).map { try store.engine.record(at: UInt64(model.rows.count + $0)) }
            let records = stored.map { SampleRecord(bytes: $0.bytes) }
            try #require(outcome.unanswered.contains(records), "\(label): \(records)")
            for (record, row) in zip(records, stored) { model.rows.append(Model.Row(record: record, recordedAt: row.recordedAt)) }
        }
        // A removal that did not last may bring old records back; never may it take newer ones.
        try #require(Int(store.engine.firstSequence) <= model.first, "\(label)")
        model.first = Int(store.engine.firstSequence)
        try model.expectSame(as: store, label)
        let records = [SampleRecord(account: "anna", time: 7, unique: "later", colour: "red", tags: ["t1"])]
        try #require(try store.commit(records, recordedAt: 5000) == UInt64(model.rows.count), "\(label)")
        model.rows.append(Model.Row(record: records[0], recordedAt: 5000))
        store.settle()
        try model.expectSame(as: store, "\(label), going on")
    }

    @Test(arguments: Way.allCases, [1, 4])
    func `loses nothing acknowledged at any write`(way: Way, inARow: Int) throws {
        let count = FaultPlan()
        let whole = MemoryDisk()
        count.install(on: whole)
        _ = try Self.run(on: whole, "whole")
        let stride = inARow == 1 ? 1 : 3
        for number in Swift.stride(from: 0, to: count.total, by: stride) {
            let disk = MemoryDisk()
            FaultPlan(failing: number..<number + inARow, way.fault).install(on: disk)
            let label = "\(way) at write \(number), \(inARow) in a row"
            let outcome = try Self.run(on: disk, label)
            disk.setFault(nil)
            for seed in UInt64(number)..<UInt64(number + 2) {
                try Self.verify(outcome, on: disk.afterPowerLoss(seed: seed), "\(label), power loss \(seed)")
            }
        }
    }

    @Test func `that is full refuses, and records again once there is room`() throws {
        for room in stride(from: 300, to: 6000, by: 171) {
            let disk = MemoryDisk()
            disk.setCapacity(room)
            var outcome = try Self.run(on: disk, "room \(room)")
            try Self.verifyRoom(&outcome, disk, room)
        }
    }

    private static func verifyRoom(_ outcome: inout Outcome, _ disk: MemoryDisk, _ room: Int) throws {
        disk.setCapacity(.max)
        for seed in UInt64(0)..<2 { try verify(outcome, on: disk.afterPowerLoss(seed: seed), "room \(room), seed \(seed)") }
    }

    @Test(arguments: UInt64(1)...40)
    func `that loses power at any moment keeps what was acknowledged`(seed: UInt64) throws {
        var random = Seeded(seed)
        let disk = MemoryDisk()
        FaultPlan(failing: random.below(300)..<100_000, Way.lost.fault).install(on: disk)
        let outcome = try Self.run(on: disk, "seed \(seed)")
        disk.setFault(nil)
        for loss in UInt64(0)..<4 {
            try Self.verify(outcome, on: disk.afterPowerLoss(seed: seed * 10 + loss), "seed \(seed), power loss \(loss)")
        }
    }
}
