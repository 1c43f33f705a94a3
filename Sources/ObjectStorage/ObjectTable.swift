// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// The only code that writes or deletes rows of objects and their versions.
///
/// Every change of a row goes through ``replace(_:with:bucket:in:)`` or ``annotate(_:bucket:in:_:)``, which read the row that is
/// there, in the same transaction, and ask retention about it; so a new kind of change cannot forget to.
///
/// The current object of a key is at `objects/<bucket>/<key>`; older versions and delete markers are at
/// `object-versions/<bucket>/<key>…`, newest first. A marker that is the newest has no current object beside it.
struct ObjectTable: Sendable {
    let rows: SealedRows
    let files: ObjectFiles
    /// Retention time, milliseconds.
    let now: @Sendable () -> Int64
    /// The wall clock, for what is shown.
    let wall: @Sendable () -> Date
    let report: Reporter

    /// What can happen to a key.
    enum Change {
        /// A new current object; the former becomes an older version, or goes.
        case put(StoredObject, forbidsOverwrite: Bool)
        /// The current object grew or got other attributes; refused with ``Conflict`` unless `base` is still current.
        case rewrite(StoredObject, base: StoredObject)
        /// DELETE without a version.
        case delete
        case deleteVersion(String)
    }

    /// The current object is not the one that the change was made from.
    struct Conflict: Error {
        var current: StoredObject?
    }

    struct Outcome {
        /// As it is in its row, and the files that hold it.
        var stored: StoredObject?
        var storedFiles: [String] = []
        var bucket: Bucket
        /// Files that no row names any more.
        var freed: [String] = []
        var markerVersionId: String?
        var removedMarker = false
    }

    /// What a row holds.
    enum Version: Codable {
        case object(StoredObject)
        case marker(DeleteMarker)

        var versionId: String {
            switch self {
            case .object(let object): object.versionId ?? "null"
            case .marker(let marker): marker.versionId
            }
        }
    }

    // MARK: Places

    private static func currentPath(_ bucket: String, _ key: String) -> String { "objects/\(bucket)/\(key)" }

    private static func versionsPath(_ bucket: String) -> String { "object-versions/\(bucket)/" }

    private static func versionsPath(_ bucket: String, _ key: String) -> String {
        versionsPath(bucket) + RowPath.escaped(key) + RowPath.separator
    }

    /// Newest first: the order's complement in hex.
    private static func versionPath(_ bucket: String, _ key: String, _ order: Int64) -> String {
        versionsPath(bucket, key) + hex(UInt64.max - UInt64(order))
    }

    private static func manifestPath(_ bucket: String, _ manifest: String) -> String { "object-pieces/\(bucket)/\(manifest)" }

    static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    // MARK: The guard

    /// The end of an object's protection in retention time; nil if it is free.
    func protectionEnd(of object: StoredObject, policy: RetentionPolicy?) -> Int64? {
        ObjectStorage.protectionEnd(
            retainedFrom: object.retainedFrom, lockedDays: object.lockedDays, policy: policy, now: now())
    }

    /// Refuses whatever would change or remove what an entry holds. A row that does not verify counts as protected.
    private func judge(_ entry: Metadata.Entry?, bucket: Bucket, key: String) throws -> Version? {
        guard let entry else { return nil }
        let found = read(entry)
        guard found.isIntact, let version = found.value else {
            reportDamage(bucket: bucket.name, key: key)
            throw ObjectError.objectImmutable(bucket: bucket.name, key: key)
        }
        if case .object(let object) = version, protectionEnd(of: object, policy: bucket.retention) != nil {
            throw ObjectError.objectImmutable(bucket: bucket.name, key: key)
        }
        return version
    }

    private func reportDamage(bucket: String, key: String) {
        report.damage(bucket: bucket, key: key, what: "the row of the object was changed from outside; it counts as protected")
    }

    private func read(_ entry: Metadata.Entry) -> SealedRows.Found<Version> { rows.read(Version.self, entry) }

    // MARK: The two ways to change a row

    /// Puts `new` where `path` has something else, or nothing.
    ///
    /// - Returns: what was there.
    private func replace(
        _ path: String, with new: Version?, bucket: Bucket, key: String, in transaction: Metadata.Transaction
    ) throws -> Version? {
        let old = try judge(try transaction.entry(path), bucket: bucket, key: key)
        if let new {
            try transaction.put(new, at: path, sealedBy: rows)
        } else if old != nil {
            try transaction.delete(path)
        }
        return old
    }

    /// Changes what retention leaves free: neither content nor metadata nor when it was written.
    private func annotate(
        _ path: String, bucket: Bucket, key: String, in transaction: Metadata.Transaction, _ change: (inout StoredObject) -> Void
    ) throws -> Bool {
        guard let entry = try transaction.entry(path) else { return false }
        let found = read(entry)
        guard found.isIntact, case .object(let object)? = found.value else {
            if found.isIntact { return false }
            reportDamage(bucket: bucket.name, key: key)
            throw ObjectError.rowDamaged(bucket: bucket.name, key: key)
        }
        var changed = object
        change(&changed)
        var annotated = object
        annotated.tags = changed.tags
        annotated.acl = changed.acl
        try transaction.put(Version.object(annotated), at: path, sealedBy: rows)
        return true
    }

    // MARK: Changes

    /// Makes one change of one key; if it throws, the transaction has to be given up.
    func apply(_ change: Change, bucket name: String, key: String, in transaction: Metadata.Transaction) throws -> Outcome {
        let bucket = try bucketRow(name, in: transaction)
        var outcome = Outcome(bucket: bucket)
        var tally = Tally()
        let path = Self.currentPath(name, key)
        switch change {
        case .put(var object, let forbidsOverwrite):
            let exists = try transaction.entry(path) != nil
            if forbidsOverwrite && exists && bucket.versioning == nil { throw ObjectError.objectAlreadyExists(key: key) }
            seal(&object, bucket: bucket, order: transaction.revision)
            object.versionId = newVersionId(bucket, order: transaction.revision)
            let stored = try withManifest(object, in: transaction)
            if let old = try replace(path, with: .object(stored), bucket: bucket, key: key, in: transaction) {
                try supersede(old, by: stored, bucket: bucket, key: key, in: transaction, &outcome, &tally)
            }
            if bucket.versioning == .suspended {
                try removeNullVersion(bucket: bucket, key: key, in: transaction, &outcome, &tally)
            }
            tally.add(stored)
            outcome.stored = stored
            outcome.storedFiles = object.pieces.map(\.file)
        case .rewrite(var object, let base):
            guard let entry = try transaction.entry(path) else { throw Conflict(current: nil) }
            let found = read(entry)
            if found.isIntact, case .object(let current)? = found.value, !current.isSame(as: base) {
                throw Conflict(current: current)
            }
            seal(&object, bucket: bucket, order: base.order)
            object.versionId = base.versionId
            let stored = try withManifest(object, in: transaction)
            if case .object(let old)? = try replace(path, with: .object(stored), bucket: bucket, key: key, in: transaction) {
                tally.remove(old)
                try free(old, keeping: object, in: transaction, &outcome)
            }
            tally.add(stored)
            outcome.stored = stored
            outcome.storedFiles = object.pieces.map(\.file)
        case .delete:
            let old = try replace(path, with: nil, bucket: bucket, key: key, in: transaction)
            if let old {
                try supersede(old, by: nil, bucket: bucket, key: key, in: transaction, &outcome, &tally)
            }
            guard bucket.versioning != nil else { break }
            if bucket.versioning == .suspended {
                try removeNullVersion(bucket: bucket, key: key, in: transaction, &outcome, &tally)
            }
            let marker = DeleteMarker(
                bucket: name, key: key, versionId: newVersionId(bucket, order: transaction.revision) ?? "null",
                modifiedAt: wall(), retainedFrom: now(), order: transaction.revision)
            _ = try replace(
                Self.versionPath(name, key, marker.order), with: .marker(marker), bucket: bucket, key: key, in: transaction)
            tally.deleteMarkers += 1
            outcome.markerVersionId = marker.versionId
        case .deleteVersion(let versionId):
            guard let (place, _) = try locate(versionId, bucket: name, key: key, in: transaction) else { break }
            let newestOlder = try transaction.entries(prefix: Self.versionsPath(name, key), limit: 1).first?.key
            let hasCurrent = try transaction.entry(path) != nil
            let wasNewest = place == path || !hasCurrent && newestOlder == place
            if let old = try replace(place, with: nil, bucket: bucket, key: key, in: transaction) {
                switch old {
                case .object(let object):
                    tally.remove(object)
                    try free(object, keeping: nil, in: transaction, &outcome)
                case .marker(let marker):
                    tally.deleteMarkers -= 1
                    outcome.markerVersionId = marker.versionId
                    outcome.removedMarker = true
                }
            }
            if wasNewest { try promote(bucket: bucket, key: key, in: transaction, &tally) }
        }
        try tally.apply(to: name, table: self, in: transaction)
        try noteRemovals(outcome, in: transaction)
        return outcome
    }

    /// Tags or ACL of one version.
    func annotate(
        bucket name: String, key: String, versionId: String?, in transaction: Metadata.Transaction,
        _ change: (inout StoredObject) -> Void
    ) throws {
        let bucket = try bucketRow(name, in: transaction)
        var path = Self.currentPath(name, key)
        if let versionId, let (place, _) = try locate(versionId, bucket: name, key: key, in: transaction) {
            path = place
        } else if let versionId {
            throw ObjectError.noSuchVersion(key: key, versionId: versionId)
        }
        guard try annotate(path, bucket: bucket, key: key, in: transaction, change) else {
            throw ObjectError.noSuchObject(bucket: name, key: key)
        }
    }

    /// Throws what ``apply(_:bucket:key:in:)`` would throw for a put of `key` now: so that nobody sends gigabytes in vain.
    func checkPut(bucket: Bucket, key: String, forbidsOverwrite: Bool, in reader: some RowReader) throws {
        guard let entry = try reader.entry(Self.currentPath(bucket.name, key)) else { return }
        _ = try judge(entry, bucket: bucket, key: key)
        if forbidsOverwrite && bucket.versioning == nil { throw ObjectError.objectAlreadyExists(key: key) }
    }

    /// What the table itself decides about an object that is being committed.
    private func seal(_ object: inout StoredObject, bucket: Bucket, order: Int64) {
        object.order = order
        object.retainedFrom = now()
        object.noncurrentFrom = nil
        if let policy = bucket.retention, policy.state == .locked { object.lockedDays = policy.days }
    }

    private func newVersionId(_ bucket: Bucket, order: Int64) -> String? {
        switch bucket.versioning {
        case nil: nil
        case .suspended: "null"
        case .enabled: Self.hex(UInt64(order)) + Self.hex(.random(in: 0...UInt64.max))
        }
    }

    /// What was current becomes an older version where there are versions; else it goes.
    private func supersede(
        _ old: Version, by new: StoredObject?, bucket: Bucket, key: String, in transaction: Metadata.Transaction,
        _ outcome: inout Outcome, _ tally: inout Tally
    ) throws {
        guard case .object(var object) = old else { return }
        tally.remove(object)
        let isReplaced = bucket.versioning == nil || bucket.versioning == .suspended && (object.versionId ?? "null") == "null"
        guard !isReplaced else { return try free(object, keeping: new, in: transaction, &outcome) }
        object.noncurrentFrom = now()
        object.versionId = object.versionId ?? "null"
        _ = try replace(
            Self.versionPath(bucket.name, key, object.order), with: .object(object), bucket: bucket, key: key, in: transaction)
        tally.add(object)
    }

    private func removeNullVersion(
        bucket: Bucket, key: String, in transaction: Metadata.Transaction, _ outcome: inout Outcome, _ tally: inout Tally
    ) throws {
        guard let (place, _) = try locateNull(bucket: bucket.name, key: key, in: transaction),
            let old = try replace(place, with: nil, bucket: bucket, key: key, in: transaction)
        else { return }
        switch old {
        case .object(let object):
            tally.remove(object)
            try free(object, keeping: nil, in: transaction, &outcome)
        case .marker: tally.deleteMarkers -= 1
        }
    }

    /// After the newest went: the next object becomes current; under a marker nothing does.
    private func promote(bucket: Bucket, key: String, in transaction: Metadata.Transaction, _ tally: inout Tally) throws {
        guard let next = try transaction.entries(prefix: Self.versionsPath(bucket.name, key), limit: 1).first else { return }
        let found = read(next)
        guard found.isIntact, case .object? = found.value else { return }
        guard case .object(var object)? = try replace(next.key, with: nil, bucket: bucket, key: key, in: transaction) else {
            return
        }
        tally.remove(object)
        object.noncurrentFrom = nil
        tally.add(object)
        _ = try replace(
            Self.currentPath(bucket.name, key), with: .object(object), bucket: bucket, key: key, in: transaction)
    }

    // MARK: Versions

    /// Where a version is; `null` finds what has no id of its own.
    private func locate(_ versionId: String, bucket: String, key: String, in reader: some RowReader) throws
        -> (path: String, version: Version)?
    {
        let current = Self.currentPath(bucket, key)
        if let entry = try reader.entry(current), let version = read(entry).value, version.versionId == versionId {
            return (current, version)
        }
        if versionId == "null" { return try locateNull(bucket: bucket, key: key, in: reader) }
        guard versionId.utf8.count == 32, let order = UInt64(versionId.prefix(16), radix: 16), order <= Int64.max else {
            return nil
        }
        let path = Self.versionPath(bucket, key, Int64(order))
        guard let entry = try reader.entry(path), let version = read(entry).value, version.versionId == versionId else {
            return nil
        }
        return (path, version)
    }

    /// Among the older versions; a page at a time, there may be very many.
    private func locateNull(bucket: String, key: String, in reader: some RowReader) throws -> (path: String, version: Version)? {
        let prefix = Self.versionsPath(bucket, key)
        var marker = ""
        while true {
            let page = try reader.entries(prefix: prefix, after: marker, limit: 500)
            for entry in page {
                if let version = read(entry).value, version.versionId == "null" { return (entry.key, version) }
            }
            guard page.count == 500, let last = page.last else { return nil }
            marker = last.key
        }
    }

    // MARK: Pieces

    private static let piecesInRow = 4

    /// Many pieces go to a row of their own, so that listings stay small.
    private func withManifest(_ object: StoredObject, in transaction: Metadata.Transaction) throws -> StoredObject {
        var object = object
        object.manifest = nil
        guard object.pieces.count > Self.piecesInRow else { return object }
        let manifest = UUID().uuidString.lowercased()
        try transaction.put(object.pieces, at: Self.manifestPath(object.bucket, manifest), sealedBy: rows)
        object.manifest = manifest
        object.pieces = []
        return object
    }

    /// - Throws: ``ObjectError/rowDamaged(bucket:key:)``.
    private func pieces(of object: StoredObject, _ entry: Metadata.Entry?) throws -> [StoredObject.Piece] {
        guard object.manifest != nil else { return object.pieces }
        guard let entry else { throw ObjectError.rowDamaged(bucket: object.bucket, key: object.key) }
        let found = rows.read([StoredObject.Piece].self, entry)
        guard found.isIntact, let pieces = found.value else {
            throw ObjectError.rowDamaged(bucket: object.bucket, key: object.key)
        }
        return pieces
    }

    func pieces(of object: StoredObject, in reader: some RowReader) throws -> [StoredObject.Piece] {
        try pieces(of: object, object.manifest.flatMap { try reader.entry(Self.manifestPath(object.bucket, $0)) })
    }

    private func free(
        _ object: StoredObject, keeping new: StoredObject?, in transaction: Metadata.Transaction, _ outcome: inout Outcome
    ) throws {
        var entry: Metadata.Entry?
        if let manifest = object.manifest {
            let path = Self.manifestPath(object.bucket, manifest)
            entry = try transaction.entry(path)
            try transaction.delete(path)
        }
        let pieces = try pieces(of: object, entry)
        let kept = Set(new?.pieces.map(\.file) ?? [])
        outcome.freed += pieces.map(\.file).filter { !kept.contains($0) }
    }

    /// Files with the immutable flag need leave to go: a flagged file without a row and without this note was robbed of
    /// its row, and stays.
    private func noteRemovals(_ outcome: Outcome, in transaction: Metadata.Transaction) throws {
        guard outcome.bucket.wasRetained else { return }
        for file in outcome.freed where files.isImmutable(outcome.bucket.name, file) {
            try transaction.put(Removal(), at: RowPath.removals(outcome.bucket.name) + file, sealedBy: rows)
        }
    }

    struct Removal: Codable {}

    // MARK: Reading

    /// Where rows of a bucket's content are, for the question whether there are any.
    func contentPrefixes(_ bucket: String) -> [String] { [Self.currentPath(bucket, ""), Self.versionsPath(bucket)] }

    /// - Throws: ``ObjectError/rowDamaged(bucket:key:)``.
    private func intact(_ entry: Metadata.Entry, bucket: String, key: String) throws -> Version {
        let found = read(entry)
        guard found.isIntact, let version = found.value else {
            reportDamage(bucket: bucket, key: key)
            throw ObjectError.rowDamaged(bucket: bucket, key: key)
        }
        return version
    }

    func current(bucket: String, key: String, in reader: some RowReader) throws -> StoredObject? {
        guard let entry = try reader.entry(Self.currentPath(bucket, key)),
            case .object(let object) = try intact(entry, bucket: bucket, key: key)
        else { return nil }
        return object
    }

    /// Without a version id: the current object, or the marker that hides older ones.
    func lookup(bucket: String, key: String, versionId: String?, in reader: some RowReader) throws -> Version? {
        let path: String
        if let versionId {
            guard let (place, _) = try locate(versionId, bucket: bucket, key: key, in: reader) else { return nil }
            path = place
        } else {
            path = Self.currentPath(bucket, key)
        }
        if let entry = try reader.entry(path) { return try intact(entry, bucket: bucket, key: key) }
        guard versionId == nil,
            let newest = try reader.entries(prefix: Self.versionsPath(bucket, key), after: "", limit: 1).first
        else { return nil }
        return try intact(newest, bucket: bucket, key: key)
    }

    /// Current objects in byte order of their keys. A row that was changed but can be read is marked; one that cannot
    /// be read is reported and left out.
    func objects(bucket: String, prefix: String, after marker: String, limit: Int, in reader: some RowReader) throws
        -> [StoredObject]
    {
        var objects: [StoredObject] = []
        var position = Self.currentPath(bucket, marker)
        while objects.count < limit {
            let wanted = limit - objects.count
            let page = try reader.entries(prefix: Self.currentPath(bucket, prefix), after: position, limit: wanted)
            for entry in page {
                let found = read(entry)
                let key = String(entry.key.dropFirst(Self.currentPath(bucket, "").count))
                if !found.isIntact { reportDamage(bucket: bucket, key: key) }
                guard case .object(var object)? = found.value else { continue }
                object.isRowDamaged = !found.isIntact
                objects.append(object)
            }
            guard page.count == wanted, let last = page.last else { break }
            position = last.key
        }
        return objects
    }

    /// An older version or a marker.
    struct Older {
        var content: ObjectVersion.Content
        var key: String
    }

    /// Older versions and markers of keys with `prefix`, after a position.
    func versions(bucket: String, prefix: String, after position: String, limit: Int, in reader: some RowReader) throws -> [Older]
    {
        var versions: [Older] = []
        var position = position
        while versions.count < limit {
            let wanted = limit - versions.count
            let page = try reader.entries(
                prefix: Self.versionsPath(bucket) + RowPath.escaped(prefix), after: position, limit: wanted)
            for entry in page {
                let found = read(entry)
                switch found.value {
                case .object(var object)?:
                    if !found.isIntact { reportDamage(bucket: bucket, key: object.key) }
                    object.isRowDamaged = !found.isIntact
                    versions.append(Older(content: .object(object), key: object.key))
                case .marker(let marker)?: versions.append(Older(content: .deleteMarker(marker), key: marker.key))
                case nil: reportDamage(bucket: bucket, key: entry.key)
                }
            }
            guard page.count == wanted, let last = page.last else { break }
            position = last.key
        }
        return versions
    }

    /// Where a listing of versions goes on after all of a key.
    func versionsEnd(bucket: String, key: String) -> String { Self.versionsPath(bucket, key) + "~" }

    /// Where it goes on after one version, which may be gone meanwhile.
    func position(ofVersion versionId: String, bucket: String, key: String, in reader: some RowReader) throws -> String {
        if let (path, _) = try locate(versionId, bucket: bucket, key: key, in: reader) {
            return path == Self.currentPath(bucket, key) ? Self.versionsPath(bucket, key) : path
        }
        let order = UInt64(versionId.prefix(16), radix: 16).flatMap(Int64.init(exactly:))
        return order.map { Self.versionPath(bucket, key, $0) } ?? versionsEnd(bucket: bucket, key: key)
    }

    /// Calls `body` with each row of the bucket's content: what it names, or nil if it does not verify.
    func forEachFileList(bucket: String, in reader: some RowReader, _ body: ([String]?) throws -> Void) throws {
        for prefix in contentPrefixes(bucket) {
            try reader.forEachEntry(prefix: prefix) { entry in
                let found = read(entry)
                guard found.isIntact, let version = found.value else { return try body(nil) }
                guard case .object(let object) = version else { return }
                // A damaged list of files is as bad as a damaged row.
                try body(try? pieces(of: object, in: reader).map(\.file))
            }
        }
    }

    /// The latest retention time on any object that verifies; nil if there is none.
    static func newestCommit(rows: SealedRows, in reader: some RowReader) throws -> Int64? {
        var newest: Int64?
        for prefix in ["objects/", "object-versions/"] {
            try reader.forEachEntry(prefix: prefix) { entry in
                let found = rows.read(Version.self, entry)
                // Of a row that does not verify only its being there is believed.
                guard found.isIntact, case .object(let object)? = found.value else { return newest = newest ?? 0 }
                newest = max(newest ?? 0, object.retainedFrom)
            }
        }
        return newest
    }
}
