// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Crypto
import Dispatch
import DurableFiles
import Foundation
import KeyManagement
import LogEngine
import MerkleLog
import Metadata
import Synchronization

/// Which question does this room answer? *How is an event recorded, looked up, read on and proved?*
///
/// One ordered log: an event's sequence is its place in the journal and its leaf in the Merkle tree. Recording goes
/// through one ``Sequencer``; everything else reads.
public final class EventHistory: Sendable {
    public struct Settings: Sendable {
        /// The data folder; the history lives in its `history/` and `tree/`.
        public var dataFolder: String
        public var retentionDays = 90
        public var cacheBytes = 64 << 20
        /// Events received but not yet durable, in bytes; more is refused.
        public var waitingBytesLimit = 256 << 20
        /// Rows of a tail before it becomes a segment; small in tests.
        package var tailRows = 1 << 16

        public init(dataFolder: String) { self.dataFolder = dataFolder }
    }

    let settings: Settings
    let engine: LogEngine
    let tree: TreeStore
    let log: SignedLog
    let now: @Sendable () -> Int64
    private let sequencer: Sequencer
    let valueNames = ValueNames()

    /// Opens the history of a data folder, or begins one.
    ///
    /// - Parameter now: milliseconds since 1970; stamps what is recorded.
    /// - Throws: ``StoreDamage``, `TreeError` when what is held contradicts what was signed.
    public init(
        settings: Settings, disk: any Disk, keys: KeyService, metadata: Metadata, now: @escaping @Sendable () -> Int64,
        report: @escaping @Sendable (LogEngine.Report) -> Void
    ) throws {
        self.settings = settings
        self.now = now
        var engineSettings = LogEngine.Settings(
            folder: settings.dataFolder + "/history", fieldCount: Int(LookupAttribute.allCases.map(\.rawValue).max()!) + 1,
            uniqueField: LookupAttribute.eventId.rawValue)
        engineSettings.uniqueKey = "eventId"
        engineSettings.cacheBytes = settings.cacheBytes
        engineSettings.tailRows = settings.tailRows
        var replayed: [UInt64: MerkleHash] = [:]
        let late = LateTree()
        let engine = try LogEngine(
            settings: engineSettings, disk: disk, key: try keys.serviceKey("history"), report: report,
            beforeSealing: { _ in try late.sync() },
            indexer: { record, hasher, facts in
                replayed[record.sequence] = record.withBytes { Self.commitment(of: $0) }
                EventIndex.append(record, hasher: hasher, to: &facts)
            })
        self.engine = engine
        do {
            tree = try Self.openTree(settings.dataFolder + "/tree", disk: disk, engine: engine, replayed: replayed)
            log = try SignedLog(
                folder: settings.dataFolder + "/tree", disk: disk, key: try keys.serviceKey("log"), metadata: metadata,
                tree: tree)
            late.set(tree)
        } catch {
            late.set(nil)
            engine.close()
            throw error
        }
        sequencer = Sequencer(engine: engine, tree: tree, now: now, waitingBytesLimit: settings.waitingBytesLimit)
    }

    /// Brings the tree to the journal's end: entries of records that were replayed are taken from the records.
    private static func openTree(
        _ folder: String, disk: any Disk, engine: LogEngine, replayed: [UInt64: MerkleHash]
    ) throws -> TreeStore {
        let end = engine.endSequence
        let start = engine.firstUnsealedSequence
        var kept: [MerkleHash] = []
        do {
            let before = try TreeStore(folder: folder, disk: disk, atMost: end)
            if before.size > start { kept = try before.entries(start..<before.size) }
        }
        let tree = try TreeStore(folder: folder, disk: disk, atMost: start)
        var entries: [MerkleHash] = []
        _ = try engine.forEachRecord(in: tree.size..<start) { record in
            entries.append(record.withBytes { commitment(of: $0) })
            return true
        }
        for sequence in start..<end {
            if let entry = replayed[sequence] {
                entries.append(entry)
            } else if sequence - start < UInt64(kept.count) {
                // The record is damaged, its commitment is not: the tree stays whole and can prove the loss.
                entries.append(kept[Int(sequence - start)])
            } else {
                throw HistoryError.lostCommitment(sequence: sequence)
            }
        }
        tree.append(entries)
        return tree
    }

    // MARK: Recording

    /// Makes the events of a batch durable and provable, then returns.
    ///
    /// - Parameter account: owner of the events; lookups of other accounts never see them.
    /// - Throws: ``HistoryError/busy``, ``HistoryError/cannotRecord(_:)``; then nothing of it was acknowledged, and the
    ///   whole batch may be sent again.
    public func record(_ batch: ParsedBatch, account: String) async throws -> RecordOutcome {
        try await sequencer.record(batch, account: account)
    }

    /// Whether the last attempt to record succeeded.
    public var canRecord: Bool { sequencer.canRecord }

    // MARK: What is held

    public var statistics: LogEngine.Statistics { engine.statistics }
    /// One past the newest event that is recorded and in the tree.
    public var endSequence: UInt64 { tree.size }
    /// The oldest event still held.
    public var firstSequence: UInt64 { engine.firstSequence }
    public var treeSize: UInt64 { tree.size }

    /// Events in order of recording; see ``LogEngine/forEachRecord(in:_:)``.
    public func forEachRecord(in range: Range<UInt64>, _ body: (StoredRecord) throws -> Bool) throws -> UInt64 {
        try engine.forEachRecord(in: range, body)
    }

    public func record(at sequence: UInt64) throws -> StoredRecord { try engine.record(at: sequence) }

    /// Drops what retention allows; called from time to time.
    @discardableResult
    public func dropExpired() -> UInt64 {
        let cutoff = now() - Int64(settings.retentionDays) * 86_400_000
        // A quiet history must not keep its events for ever.
        engine.endTail(olderThan: cutoff)
        return engine.dropRecords(olderThan: cutoff)
    }

    /// Stops recording, then makes the next opening quick.
    public func close() {
        sequencer.stop()
        engine.close()
        try? tree.sync()
    }
}

/// The tree, for the engine's background work, which may begin before the tree is open and then waits for it.
private final class LateTree: Sendable {
    private let tree = Mutex<TreeStore?>(nil)
    private let isDecided = DispatchSemaphore(value: 0)

    /// - Parameter opened: nil if the tree could not be opened.
    func set(_ opened: TreeStore?) {
        tree.withLock { $0 = opened }
        isDecided.signal()
    }

    func sync() throws {
        isDecided.wait()
        isDecided.signal()
        guard let tree = tree.withLock({ $0 }) else { throw HistoryError.closed }
        try tree.sync()
    }
}

public enum HistoryError: Error, CustomStringConvertible {
    /// Too much is waiting to become durable: try again a little later.
    case busy
    /// The disk refuses: full, failing, or indexing stands still.
    case cannotRecord(String)
    case closed
    /// The newest checkpoint does not reach as far, and the disk takes no newer one.
    case notYetSigned(sequence: UInt64, size: UInt64)
    /// A record is damaged and its commitment is gone too.
    case lostCommitment(sequence: UInt64)

    public var description: String {
        switch self {
        case .busy: "too many events are waiting to be written"
        case .cannotRecord(let reason): "events cannot be recorded: \(reason)"
        case .closed: "the service is stopping"
        case .notYetSigned(let sequence, let size):
            "event \(sequence) is past the newest checkpoint, of \(size) events, and no newer one can be written at present"
        case .lostCommitment(let sequence):
            "event \(sequence) is damaged in the journal and missing in the tree: restore the data folder"
        }
    }
}

/// What became of a batch.
public struct RecordOutcome: Sendable, Equatable {
    public var accepted = 0
    public var duplicates = 0
    /// Accepted events whose id was known with other content.
    public var conflicts = 0
    public var firstSequence: UInt64?
    public var lastSequence: UInt64?
    /// Size of the tree once these events were in it.
    public var treeSize: UInt64 = 0

    public init() {}

    mutating func add(_ other: RecordOutcome) {
        accepted += other.accepted
        duplicates += other.duplicates
        conflicts += other.conflicts
        firstSequence = firstSequence ?? other.firstSequence
        lastSequence = other.lastSequence ?? lastSequence
        treeSize = max(treeSize, other.treeSize)
    }
}
