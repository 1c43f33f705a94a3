// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import TestSupport
import Testing

@Suite struct `A log group as protocol buffers` {
    /// Of bytes.
    static func field(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(UInt64(content.count)) + content
    }

    static func field(_ number: UInt64, _ value: UInt64) -> [UInt8] { varint(number << 3) + varint(value) }

    static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static func pair(_ key: String, _ value: String) -> [UInt8] { field(1, Array(key.utf8)) + field(2, Array(value.utf8)) }

    static let log = field(1, 1_700_000_000) + field(2, pair("k", "v"))

    static func code(_ bytes: [UInt8]) -> String {
        do throws(LogServiceError) {
            _ = try LogGroupCodec.decode(bytes)
            return "OK"
        } catch {
            return error.status == 400 ? error.code : "status \(error.status)"
        }
    }

    static func random(_ generator: inout SeededGenerator) -> LogGroup {
        let letters = Array("aZ09\u{0}\n\"é中😀")
        func text(_ count: ClosedRange<Int>) -> String {
            String((0..<Int.random(in: count, using: &generator)).map { _ in letters.randomElement(using: &generator) ?? "a" })
        }
        func pairs() -> [Log.Field] {
            (0..<Int.random(in: 0...4, using: &generator)).map { _ in Log.Field(text(1...20), text(0...300)) }
        }
        let logs = (0..<Int.random(in: 0...5, using: &generator)).map { _ in
            Log(
                time: UInt32.random(in: 0...UInt32.max, using: &generator),
                nanoseconds: Bool.random(using: &generator) ? UInt32.random(in: 0..<1_000_000_000, using: &generator) : nil,
                contents: pairs())
        }
        return LogGroup(logs: logs, topic: text(0...5), source: text(0...5), tags: pairs())
    }

    @Test(.enabled(if: WireVectors.sample != nil, Comment(rawValue: SharedFolder.noVectors)))
    func `is what the SDKs write`() throws {
        let sample = try #require(WireVectors.sample)
        let raw = WireVectors.bytes(sample.protobufBase64)
        let group = try LogGroupCodec.decode(raw)
        #expect(
            group.topic == "actiontrail_audit_event" && group.source == "192.0.2.10" && group.tags == [.init("trail", "demo")])
        let log = try #require(group.logs.first)
        #expect(log.time == 1_700_000_000 && log.nanoseconds == 123_456_789 && log.contents.map(\.key) == ["event"])
        #expect(log.contents[0].value.contains(#""eventName":"CreateTrail""#))
        #expect(LogGroupCodec.encode(group) == raw)
        let tiny = try LogGroupCodec.decode(WireVectors.bytes(sample.tiny.protobufBase64))
        #expect(
            tiny == LogGroup(logs: [Log(time: 1_447_048_976, contents: [.init("TestKey", "TestContent")])], source: "10.10.10.1"))
        #expect(LogGroupCodec.encode(list: [group, tiny]) == WireVectors.bytes(sample.logGroupList.protobufBase64))
    }

    @Test(arguments: 0..<200)
    func `is read as it was written`(_ seed: Int) throws {
        var generator = SeededGenerator(state: UInt64(seed))
        let group = Self.random(&generator)
        #expect(try LogGroupCodec.decode(LogGroupCodec.encode(group)) == group)
    }

    @Test(arguments: 0..<40)
    func `cut or changed anywhere is refused or is another one`(_ seed: Int) throws {
        var generator = SeededGenerator(state: UInt64(seed))
        let bytes = LogGroupCodec.encode(Self.random(&generator))
        for end in 0..<bytes.count { _ = Self.code(Array(bytes[..<end])) }
        for _ in 0..<200 {
            var changed = bytes
            for _ in 0...Int.random(in: 0...3, using: &generator) {
                changed[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if let group = try? LogGroupCodec.decode(changed) {
                #expect(try LogGroupCodec.decode(LogGroupCodec.encode(group)) == group, "seed \(seed)")
            }
        }
    }

    @Test func `passes over what it does not know, in any order`() throws {
        let unknown = Self.field(9, [1, 2]) + Self.field(10, 7) + [0x59] + [UInt8](repeating: 0, count: 8) + [0x65, 0, 0, 0, 0]
        let reserved = Self.field(2, Array("category".utf8)) + Self.field(5, Array("machine".utf8))
        let log = unknown + [0x25, 1, 0, 0, 0] + Self.field(2, unknown + Self.pair("a", "b")) + Self.field(1, 5)
        let group = try LogGroupCodec.decode(
            Self.field(6, Self.field(2, [0x76]) + Self.field(1, [0x74])) + reserved + Self.field(3, [0x78]) + Self.field(1, log)
                + Self.field(3, [0x79]) + unknown)
        #expect(
            group
                == LogGroup(
                    logs: [Log(time: 5, nanoseconds: 1, contents: [.init("a", "b")])], topic: "y", tags: [.init("t", "v")]))
        #expect(try LogGroupCodec.decode([]) == LogGroup(logs: []))
    }

    static let malformed: [(String, [UInt8])] = [
        ("the end of a number", [0x0A]), ("a number without end", [0x0A] + [UInt8](repeating: 0x80, count: 20)),
        ("a number of 65 bits", [0x08] + [UInt8](repeating: 0xFF, count: 9) + [2]), ("a length beyond the end", [0x0A, 5, 1]),
        ("a length of 64 bits", [0x0A] + [UInt8](repeating: 0xFF, count: 9) + [1]), ("a group", [0x0B, 0x0C]),
        ("the end of a group", [0x0C]), ("wire type 6", [0x0E, 0]), ("field 0", [2, 0]),
        ("a field beyond the last", varint(1 << 33) + [0]), ("a log that is a number", field(1, 1)),
        ("a topic that is a number", field(3, 1)), ("a source of fixed size", [0x25, 0, 0, 0, 0]),
        ("a log without time", field(1, field(2, pair("k", "v")))), ("a time of 33 bits", field(1, field(1, 1 << 32))),
        ("a time that is a text", field(1, field(1, [1]))),
        ("a content without value", field(1, field(1, 1) + field(2, field(1, [1])))),
        ("a content without key", field(1, field(1, 1) + field(2, field(2, [1])))), ("an empty tag", field(6, [])),
        ("nanoseconds as a varint", field(1, log + field(4, 1))), ("nanoseconds cut off", field(1, log + [0x25, 1, 2])),
    ]

    @Test(arguments: malformed)
    func `is refused with`(_ what: String, _ bytes: [UInt8]) {
        #expect(Self.code(bytes) == "PostBodyInvalid", "\(what)")
        #expect(Self.code(Self.field(1, Self.log) + bytes) == "PostBodyInvalid", "\(what), behind a log that is right")
    }

    @Test func `has texts and sizes within bounds`() {
        func content(_ key: [UInt8], _ value: [UInt8]) -> [UInt8] {
            Self.field(1, Self.field(1, 1) + Self.field(2, Self.field(1, key) + Self.field(2, value)))
        }
        #expect(Self.code(content([UInt8](repeating: 0x61, count: 128), [])) == "OK")
        #expect(Self.code(content([UInt8](repeating: 0x61, count: 129), [])) == "InvalidKey")
        #expect(Self.code(content([], [0x61])) == "InvalidKey")
        for bad: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE4, 0xB8]] {
            #expect(Self.code(content(bad, [])) == "InvalidEncoding")
            #expect(Self.code(content([0x61], bad)) == "InvalidEncoding")
            #expect(Self.code(Self.field(3, bad)) == "InvalidEncoding")
        }
        #expect(Self.code(content([0x61], [UInt8](repeating: 0x61, count: LogGroupCodec.maximumLogBytes - 20))) == "OK")
        #expect(Self.code(content([0x61], [UInt8](repeating: 0x61, count: LogGroupCodec.maximumLogBytes))) == "PostBodyTooLarge")
        #expect(Self.code(Self.field(1, Self.log + [0x25, 0xFF, 0xC9, 0x9A, 0x3B])) == "OK")
        #expect(Self.code(Self.field(1, Self.log + [0x25, 0, 0xCA, 0x9A, 0x3B])) == "InvalidTimestamp")
        let one = Self.field(1, Self.field(1, 1))
        let most = Array(repeatElement(one, count: LogGroupCodec.maximumLogs).joined())
        #expect(Self.code(most) == "OK")
        #expect(Self.code(most + one) == "PostBodyTooLarge")
    }
}
