// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogEngine
import LogService
import Testing

/// What SQL is given of a logstore, against the logs themselves.
@Suite struct `A logstore as a table` {
    /// A column as this test reads it.
    private struct Column {
        var name: String
        var kind: SQLColumn.Kind
        /// Nil for the time.
        var text: ((SearchLog) -> String?)?
    }

    private static func columns(_ index: IndexConfiguration) -> [Column] {
        func kind(_ key: IndexConfiguration.Key) -> SQLColumn.Kind {
            switch key.kind {
            case .text: .varchar
            case .long: .bigint
            case .double: .double
            }
        }
        var columns = [
            Column(name: "__time__", kind: .bigint), Column(name: "__topic__", kind: .varchar) { $0.topic },
            Column(name: "__source__", kind: .varchar) { $0.source },
        ]
        for (key, field) in index.fields.sorted(by: { $0.key < $1.key }) {
            switch field {
            case .value(let value):
                columns.append(
                    Column(name: key, kind: kind(value)) { log in
                        key.hasPrefix("__tag__:")
                            ? log.tags.last { "__tag__:" + $0.key == key }?.value : log.contents.last { $0.key == key }?.value
                    })
            case .json(let json):
                columns.append(Column(name: key, kind: .varchar) { log in log.contents.last { $0.key == key }?.value })
                for (path, leaf) in json.leaves.sorted(by: { $0.key < $1.key }) {
                    let alone = IndexConfiguration(line: nil, fields: [key: field])
                    columns.append(
                        Column(name: "\(key).\(path)", kind: kind(leaf)) { log in
                            NaiveSearch(index: alone, log: log).look("\(key).\(path)").value
                        })
                }
            }
        }
        return columns
    }

    /// As many whole characters as fit into a number of bytes.
    private static func cut(_ text: String, _ limit: Int) -> String {
        var kept = String.UnicodeScalarView()
        var bytes = 0
        for scalar in text.unicodeScalars {
            bytes += UTF8.width(scalar)
            if bytes > limit { break }
            kept.append(scalar)
        }
        return String(kept)
    }

    private static func cell(_ text: String?, _ kind: SQLColumn.Kind, limit: Int) -> String {
        guard let text = text.map({ cut($0, limit) }) else { return "null" }
        switch kind {
        case .varchar: return "'\(text)"
        case .bigint: return Int64(text).map { "\($0)" } ?? "null"
        case .double: return Double(text).flatMap { $0.isFinite ? "\($0)" : nil } ?? "null"
        }
    }

    private static func cell(_ vector: ColumnVector, _ row: Int) -> String {
        switch vector {
        case .integers(let values, let nulls): nulls?[row] ?? false ? "null" : "\(values[row])"
        case .doubles(let values, let nulls): nulls?[row] ?? false ? "null" : "\(values[row])"
        case .dictionary(let codes, let values): codes[row] == 0 ? "null" : values[Int(codes[row])].map { "'\($0)" } ?? "null"
        case .texts(let texts): texts[row].map { "'\($0)" } ?? "null"
        }
    }

    @Test(arguments: UInt64(0)..<10) func `has the rows that the logs make`(seed: UInt64) async throws {
        let world = try StoreWorld(tailRows: [16, 60][Int(seed % 2)])
        let service = try world.open()
        var maker = StoreMaker(seed: seed &+ 1000)
        var logstore = try await service.made(try StoreWorld.logstore(index: maker.index()))
        var model = StoreModel()
        var grouped = 0
        for step in 0..<4 {
            for _ in 0..<12 {
                let group = maker.group()
                try await service.put(group, into: logstore)
                model.append(group)
            }
            if step % 2 == 1 { try await service.settle(logstore) }
            if step == 2 {
                // Old logs are in the table of a new index.
                try service.registry.setIndex(try maker.index(), logstore: "audit", project: "trails", isNew: false)
                logstore = try service.registry.logstore("audit", project: "trails")
            }
            let index = try LogRegistry.configuration(ofIndex: logstore.index!)
            let columns = Self.columns(index)
            let store = try await service.store(logstore)
            for round in 0..<16 {
                var query = maker.query(index, model)
                if round % 2 == 0 { query.text = "*" }
                let table = LogTable(
                    store: store, query: query, plan: try store.plan(query.text),
                    limit: WorkLimit(deadline: .now + .seconds(600), isCancelled: { false }))
                try #require(table.columns.map(\.name) == columns.map(\.name))
                try #require(table.columns.map(\.type) == columns.map(\.kind))
                let wanted = columns.indices.filter { _ in maker.maker.random.chance(1, of: 4) }
                let hasTime = wanted.contains(0)
                let step: Int64? = maker.maker.random.pick([1, 7, 60, 3600])
                let grouping: ScanGrouping? =
                    maker.maker.random.chance(2, of: 3) ? ScanGrouping(timeStep: hasTime ? step : nil) : nil
                let shift: Int64 = maker.maker.random.pick([0, 0, 100])
                let times = query.times
                query.times = times.lowerBound - shift * 1_000_000_000..<times.upperBound - shift * 1_000_000_000
                func time(_ seconds: Int64) -> String {
                    guard hasTime, let grouping = grouping?.timeStep else { return "\(seconds)" }
                    return "\(seconds / grouping * grouping)"
                }
                var expected: [[String]: Int] = [:]
                for entry in try model.found(by: query, index: index) {
                    let row = wanted.map { column in
                        columns[column].text.map {
                            Self.cell($0(entry.forSearch), columns[column].kind, limit: index.textLimit)
                        } ?? time(Int64(entry.log.time))
                    }
                    expected[row, default: 0] += 1
                }
                var rows: [[String]: Int] = [:]
                var scan = try table.scan(wanted, grouping: grouping, shift: shift)
                while let batch = try scan.nextBatch() {
                    try #require(batch.columns.count == wanted.count && batch.weights?.count ?? batch.count == batch.count)
                    if batch.weights != nil { grouped += 1 }
                    for row in 0..<batch.count {
                        let cells = zip(wanted, batch.columns).map { column, vector in
                            column == 0 ? time(Int64(Self.cell(vector, row))!) : Self.cell(vector, row)
                        }
                        rows[cells, default: 0] += Int(batch.weights?[row] ?? 1)
                    }
                }
                let isSame = rows == expected
                try #require(
                    isSame,
                    """
                    seed \(seed), step \(step ?? 0), columns \(wanted.map { columns[$0].name }), \(String(describing: grouping)): \
                    \(query)
                    missing \(expected.first { rows[$0.key] != $0.value }.map { "\($0)" } ?? "none")
                    too much \(rows.first { expected[$0.key] != $0.value }.map { "\($0)" } ?? "none")
                    """)
            }
        }
        #expect(grouped > 5)
        service.close()
    }

    @Test func `cuts texts at a whole character`() async throws {
        let service = try StoreWorld().open()
        let index = Data(#"{"keys":{"t":{"type":"text","doc_value":true}},"max_text_len":64}"#.utf8)
        let logstore = try await service.made(try StoreWorld.logstore(index: index))
        let texts = (0..<8).flatMap { padding in
            ["é", "界", "😀", "x"].map { String(repeating: "a", count: padding) + String(repeating: $0, count: 70) }
        }
        try await service.put(
            LogGroup(logs: texts.map { Log(time: 1_767_225_600, contents: [.init("t", $0)]) }), into: logstore)
        var query = LogQuery(text: "* | SELECT t, count(1) AS c GROUP BY t LIMIT 100", times: 0..<Int64.max / 2)
        query.line = 100
        let answer = try await service.query(query, in: logstore)
        let found = Set(answer.rows.map { $0[0].value })
        #expect(found == Set(texts.map { Self.cut($0, 64) }))
        #expect(found.allSatisfy { $0.utf8.count > 60 && $0.utf8.count <= 64 })
    }
}
