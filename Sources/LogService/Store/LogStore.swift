// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import KeyManagement
import LogEngine
import Metadata
import Synchronization

/// The logs of one logstore: an engine, what its index has, and the single writer.
package final class LogStore: Sendable {
    struct Settings: Sendable {
        var folder: String
        var cacheBytes = 32 << 20
        /// Rows of a tail before it becomes a segment: logs have some fifty indexed fields, so less than the event history's.
        var tailRows = 1 << 14
    }

    /// Logs are compressed by their writers if they have so many bytes.
    private static let ownFrameBytes = 16 << 10
    /// The engine takes no larger record.
    static let recordLimit = 4 << 20
    private static let groupLimit = 32 << 20

    let id: String
    let account: String
    package let engine: LogEngine
    let hasher: TermHasher
    let streams: DeliveryStreams
    let indexer: LogIndexer
    let names: ColumnNames
    private let report: @Sendable (LogEngine.Report) -> Void
    /// Damage that was told of, as far as it is worth keeping in mind.
    private let toldDamages = Mutex<Set<String>>([])
    private let commits: CommitQueue
    private let metadata: Metadata
    /// Milliseconds since 1970.
    let clock: @Sendable () -> Int64
    let firstKeptLog = Mutex(FirstKept())
    let shards = Mutex(Shards())
    /// Logs that a search came upon and that cannot be read, a limited number: its next page must not count them either.
    let unreadable = Mutex<Set<UInt64>>([])
    /// When somebody asked for the store last; nil if nobody did.
    private let lastUse = Mutex<ContinuousClock.Instant?>(nil)
    private static let idleTime = Duration.seconds(900)
    private let state: Mutex<State>

    struct Shards: Sendable {
        /// How many are writing to each.
        var writers: [Int: Int] = [:]
        /// Of those that nothing is written to any more: their last logs, as far as somebody asked.
        var lastLogs: [Int: UInt64?] = [:]
    }

    struct State: Sendable {
        /// As the registry has it.
        var json: Data?
        var index: IndexConfiguration?
        var retention: LogRetention
        var fields: FieldTable
        var plan: LogIndexer.Plan
        /// How many requests are being written, by how many columns their logs are indexed with.
        var writing: [Int: Int] = [:]
        var isUnsettled: Bool
    }

    /// Opens a logstore's logs, or begins them.
    ///
    /// - Parameter now: milliseconds since 1970.
    /// - Throws: `KeyError` if the key cannot be used, ``StoreDamage``, `DiskError`.
    init(
        _ logstore: Logstore, settings: Settings, disk: any Disk, key: any DataKeyWrapper, metadata: Metadata,
        now: @escaping @Sendable () -> Int64, report: @escaping @Sendable (LogEngine.Report) -> Void
    ) throws {
        id = logstore.id
        account = logstore.account
        self.metadata = metadata
        self.report = report
        let fields = try metadata.value(FieldTable.self, at: Self.fieldsPath(logstore.id)) ?? FieldTable()
        var engineSettings = LogEngine.Settings(
            folder: settings.folder, fieldCount: Int(FieldTable.end), uniqueField: FieldTable.Standard.unique)
        engineSettings.cacheBytes = settings.cacheBytes
        engineSettings.tailRows = settings.tailRows
        let streams = try DeliveryStreams(logstore: logstore.id, metadata: metadata)
        let indexer = LogIndexer()
        let plan = LogIndexer.Plan(fields)
        var rereading = LogIndexer.Rereading(plan)
        engine = try LogEngine(
            settings: engineSettings, disk: disk, key: key, report: report, beforeSealing: { _ in try streams.save() },
            indexer: { record, hasher, facts in
                if let origin = rereading.append(record, hasher: hasher, to: &facts) { streams.note(origin) }
            })
        self.streams = streams
        self.indexer = indexer
        hasher = engine.hasher(account: logstore.account)
        names = ColumnNames()
        clock = now
        commits = CommitQueue(engine: engine, account: logstore.account, now: now)
        state = Mutex(State(retention: logstore.retention, fields: fields, plan: plan, isUnsettled: fields.isUnsettled))
        try use(logstore)
    }

    private static func configuration(_ json: Data?) throws -> IndexConfiguration? {
        try json.map { try LogRegistry.configuration(ofIndex: $0) }
    }

    static func fieldsPath(_ id: String) -> String { "logfields/\(id)" }

    var now: State { state.withLock { $0 } }

    func noteUse() { lastUse.withLock { $0 = .now } }

    /// Whether nobody asked for the store of late, and nothing is being written.
    var isIdle: Bool {
        let isRecent = lastUse.withLock { $0.map { ContinuousClock.now - $0 < Self.idleTime } ?? false }
        return !isRecent && state.withLock { $0.writing.isEmpty }
    }

    /// Takes what a logstore says into use: its retention, and its index, if it is another one, for logs from now on, and for
    /// those before by looking at them.
    func use(_ logstore: Logstore) throws {
        let json = logstore.index
        try state.withLock { state in
            state.retention = logstore.retention
            guard json != state.json || state.isUnsettled else { return }
            let index = json == state.json ? state.index : try Self.configuration(json)
            var fields = state.fields
            fields.add(index?.columns ?? [])
            // What is still being written without the new columns may become durable after what has them.
            if !state.writing.keys.contains(where: { $0 < fields.count }) { fields.settle(at: engine.endSequence) }
            if fields != state.fields {
                let kept = fields
                try metadata.transact { try $0.put(kept, at: Self.fieldsPath(id)) }
                if fields.count != state.fields.count { state.plan = LogIndexer.Plan(fields) }
                state.fields = fields
                state.isUnsettled = fields.isUnsettled
            }
            state.index = index
            state.json = json
        }
    }

    /// What the logs of a request are indexed with; ``endWriting(_:)`` is to be called with the number of columns.
    private func beginWriting() -> (plan: LogIndexer.Plan, columns: Int) {
        state.withLock { state in
            state.writing[state.fields.count, default: 0] += 1
            return (state.plan, state.fields.count)
        }
    }

    private func endWriting(_ columns: Int) {
        state.withLock { state in
            let left = (state.writing[columns] ?? 1) - 1
            state.writing[columns] = left > 0 ? left : nil
        }
    }

    // MARK: Reading

    private static let toldDamagesLimit = 1000

    /// The record of a log.
    ///
    /// - Returns: nil if it is damaged, which is told, or was dropped meanwhile.
    func readable(_ sequence: UInt64) throws -> StoredRecord? {
        do { return try engine.record(at: sequence) } catch let damage as StoreDamage {
            tell(damage)
            return nil
        } catch LogEngineError.missingRecords { return nil }
    }

    /// Tells of damage, the first time that somebody comes upon it.
    func tell(_ damage: StoreDamage) {
        let isNew = toldDamages.withLock { told in
            told.count < Self.toldDamagesLimit && told.insert(damage.description).inserted
        }
        if isNew { report(.damage(damage)) }
    }

    // MARK: Writing

    /// Makes logs durable, all or none.
    func append(_ group: LogGroup, shard: Int) async throws {
        guard !group.logs.isEmpty else { return }
        try Self.checkSize(of: group)
        try await append(encoding: group.logs.indices) { index in
            LogRecord.encode(group.logs[index], of: group, shard: shard, origin: nil)
        }
    }

    /// Makes those logs of a delivery durable that are not stored yet.
    ///
    /// One call at a time for a stream: who delivers waits for the answer.
    func append(_ group: LogGroup, shard: Int, positions: [UInt64], stream: String) async throws {
        precondition(positions.count == group.logs.count, "a position a log")
        try Self.checkSize(of: group)
        let number = try streams.number(stream)
        let last = streams.last(stream)
        let new = positions.indices.filter { index in last.map { positions[index] > $0 } ?? true }
        guard let newest = new.last else { return }
        let streams = streams
        try await append(
            encoding: new,
            { index in
                LogRecord.encode(
                    group.logs[index], of: group, shard: shard, origin: .init(stream: number, position: positions[index]))
            }, onCommit: { _ in streams.note(stream, last: positions[newest]) })
    }

    /// What the logs of a group share is in each of their records: a small request can make very many bytes.
    private static func checkSize(of group: LogGroup) throws(LogServiceError) {
        func size(_ fields: [Log.Field]) -> Int { fields.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 8 } }
        let shared = group.topic.utf8.count + group.source.utf8.count + size(group.tags)
        guard group.logs.reduce(0, { $0 + shared + size($1.contents) }) <= groupLimit else {
            throw LogServiceError(
                400, "PostBodyTooLarge",
                "the logs of the request have more than \(groupLimit) bytes, their topic, source and tags counted for each")
        }
    }

    private func append(
        encoding logs: some RandomAccessCollection<Int> & Sendable, _ encode: @escaping @Sendable (Int) -> [UInt8],
        onCommit: @escaping @Sendable (UInt64) -> Void = { _ in }
    ) async throws {
        guard logs.count <= LogEngine.commitRowLimit else {
            throw LogServiceError(400, "PostBodyTooLarge", "more than \(LogEngine.commitRowLimit) logs in one request")
        }
        let (plan, columns) = beginWriting()
        defer { endWriting(columns) }
        let request = try await LongWork.run { [self] in
            let records = logs.map(encode)
            guard records.allSatisfy({ $0.count <= Self.recordLimit }) else {
                throw LogServiceError(400, "PostBodyTooLarge", "a log has more than \(Self.recordLimit) bytes")
            }
            let bytes = records.reduce(0) { $0 + $1.count }
            var request = CommitQueue.Request(
                facts: indexer.facts(of: records, plan: plan, hasher: hasher), bytes: bytes, onCommit: onCommit)
            if bytes < Self.ownFrameBytes {
                request.records = records
            } else {
                request.frames = frames(of: records)
            }
            return request
        }
        _ = try await commits.commit(request)
    }

    private func frames(of records: [[UInt8]]) -> [PreparedFrame] {
        var payload = engine.newFrame(account: account)
        var frames: [PreparedFrame] = []
        for record in records {
            record.withUnsafeBytes { payload.append($0, flags: [], receivedDigest: nil) }
            if payload.isFull { frames.append(payload.prepared()) }
        }
        if payload.count > 0 { frames.append(payload.prepared()) }
        return frames
    }

    func close() {
        commits.close()
        engine.close()
    }
}
