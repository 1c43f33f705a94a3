// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import KeyManagement
import Metadata
import Synchronization

/// Buckets and objects in the data folder, with what an OSS bucket can do: versions, multipart uploads, appends, encryption
/// under customers' keys, lifecycle, and retention (WORM) under all of it.
///
/// Content is in files, encrypted in chunks, each file under a key of its own; names, attributes and rules are in the
/// metadata, in sealed rows. The row is the commit: files are written and synced before it, and go after it. A
/// crash leaves at most files that no row names, which ``sweep()`` removes. Source: docs/formats/object.md.
public final class EmbeddedObjectStore: ObjectStore {
    let region: String
    let metadata: Metadata
    let files: ObjectFiles
    let keys: ObjectKeys
    let rows: SealedRows
    let table: ObjectTable
    let clock: ComplianceClock
    let now: @Sendable () -> Date
    let report: Reporter
    /// Files that no row names yet: ``sweep()`` leaves them alone.
    private let writing = Mutex<Set<String>>([])

    /// Opens the store, or makes a new one.
    ///
    /// - Parameters:
    ///   - now: the wall clock, for the times that clients see.
    ///   - time: what retention time is made from.
    ///   - customerKey: finds customers' keys; without it SSE-KMS is refused.
    ///   - report: is called from a thread of its own, one report after another.
    /// - Throws: ``ObjectError/rowKeyMissing``, `KeyError`, `DiskError`.
    public init(
        folder: String, region: String, disk: any Disk, keys: KeyService, metadata: Metadata,
        now: @escaping @Sendable () -> Date, time: TimeSources = .system, customerKey: CustomerKeyLookup? = nil,
        report: @escaping @Sendable (StoreReport) -> Void = { _ in }
    ) throws {
        self.region = region
        self.metadata = metadata
        self.now = now
        let reporter = Reporter(report)
        self.report = reporter
        let service = try keys.serviceKey("objects")
        let rows = try SealedRows(metadata: metadata, service: service)
        let clock = try ComplianceClock(sources: time, metadata: metadata, rows: rows, report: reporter) {
            try ObjectTable.newestCommit(rows: rows, in: metadata)
        }
        self.keys = ObjectKeys(service: service, customerKey: customerKey)
        self.rows = rows
        self.clock = clock
        files = try ObjectFiles(folder: folder, disk: disk)
        table = ObjectTable(rows: rows, files: files, now: { clock.now }, wall: now, report: reporter)
    }

    func beginWriting(_ file: String) { writing.withLock { _ = $0.insert(file) } }
    func endWriting(_ file: String) { writing.withLock { _ = $0.remove(file) } }
    var filesBeingWritten: Set<String> { writing.withLock { $0 } }

    /// Retention time, which nobody can set: docs/decisions/0011.
    public var retentionTime: Date { Date(milliseconds: clock.now) }

    /// Whether files of protected objects carry the file system's immutable flag.
    public var immutableFlagSupported: Bool { files.isImmutableFlagSupported }

    /// For each minute: makes retention time durable and looks for jumps of the wall clock.
    public func tick() {
        do { try clock.tick() } catch {
            report(.backgroundFailure(what: "keeping retention time", error: error))
        }
    }

    /// At the stop. The store can still be used after it; what it then does is not lost either.
    public func close() {
        tick()
        report.flush()
    }
}
