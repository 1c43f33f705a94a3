// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import KeyManagement
import LogEngine
import LogService
import Metadata
import Synchronization
import Testing

/// A data folder on a disk in memory, with its metadata, its keys and a clock; the service on it may be opened again and again.
final class StoreWorld: Sendable {
    static let account = "1000000000000001"
    static let region = "local-1"
    static let start: Int64 = 1_767_225_600_000  // 2026-01-01T00:00:00Z
    static let day: Int64 = 86_400_000

    let disk: MemoryDisk
    let metadata: Metadata
    let keys: KeyService
    private let clock: StoreClock
    /// Never fails.
    private let rootDisk: MemoryDisk
    let tailRows: Int
    let reports = Mutex<[LogEngine.Report]>([])

    /// With a project `trails`.
    init(tailRows: Int = 40) throws {
        disk = MemoryDisk()
        metadata = try Metadata(path: nil)
        let clock = StoreClock(Self.start)
        self.clock = clock
        rootDisk = MemoryDisk()
        keys = try Self.keys(metadata, rootDisk, clock)
        self.tailRows = tailRows
        try LogRegistry(metadata: metadata, now: { Date() }).createProject(
            Project(name: "trails", account: Self.account, region: Self.region, createdAt: 1_700_000_000))
    }

    private init(_ other: StoreWorld, disk: MemoryDisk, tailRows: Int?) throws {
        self.disk = disk
        let metadata = try Metadata(path: nil)
        for entry in try other.metadata.entries(prefix: "") {
            try metadata.transact { try $0.put(entry.key, entry.value) }
        }
        self.metadata = metadata
        clock = other.clock
        rootDisk = other.rootDisk
        keys = try Self.keys(metadata, rootDisk, clock)
        self.tailRows = tailRows ?? other.tailRows
    }

    private static func keys(_ metadata: Metadata, _ disk: MemoryDisk, _ clock: StoreClock) throws -> KeyService {
        try KeyService(metadata: metadata, root: .file("keys/root.key"), disk: disk, now: { clock.date })
    }

    /// Milliseconds since 1970.
    var now: Int64 {
        get { clock.milliseconds.withLock { $0 } }
        set { clock.milliseconds.withLock { $0 = newValue } }
    }

    /// What a crash now leaves, with this as its disk.
    func with(_ disk: MemoryDisk, tailRows: Int? = nil) throws -> StoreWorld {
        try StoreWorld(self, disk: disk, tailRows: tailRows)
    }

    func open() throws -> LogService {
        var settings = LogService.Settings(dataFolder: "data", region: Self.region)
        settings.tailRows = tailRows
        return try LogService(
            settings: settings, disk: disk, keys: keys, metadata: metadata,
            now: { [clock] in clock.date },
            report: { [self] report in reports.withLock { $0.append(report) } })
    }

    var damages: [StoreDamage] {
        reports.withLock { $0.compactMap { if case .damage(let damage) = $0 { damage } else { nil } } }
    }

    /// What was told of work that failed.
    var failures: [String] {
        reports.withLock {
            $0.compactMap { if case .backgroundFailure(let what, let error) = $0 { "\(what): \(error)" } else { nil } }
        }
    }

    /// All files of logs.
    func files() throws -> [String] {
        func inside(_ folders: [String]) throws -> [String] {
            try folders.flatMap { folder in try disk.list(folder).map { "\(folder)/\($0)" } }
        }
        // By project, name and id.
        return try inside(inside(inside(["data/logstores"]))).flatMap { folder in
            try ["", "/journal", "/segments", "/dictionaries"].flatMap { kind in
                try disk.list(folder + kind).map { "\(folder)\(kind)/\($0)" }.filter { try disk.size(of: $0) != nil }
            }
        }
    }

    static func logstore(
        _ name: String = "audit", shards: Int = 2, index: Data? = StoreIndex.plain, encryption: LogstoreEncryption? = nil
    ) throws -> Logstore {
        Logstore(
            project: "trails", name: name, account: account, ttl: 30,
            shards: try LogRegistry.initialShards(count: shards, at: 1_700_000_000), encryption: encryption, index: index,
            createdAt: 1_700_000_000)
    }
}

final class StoreClock: Sendable {
    let milliseconds: Mutex<Int64>
    init(_ milliseconds: Int64) { self.milliseconds = Mutex(milliseconds) }
    var date: Date { Date(timeIntervalSince1970: Double(milliseconds.withLock { $0 }) / 1000) }
}

enum StoreIndex {
    /// Words anywhere, and a text field `n`.
    static let plain = Data(#"{"line":{},"keys":{"n":{"type":"text","doc_value":true}}}"#.utf8)

    /// What a client would send for it.
    static func json(_ index: IndexConfiguration) throws -> Data {
        func text(_ text: IndexConfiguration.Text) -> [String: Any] {
            [
                "token": text.delimiters.map { String($0) }.sorted(), "caseSensitive": text.isCaseSensitive,
                "chn": text.splitsChinese,
            ]
        }
        func key(_ key: IndexConfiguration.Key) -> [String: Any] {
            var object: [String: Any]
            switch key.kind {
            case .text(let settings):
                object = text(settings)
                object["type"] = "text"
            case .long: object = ["type": "long"]
            case .double: object = ["type": "double"]
            }
            object["doc_value"] = key.isColumn
            return object
        }
        var keys: [String: Any] = [:]
        for (name, field) in index.fields {
            switch field {
            case .value(let value): keys[name] = key(value)
            case .json(let json):
                var object = text(json.text)
                object["type"] = "json"
                object["index_all"] = json.indexesAll
                object["max_depth"] = json.maxDepth ?? -1
                object["doc_value"] = json.isColumn
                object["json_keys"] = json.leaves.filter { !$0.key.isEmpty }.mapValues { key($0) }
                keys[name] = object
            }
        }
        var object: [String: Any] = ["keys": keys, "max_text_len": index.textLimit]
        if let line = index.line { object["line"] = text(line) }
        return try JSONSerialization.data(withJSONObject: object)
    }
}

extension LogService {
    /// A new logstore in project `trails`, made.
    func made(_ logstore: Logstore) async throws -> Logstore {
        try await createLogstore(logstore)
        return logstore
    }

    /// Waits for what the store does in the background.
    func settle(_ logstore: Logstore) async throws { try await store(logstore).engine.dropRecords(olderThan: .min) }

    /// All that a search finds, oldest first.
    func all(_ logstore: Logstore, _ search: String = "*") async throws -> [[Log.Field]] {
        var rows: [[Log.Field]] = []
        while true {
            var query = LogQuery(text: search, times: 0..<Int64.max / 2)
            query.offset = rows.count
            let answer = try await self.query(query, in: logstore)
            if answer.rows.isEmpty { return rows }
            rows += answer.rows
        }
    }

    /// The field `n` of all logs, in the order of their times.
    func numbers(_ logstore: Logstore, _ search: String = "*") async throws -> [Int] {
        try await all(logstore, search).compactMap { row in row.first { $0.key == "n" }.flatMap { Int($0.value) } }
    }

    func put(_ numbers: some Sequence<Int>, into logstore: Logstore, text: String = "") async throws {
        try await put(StoreWorld.group(numbers, text: text), into: logstore)
    }
}

extension StoreWorld {
    /// Logs that a number names, each a second after the last.
    static func group(_ numbers: some Sequence<Int>, text: String = "") -> LogGroup {
        LogGroup(
            logs: numbers.map { number in
                Log(
                    time: UInt32(1_767_225_600 + number),
                    contents: [.init("n", String(number)), .init("text", "number \(number)x \(text)")])
            }, topic: "t", source: "192.0.2.1")
    }
}
