// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import EventHistory
import Foundation
import MerkleLog
import TestSupport
import Testing
import Trails

@Suite struct `Verification` {
    private func world() async throws -> (World, Folder) {
        let world = try World()
        try world.trail(selection: .write)
        try world.startLogging()
        for round in 0..<3 {
            try await world.record(round * 12..<round * 12 + 12)
            world.time.advance(60_000)
            try await world.deliver(rounds: 2)
        }
        return (world, try await world.folder())
    }

    private func digests(_ folder: Folder) -> [String] {
        folder.files.keys.filter { $0.hasSuffix(".digest") }.sorted { $0.suffix(50) < $1.suffix(50) }
    }

    private func objects(_ folder: Folder) -> [String] { folder.files.keys.filter { $0.hasSuffix(".gz") }.sorted() }

    @Test func `names any object that was changed, cut, lost, doubled, renamed or swapped`() async throws {
        let (world, good) = try await world()
        #expect(try await world.verify(good).isGood)
        var random = SeededGenerator(state: 5)
        func expectFinding(_ folder: Folder, _ key: String, _ what: String) async throws {
            let report = try await world.verify(folder)
            #expect(!report.isGood && report.findings.contains { $0.key == key }, "\(what) \(key): \(report.findings)")
        }
        for key in good.files.keys.sorted() {
            let bytes = good.files[key]!
            let offsets = [0, bytes.count - 1] + (0..<40).map { _ in Int.random(in: 0..<bytes.count, using: &random) }
            for offset in offsets {
                var folder = good
                folder.files[key]![offset] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                try await expectFinding(folder, key, "flipped at \(offset)")
            }
            for count in [0, 1, bytes.count / 2, bytes.count - 1] {
                var folder = good
                folder.files[key] = Array(bytes.prefix(count))
                try await expectFinding(folder, key, "cut to \(count)")
            }
            for garbage in [
                Array("\n\n{".utf8), Array("a\n\n{}\n".utf8), [0x0A, 0x0A, 0x7B, 0x0A], Array(repeating: 0x1F, count: 99),
                bytes + [0x0A], bytes + bytes,
            ] {
                var folder = good
                folder.files[key] = garbage
                try await expectFinding(folder, key, "garbage")
            }
            var copied = good
            let copy = key.replacingOccurrences(of: "/2026/", with: "/2025/")
            copied.files[copy] = bytes
            try await expectFinding(copied, copy, "copied")
            var renamed = copied
            renamed.files[key] = nil
            try await expectFinding(renamed, copy, "renamed")
            let isLast = key == digests(good).last
            var lost = good
            lost.files[key] = nil
            if isLast {
                // Nothing follows it: its objects stand there unnamed.
                let report = try await world.verify(lost)
                #expect(!report.isGood)
            } else {
                try await expectFinding(lost, key, "lost")
            }
        }
        let names = objects(good)
        var swapped = good
        swapped.files.swapAt(names[0], names[1])
        try await expectFinding(swapped, names[0], "swapped")
        let list = digests(good)
        swapped = good
        swapped.files.swapAt(list[0], list[1])
        try await expectFinding(swapped, list[0], "swapped")
        var extra = good
        extra.files[names[0] + ".gz"] = good.files[names[0]]
        try await expectFinding(extra, names[0] + ".gz", "extra")
        world.history.close()
    }

    @Test func `names an object whose events were reordered or dropped`() async throws {
        let (world, good) = try await world()
        for key in objects(good) {
            let raw = try good.files[key]!.withUnsafeBytes { try Gzip.expand($0, limit: 1 << 20) }
            var events: [[UInt8]] = []
            #expect(raw.withUnsafeBytes { JSONArraySplitter.split($0) { events.append(Array($0)) } })
            for variant in [Array(events.reversed()), Array(events.dropLast()), events + [events[0]]] where variant != events {
                var folder = good
                folder.files[key] = Gzip.compress([0x5B] + Array(variant.joined(separator: [0x2C])) + [0x5D])
                let report = try await world.verify(folder)
                #expect(report.findings.first?.key == key)
            }
        }
        world.history.close()
    }

    @Test func `takes no digest of another log`() async throws {
        let (world, good) = try await world()
        let (other, foreign) = try await self.world()
        var folder = good
        for (key, bytes) in foreign.files where key.hasSuffix(".digest") { folder.files[key] = bytes }
        let report = try await world.verify(folder)
        #expect(report.findings.filter { $0.kind == .changed }.count == digests(foreign).count)
        let empty = try await world.verify(Folder())
        #expect(!empty.isGood)
        world.history.close()
        other.history.close()
    }
}

extension Dictionary {
    fileprivate mutating func swapAt(_ left: Key, _ right: Key) { (self[left], self[right]) = (self[right], self[left]) }
}

@Suite struct `A gzip file` {
    private func expand(_ bytes: [UInt8], limit: Int = 1 << 20) throws -> [UInt8] {
        try bytes.withUnsafeBytes { try Gzip.expand($0, limit: limit) }
    }

    @Test func `gives back what was compressed, members one after another too`() throws {
        let text = Array(String(repeating: "audit ", count: 50_000).utf8)
        #expect(try expand(Gzip.compress(text)) == text)
        #expect(try expand(Gzip.compress([])) == [])
        #expect(try expand(Gzip.compress([1, 2]) + Gzip.compress([]) + Gzip.compress([3])) == [1, 2, 3])
        #expect(Gzip.compress(text) == Gzip.compress(text))
    }

    @Test func `refuses bombs, pieces and garbage`() {
        let bomb = Gzip.compress([UInt8](repeating: 0, count: 4 << 20))
        #expect(throws: GzipError.tooLarge(limit: 1 << 20)) { try expand(bomb) }
        #expect(throws: GzipError.malformed) { try expand([]) }
        let whole = Gzip.compress(Array("hello hello".utf8))
        for count in 0..<whole.count { #expect(throws: GzipError.malformed) { try expand(Array(whole.prefix(count))) } }
        #expect(throws: GzipError.malformed) { try expand(whole + [1]) }
        for offset in whole.indices.dropFirst(10) {
            var flipped = whole
            flipped[offset] ^= 4
            #expect((try? expand(flipped)) == nil)
        }
    }
}

@Suite struct `The array splitter` {
    private func value(_ depth: Int, _ random: inout SeededGenerator) -> Any {
        switch Int.random(in: 0..<(depth > 3 ? 3 : 5), using: &random) {
        case 0: return Int.random(in: -1000...1000, using: &random)
        case 1:
            return String(
                (0..<Int.random(in: 0..<9, using: &random)).map { _ in "ab\"\\[]{},:é\n\u{1F600}".randomElement(using: &random)! }
            )
        case 2: return Bool.random(using: &random)
        case 3: return (0..<Int.random(in: 0..<4, using: &random)).map { _ in value(depth + 1, &random) }
        default:
            return Dictionary((0..<Int.random(in: 0..<4, using: &random)).map { ("k\"]\($0)", value(depth + 1, &random)) }) { $1 }
        }
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func `finds the elements that a JSON parser finds`(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let array = (0..<Int.random(in: 0..<6, using: &random)).map { _ in value(0, &random) }
        let text = Array(try JSONSerialization.data(withJSONObject: array))
        var found: [[UInt8]] = []
        #expect(text.withUnsafeBytes { JSONArraySplitter.split($0) { found.append(Array($0)) } }, "seed \(seed)")
        #expect(found.count == array.count, "seed \(seed)")
        for (bytes, element) in zip(found, array) {
            let parsed = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            #expect("\(parsed)" == "\(element)" || (parsed as? NSObject) == (element as? NSObject), "seed \(seed)")
        }
        for cut in 1..<max(text.count, 1) { _ = text[..<cut].withUnsafeBytes { JSONArraySplitter.split($0) { _ in } } }
    }
}
