// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import KeyManagement
import LogEngine
import Synchronization
import TestSupport
import Testing

typealias Seeded = SeededGenerator

extension SeededGenerator {
    init(_ seed: UInt64) { self.init(state: seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678_9ABC_DEF1) }
}

/// A record of the tests: its text says everything that is indexed.
///
/// `account|time|unique|colour|tag,tag,…|filling`
struct SampleRecord: Equatable, IndexedRecord {
    static let unique: UInt8 = 1
    static let colour: UInt8 = 2
    static let tag: UInt8 = 3

    var account: String
    var time: Int64
    var unique: String
    var colour: String
    var tags: [String]
    var filling = ""

    var bytes: [UInt8] {
        Array("\(account)|\(time)|\(unique)|\(colour)|\(tags.joined(separator: ","))|\(filling)".utf8)
    }

    init(account: String, time: Int64, unique: String, colour: String, tags: [String], filling: String = "") {
        self.account = account
        self.time = time
        self.unique = unique
        self.colour = colour
        self.tags = tags
        self.filling = filling
    }

    init(bytes: [UInt8]) {
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: "|", omittingEmptySubsequences: false)
        self.init(
            account: String(parts[0]), time: Int64(parts[1])!, unique: String(parts[2]), colour: String(parts[3]),
            tags: parts[4].split(separator: ",").map(String.init), filling: String(parts[5]))
    }

    var terms: [(field: UInt8, value: String)] {
        [(Self.unique, unique)] + (colour.isEmpty ? [] : [(Self.colour, colour)]) + tags.map { (Self.tag, $0) }
    }

    func index(_ hasher: TermHasher, _ facts: inout RowFacts) {
        for term in terms {
            facts.append(term: .init(field: term.field, hash: hasher.hash(field: term.field, value: term.value)))
        }
        facts.endRow(time: time, uniqueHash: hasher.hash(field: Self.unique, value: unique))
    }
}

extension ServiceKey {
    /// Key and id of the worked examples.
    static let sample = ServiceKey(
        id: UUID(uuidString: "00112233-4455-6677-8899-AABBCCDDEEFF")!, key: SymmetricKey(data: Array(UInt8(0)..<32)))
}

/// An engine with what it reported.
final class Store: Sendable {
    let engine: LogEngine
    private let box: ReportBox

    convenience init(
        disk: any Disk, folder: String = "h", tailRows: Int = 50, cacheBytes: Int = 1 << 20, key: ServiceKey = .sample
    ) throws {
        var settings = Self.settings(folder: folder)
        settings.tailRows = tailRows
        settings.cacheBytes = cacheBytes
        try self.init(disk: disk, settings: settings, key: key)
    }

    static func settings(folder: String = "h") -> LogEngine.Settings {
        var settings = LogEngine.Settings(folder: folder, fieldCount: 4, uniqueField: SampleRecord.unique)
        settings.retryDelay = 5
        return settings
    }

    init(disk: any Disk, settings: LogEngine.Settings, key: ServiceKey = .sample) throws {
        let box = ReportBox()
        engine = try LogEngine(
            settings: settings, disk: disk, key: key, report: { box.add($0) }, beforeSealing: { _ in },
            indexer: { record, hasher, facts in SampleRecord(bytes: record.bytes).index(hasher, &facts) })
        self.box = box
    }

    var reports: [LogEngine.Report] { box.all }
    var damages: [StoreDamage] {
        reports.compactMap { if case .damage(let damage) = $0 { damage } else { nil } }
    }

    /// Waits until the background queue has nothing to do.
    func settle() { engine.dropRecords(olderThan: .min) }

    func commit(_ records: [SampleRecord], recordedAt: Int64, perFrame: Int = 7) throws -> UInt64 {
        try engine.commit(engine.batches(records, perFrame: perFrame), recordedAt: recordedAt)
    }

    func query(
        _ account: String, _ terms: [(field: UInt8, value: String)] = [], times: ClosedRange<Int64> = .min ... .max,
        direction: SearchDirection = .newestFirst, after: LogPosition? = nil
    ) -> SearchQuery {
        let hasher = engine.hasher(account: account)
        return SearchQuery(
            account: account, terms: terms.map { .init(field: $0.field, hash: hasher.hash(field: $0.field, value: $0.value)) },
            times: times, direction: direction, after: after)
    }

    /// For records that may have every word of a record.
    func query(_ account: String, wordsOf record: SampleRecord) -> SearchQuery {
        let words = engine.words(of: String(decoding: record.bytes, as: UTF8.self), account: account)
        return SearchQuery(account: account, words: words)
    }

    func search(_ query: SearchQuery, limit: Int = .max) throws -> [LogPosition] {
        var cursor = try engine.search(query)
        var found: [LogPosition] = []
        while found.count < limit, let position = try cursor.next() { found.append(position) }
        return found
    }
}

private final class ReportBox: Sendable {
    private let reports = Mutex<[LogEngine.Report]>([])
    func add(_ report: LogEngine.Report) { reports.withLock { $0.append(report) } }
    var all: [LogEngine.Report] { reports.withLock { $0 } }
}

/// The naive store: an array.
struct Model {
    struct Row {
        var record: SampleRecord
        var recordedAt: Int64
        var retentionBasis: Int64 { max(recordedAt, min(record.time, recordedAt + 86_400_000)) }
    }

    var rows: [Row] = []
    var first = 0

    func search(
        _ account: String, _ terms: [(field: UInt8, value: String)], times: ClosedRange<Int64>, direction: SearchDirection,
        after: LogPosition?
    ) -> [LogPosition] {
        var found: [LogPosition] = []
        for sequence in first..<rows.count {
            let record = rows[sequence].record
            guard record.account == account, times.contains(record.time) else { continue }
            guard terms.allSatisfy({ term in record.terms.contains { $0 == term } }) else { continue }
            found.append(LogPosition(time: record.time, sequence: UInt64(sequence)))
        }
        found.sort { direction == .oldestFirst ? $0 < $1 : $1 < $0 }
        guard let after else { return found }
        return found.filter { direction == .oldestFirst ? after < $0 : $0 < after }
    }

    /// Everything that can be asked cheaply, compared.
    func expectSame(as store: Store, _ label: String) throws {
        let engine = store.engine
        try #require(engine.endSequence == UInt64(rows.count), "\(label)")
        try #require(engine.firstSequence == UInt64(first), "\(label)")
        var next = first
        _ = try engine.forEachRecord(in: UInt64(first)..<UInt64(rows.count)) { record in
            try #require(record.sequence == UInt64(next), "\(label)")
            try #require(record.bytes == rows[next].record.bytes, "\(label) at \(next)")
            try #require(record.recordedAt == rows[next].recordedAt, "\(label)")
            next += 1
            return true
        }
        try #require(next == rows.count, "\(label)")
        for account in Set(rows.map(\.record.account)) {
            for direction in [SearchDirection.oldestFirst, .newestFirst] {
                let expected = search(account, [], times: .min ... .max, direction: direction, after: nil)
                try #require(try store.search(store.query(account, direction: direction)) == expected, "\(label)")
            }
            for colour in ["red", "blue"] {
                let terms = [(SampleRecord.colour, colour), (SampleRecord.tag, "t1")]
                let expected = search(account, terms, times: .min ... .max, direction: .newestFirst, after: nil)
                try #require(try store.search(store.query(account, terms)) == expected, "\(label)")
            }
        }
    }
}

extension SampleRecord {
    static func random(_ number: Int, now: Int64, _ random: inout Seeded) -> SampleRecord {
        let times: [Int64] = [
            now, now, now - Int64(random.below(100)), now - 1_000_000, now + 500, now + 900_000_000, .min, .max,
        ]
        return SampleRecord(
            account: ["anna", "bert", "bert", "bert"][random.below(4)], time: times[random.below(random.below(9) == 0 ? 8 : 5)],
            unique: random.below(12) == 0 ? "u\(random.below(number + 1))" : "u\(number)",
            colour: ["red", "blue", ""][random.below(3)],
            tags: (0..<[0, 1, 1, 2, 4][random.below(5)]).map { "t\($0 + random.below(2))" },
            filling: String(repeating: "x", count: random.below(60)))
    }
}
