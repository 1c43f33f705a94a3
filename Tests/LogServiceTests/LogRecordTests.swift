// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService
import TestSupport
import Testing

@Suite struct `A log as a record` {
    private static let formats = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "docs/formats")

    @Test func `is as its page says`() throws {
        let page = try String(contentsOf: Self.formats.appending(path: "log.md"), encoding: .utf8)
        let block = try #require(page.components(separatedBy: "```hex log\n").dropFirst().first)
        let bytes = block.components(separatedBy: "```")[0].split(separator: "\n").flatMap { line in
            line.prefix { $0 != ";" }.split(separator: " ").map { UInt8($0, radix: 16)! }
        }
        let log = Log(time: 1_447_048_976, contents: [.init("TestKey", "TestContent")])
        let group = LogGroup(logs: [log], source: "10.10.10.1")
        #expect(LogRecord.encode(log, of: group, shard: 1, origin: nil) == bytes)
        let stored = try #require(Self.read(bytes))
        #expect(stored.log.log == log)
        #expect(stored.log.source == "10.10.10.1" && stored.log.topic == "" && stored.log.tags.isEmpty)
        #expect(stored.log.shard == 1)
        #expect(stored.origin == nil)
    }

    private static func read(_ bytes: [UInt8]) -> (log: StoredLog, origin: LogRecord.Origin?)? {
        bytes.withUnsafeBytes { buffer in
            var record = LogRecord()
            guard record.read(buffer) else { return nil }
            return (record.stored(sequence: 0, receivedAt: 0), record.origin)
        }
    }

    private static let texts = [
        "", "a", "TestKey", "\0", "a\0b\0", "中文 и ещё", "é", "e\u{301}", "😀\u{200D}👩", "\u{10FFFF}", "\u{FEFF}", "\\u0041\\",
        "\u{1}\u{F}", String(repeating: "long ", count: 100), String(repeating: "界", count: 70), "\r\n\t\"", "\u{7F}\u{80}",
    ]

    private static func random(_ random: inout SeededGenerator) -> (
        log: Log, group: LogGroup, shard: Int, origin: LogRecord.Origin?
    ) {
        func fields(_ count: Int) -> [Log.Field] {
            (0..<count).map { _ in Log.Field(random.pick(texts), random.pick(texts) + random.pick(texts)) }
        }
        let log = Log(
            time: random.pick([0, 1, 127, 128, 1_767_225_600, .max]), nanoseconds: random.pick([nil, 0, 1, 999_999_999]),
            contents: fields(random.pick([0, 1, 2, 5, 60])))
        let group = LogGroup(
            logs: [log], topic: random.pick(texts), source: random.pick(texts), tags: fields(random.below(4)))
        let origin: LogRecord.Origin? =
            random.chance(1, of: 2) ? .init(stream: random.pick([1, 300]), position: random.pick([0, 1, 1 << 40, .max])) : nil
        return (log, group, random.pick([0, 1, 127, 255, 100_000]), origin)
    }

    @Test(arguments: UInt64(0)..<8) func `comes back as it was`(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        for _ in 0..<500 {
            let made = Self.random(&random)
            let bytes = LogRecord.encode(made.log, of: made.group, shard: made.shard, origin: made.origin)
            let read = try #require(Self.read(bytes))
            try #require(read.origin == made.origin)
            let stored = read.log
            // Texts are compared by their bytes: two spellings of a letter are not one.
            func parts(_ fields: [Log.Field]) -> [[UInt8]] { fields.flatMap { [Array($0.key.utf8), Array($0.value.utf8)] } }
            try #require(stored.log.time == made.log.time && stored.log.nanoseconds == made.log.nanoseconds)
            try #require(parts(stored.log.contents) == parts(made.log.contents))
            try #require(parts(stored.tags) == parts(made.group.tags))
            try #require(stored.topic.utf8.elementsEqual(made.group.topic.utf8))
            try #require(stored.source.utf8.elementsEqual(made.group.source.utf8))
            try #require(stored.shard == made.shard)
        }
    }

    @Test(arguments: UInt64(0)..<8) func `that is none is refused without a trap`(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        var refused = 0
        for _ in 0..<1500 {
            let made = Self.random(&random)
            var bytes = LogRecord.encode(made.log, of: made.group, shard: made.shard, origin: made.origin)
            switch random.below(5) {
            case 0: bytes.removeLast(1 + random.below(bytes.count))
            case 1: bytes.removeFirst(1 + random.below(bytes.count))
            case 2:
                // In the facts, where it hurts.
                for _ in 0...random.below(3) {
                    bytes[bytes.count - 1 - random.below(min(bytes.count, 60))] = UInt8(random.below(16))
                }
            case 3: for _ in 0...random.below(4) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
            default: bytes = (0..<random.below(80)).map { _ in UInt8(random.below(random.chance(1, of: 2) ? 16 : 256)) }
            }
            if Self.read(bytes) == nil { refused += 1 }
        }
        #expect(refused > 600)
    }

    @Test func `whose counts are enormous is refused at once`() {
        // 2^31 - 1 fields, and a text of as many bytes.
        for facts in [
            [0, 1, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x07], [0, 1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0, 0, 0],
            [0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [4, 1, 0, 0, 0, 0, 0], [], [3],
        ] as [[UInt8]] {
            var bytes: [UInt8] = [0, 0]
            for fact in facts { bytes += [fact & 15, fact >> 4] }
            for half in 0..<6 { bytes.append(UInt8(facts.count >> (4 * half) & 15)) }
            #expect(Self.read(bytes) == nil, "\(facts)")
        }
        #expect(Self.read([15, 15, 15, 15, 15, 15]) == nil)
    }

    @Test func `has its texts byte for byte`() {
        let event = #"{"eventName":"Delete\u0042ucket","userIdentity":{"type":"root"}}"#
        let log = Log(time: 1, contents: [.init("event", event)])
        let bytes = LogRecord.encode(log, of: LogGroup(logs: [log]), shard: 0, origin: nil)
        #expect(bytes.starts(with: Array("\0\0event\0\(event)\0".utf8)))
        #expect(bytes.dropFirst(2 + 6 + event.utf8.count + 1).allSatisfy { $0 < 16 })
    }
}
