// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import DurableFiles
import Foundation
import KeyManagement
import Synchronization

/// Which question does this room answer? *How are billions of records kept small and found fast?* It knows records,
/// accounts, times and numbered fields, and nothing of audit.
///
/// Records are written once, to the journal, compressed and encrypted, and stay there; segments index them by time
/// and by term. The newest records are indexed in memory (``Tail``). One thread commits; anyone reads; one
/// background queue turns full tails into segments, joins segments and drops what is too old.
public final class LogEngine: Sendable {
    /// Term field of the account itself.
    static let accountField: UInt8 = 0

    public struct Settings: Sendable {
        public var folder: String
        /// One more than the highest field number in use.
        public var fieldCount: Int
        /// The field whose value is unique in an account, unless a conflict is recorded.
        public var uniqueField: UInt8
        /// The key of the unique value in records that are JSON; see ``FrameWords``.
        public var uniqueKey = ""
        public var cacheBytes = 64 << 20
        /// A journal file is ended after this many bytes even if its tail has room.
        public var journalFileBytes: UInt64 = 256 << 20
        public var tailRows = Tail.rowLimit
        /// A tail becomes a segment after so many milliseconds even if it has room: one day.
        public var tailAge: Int64 = 86_400_000
        /// Segments whose records were recorded further apart, in milliseconds, are not joined: nine days, so that eight tails
        /// of a day are.
        public var joinSpan: Int64 = 9 * 86_400_000
        /// Failed background work is tried again after this many milliseconds.
        package var retryDelay = 2000

        public init(folder: String, fieldCount: Int, uniqueField: UInt8) {
            self.folder = folder
            self.fieldCount = fieldCount
            self.uniqueField = uniqueField
        }
    }

    struct View {
        /// By first sequence; the last one may still grow.
        var journals: [JournalFile] = []
        /// By first sequence, side by side without gaps.
        var segments: [Segment] = []
        /// Full tails that wait to become segments, then the one that grows.
        var tails: [Tail] = []
    }

    struct CommitState {
        var writer: JournalWriter?
        var nextSequence: UInt64
        var rawBytes: UInt64 = 0
    }

    let settings: Settings
    let disk: any Disk
    let key: any DataKeyWrapper
    let cache: BlockCache
    public let dictionaries: Dictionaries
    /// Hashes terms; its key is the store's own, kept sealed in `history/identity`.
    public let storeHash: SipHash
    let wordHasher: WordHasher
    let view = Mutex(View())
    let commits: Mutex<CommitState>
    let background = WorkThreads(name: "cairn-index", count: 1, niceness: WorkThreads.batchNiceness)
    /// Full tails that may wait for the background queue before commits wait for it.
    static let waitingTailLimit = 3
    /// Signalled after each sealed tail; a commit that waits looks again.
    let tailSealed = DispatchSemaphore(value: 0)
    /// What ``endSequence`` answers, so that nobody waits for a commit's sync to learn it.
    let committedEnd = Atomic<UInt64>(0)
    let fileNumbers = Atomic<UInt64>(1)
    let isStopping = Atomic<Bool>(false)
    /// A failed sealing waits for its next attempt.
    let isRetrying = Atomic<Bool>(false)
    /// Told of damage and of background trouble, for the log and `/metrics`.
    let report: @Sendable (Report) -> Void
    /// Called on the background queue before records up to this sequence get a segment: whoever keeps something
    /// beside the records makes it durable now, for they will not be handed to the indexer again.
    let beforeSealing: @Sendable (_ endSequence: UInt64) throws -> Void

    public enum Report: Sendable {
        /// A frame or block that cannot be read any more; everything else can.
        case damage(StoreDamage)
        /// Bytes at the journal's end that a crash tore; they were never acknowledged.
        case tornTail(path: String, bytes: UInt64)
        /// Sealing, merging or dropping failed and will be tried again.
        case backgroundFailure(what: String, error: any Error)
    }

    /// Opens a store, or makes an empty one.
    ///
    /// Reads the footers of the segments, and indexes again the records that no segment covers yet: at most the
    /// tails that were in memory.
    ///
    /// - Parameter indexer: appends one row for a record to the facts; called in order for records without segment.
    public init(
        settings: Settings, disk: any Disk, key: any DataKeyWrapper, report: @escaping @Sendable (Report) -> Void,
        beforeSealing: @escaping @Sendable (_ endSequence: UInt64) throws -> Void,
        indexer: (StoredRecord, TermHasher, inout RowFacts) throws -> Void
    ) throws {
        precondition(settings.tailRows > 0 && settings.tailRows <= Tail.rowLimit, "a rank has sixteen bits")
        self.settings = settings
        self.disk = disk
        self.key = key
        self.report = report
        self.beforeSealing = beforeSealing
        cache = BlockCache(limit: settings.cacheBytes)
        for folder in ["", "/journal", "/segments"] { try disk.createDirectory(settings.folder + folder) }
        // A killed process may have left names that are not durable yet: identity and floor are relied on from here on.
        try disk.syncDirectory(settings.folder)
        let holdsRecords = try ["/journal", "/segments"].contains { try !disk.list(settings.folder + $0).isEmpty }
        storeHash = try Self.identity(settings.folder + "/identity", disk: disk, key: key, holdsRecords: holdsRecords)
        wordHasher = WordHasher(store: storeHash)
        dictionaries = try Dictionaries(
            folder: settings.folder + "/dictionaries", disk: disk, key: key, hasher: wordHasher, uniqueKey: settings.uniqueKey
        ) { report(.damage($0)) }
        commits = Mutex(CommitState(nextSequence: 0))
        try recover(indexer)
    }

    // MARK: What there is

    /// The sequence the next record will get; also the number of records ever committed.
    public var endSequence: UInt64 { committedEnd.load(ordering: .acquiring) }

    /// The oldest sequence still held.
    public var firstSequence: UInt64 {
        view.withLock { $0.segments.first?.summary.firstSequence ?? $0.tails.first?.firstSequence ?? 0 }
    }

    public struct Statistics: Sendable {
        public var records: UInt64
        public var segments: Int
        public var journals: Int
        public var tailRows: Int
        public var waitingTails: Int
    }

    public var statistics: Statistics {
        let (first, end) = (firstSequence, endSequence)
        return view.withLock { view in
            Statistics(
                records: end - first, segments: view.segments.count, journals: view.journals.count,
                tailRows: view.tails.reduce(0) { $0 + $1.count }, waitingTails: max(view.tails.count - 1, 0))
        }
    }

    /// When retention may drop a record: the later of its own time and its recording.
    ///
    /// A record's own time counts at most one day past its recording, so that a wrong clock cannot pin the store.
    static func retentionBasis(time: Int64, recordedAt: Int64) -> Int64 {
        max(recordedAt, min(time, recordedAt + 86_400_000))
    }

    public func hasher(account: String) -> TermHasher { TermHasher(store: storeHash, account: account) }

    func accountHash(_ account: String) -> UInt64 {
        var account = account
        return account.withUTF8 { storeHash.hash(UnsafeRawBufferPointer($0)) }
    }

    func nextFileNumber() -> UInt64 { fileNumbers.wrappingAdd(1, ordering: .relaxed).newValue }

    /// Ends background work; a merge is given up, to be done another time.
    ///
    /// The newest journal file gets its index, so that from now on damage in it can be told from a torn write; a tail
    /// of some size becomes a segment, so that the next opening is quick.
    public func close() {
        isStopping.store(true, ordering: .relaxed)
        background.sync {}
        let worthwhile = view.withLock { view in view.tails.last.map { $0.count >= 4096 } ?? false }
        // Under the lock: nothing may be added to a tail that is being sealed.
        commits.withLock { state in
            state.writer?.finish()
            state.writer = nil
            if worthwhile { background.sync { [self] in sealWaitingTails(includingLast: true) } }
        }
        background.sync { [self] in setAsideDamagedSegments() }
    }
}

public enum LogEngineError: Error, Equatable, CustomStringConvertible {
    /// Indexing cannot keep up, or cannot write; nothing was recorded.
    case overloaded
    /// Sequences that no file of the journal holds.
    case missingRecords(Range<UInt64>)

    public var description: String {
        switch self {
        case .overloaded: "indexing does not keep up with recording (is the disk full?)"
        case .missingRecords(let range):
            "the journal has no records \(range.lowerBound)..<\(range.upperBound): a file is missing"
        }
    }
}
