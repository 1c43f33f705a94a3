// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine
import Testing

/// A condition as the engine gets it, and as it is evaluated on a record by itself.
private struct Condition: CustomStringConvertible {
    var rows: RowCondition
    /// Whether the index must know it for certain.
    var isExact: Bool
    var matches: @Sendable (_ sequence: Int, WordRecord) -> Bool
    var description: String

    static func random(_ store: WordStore, _ log: WordLog, account: String, depth: Int, _ random: inout Seeded) -> Condition {
        let pattern = log.records[log.first + random.below(log.held.count)]
        let engine = store.engine
        let hasher = engine.hasher(account: account)
        switch depth > 0 ? random.below(8) : random.below(5) {
        case 0:
            return Condition(rows: .all, isExact: true, matches: { _, _ in true }, description: "all")
        case 1:
            let tag = pattern.fields.tags?.first ?? "none"
            return Condition(
                rows: .term(.init(field: WordRecord.tag, hash: hasher.hash(field: WordRecord.tag, value: tag))), isExact: true,
                matches: { $1.fields.tags?.contains(tag) ?? false }, description: "tag \(tag)")
        case 2:
            let word = pattern.words.sorted().randomElement(using: &random) ?? "x"
            return Condition(
                rows: .words(store.engine.words(of: word, account: account)), isExact: false,
                matches: { $1.words.contains(word) }, description: "word \(word)")
        case 3, 4:
            // A colour that ends like another; every third one is left to the records.
            let ending = pattern.fields.colour?.last ?? "x"
            let asksRecords = random.below(3) == 0
            let since = random.below(3) == 0 ? random.below(log.records.count + 1) : 0
            let records = log.records
            let word = pattern.fields.colour ?? "x"
            return Condition(
                rows: .value(
                    FieldTest(
                        field: WordRecord.colour,
                        otherwise: asksRecords ? .words(store.engine.words(of: word, account: account)) : .all,
                        since: UInt64(since),
                        matches: { key, example in
                            let record = records[Int(example)]
                            let colour = try #require(record.fields.colour)
                            // A segment may have values of other accounts.
                            let hasher = engine.hasher(account: record.account)
                            #expect(GroupCounts.isKey(key, of: hasher.hash(field: WordRecord.colour, value: colour)))
                            return asksRecords ? nil : colour.last == ending
                        })), isExact: !asksRecords && since == 0,
                matches: { _, record in
                    asksRecords ? record.fields.colour == word : record.fields.colour?.last == ending
                }, description: asksRecords ? "colour \(word), by records" : "colour …\(ending) since \(since)")
        case 5:
            let inner = Condition.random(store, log, account: account, depth: depth - 1, &random)
            return Condition(
                rows: .not(inner.rows), isExact: inner.isExact, matches: { !inner.matches($0, $1) },
                description: "not (\(inner))")
        case let kind:
            let inner = (0..<random.below(4)).map { _ in
                Condition.random(store, log, account: account, depth: depth - 1, &random)
            }
            let text = inner.map { "(\($0))" }.joined(separator: kind == 6 ? " and " : " or ")
            return kind == 6
                ? Condition(
                    rows: .and(inner.map(\.rows)), isExact: inner.allSatisfy(\.isExact),
                    matches: { sequence, record in inner.allSatisfy { $0.matches(sequence, record) } }, description: text)
                : Condition(
                    rows: .or(inner.map(\.rows)), isExact: inner.allSatisfy(\.isExact),
                    matches: { sequence, record in inner.contains { $0.matches(sequence, record) } }, description: text)
        }
    }
}

@Suite struct `Rows that match a condition` {
    private static func expectSame(
        _ store: WordStore, _ log: WordLog, _ label: String, rounds: Int, _ random: inout Seeded
    ) throws {
        for _ in 0..<rounds {
            let account = log.records[log.first + random.below(log.held.count)].account
            let condition = Condition.random(store, log, account: account, depth: 3, &random)
            let ends = (0..<2).map { _ in log.records[log.first + random.below(log.held.count)].fields.time }
            let times = random.below(2) == 0 ? Int64.min ... .max : ends.min()!...ends.max()!
            let text = "\(label): \(account), \(times): \(condition)"
            let query = RowQuery(account: account, condition: condition.rows, times: times)
            let expected = log.held.filter {
                log.records[$0].account == account && times.contains(log.records[$0].fields.time)
                    && condition.matches($0, log.records[$0])
            }
            for direction in [SearchDirection.oldestFirst, .newestFirst] {
                var search = store.engine.rows(query, direction: direction)
                var found: [LogPosition] = []
                var last: LogPosition?
                while let (position, isCertain) = try search.next() {
                    let sequence = Int(position.sequence)
                    if let last { try #require(direction == .oldestFirst ? last < position : position < last, "\(text)") }
                    last = position
                    let isMatch = condition.matches(sequence, log.records[sequence])
                    if isCertain || condition.isExact { try #require(isMatch && isCertain, "\(text): \(sequence)") }
                    if isMatch { found.append(position) }
                }
                try #require(found == log.sorted(expected, direction), "\(text)")
            }
            // Counted by time, once settled.
            let low = expected.map { log.records[$0].fields.time }.min() ?? 0
            let edges = [low, low + 5, low + 50, low + 5000]
            var counts = [0, 0, 0]
            for source in store.engine.rowSources(query) {
                var part = try source.open()
                let isWhole = try part.settle { condition.matches(Int($0), log.records[Int($0)]) }
                try #require(isWhole)
                try part.tally(edges: edges, into: &counts)
                guard let column = try part.codes(ofField: WordRecord.colour) else { continue }
                for row in 0..<part.rowCount {
                    let record = log.records[Int(try part.position(of: row).sequence)]
                    let code = Int(column.codes[row])
                    try #require((code == 0) == (record.fields.colour == nil))
                    if code > 0 { #expect(log.records[Int(column.values[code].example)].fields.colour == record.fields.colour) }
                }
            }
            let tallied = (0..<3).map { bucket in
                expected.count { (edges[bucket]..<edges[bucket + 1]).contains(log.records[$0].fields.time) }
            }
            try #require(counts == tallied, "\(text)")
        }
    }

    @Test(arguments: UInt64(1)...4) func `are those of the records, whatever becomes of the store`(seed: UInt64) throws {
        let accounts = [["anna"], ["anna", "anna", "bert"]][Int(seed) % 2]
        try WordStoreLife(seed: seed, accounts: accounts, commits: 10).lead(rounds: (20, 60), Self.expectSame)
    }
}
