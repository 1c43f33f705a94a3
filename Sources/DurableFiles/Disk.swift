// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Which question does this room answer? *When is a write really on disk, and how does a test make it fail,
/// tear or lie?* Every file Cairn writes goes through ``Disk``: ``LocalDisk`` in the product, ``MemoryDisk`` in
/// fault tests.
public protocol Disk: Sendable {
    /// Makes a new, empty file; fails with `.exists` if there is one.
    ///
    /// The name is durable only after ``syncDirectory(_:)``.
    func create(_ path: String) throws(DiskError) -> any WritableFile

    /// Opens an existing file to go on at its end.
    func openForAppending(_ path: String) throws(DiskError) -> any WritableFile

    func openForReading(_ path: String) throws(DiskError) -> any ReadableFile

    /// Names (not paths) in a folder, sorted; empty if the folder is missing.
    func list(_ directory: String) throws(DiskError) -> [String]

    /// Makes a folder with its parents, durably.
    func createDirectory(_ path: String) throws(DiskError)

    /// Replaces `target` in one step; durable only after ``syncDirectory(_:)``.
    func rename(_ source: String, to target: String) throws(DiskError)

    /// Removing a missing file is not an error.
    func remove(_ path: String) throws(DiskError)

    func syncDirectory(_ path: String) throws(DiskError)

    /// Size in bytes, or nil if there is no such file.
    func size(of path: String) throws(DiskError) -> UInt64?

    /// Sets or clears the flag by which the file system refuses to write, rename or remove a file, to everybody.
    ///
    /// - Throws: where the file system has no such flag, or the process may not set it.
    func setImmutable(_ path: String, _ isImmutable: Bool) throws(DiskError)

    func isImmutable(_ path: String) throws(DiskError) -> Bool

    /// Removes an empty folder; a missing one is not an error.
    func removeDirectory(_ path: String) throws(DiskError)
}

/// A file with one writer that only ever grows, or is cut back to what is known to be durable.
public protocol WritableFile: Sendable {
    /// Writes all of `bytes` at the end, or throws with some prefix of them possibly written.
    func append(_ bytes: UnsafeRawBufferPointer) throws(DiskError)

    /// Returns once everything appended is on disk (`fdatasync`). After a failure nothing is known about what
    /// was appended since the last success: cut the file and go on in a new one, never retry.
    func sync() throws(DiskError)

    func truncate(to length: UInt64) throws(DiskError)

    func close()
}

/// A file being read; safe to use from several threads.
public protocol ReadableFile: Sendable {
    /// Fills `buffer` from `offset`; returns fewer bytes only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int

    var size: UInt64 { get throws(DiskError) }
}

extension WritableFile {
    public func append(_ bytes: [UInt8]) throws(DiskError) {
        var failure: DiskError?
        bytes.withUnsafeBytes { buffer in
            do throws(DiskError) { try append(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}

extension ReadableFile {
    /// Reads exactly `count` bytes, or throws `.truncated`.
    public func read(count: Int, at offset: UInt64) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let got = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            guard got == count else {
                throw DiskError(.truncated, doing: "read \(count) bytes at \(offset), got \(got)", path: "")
            }
            filled = count
        }
    }
}

extension Disk {
    /// Puts `bytes` at `path` so that after a crash there is the old content or the new, never a mixture.
    public func replace(_ path: String, with bytes: [UInt8]) throws(DiskError) {
        let temporary = path + ".tmp"
        try remove(temporary)
        let file = try create(temporary)
        do throws(DiskError) {
            try file.append(bytes)
            try file.sync()
            file.close()
            try rename(temporary, to: path)
            try syncDirectory(parent(of: path))
        } catch {
            file.close()
            try? remove(temporary)
            throw error
        }
    }

    /// The whole of a file, or nil if it is missing.
    ///
    /// - Throws: `.tooLarge` above `limit` bytes.
    public func readAll(_ path: String, limit: UInt64) throws -> [UInt8]? {
        guard let size = try size(of: path) else { return nil }
        guard size <= limit else {
            throw DiskError(.tooLarge, doing: "read \(size) bytes where at most \(limit) are expected", path: path)
        }
        return try openForReading(path).read(count: Int(size), at: 0)
    }

    private func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
