// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine
import Testing

/// So many records that an array of them would take long: what each says follows from its number.
struct ManyRecords {
    var count: Int
    var first = 0

    init(count: Int) { self.count = count }

    /// Three thousand records share a second, give or take five: times repeat within a segment and from one to the next.
    static func time(_ number: Int) -> Int64 { Int64(number / 3000 * 1000 + number * 7919 % 5000 / 10 * 10) }

    private static func account(_ number: Int) -> String { number % 50_000 == 49_999 ? "bert" : "anna" }
    private static func unique(_ number: Int) -> String { number % 20 == 3 ? "same" : "u\(number)" }
    private static func isBlue(_ number: Int) -> Bool { number % 97 == 0 }
    private static func isHalf(_ number: Int) -> Bool { number / 100_000 % 2 == 0 }

    static func record(_ number: Int) -> SampleRecord {
        SampleRecord(
            account: account(number), time: time(number), unique: unique(number), colour: isBlue(number) ? "blue" : "red",
            tags: ["t\(number % 1000)"] + (isHalf(number) ? ["half"] : []))
    }

    func batches(_ range: Range<Int>, _ engine: LogEngine) -> [LogEngine.Batch] {
        var batches: [LogEngine.Batch] = []
        var next = range.lowerBound
        while next < range.upperBound {
            let account = Self.account(next)
            let hasher = engine.hasher(account: account)
            var facts = RowFacts()
            var payload = engine.newFrame(account: account)
            while next < range.upperBound, payload.count < 500, Self.account(next) == account {
                let record = Self.record(next)
                record.bytes.withUnsafeBytes { payload.append($0, flags: [], receivedDigest: nil) }
                record.index(hasher, &facts)
                next += 1
            }
            batches.append(LogEngine.Batch(account: account, frames: [payload.prepared()], facts: facts))
        }
        return batches
    }

    /// A field of few values is told by their numbers, however many rows there are; one of ids is not.
    func expectColumns(in store: Store) throws {
        for source in store.engine.rowSources(RowQuery(account: "anna", condition: .all, times: .min ... .max)) {
            let part = try source.open()
            let tags = try #require(try part.codes(ofField: SampleRecord.tag))
            #expect(tags.values.count >= 1001)
            guard part.rowCount > 1 << 16 else { continue }
            #expect(try part.codes(ofField: SampleRecord.unique) == nil)
        }
    }

    /// Questions whose lists are long, short and empty; each from several places, in both directions.
    func expectSame(as store: Store, _ label: String, seed: UInt64) throws {
        var random = Seeded(seed)
        try #require(store.engine.endSequence == UInt64(count) && store.engine.firstSequence == UInt64(first), "\(label)")
        let order = (first..<count).map { LogPosition(time: Self.time($0), sequence: UInt64($0)) }.sorted()
        let questions: [(terms: [(field: UInt8, value: String)], isMatch: (Int) -> Bool)] = [
            ([], { _ in true }),
            ([(SampleRecord.colour, "red")], { !Self.isBlue($0) }),
            ([(SampleRecord.colour, "blue")], { Self.isBlue($0) }),
            ([(SampleRecord.unique, "same")], { Self.unique($0) == "same" }),
            ([(SampleRecord.tag, "half"), (SampleRecord.colour, "red")], { Self.isHalf($0) && !Self.isBlue($0) }),
            ([(SampleRecord.tag, "half"), (SampleRecord.tag, "t7")], { Self.isHalf($0) && $0 % 1000 == 7 }),
            (
                [(SampleRecord.unique, "same"), (SampleRecord.tag, "half"), (SampleRecord.colour, "blue")],
                { Self.unique($0) == "same" && Self.isHalf($0) && Self.isBlue($0) }
            ),
            ([(SampleRecord.colour, "green")], { _ in false }),
        ]
        for question in questions {
            for direction in [SearchDirection.oldestFirst, .newestFirst] {
                for _ in 0..<2 {
                    let account = random.below(4) == 0 ? "bert" : "anna"
                    let after = order[random.below(order.count)]
                    let edge = order[random.below(order.count)].time
                    let times = direction == .oldestFirst ? Int64.min...max(edge, after.time) : min(edge, after.time)...Int64.max
                    let ordered = direction == .oldestFirst ? order : order.reversed()
                    let expected = ordered.lazy.filter { position in
                        let number = Int(position.sequence)
                        return times.contains(position.time) && Self.account(number) == account && question.isMatch(number)
                            && (direction == .oldestFirst ? after < position : position < after)
                    }
                    let query = store.query(account, question.terms, times: times, direction: direction, after: after)
                    let found = try store.search(query, limit: 300)
                    try #require(found == Array(expected.prefix(300)), "\(label): \(account) \(question.terms) \(query)")
                }
            }
        }
        // And all of a long list, from end to end.
        let all = order.filter { Self.account(Int($0.sequence)) == "anna" && !Self.isBlue(Int($0.sequence)) }
        let found = try store.search(store.query("anna", [(SampleRecord.colour, "red")], direction: .oldestFirst))
        let isSame = found == all
        try #require(isSame, "\(label): \(found.count) of \(all.count)")
        for _ in 0..<200 {
            let number = first + random.below(count - first)
            let record = Self.record(number)
            try #require(try store.engine.record(at: UInt64(number)).bytes == record.bytes, "\(label): \(number)")
            guard record.unique != "same" else { continue }
            let hash = store.engine.hasher(account: record.account).hash(field: SampleRecord.unique, value: record.unique)
            try #require(try store.engine.sequences(uniqueHash: hash) == [UInt64(number)], "\(label): \(number)")
        }
        try expectSuspects(store, label)
    }

    /// Nothing known is missed, and of what is new hardly more is suspected than a filter may.
    private func expectSuspects(_ store: Store, _ label: String) throws {
        var facts = RowFacts()
        for number in 0..<4000 {
            let isKnown = number % 2 == 0
            let place = first + number * 127 % (count - first)
            let unique = isKnown ? Self.record(place).unique : "new\(number)"
            let hash = store.engine.hasher(account: isKnown ? Self.account(place) : "anna").hash(
                field: SampleRecord.unique, value: unique)
            facts.append(term: .init(field: SampleRecord.unique, hash: hash))
            facts.endRow(time: 0, uniqueHash: hash)
        }
        let suspects = Set(try store.engine.possiblyKnown(facts))
        try #require((0..<2000).allSatisfy { suspects.contains($0 * 2) }, "\(label)")
        try #require(suspects.count <= 2000 + 60, "\(label): \(suspects.count - 2000) new keys are suspected")
    }
}
