// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService
import Testing

/// A logstore as an array of logs: every answer by looking at each of them.
struct StoreModel {
    struct Entry {
        var sequence: Int
        var log: Log
        var group: LogGroup

        /// As the engine orders logs.
        var milliseconds: Int64 { Int64(log.time) * 1000 + Int64((log.nanoseconds ?? 0) / 1_000_000) }

        var forSearch: SearchLog {
            var found = SearchLog(topic: group.topic, source: group.source)
            found.tags = group.tags
            found.contents = log.contents
            return found
        }

        /// As a search answers it.
        var row: [Log.Field] {
            var row = [Log.Field("__time__", String(log.time))]
            if let nanoseconds = log.nanoseconds { row.append(.init("__time_ns_part__", String(nanoseconds))) }
            row += [.init("__topic__", group.topic), .init("__source__", group.source)]
            row += group.tags.map { .init("__tag__:" + $0.key, $0.value) }
            for (place, field) in log.contents.enumerated()
            where !log.contents[(place + 1)...].contains(where: { $0.key == field.key }) { row.append(field) }
            return row
        }
    }

    var entries: [Entry] = []
    /// How many, from the first on, are gone.
    var first = 0

    mutating func append(_ group: LogGroup) {
        for log in group.logs { entries.append(Entry(sequence: entries.count, log: log, group: group)) }
    }

    /// In order of time, then of arrival.
    func found(by query: LogQuery, index: IndexConfiguration) throws -> [Entry] {
        let plan = try SearchPlan(query.text, index: index)
        let times = query.times.lowerBound / 1_000_000...(query.times.upperBound - 1) / 1_000_000
        return entries[first...].filter { entry in
            times.contains(entry.milliseconds) && (query.topic ?? entry.group.topic) == entry.group.topic
                && entry.forSearch.isFound(by: plan)
        }.sorted { ($0.milliseconds, $0.sequence) < ($1.milliseconds, $1.sequence) }
    }

    func expectSame(
        as service: LogService, _ logstore: Logstore, _ query: LogQuery, page: Int, _ label: String
    ) async throws {
        let index = try LogRegistry.configuration(ofIndex: try #require(logstore.index))
        let entries = try found(by: query, index: index)
        let found = entries.map(\.row)
        for isReverse in [false, true] {
            let expected = isReverse ? found.reversed() : found
            var query = query
            query.isReverse = isReverse
            query.line = page
            // The last page has no rows, or too few.
            for offset in stride(from: 0, through: min(expected.count, 6 * page), by: page) {
                query.offset = offset
                let answer = try await service.query(query, in: logstore)
                try #require(answer.isComplete)
                let rows = Array(expected.dropFirst(offset).prefix(page))
                // Told shortly: a comparison of the rows in an expectation would be pages long.
                let isSame = answer.rows == rows
                try #require(
                    isSame,
                    """
                    \(label): \(query) \(index)
                    missing \(rows.first { !answer.rows.contains($0) }.map { "\($0)" } ?? "none")
                    too much \(answer.rows.first { !rows.contains($0) }.map { "\($0)" } ?? "none")
                    """)
            }
        }
        let histogram = try await service.histogram(query, interval: nil, in: logstore)
        try #require(histogram.isComplete)
        for bucket in histogram.buckets {
            // An edge that is not a whole second is of a search only.
            let count = entries.count { (bucket.from * 1000..<bucket.to * 1000).contains($0.milliseconds) }
            try #require(bucket.count == count, "\(label): \(query)\n\(bucket)")
        }
        try #require(histogram.count == entries.count, "\(label): \(query)")
    }
}

/// Random logs, indexes and searches for a store.
struct StoreMaker {
    static let start = StoreWorld.start / 1000

    var maker: SearchMaker
    private var made = 0

    init(seed: UInt64) { maker = SearchMaker(seed: seed) }

    mutating func group() -> LogGroup {
        let first = maker.log()
        let logs = (0..<maker.random.pick([1, 1, 2, 5, 20])).map { _ in
            var contents = maker.log().contents
            made += 1
            if maker.random.chance(2, of: 3) { contents.append(.init("id", "id-\(made)")) }
            if maker.random.chance(1, of: 3) { contents.append(.init("colour", maker.random.pick(["red", "green", "BLUE"]))) }
            // Now and then what only looks like a tag or a leaf, and what is too long for a list of its own.
            if maker.random.chance(1, of: 8) { contents.append(.init("__tag__:a", maker.text())) }
            if maker.random.chance(1, of: 8) { contents.append(.init("event.b", maker.text())) }
            if maker.random.chance(1, of: 8) { contents.append(.init("event", maker.json())) }
            if maker.random.chance(1, of: 12) {
                contents.append(.init("plain", maker.text() + String(repeating: " filler", count: 40) + " " + maker.text()))
            }
            return Log(
                time: UInt32(Self.start) + UInt32(maker.random.below(600)),
                nanoseconds: maker.random.chance(1, of: 2) ? UInt32(maker.random.below(1_000_000_000)) : nil, contents: contents)
        }
        let topic = maker.random.chance(1, of: 10) ? String(repeating: "topic ", count: 50) : first.topic
        return LogGroup(logs: logs, topic: topic, source: first.source, tags: first.tags)
    }

    /// Together with fields of its own, as a client would send it.
    mutating func index() throws -> Data {
        var index = maker.index()
        for key in ["id", "colour", "event.b", "__tag__:a", "other"] where maker.random.chance(1, of: 2) {
            index.fields[key] = .value(
                .init(kind: .text(.init(isCaseSensitive: maker.random.chance(1, of: 2))), isColumn: true))
        }
        if maker.random.chance(1, of: 6) { index.fields["event"] = .value(.init(kind: .text(.init()), isColumn: true)) }
        for key in ["plain", "with.dot", "long"] where maker.random.chance(1, of: 5) { index.fields[key] = nil }
        index.textLimit = maker.random.pick([64, 100, 2048])
        return try StoreIndex.json(index)
    }

    /// One that the index can answer.
    mutating func query(_ index: IndexConfiguration, _ model: StoreModel) -> LogQuery {
        while true {
            var text = maker.written(maker.expression())
            if maker.random.chance(1, of: 4), let entry = model.entries.randomElement(using: &maker.random) {
                let id = entry.log.contents.first { $0.key == "id" }?.value ?? "id-7"
                text = maker.random.pick([
                    "id: \(id)", "\(id)", "not id: \(id)", "id: *", "colour: red and id: id-1*", "colour: BLUE",
                ])
            }
            guard (try? SearchPlan(text, index: index)) != nil else { continue }
            var query = LogQuery(text: text, times: Self.start * 1_000_000_000..<(Self.start + 600) * 1_000_000_000)
            if maker.random.chance(1, of: 3) {
                let from = (Self.start + Int64(maker.random.below(500))) * 1_000_000_000
                query.times = from..<from + Int64(1 + maker.random.below(300)) * 1_000_000_000
            }
            if maker.random.chance(1, of: 8) { query.topic = maker.random.pick(["", "alpha", "none"]) }
            return query
        }
    }
}
