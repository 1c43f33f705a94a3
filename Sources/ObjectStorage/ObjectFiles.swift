// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Synchronization

/// The files of objects: where they are, and how they go.
final class ObjectFiles: Sendable {
    let folder: String
    let disk: any Disk
    /// Whether the file system keeps files with the immutable flag from everybody, as far as this process may set it.
    let isImmutableFlagSupported: Bool
    private let readers = Mutex(Readers())

    private struct Readers {
        /// Reads in progress, by file.
        var counts: [String: Int] = [:]
        /// Files that go when the last of their readers ends.
        var waiting: Set<String> = []
    }

    init(folder: String, disk: any Disk) throws(DiskError) {
        self.folder = folder
        self.disk = disk
        try disk.createDirectory(folder)
        isImmutableFlagSupported = Self.probe(folder + "/.probe", disk)
    }

    private static func probe(_ path: String, _ disk: any Disk) -> Bool {
        // A crash in an earlier probe may have left it with the flag.
        try? disk.setImmutable(path, false)
        try? disk.remove(path)
        defer { try? disk.remove(path) }
        do {
            try disk.create(path).close()
            try disk.setImmutable(path, true)
            try disk.setImmutable(path, false)
            return true
        } catch { return false }
    }

    func folder(_ bucket: String) -> String { folder + "/" + bucket }

    func path(_ bucket: String, _ file: String) -> String { "\(folder)/\(bucket)/\(file)" }

    func create(_ path: String, bucket: String) throws(DiskError) -> any WritableFile {
        do { return try disk.create(path) } catch {
            // Not `catch where`: with a typed error the 6.3 compiler does not come to an end.
            guard error.code == .notFound else { throw error }
            try disk.createDirectory(folder(bucket))
            return try disk.create(path)
        }
    }

    // MARK: The immutable flag

    func isImmutable(_ bucket: String, _ file: String) -> Bool {
        guard isImmutableFlagSupported else { return false }
        return (try? disk.isImmutable(path(bucket, file))) ?? false
    }

    /// As far as it can be done: rows guard objects, the flag is a second lock against whoever goes around them.
    func setImmutable(_ bucket: String, _ file: String, _ isImmutable: Bool) -> Bool {
        guard isImmutableFlagSupported else { return false }
        do { try disk.setImmutable(path(bucket, file), isImmutable) } catch { return false }
        return true
    }

    // MARK: Removal

    /// Removes files that no row names any more; while somebody reads them they stay. What cannot be removed now is
    /// swept later.
    func remove(_ files: [String], bucket: String) {
        let now = readers.withLock { readers in
            files.filter { file in
                guard readers.counts[file] != nil else { return true }
                readers.waiting.insert(file)
                return false
            }
        }
        for file in now { try? removeNow(bucket, file) }
    }

    func removeNow(_ bucket: String, _ file: String) throws(DiskError) {
        let path = path(bucket, file)
        do { try disk.remove(path) } catch {
            guard error.code == .denied, isImmutableFlagSupported else { throw error }
            try disk.setImmutable(path, false)
            try disk.remove(path)
        }
    }

    /// Keeps `files` while `body` reads them.
    func reading<Result>(_ files: [String], bucket: String, _ body: () async throws -> Result) async rethrows -> Result {
        readers.withLock { readers in
            for file in files { readers.counts[file, default: 0] += 1 }
        }
        defer {
            let free = readers.withLock { readers in
                files.filter { file in
                    readers.counts[file]! -= 1
                    guard readers.counts[file] == 0 else { return false }
                    readers.counts[file] = nil
                    return readers.waiting.remove(file) != nil
                }
            }
            for file in free { try? removeNow(bucket, file) }
        }
        return try await body()
    }
}
