// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import LogEngine
import LogService
import Testing

/// Flips bits of the files of a logstore at rest, opens it and reads everything.
@Suite struct `Damage in a logstore` {
    private struct Fixture {
        var world: StoreWorld
        var logstore: Logstore

        static func make() async throws -> Fixture {
            let world = try StoreWorld(tailRows: 30)
            let service = try world.open()
            let logstore = try await service.made(try StoreWorld.logstore(shards: 1))
            for batch in 0..<9 {
                try await service.put(batch * 10..<batch * 10 + 10, into: logstore)
                try await service.settle(logstore)
            }
            service.close()
            return Fixture(world: world, logstore: logstore)
        }
    }

    @Test func `is found and named, and the rest is there`() async throws {
        let fixture = try await Fixture.make()
        let files = try fixture.world.files()
        #expect(files.contains { $0.hasSuffix(".journal") } && files.contains { $0.hasSuffix(".segment") })
        let whole = Set(0..<90)
        for path in files {
            let size = Int(try fixture.world.disk.size(of: path)!)
            let isIndex = path.hasSuffix(".segment")
            var unnoticed = 0
            let offsets = Set(
                [0, 8, 12, 30, 90, 104].filter { $0 < size } + Array(stride(from: 0, to: size, by: max(1, size / 40)))
                    + Array(max(0, size - 12)..<size))
            for offset in offsets.sorted() {
                let world = try fixture.world.with(fixture.world.disk.afterPowerLoss(seed: 1))
                world.disk.flipBit(in: path, at: offset)
                let label = "\(path) byte \(offset)"
                let before = try world.files()
                let service = try world.open()
                var named = world.damages.map(\.path)
                var found: Set<Int> = []
                do {
                    for search in ["*", "n: 7", "number and not n: 3"] {
                        let numbers = try await service.numbers(fixture.logstore, search)
                        try #require(Set(numbers).count == numbers.count, "\(label)")
                        if search == "*" { found = Set(numbers) }
                    }
                    let pulled = try await service.pulled(fixture.logstore)
                    try #require(Set(pulled.compactMap { Int($0.contents[0].value) }).isSuperset(of: found), "\(label)")
                } catch let damage as StoreDamage { named.append(damage.path) }
                service.close()
                named += world.damages.map(\.path)
                let torn = world.reports.withLock { $0.contains { if case .tornTail = $0 { true } else { false } } }
                if named.isEmpty, !torn {
                    unnoticed += 1
                    // The index at the end of a journal file is made again by walking through it.
                    try #require(isIndex || offset >= size - 200, "\(label): unnoticed")
                    try #require(found == whole, "\(label): unnoticed")
                }
                try #require(named.allSatisfy { $0 == path }, "\(label): \(named)")
                // What is damaged is kept for whoever can repair it.
                let after = try world.files()
                try #require(
                    before.allSatisfy { after.contains($0) || after.contains($0 + ".damaged") || after.contains($0 + ".torn") },
                    "\(label): \(Set(before).subtracting(after))")
                if path.hasSuffix(".journal") {
                    // A frame, or the whole file for its header.
                    let lost = whole.subtracting(found)
                    try #require(lost.count <= 30 && lost.allSatisfy { $0 / 30 == lost.min()! / 30 }, "\(label): \(lost)")
                }
                guard isIndex else { continue }
                // Logs need no index: the next opening makes it again.
                let again = try world.with(world.disk).open()
                try #require(Set(try await again.numbers(fixture.logstore)) == whole, "\(label)")
                again.close()
            }
            // Of a segment nothing may need the one or other block.
            #expect(unnoticed <= 40, "\(path): \(unnoticed)")
        }
    }

    /// - Parameter part: of each index, in tenths; all of it but for its last bytes if 10.
    @Test(arguments: [6, 10]) func `of indexes is mended while the service runs`(part: Int) async throws {
        let fixture = try await Fixture.make()
        let world = fixture.world
        let service = try world.open()
        let store = try await service.store(fixture.logstore)
        let indexes = try world.files().filter { $0.hasSuffix(".segment") }
        #expect(indexes.count > 1)
        for path in indexes {
            let size = Int(try #require(try world.disk.size(of: path)))
            for offset in stride(from: 120, to: min(size * part / 10, size - 40), by: 8) {
                world.disk.flipBit(in: path, at: offset)
            }
        }
        let all = (0..<90).map { $0 }
        #expect(try await service.numbers(fixture.logstore) == all)
        #expect(try await service.numbers(fixture.logstore, "n: 7") == [7])
        #expect(try await service.topics(after: "", limit: 10, in: fixture.logstore).topics == ["t"])
        #expect(try await service.store(fixture.logstore) !== store)
        #expect(Set(world.damages.map(\.path)).isSubset(of: indexes) && !world.damages.isEmpty)
        // Writing goes on.
        try await service.put(90..<95, into: fixture.logstore)
        #expect(try await service.numbers(fixture.logstore) == (0..<95).map { $0 })
        service.close()
    }

    @Test func `of one logstore is no other's`() async throws {
        let world = try StoreWorld(tailRows: 16)
        let service = try world.open()
        let one = try await service.made(try StoreWorld.logstore("one"))
        let other = try await service.made(try StoreWorld.logstore("other"))
        for logstore in [one, other] { try await service.put(0..<40, into: logstore) }
        service.close()
        for path in try world.files() where path.contains(one.id) { world.disk.flipBit(in: path, at: 40) }
        let reopened = try world.open()
        #expect(try await reopened.numbers(other) == (0..<40).map { $0 })
        await #expect(throws: (any Error).self) { _ = try await reopened.numbers(one) }
        reopened.close()
    }
}
