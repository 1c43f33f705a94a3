// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import LogEngine
import Synchronization
import Testing

@Suite struct `Opening a store` {
    private static func records(_ numbers: Range<Int>, account: String = "anna") -> [SampleRecord] {
        numbers.map {
            SampleRecord(account: account, time: Int64($0), unique: "u\($0)", colour: "red", tags: ["t\($0 % 3)"])
        }
    }

    /// Offsets of the frames of a journal file, from its plain headers.
    private static func frameOffsets(_ bytes: [UInt8]) -> [Int] {
        var offsets: [Int] = []
        var offset = 107
        while offset + 52 <= bytes.count, bytes[offset..<offset + 4].elementsEqual("FRM1".utf8) {
            offsets.append(offset)
            offset += 52 + (0..<4).reduce(0) { $0 | Int(bytes[offset + 4 + $1]) << (8 * $1) }
        }
        return offsets
    }

    @Test func `counts the records of a damaged frame although the commit after it was torn`() throws {
        let disk = MemoryDisk()
        do {
            let store = try Store(disk: disk)
            _ = try store.commit(Self.records(0..<6), recordedAt: 1, perFrame: 2)
            _ = try store.commit(Self.records(6..<10), recordedAt: 2, perFrame: 2)
        }
        let path = "h/journal/00000000000000000000.journal"
        let bytes = try #require(try disk.readAll(path, limit: 1 << 20))
        let frames = Self.frameOffsets(bytes)
        try #require(frames.count == 5)
        for (damaged, cut, end, lost) in [
            (2, frames[4] + 10, 6, 4..<6), (1, frames[4] + 10, 6, 2..<4), (2, bytes.count, 10, 4..<6), (0, frames[3], 0, 0..<0),
        ] {
            var changed = Array(bytes[..<cut])
            changed[frames[damaged] + 60] ^= 1
            let copy = disk.afterPowerLoss(seed: 1)
            try copy.replace(path, with: changed)
            let label = "frame \(damaged), cut at \(cut)"
            let store = try Store(disk: copy)
            try #require(store.engine.endSequence == UInt64(end), "\(label)")
            for sequence in 0..<end {
                if lost.contains(sequence) {
                    let damage = #expect(throws: StoreDamage.self) { try store.engine.record(at: UInt64(sequence)) }
                    #expect(damage?.path == path)
                } else {
                    #expect(
                        try store.engine.record(at: UInt64(sequence)).bytes == Self.records(0..<10)[sequence].bytes, "\(label)")
                }
            }
            #expect(store.damages.contains { $0.offset == UInt64(frames[damaged]) } == (end > 0), "\(label): \(store.damages)")
            #expect(try store.commit(Self.records(20..<21), recordedAt: 3) == UInt64(end), "\(label)")
            #expect(try store.engine.record(at: UInt64(end)).bytes == Self.records(20..<21)[0].bytes, "\(label)")
        }
    }

    @Test func `does not let retention take a damaged file before its time`() throws {
        let disk = MemoryDisk()
        do {
            let store = try Store(disk: disk, tailRows: 10)
            for step in 0..<4 {
                _ = try store.commit(Self.records(step * 10..<step * 10 + 10), recordedAt: Int64(1000 * (step + 1)))
            }
            store.settle()
        }
        let path = "h/journal/00000000000000000010.journal"
        disk.flipBit(in: path, at: 30)
        for name in try disk.list("h/segments") { try disk.remove("h/segments/" + name) }
        let store = try Store(disk: disk, tailRows: 10)
        store.settle()
        #expect(store.damages.contains { $0.path == path })
        // Recorded before the file that follows it, at 3000, and no one knows how long before.
        #expect(store.engine.dropRecords(olderThan: 2500) == 10)
        #expect(try disk.size(of: path) != nil)
        #expect(store.engine.dropRecords(olderThan: 3001) == 30)
        #expect(try disk.size(of: path) == nil)
    }

    @Test func `refuses a damaged floor only where nothing else knows the sequences`() throws {
        let disk = MemoryDisk()
        do {
            let store = try Store(disk: disk, tailRows: 10)
            _ = try store.commit(Self.records(0..<10), recordedAt: 100)
            _ = try store.commit(Self.records(10..<15), recordedAt: 200)
            store.settle()
            #expect(store.engine.dropRecords(olderThan: 150) == 10)
        }
        disk.flipBit(in: "h/floor", at: 120)
        do {
            let store = try Store(disk: disk, tailRows: 10)
            #expect(store.damages == [StoreDamage(path: "h/floor", offset: 0, reason: .notAuthentic)])
            #expect(store.engine.firstSequence == 10)
            #expect(store.engine.endSequence == 15)
        }
        for folder in ["h/journal", "h/segments"] {
            for name in try disk.list(folder) { try disk.remove(folder + "/" + name) }
        }
        #expect(throws: StoreDamage(path: "h/floor", offset: 0, reason: .notAuthentic)) { try Store(disk: disk) }
    }

    @Test func `reports a damaged newest dictionary at once`() throws {
        let disk = MemoryDisk()
        do {
            let store = try Store(disk: disk, tailRows: 200)
            var random = Seeded(3)
            for step in 0..<40 {
                let records = Self.records(step * 10..<step * 10 + 10).map { record in
                    var record = record
                    record.filling = (0..<300).map { _ in "word\(random.below(100_000))" }.joined(separator: " ")
                    return record
                }
                _ = try store.commit(records, recordedAt: 1)
            }
            store.settle()
            try #require(store.engine.dictionaries.current != nil)
        }
        let newest = "h/dictionaries/" + (try #require(try disk.list("h/dictionaries").max { UInt32($0)! < UInt32($1)! }))
        disk.flipBit(in: newest, at: 200)
        let store = try Store(disk: disk, tailRows: 200)
        #expect(store.damages.first == StoreDamage(path: newest, offset: 0, reason: .notAuthentic))
        #expect(store.engine.dictionaries.current == nil)
    }

    @Test func `keeps a file that was given up and could not be removed, until its records' time is over`() throws {
        let disk = MemoryDisk()
        let store = try Store(disk: disk, tailRows: 10)
        let folder = "h/journal"
        // The first sync is the header's.
        let syncs = Mutex(0)
        disk.setFault { operation, path in
            guard path.hasPrefix(folder) else { return nil }
            switch operation {
            case .sync:
                let count = syncs.withLock { count in
                    count += 1
                    return count
                }
                return count > 1 ? .lost(errno: 5) : nil
            case .truncate, .remove: return .lost(errno: 5)
            default: return nil
            }
        }
        #expect(throws: DiskError.self) { try store.commit(Self.records(0..<5), recordedAt: 100) }
        disk.setFault(nil)
        #expect(try disk.list(folder) == ["00000000000000000000.journal"])
        #expect(try store.commit(Self.records(5..<15), recordedAt: 100) == 0)
        #expect(try disk.list(folder).contains("00000000000000000000.journal.torn"))
        #expect(try store.commit(Self.records(15..<20), recordedAt: 200) == 10)
        for seed in UInt64(0)..<6 {
            let again = try Store(disk: disk.afterPowerLoss(seed: seed), tailRows: 10)
            #expect(again.engine.endSequence == 15)
            for sequence in 0..<15 {
                #expect(try again.engine.record(at: UInt64(sequence)).bytes == Self.records(5..<20)[sequence].bytes)
            }
        }
        store.settle()
        #expect(store.engine.dropRecords(olderThan: 150) == 10)
        _ = try Store(disk: disk, tailRows: 10)
        #expect(try disk.list(folder) == ["00000000000000000010.journal"])
    }

    @Test func `makes durable what a killed process had not, before it relies on it`() throws {
        for write in 1...40 {
            let disk = MemoryDisk()
            let end = SuddenEnd(of: disk, atWrite: write, by: .kill)
            do {
                let store = try Store(disk: disk, tailRows: 4)
                for step in 0..<3 {
                    _ = try store.commit(Self.records(step * 3..<step * 3 + 3), recordedAt: Int64(100 * step + 100))
                    store.settle()
                }
                store.engine.dropRecords(olderThan: 150)
            }
            disk.setFault(nil)
            guard let left = end.left else { continue }
            let store = try Store(disk: left, tailRows: 4)
            store.settle()
            let held = Int(store.engine.firstSequence)..<Int(store.engine.endSequence)
            for seed in UInt64(0)..<4 {
                let again = try Store(disk: left.afterPowerLoss(seed: seed), tailRows: 4)
                let label = "killed at write \(write), power loss \(seed)"
                try #require(again.damages.isEmpty, "\(label)")
                try #require(Int(again.engine.firstSequence) == held.lowerBound, "\(label)")
                try #require(Int(again.engine.endSequence) == held.upperBound, "\(label)")
                for sequence in held {
                    let bytes = try again.engine.record(at: UInt64(sequence)).bytes
                    try #require(bytes == Self.records(0..<9)[sequence].bytes, "\(label): \(sequence)")
                }
            }
        }
    }

    @Test func `reads everything with hardly any cache`() throws {
        let disk = MemoryDisk()
        var model = Model()
        var random = Seeded(8)
        let store = try Store(disk: disk, tailRows: 40, cacheBytes: 1)
        for step in 0..<20 {
            let records = (0..<15).map { SampleRecord.random(step * 15 + $0, now: Int64(step), &random) }
            _ = try store.commit(records, recordedAt: Int64(step))
            model.rows += records.map { Model.Row(record: $0, recordedAt: Int64(step)) }
            store.settle()
            try model.expectSame(as: store, "step \(step)")
        }
        try model.expectSame(as: try Store(disk: disk, tailRows: 40, cacheBytes: 1), "reopened")
    }
}

/// A disk that says "synced" and is not cannot keep a promise, but what it kept must still be told apart from what it lost.
@Suite struct `A lying disk` {
    @Test(arguments: [MemoryDisk.Operation.sync, .syncDirectory, .append, .rename, .remove, .create])
    func `never makes records appear that were not there`(operation: MemoryDisk.Operation) throws {
        for number in 0..<60 {
            for inARow in [1, 1000] {
                let disk = MemoryDisk()
                let count = Mutex(0)
                disk.setFault { asked, _ in
                    guard asked == operation else { return nil }
                    let this = count.withLock { count in
                        defer { count += 1 }
                        return count
                    }
                    return this >= number && this < number + inARow ? .lie : nil
                }
                var bytes: [UInt64: Set<[UInt8]>] = [:]
                do {
                    let store = try Store(disk: disk, tailRows: 12)
                    for step in 0..<10 {
                        let records = (0..<5).map {
                            SampleRecord(
                                account: "anna", time: Int64(step % 3), unique: "u\(step)-\($0)", colour: "red", tags: [])
                        }
                        if let first = try? store.commit(records, recordedAt: Int64(step), perFrame: 2) {
                            for (row, record) in records.enumerated() {
                                bytes[first + UInt64(row), default: []].insert(record.bytes)
                            }
                        }
                        store.settle()
                        if step == 7 { store.engine.dropRecords(olderThan: 3) }
                    }
                } catch {}
                disk.setFault(nil)
                for seed in UInt64(0)..<3 {
                    let label = "\(operation) \(number), \(inARow) in a row, seed \(seed)"
                    guard let store = try? Store(disk: disk.afterPowerLoss(seed: seed), tailRows: 12) else { continue }
                    let (first, end) = (store.engine.firstSequence, store.engine.endSequence)
                    for sequence in first..<max(first, end) {
                        guard let record = try? store.engine.record(at: sequence) else { continue }
                        try #require(bytes[sequence]?.contains(record.bytes) == true, "\(label), record \(sequence)")
                    }
                    if let found = try? store.search(store.query("anna")) {
                        try #require(Set(found).count == found.count, "\(label)")
                        for position in found {
                            guard let record = try? store.engine.record(at: position.sequence) else { continue }
                            try #require(SampleRecord(bytes: record.bytes).time == position.time, "\(label)")
                        }
                    }
                    _ = try? store.commit(
                        [SampleRecord(account: "anna", time: 7, unique: "later", colour: "", tags: [])], recordedAt: 50)
                }
            }
        }
    }
}
