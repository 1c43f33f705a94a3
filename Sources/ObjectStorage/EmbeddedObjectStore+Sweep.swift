// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// What crashes leave behind.
extension EmbeddedObjectStore {
    /// Removes files that no row names: what a crash left between a file and its row.
    ///
    /// Goes through every row, so it belongs in the background. It may run at any time: content that is being written, or
    /// begins to be meanwhile, keeps its file. A bucket with a row that does not verify is left alone, for that row may
    /// name any file; and so is a file with the immutable flag whose removal nobody noted: its row was taken away.
    public func sweep() throws {
        var failure: (any Error)?
        for bucket in try files.disk.list(files.folder) where Self.isBucketName(bucket) {
            // In this order: a file listed here is either being written now, or has had its row by now.
            var orphans = Set(try files.disk.list(files.folder(bucket)))
            orphans.subtract(filesBeingWritten)
            guard try subtractNamed(&orphans, bucket: bucket) else { continue }
            for file in orphans {
                do { try removeOrphan(file, bucket: bucket) } catch { failure = failure ?? error }
            }
            try forgetRemovals(bucket: bucket)
        }
        if let failure { throw failure }
    }

    /// - Returns: false if a row does not verify.
    private func subtractNamed(_ orphans: inout Set<String>, bucket: String) throws -> Bool {
        guard !orphans.isEmpty else { return true }
        var isIntact = true
        try table.forEachFileList(bucket: bucket, in: metadata) { names in
            if let names { orphans.subtract(names) } else { isIntact = false }
        }
        try metadata.forEachEntry(prefix: RowPath.parts(bucket)) { entry in
            let found = rows.read(StoredPart.self, entry)
            if found.isIntact, let part = found.value { orphans.remove(part.file) } else { isIntact = false }
        }
        if !isIntact {
            report.damage(bucket: bucket, key: "", what: "a row was changed from outside; the bucket is not swept")
        }
        return isIntact
    }

    private func removeOrphan(_ file: String, bucket: String) throws {
        if files.isImmutable(bucket, file) {
            let path = RowPath.removals(bucket) + file
            guard let note = try metadata.entry(path), rows.read(ObjectTable.Removal.self, note).isIntact else {
                return report.damage(
                    bucket: bucket, key: "", what: "the file `\(file)` is protected, but its row is gone: it stays")
            }
        }
        try files.removeNow(bucket, file)
    }

    /// Notes of files that are gone.
    private func forgetRemovals(bucket: String) throws {
        let gone = try metadata.entries(prefix: RowPath.removals(bucket)).map(\.key).filter { path in
            let file = String(path.dropFirst(RowPath.removals(bucket).count))
            return try files.disk.size(of: files.path(bucket, file)) == nil
        }
        guard !gone.isEmpty else { return }
        try metadata.transact { transaction in
            for path in gone { try transaction.delete(path) }
        }
    }
}
