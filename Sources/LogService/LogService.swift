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

    public let registry: LogRegistry
    let settings: Settings
    let folder: String
    let disk: any Disk
    let keys: KeyService
    let metadata: Metadata
    private let now: @Sendable () -> Date
    let report: @Sendable (LogEngine.Report) -> Void
    let slots = Mutex<[String: LogstoreSlot]>([:])
    /// Where the next group of a logstore without a hash key goes.
    let turn = Atomic<UInt64>(0)

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
        removeForgotten()
    }

    /// The id is never given again: nothing of a logstore can be taken for a part of the next one of its name.
    private func folder(of logstore: Logstore) -> String { folder(logstore.project, logstore.name, logstore.id) }

    func folder(_ parts: String...) -> String { ([folder] + parts).joined(separator: "/") }

    private static func milliseconds(_ date: Date) -> Int64 { Int64(date.timeIntervalSince1970 * 1000) }

    /// Milliseconds since 1970.
    var milliseconds: Int64 { Self.milliseconds(now()) }

    // MARK: Stores

    func slot(_ logstore: Logstore) -> LogstoreSlot {
        slots.withLock { slots in
            if let slot = slots[logstore.id] { return slot }
            let slot = LogstoreSlot()
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
            try store.use(logstore)
            store.noteUse()
            return store
        } ?? nil
    }

    func openedStore(_ logstore: Logstore) throws -> LogStore {
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
                    try store.use(logstore)
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
    func close(_ slot: LogstoreSlot, onlyIdle: Bool = false) {
        slot.store.withLock { store in
            if onlyIdle, let store, !store.isIdle { return }
            store?.close()
            store = nil
        }
    }

    public func close() {
        for slot in slots.withLock({ Array($0.values) }) { close(slot) }
    }
}
