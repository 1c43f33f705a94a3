// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import LogEngine
import Testing

/// Flips one bit at a time in files at rest, opens the store and looks at everything.
@Suite struct `A flipped bit` {
    /// Two finished journal files, one that is not, two segments, a tail; 3 records in each frame.
    static let (disk, model): (MemoryDisk, Model) = {
        let disk = MemoryDisk()
        var model = Model()
        var random = Seeded(11)
        let store = try! Store(disk: disk, tailRows: 24)
        for step in 0..<10 {
            let records = (0..<6).map { row in
                var record = SampleRecord.random(step * 6 + row, now: Int64(step), &random)
                record.account = "anna"
                record.unique = "u\(step * 6 + row)"
                return record
            }
            _ = try! store.commit(records, recordedAt: Int64(step), perFrame: 3)
            model.rows += records.map { Model.Row(record: $0, recordedAt: Int64(step)) }
            store.settle()
        }
        return (disk, model)
    }()

    private static func offsets(_ path: String) throws -> [Int] {
        let size = Int(try disk.size(of: path)!)
        return Array(Set(Array(0..<min(size, 260)) + Array(stride(from: 0, to: size, by: 7)) + Array(max(0, size - 60)..<size)))
            .sorted()
    }

    @Test(arguments: 0..<3) func `in a journal file costs one frame, or the file for its header, and is named`(file: Int) throws {
        let names = try Self.disk.list("h/journal")
        try #require(names.count == 3)
        let path = "h/journal/" + names[file]
        let first = UInt64(file * 24)
        for offset in try Self.offsets(path) {
            // Without segments everything is indexed from the journal again.
            for withSegments in [true, false] {
                let copy = Self.disk.afterPowerLoss(seed: 1)
                copy.flipBit(in: path, at: offset)
                let label = "\(names[file]) byte \(offset), segments \(withSegments)"
                if !withSegments { for name in try copy.list("h/segments") { try copy.remove("h/segments/" + name) } }
                let store = try Store(disk: copy, tailRows: 24)
                var lost: [UInt64] = []
                for sequence in 0..<UInt64(Self.model.rows.count) {
                    do {
                        let record = try store.engine.record(at: sequence)
                        try #require(record.bytes == Self.model.rows[Int(sequence)].record.bytes, "\(label)")
                    } catch let damage as StoreDamage {
                        try #require(damage.path == path, "\(label)")
                        lost.append(sequence)
                    } catch LogEngineError.missingRecords where file == 2 && sequence >= store.engine.endSequence {
                        // Damage at the very end is a torn write, as far as anyone can tell.
                        lost.append(sequence)
                    }
                }
                try #require(lost.allSatisfy { $0 >= first && $0 < first + 24 }, "\(label): \(lost)")
                if offset >= 107 {
                    try #require(lost.count <= (lost.contains(59) ? 6 : 3), "\(label): \(lost)")
                } else {
                    try #require(lost.count >= 12, "\(label)")
                }
                if lost.isEmpty { try #require(offset >= Int(try copy.size(of: path)!) - 200, "\(label): unnoticed") }
                // What is left is found, and recording goes on after it.
                let found = Set(try store.search(store.query("anna")).map(\.sequence))
                for sequence in 0..<UInt64(Self.model.rows.count) where !lost.contains(sequence) {
                    try #require(found.contains(sequence), "\(label): \(sequence)")
                }
                let record = Self.model.rows[0].record
                let next = try store.commit([record], recordedAt: 99)
                try #require(next >= 54, "\(label)")
                try #require(try store.engine.record(at: next).bytes == record.bytes, "\(label)")
            }
        }
    }

    @Test(arguments: 0..<2) func `in a segment is named, and the next opening makes it again`(file: Int) throws {
        let names = try Self.disk.list("h/segments")
        try #require(names.count == 2)
        let path = "h/segments/" + names[file]
        // The block of the account's own term is not needed while there is one account: only a join reads it.
        var unnoticed = 0
        for offset in try Self.offsets(path) {
            let label = "\(names[file]) byte \(offset)"
            let copy = Self.disk.afterPowerLoss(seed: 1)
            copy.flipBit(in: path, at: offset)
            do {
                let store = try Store(disk: copy, tailRows: 24)
                var named = store.damages.map(\.path)
                do {
                    for row in Self.model.rows {
                        _ = try store.search(store.query("anna", row.record.terms))
                        _ = try store.search(store.query("anna", wordsOf: row.record))
                        let hash = store.engine.hasher(account: "anna").hash(field: SampleRecord.unique, value: row.record.unique)
                        _ = try store.engine.sequences(uniqueHash: hash)
                        var facts = RowFacts()
                        row.record.index(store.engine.hasher(account: "anna"), &facts)
                        try #require(try store.engine.possiblyKnown(facts) == [0], "\(label)")
                    }
                    _ = try store.search(store.query("anna", [], direction: .oldestFirst))
                } catch let damage as StoreDamage { named.append(damage.path) }
                store.settle()
                named += store.damages.map(\.path)
                try #require(named.allSatisfy { $0 == path }, "\(label): \(named)")
                if named.isEmpty {
                    unnoticed += 1
                    try Self.model.expectSame(as: store, label)
                    continue
                }
                // Records need no segment, nor does recording.
                for (sequence, row) in Self.model.rows.enumerated() {
                    try #require(try store.engine.record(at: UInt64(sequence)).bytes == row.record.bytes, "\(label)")
                }
                store.engine.close()
            }
            let store = try Store(disk: copy, tailRows: 24)
            try Self.model.expectSame(as: store, label)
            try #require(try copy.list("h/segments").contains { $0.hasSuffix(".damaged") }, "\(label)")
        }
        #expect(unnoticed <= 60)
    }

    @Test func `in the identity is named and nothing is changed`() throws {
        for offset in 0..<Int(try Self.disk.size(of: "h/identity")!) {
            let copy = Self.disk.afterPowerLoss(seed: 1)
            copy.flipBit(in: "h/identity", at: offset)
            let error = #expect(throws: StoreDamage.self, "byte \(offset)") { try Store(disk: copy) }
            #expect(error?.path == "h/identity")
            #expect(try copy.list("h/journal") == Self.disk.list("h/journal"))
        }
    }

    @Test(arguments: UInt64(1)...150) func `is not alone: journals and segments of noise are refused without a trap`(seed: UInt64)
        throws
    {
        var random = Seeded(seed)
        let copy = Self.disk.afterPowerLoss(seed: 1)
        let paths = try ["h/journal/", "h/segments/"].flatMap { folder in
            try copy.list(folder.dropLast().description).map { folder + $0 }
        }
        let path = paths[random.below(paths.count)]
        var bytes = try copy.readAll(path, limit: 1 << 30)!
        let start = random.below(bytes.count)
        for offset in start..<min(bytes.count, start + 1 + random.below(400)) {
            bytes[offset] = UInt8(truncatingIfNeeded: random.next())
        }
        if random.below(2) == 0 { bytes.removeLast(random.below(bytes.count)) }
        if random.below(4) == 0 { bytes += (0..<random.below(300)).map { _ in UInt8(truncatingIfNeeded: random.next()) } }
        try copy.replace(path, with: bytes)
        let store = try Store(disk: copy, tailRows: 24)
        for sequence in 0..<UInt64(60) {
            if let record = try? store.engine.record(at: sequence) {
                #expect(record.bytes == Self.model.rows[Int(sequence)].record.bytes, "seed \(seed)")
            }
        }
        _ = try? store.search(store.query("anna"))
        _ = try? store.search(store.query("anna", wordsOf: Self.model.rows[40].record))
        _ = try store.commit([Self.model.rows[0].record], recordedAt: 99)
        store.engine.close()
        _ = try Store(disk: copy, tailRows: 24)
    }
}
