// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import KeyManagement
import LogEngine
import Metadata
import Synchronization

/// Which question does this room answer? *Projects and logstores: how are logs written, searched and analysed?*
///
/// What projects and logstores there are is in the ``registry``; the logs of each are in a store of their own, opened when
/// somebody asks for it first. Each call asks whether the logstore's key may be used: when a customer disables it, the store is
/// closed, and with it go the data keys in memory.
public final class LogService: Sendable {
    public struct Settings: Sendable {
        /// The data folder; logs live in its `logstores/`.
        public var dataFolder: String
        public var region: String
        /// Of the names of days and hours in SQL: minutes east of UTC.
        public var timeZoneMinutes = 480
        package var tailRows: Int?

        public init(dataFolder: String, region: String) {
            self.dataFolder = dataFolder
            self.region = region
        }
    }

    /// Of a logstore: its store if it is open, and who may touch its files.
    private final class Slot: Sendable {
        let store = Mutex<LogStore?>(nil)
    }

    public let registry: LogRegistry
    let settings: Settings
    private let folder: String
    private let disk: any Disk
    private let keys: KeyService
    private let metadata: Metadata
    private let now: @Sendable () -> Date
    private let report: @Sendable (LogEngine.Report) -> Void
    private let slots = Mutex<[String: Slot]>([:])
    /// Where the next group of a logstore without a hash key goes.
    private let turn = Atomic<UInt64>(0)

    public init(
        settings: Settings, disk: any Disk, keys: KeyService, metadata: Metadata, now: @escaping @Sendable () -> Date,
        report: @escaping @Sendable (LogEngine.Report) -> Void
    ) throws {
        self.settings = settings
        self.disk = disk
        self.keys = keys
        self.metadata = metadata
        self.now = now
        self.report = report
        registry = LogRegistry(metadata: metadata, now: now)
        folder = settings.dataFolder + "/logstores"
        try disk.createDirectory(folder)
        try removeForgotten()
    }

    /// The id is never given again: nothing of a logstore can be taken for a part of the next one of its name.
    private func folder(of logstore: Logstore) -> String { folder(logstore.project, logstore.name, logstore.id) }

    private func folder(_ parts: String...) -> String { ([folder] + parts).joined(separator: "/") }

    private static func milliseconds(_ date: Date) -> Int64 { Int64(date.timeIntervalSince1970 * 1000) }

    /// Milliseconds since 1970.
    var milliseconds: Int64 { Self.milliseconds(now()) }

    // MARK: Stores

    private func slot(_ logstore: Logstore) -> Slot {
        slots.withLock { slots in
            if let slot = slots[logstore.id] { return slot }
            let slot = Slot()
            slots[logstore.id] = slot
            return slot
        }
    }

    /// The store of a logstore, opened if it is not.
    ///
    /// - Throws: ``LogServiceError`` if its key cannot be used, or what is stored cannot be read.
    package func store(_ logstore: Logstore) async throws -> LogStore {
        if let store = try openStore(logstore) { return store }
        // Opening reads what has no segment yet, and whoever wants the same store waits for it.
        return try await LongWork.open { [self] in
            let store = try openedStore(logstore)
            store.noteUse()
            return store
        }
    }

    /// Without waiting: nil if it has to be opened or closed first, or somebody is at it.
    private func openStore(_ logstore: Logstore) throws -> LogStore? {
        try slot(logstore).store.withLockIfAvailable { store -> LogStore? in
            guard let store else { return nil }
            do { try LogstoreKey.checkUsable(of: logstore, keys: keys, region: settings.region) } catch { return nil }
            try store.use(logstore.index)
            store.noteUse()
            return store
        } ?? nil
    }

    private func openedStore(_ logstore: Logstore) throws -> LogStore {
        try slot(logstore).store.withLock { store in
            func close() {
                store?.close()
                store = nil
            }
            // Whoever asks may know the logstore as it was before it was changed, or deleted.
            let logstore = try registry.logstore(logstore.name, project: logstore.project, id: logstore.id)
            do {
                try LogstoreKey.checkUsable(of: logstore, keys: keys, region: settings.region)
                if let store {
                    try store.use(logstore.index)
                    return store
                }
                let opened = try open(logstore, try LogstoreKey(of: logstore, keys: keys, region: settings.region))
                store = opened
                return opened
            } catch {
                // With it go the data keys in memory.
                if store != nil { close() }
                throw error is KeyError ? LogstoreKey.refusal(of: logstore, error) : error
            }
        }
    }

    private func open(_ logstore: Logstore, _ key: LogstoreKey) throws -> LogStore {
        var storeSettings = LogStore.Settings(folder: folder(of: logstore))
        if let rows = settings.tailRows { storeSettings.tailRows = rows }
        return try LogStore(
            logstore, settings: storeSettings, disk: disk, key: key, metadata: metadata,
            now: { [now] in Self.milliseconds(now()) }, report: report)
    }

    /// - Parameter onlyIdle: leaves open what was asked for of late.
    private func close(_ slot: Slot, onlyIdle: Bool = false) {
        slot.store.withLock { store in
            if onlyIdle, let store, !store.isIdle { return }
            store?.close()
            store = nil
        }
    }

    // MARK: Logstores

    /// Registers a logstore; its key is tried first.
    public func createLogstore(_ logstore: Logstore) async throws {
        try tryKey(of: logstore)
        try registry.createLogstore(logstore)
    }

    /// Changes what encrypts a logstore's logs from now on; older ones stay under the key that they are under.
    public func updateEncryption(_ encryption: LogstoreEncryption, of logstore: Logstore) async throws {
        var changed = logstore
        changed.encryption = encryption
        try tryKey(of: changed)
        try registry.updateLogstore(logstore.name, project: logstore.project) { $0.encryption = encryption }
        // Opened again with the key in force when somebody asks for it.
        try await LongWork.open { [self] in close(slot(logstore)) }
    }

    private func tryKey(of logstore: Logstore) throws {
        _ = try LogstoreKey(of: logstore, keys: keys, region: settings.region)
        try LogstoreKey.checkUsable(of: logstore, keys: keys, region: settings.region)
    }

    /// Removes the logs of a logstore that the registry has forgotten.
    public func remove(_ logstore: Logstore) async throws {
        try await LongWork.open { [self] in try removeNow(logstore) }
    }

    private func removeNow(_ logstore: Logstore) throws {
        try slot(logstore).store.withLock { store in
            store?.close()
            store = nil
            try metadata.transact { transaction in
                try transaction.delete(LogStore.fieldsPath(logstore.id))
                try transaction.delete(DeliveryStreams.path(logstore.id))
            }
            try removeFiles(of: logstore.id, in: folder(logstore.project, logstore.name))
        }
        slots.withLock { $0[logstore.id] = nil }
    }

    private func removeFiles(of id: String, in parent: String) throws {
        let folder = parent + "/" + id
        for name in ["/journal", "/segments", "/dictionaries", ""] {
            for file in try disk.list(folder + name) where try disk.size(of: folder + name + "/" + file) != nil {
                try disk.remove(folder + name + "/" + file)
            }
            try disk.removeDirectory(folder + name)
        }
        // The next logstore of the name may be there already.
        for folder in [parent, (parent as NSString).deletingLastPathComponent] where try disk.list(folder).isEmpty {
            try disk.removeDirectory(folder)
        }
    }

    /// Logs whose logstore was forgotten before a crash.
    private func removeForgotten() throws {
        // Only what is certainly forgotten: a registry that cannot be read says nothing.
        let known = Set(try registry.allLogstores().map(\.id))
        for project in try disk.list(folder) {
            for name in try disk.list(folder(project)) {
                let parent = folder(project, name)
                for id in try disk.list(parent) where !known.contains(id) { try removeFiles(of: id, in: parent) }
            }
        }
    }

    // MARK: Writing

    /// Makes logs durable, all or none.
    ///
    /// - Parameter hashKey: 32 hexadecimal digits; the shard whose range has it takes the logs. Without, shards take turns.
    public func put(_ group: LogGroup, into logstore: Logstore, hashKey: String? = nil) async throws {
        let shard = try shard(of: logstore, hashKey)
        if !group.logs.isEmpty { try registry.noteOtherLogs(in: logstore) }
        try await store(logstore).append(group, shard: shard)
    }

    /// Makes those logs of a trail's delivery durable that are not stored yet: sending again never doubles.
    ///
    /// - Parameters:
    ///   - positions: one a log, ascending.
    ///   - stream: names the delivery; it waits for the answer before it calls again.
    public func deliver(
        _ group: LogGroup, positions: [UInt64], stream: String, into logstore: Logstore
    ) async throws {
        try await store(logstore).append(
            group, shard: try shard(of: logstore, nil), positions: positions, stream: stream)
    }

    /// The position of the last log that is stored of a delivery.
    public func lastPosition(stream: String, in logstore: Logstore) async throws -> UInt64? {
        try await store(logstore).streams.last(stream)
    }

    private func shard(of logstore: Logstore, _ hashKey: String?) throws -> Int {
        try logstore.shards.choose(hashKey: hashKey, turn: turn.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    // MARK: Reading in order of arrival

    public func cursor(_ cursor: LogCursor, shard: Int, in logstore: Logstore) async throws -> UInt64 {
        try check(shard, of: logstore)
        let store = try await store(logstore)
        return try await LongWork.read { try store.sequence(of: cursor) }
    }

    /// Seconds since 1970.
    public func receiveTime(ofCursor cursor: UInt64, in logstore: Logstore) async throws -> Int64 {
        let store = try await store(logstore)
        return try await LongWork.read { try store.receiveTime(of: cursor) / 1000 }
    }

    /// - Parameter query: a search; only what it finds is answered.
    public func pull(
        shard: Int, from: UInt64, to: UInt64?, count: Int, query: String?, in logstore: Logstore
    ) async throws -> PulledLogs {
        try check(shard, of: logstore)
        let store = try await store(logstore)
        return try await LongWork.read {
            try store.pull(shard: shard, from: from, to: to, count: count, matches: try query.map { try store.matcher($0) })
        }
    }

    /// Whether a shard that nothing is written to any more has no log at this cursor or after it. May open the logstore, and
    /// look through all of it: not for the threads that all share.
    public func isRead(shard: Int, upTo cursor: UInt64, in logstore: Logstore) throws -> Bool {
        guard logstore.shards.contains(where: { $0.id == shard && !$0.isWritable }) else { return false }
        return try openedStore(logstore).lastLog(ofShard: shard).map { $0 < cursor } ?? true
    }

    private func check(_ shard: Int, of logstore: Logstore) throws {
        guard logstore.shards.contains(where: { $0.id == shard }) else {
            throw LogServiceError(400, "ShardNotExist", "logstore \(logstore.name) has no shard \(shard)")
        }
    }

    public func context(
        packId: String, packMeta: String, back: Int, forward: Int, in logstore: Logstore
    ) async throws -> LogContext {
        let store = try await store(logstore)
        return try await LongWork.read {
            try store.context(packId: packId, packMeta: packMeta, back: back, forward: forward)
        }
    }

    // MARK: Upkeep

    /// Drops what each logstore need not keep any longer. Called from time to time.
    public func dropExpired() async {
        guard let logstores = try? registry.allLogstores() else { return }
        for logstore in logstores where logstore.ttl < Self.forever {
            _ = try? await LongWork.open { [self] in
                // A trail may have taken the logstore meanwhile.
                let days = try registry.logstore(logstore.name, project: logstore.project, id: logstore.id).ttl
                guard days < Self.forever else { return }
                try openedStore(logstore).engine.dropRecords(olderThan: milliseconds - Int64(days) * 86_400_000)
                close(slot(logstore), onlyIdle: true)
            }
        }
    }

    /// Closes stores that nobody asked for in a while: each has tails, caches and open files. Called from time to time.
    public func closeIdle() async {
        for slot in slots.withLock({ Array($0.values) }) {
            _ = try? await LongWork.open { [self] in close(slot, onlyIdle: true) }
        }
    }

    /// Days of a logstore that keeps everything.
    static let forever = 3650

    public func close() {
        for slot in slots.withLock({ Array($0.values) }) { close(slot) }
    }
}
