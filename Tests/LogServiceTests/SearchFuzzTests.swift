// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import Testing

/// Whatever is asked of whatever bytes: there is an answer or a refusal.
@Suite struct SearchFuzzTests {
    private static let signs: [String] = [
        "(", ")", "\"", "\\\"", "\\", ":", "#\"", "*", "?", " ", "|", ">", "<=", "=", "in [", "in(", "]", "not ", " and ", " or ",
        "日", "\u{0}",
        "__tag__:", "event.", "1", "-", ".", "is not null", "select ", "é", "\r\n",
    ]

    @Test(arguments: 0..<4) func queriesAreAnsweredOrRefused(seed: UInt64) throws {
        var maker = SearchMaker(seed: seed &+ 2_000)
        var answered = 0
        for round in 0..<6_000 {
            var query = Array(maker.written(maker.expression()))
            for _ in 0...maker.random.below(4) {
                let place = maker.random.below(query.count + 1)
                switch maker.random.below(3) {
                case 0: query.insert(contentsOf: maker.random.pick(Self.signs), at: place)
                case 1: query.removeSubrange(place..<min(query.count, place + 1 + maker.random.below(3)))
                default: query = Array(query[..<place]) + maker.random.pick(Self.signs) + query[place...]
                }
            }
            let index = maker.index()
            do {
                let parts = try QueryParts(String(query))
                let plan = try SearchPlan(parts.search, index: index)
                let log = maker.log()
                _ = log.isFound(by: plan)
                answered += 1
            } catch {
                #expect(error.code == "ParameterInvalid", "round \(round): \(String(query))")
            }
        }
        #expect(answered > 600)
    }

    @Test(arguments: 0..<4) func bytesAreLookedThrough(seed: UInt64) throws {
        var maker = SearchMaker(seed: seed &+ 3_000)
        let paths = JSONLeafPaths(["a", "a.b", "b", "num"])
        var leaves: [JSONLeaf?] = [nil, nil, nil, nil]
        let walk = JSONLeafWalk()
        for _ in 0..<3_000 {
            var json = Array(maker.json().utf8)
            for _ in 0...maker.random.below(4) where !json.isEmpty {
                let place = maker.random.below(json.count)
                switch maker.random.below(3) {
                case 0: json[place] = UInt8(truncatingIfNeeded: maker.random.next())
                case 1: json.remove(at: place)
                default: json.insert(maker.random.pick([0x22, 0x5C, 0x7B, 0x7D, 0xC3, 0xED, 0xA0, 0xF4, 0xFF, 0x00]), at: place)
                }
            }
            guard let plan = try? SearchPlan(maker.written(maker.expression()), index: maker.index()) else { continue }
            var matcher = SearchMatcher(plan)
            json.withUnsafeBytes { bytes in
                paths.find(in: bytes, into: &leaves)
                var last: [String: [UInt8]] = [:]
                walk.forEachLeaf(in: bytes) { path, _, value in last[String(decoding: path, as: UTF8.self)] = Array(value) }
                for (path, leaf) in zip(["a", "a.b", "b", "num"], leaves) {
                    let value = leaf?.withText(scratch: ScratchBytes()) { Array($0) }
                    #expect(value == last[path])
                }
                Array("event".utf8).withUnsafeBytes { key in
                    Array("plain".utf8).withUnsafeBytes { other in
                        var view = LogView()
                        view.topic = bytes
                        view.tags = [.init(key: key, value: bytes)]
                        view.contents = [
                            .init(key: key, value: bytes), .init(key: other, value: bytes), .init(key: bytes, value: key),
                        ]
                        let first = matcher.matches(view)
                        #expect(matcher.matches(view) == first)
                    }
                }
            }
        }
    }

    /// Patterns and texts that repeat themselves do not take more than their lengths' product.
    @Test(.timeLimit(.minutes(1))) func repetitionIsNoTrap() throws {
        let value = String(repeating: "a", count: 1_000_000)
        let stars = String(repeating: "a*", count: 30) + "b"
        for query in ["exact:\(stars)", #"exact:#"\#(String(repeating: "a", count: 60_000))b""#] {
            let plan = try SearchPlan(query, index: SearchIndexes.trail)
            #expect(!SearchLog([("exact", value)]).isFound(by: plan))
        }
    }
}
