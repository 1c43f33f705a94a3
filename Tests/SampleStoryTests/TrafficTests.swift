// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleStory
import Testing

@Suite struct `Made-up traffic` {
    private static let start: Int64 = 1_767_225_600

    private static func lines(_ count: Int, seed: UInt64 = 7) -> [[UInt8]] {
        var bytes: [UInt8] = []
        SampleTraffic(seed: seed, eventCount: count, start: start).writeLines { bytes += $0 }
        return bytes.split(separator: 0x0A).map { Array($0) }
    }

    @Test func `is the same for ever, and less of it the beginning of more`() {
        let lines = Self.lines(500)
        #expect(lines.count == 500)
        #expect(lines == Self.lines(500))
        #expect(Array(lines[..<200]) == Self.lines(200))
        #expect(lines != Self.lines(500, seed: 8))
        // A change here makes figures incomparable with those measured before.
        #expect(checksum(lines.joined()) == 0x5F3C_DAB7_3BDB_E52D)
    }

    @Test func `is of whole events with every slot filled`() throws {
        for line in Self.lines(2000) {
            let event = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
            for field in ["eventId", "eventName", "eventTime", "serviceName", "sourceIpAddress", "userAgent", "eventRW"] {
                #expect((event[field] as? String)?.isEmpty == false)
            }
            let identity = try #require(event["userIdentity"] as? [String: Any])
            #expect(identity["userName"] is String && identity["accountId"] as? String == event["recipientAccountId"] as? String)
            #expect(!line.contains(0xE2), "the mark of a slot begins with this byte")
            if let text = event["requestParameterJson"] as? String {
                let parameters = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary
                #expect(parameters == event["requestParameters"] as? NSDictionary)
            }
        }
    }

    @Test(arguments: [7, 11] as [UInt64])
    func `has the size, the variety and the skew of real traffic`(seed: UInt64) throws {
        let lines = Self.lines(20_000, seed: seed)
        var counts: [String: [String: Int]] = [:]
        for line in lines {
            let event = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
            let identity = event["userIdentity"] as? [String: Any]
            for (field, value) in [
                ("name", event["eventName"]), ("service", event["serviceName"]), ("error", event["errorCode"]),
                ("address", event["sourceIpAddress"]), ("user", identity?["userName"]), ("key", identity?["accessKeyId"]),
                ("id", event["eventId"]),
            ] {
                if let value = value as? String { counts[field, default: [:]][value, default: 0] += 1 }
            }
        }
        func distinct(_ field: String) -> Int { counts[field]?.count ?? 0 }
        func entropy(_ field: String) -> Double {
            let all = Double(counts[field]?.values.reduce(0, +) ?? 1)
            return counts[field]?.values.reduce(0) { $0 - Double($1) / all * log2(Double($1) / all) } ?? 0
        }
        #expect((1330...1530).contains(lines.reduce(0) { $0 + $1.count } / lines.count))
        #expect(distinct("id") == lines.count)
        #expect(distinct("service") == 50)
        #expect((1000...1250).contains(distinct("name")) && (7.5...8.7).contains(entropy("name")))
        #expect((900...1600).contains(distinct("user")) && (6.2...7.6).contains(entropy("user")))
        #expect((900...2200).contains(distinct("key")) && (6...8).contains(entropy("key")))
        #expect((400...1100).contains(distinct("address")) && (4...6.5).contains(entropy("address")))
        #expect(distinct("error") == 18)
        #expect((1200...1600).contains(counts["error"]?.values.reduce(0, +) ?? 0))
    }

    @Test func `draws ranks as often as their weights say`() {
        let draw = Zipf(10, exponent: 32)
        var generator = SplitMix64(seed: 1)
        var counts = [Int](repeating: 0, count: 10)
        for _ in 0..<100_000 { counts[draw.next(using: &generator)] += 1 }
        let harmonic = (1...10).reduce(0) { $0 + 1 / Double($1) }
        for (rank, count) in counts.enumerated() {
            let expected = 100_000 / Double(rank + 1) / harmonic
            #expect(abs(Double(count) - expected) < 5 * expected.squareRoot())
        }
        #expect(Zipf.power(2, 32) == 2 && Zipf.power(2, 16) == 2.squareRoot())
        var alone = SplitMix64(seed: 2)
        #expect(Zipf(weights: [3]).next(using: &alone) == 0)
    }
}
