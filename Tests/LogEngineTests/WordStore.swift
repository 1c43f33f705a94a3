// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import KeyManagement
import LogEngine
import Synchronization
import Testing

/// A record that is JSON: the engine indexes a few fields of its outermost object, and words wherever they stand.
struct WordRecord: Sendable, IndexedRecord {
    static let unique: UInt8 = 1
    static let colour: UInt8 = 2
    static let tag: UInt8 = 3

    struct Fields: Decodable, Sendable {
        var eventId: String
        var time: Int64
        var colour: String?
        var tags: [String]?

        func values(_ field: UInt8) -> [String] {
            switch field {
            case WordRecord.unique: [eventId]
            case WordRecord.colour: colour.map { [$0] } ?? []
            default: tags ?? []
            }
        }

        func index(_ hasher: TermHasher, _ facts: inout RowFacts) {
            for field in [WordRecord.unique, WordRecord.colour, WordRecord.tag] {
                for value in values(field) {
                    facts.append(term: .init(field: field, hash: hasher.hash(field: field, value: value)))
                }
            }
            facts.endRow(time: time, uniqueHash: hasher.hash(field: WordRecord.unique, value: eventId))
        }
    }

    var account: String
    var fields: Fields
    let text: String
    let words: Set<String>

    var bytes: [UInt8] { Array(text.utf8) }

    /// - Parameters:
    ///   - before: members of the object before its id, as JSON.
    ///   - after: likewise, the last ones.
    init(
        account: String = "anna", eventId: String, time: Int64, colour: String? = nil, tags: [String] = [], before: String = "",
        after: String = ""
    ) {
        self.account = account
        fields = Fields(eventId: eventId, time: time, colour: colour, tags: tags)
        let list = tags.map { "\"\($0)\"" }.joined(separator: ",")
        let members = [
            before, "\"eventId\":\"\(eventId)\"", "\"time\":\(time)", colour.map { "\"colour\":\"\($0)\"" } ?? "",
            tags.isEmpty ? "" : "\"tags\":[\(list)]", after,
        ]
        text = "{" + members.filter { !$0.isEmpty }.joined(separator: ",") + "}"
        words = Self.words(of: text)
    }

    func index(_ hasher: TermHasher, _ facts: inout RowFacts) { fields.index(hasher, &facts) }

    /// Plainly and apart from the engine: what is left between separators and escapes, in lower case.
    static func words(of json: String) -> Set<String> {
        var words: Set<String> = []
        var word = ""
        var rest = Array(json.unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            let isEscape = scalar == "\\"
            guard isEscape || separators.contains(scalar) || scalar.value < 0x20 || scalar.value == 0x7F else {
                word.unicodeScalars.append(("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar)
                continue
            }
            if isEscape { rest = rest.dropFirst(rest.first == "u" ? 5 : 1) }
            if !word.isEmpty { words.insert(word) }
            word = ""
        }
        if !word.isEmpty { words.insert(word) }
        return words
    }

    private static let separators = Set(", '\";=()[]{}?@&<>/:".unicodeScalars)

    /// A JSON text as a text within JSON.
    static func escaped(_ json: some StringProtocol) -> String {
        json.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
    }
}

/// What was recorded, in an array.
struct WordLog {
    var records: [WordRecord] = []
    var first = 0

    var held: Range<Int> { first..<records.count }

    func position(_ sequence: Int) -> LogPosition {
        LogPosition(time: records[sequence].fields.time, sequence: UInt64(sequence))
    }

    func sorted(_ sequences: some Sequence<Int>, _ direction: SearchDirection) -> [LogPosition] {
        sequences.map { position($0) }.sorted { direction == .oldestFirst ? $0 < $1 : $1 < $0 }
    }

    /// The records of an account that have each word.
    func places(_ account: String) -> [String: [Int]] {
        var places: [String: [Int]] = [:]
        for sequence in held where records[sequence].account == account {
            for word in records[sequence].words { places[word, default: []].append(sequence) }
        }
        return places
    }
}

/// An engine whose records are JSON with a unique key, and what it reported.
final class WordStore: Sendable {
    private final class Reports: Sendable {
        let all = Mutex<[LogEngine.Report]>([])
    }

    let engine: LogEngine
    private let reports: Reports

    init(disk: any Disk, tailRows: Int, journalFileBytes: UInt64 = 256 << 20) throws {
        var settings = LogEngine.Settings(folder: "h", fieldCount: 4, uniqueField: WordRecord.unique)
        settings.uniqueKey = "eventId"
        settings.tailRows = tailRows
        settings.journalFileBytes = journalFileBytes
        settings.retryDelay = 5
        let reports = Reports()
        engine = try LogEngine(
            settings: settings, disk: disk, key: ServiceKey.sample,
            report: { report in reports.all.withLock { $0.append(report) } },
            beforeSealing: { _ in },
            indexer: { record, hasher, facts in
                try JSONDecoder().decode(WordRecord.Fields.self, from: Data(record.bytes)).index(hasher, &facts)
            })
        self.reports = reports
    }

    /// Damage and failures; a torn end is none.
    var trouble: [String] {
        reports.all.withLock { all in
            all.compactMap { report -> String? in
                if case .tornTail = report { return nil }
                return "\(report)"
            }
        }
    }

    /// Waits until the background queue has nothing to do.
    func settle() { engine.dropRecords(olderThan: .min) }

    @discardableResult
    func commit(_ records: [WordRecord], recordedAt: Int64 = 1, perFrame: Int = 9) throws -> UInt64 {
        try engine.commit(engine.batches(records, perFrame: perFrame), recordedAt: recordedAt)
    }

    func query(
        _ text: String = "", account: String = "anna", terms: [(field: UInt8, value: String)] = [],
        times: ClosedRange<Int64> = .min ... .max, direction: SearchDirection = .newestFirst, after: LogPosition? = nil
    ) -> SearchQuery {
        let hasher = engine.hasher(account: account)
        return SearchQuery(
            account: account, terms: terms.map { .init(field: $0.field, hash: hasher.hash(field: $0.field, value: $0.value)) },
            words: engine.words(of: text, account: account), times: times, direction: direction, after: after)
    }

    /// What a lookup gives: of what a search says, the records that have the words.
    func find(_ query: SearchQuery, limit: Int = .max) throws -> [LogPosition] {
        var cursor = try engine.search(query)
        var found: [LogPosition] = []
        while found.count < limit, let position = try cursor.next() {
            let record = try engine.record(at: position.sequence)
            try #require(record.account == query.account)
            if record.withBytes({ engine.has(query.words, $0) }) { found.append(position) }
        }
        return found
    }
}
