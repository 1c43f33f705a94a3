// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The machine's own file system.
public struct LocalDisk: Disk {
    public init() {}

    /// Raises the process's limit of open files as far as it may: a history keeps one file open for some 65,000
    /// records, and the usual soft limit of 1,024 is an early end. For the start of the program.
    ///
    /// - Returns: the limit from now on.
    @discardableResult
    public static func allowManyOpenFiles() -> UInt64 {
        #if canImport(Glibc)
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let resource = RLIMIT_NOFILE
        #endif
        var limits = rlimit()
        guard getrlimit(resource, &limits) == 0 else { return 0 }
        var raised = limits
        raised.rlim_cur = raised.rlim_max
        return setrlimit(resource, &raised) == 0 ? UInt64(raised.rlim_cur) : UInt64(limits.rlim_cur)
    }

    public func create(_ path: String) throws(DiskError) -> any WritableFile {
        let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DiskError(errno: errno, doing: "create a file", path: path) }
        return LocalWritableFile(descriptor: descriptor, path: path)
    }

    public func openForAppending(_ path: String) throws(DiskError) -> any WritableFile {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskError(errno: errno, doing: "open a file", path: path) }
        guard lseek(descriptor, 0, SEEK_END) >= 0 else {
            let error = DiskError(errno: errno, doing: "find a file's end", path: path)
            close(descriptor)
            throw error
        }
        return LocalWritableFile(descriptor: descriptor, path: path)
    }

    public func openForReading(_ path: String) throws(DiskError) -> any ReadableFile {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskError(errno: errno, doing: "open a file", path: path) }
        return LocalReadableFile(descriptor: descriptor, path: path)
    }

    public func list(_ directory: String) throws(DiskError) -> [String] {
        guard let stream = opendir(directory) else {
            if errno == ENOENT { return [] }
            throw DiskError(errno: errno, doing: "list a folder", path: directory)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            // A listing cut short by an error would look like files that were never there.
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw DiskError(errno: errno, doing: "list a folder", path: directory) }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    public func createDirectory(_ path: String) throws(DiskError) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            let parent = made.isEmpty ? "/" : made
            made += "/" + part
            if mkdir(made, 0o700) == 0 {
                try syncDirectory(parent)
            } else if errno == EEXIST {
                // Perhaps made by a process that died before its sync; of folders that are not ours to open, no.
                do { try syncDirectory(parent) } catch {
                    guard error.code == .denied else { throw error }
                }
            } else {
                throw DiskError(errno: errno, doing: "make a folder", path: made)
            }
        }
    }

    public func rename(_ source: String, to target: String) throws(DiskError) {
        #if canImport(Glibc)
            let result = Glibc.rename(source, target)
        #else
            let result = Darwin.rename(source, target)
        #endif
        guard result == 0 else { throw DiskError(errno: errno, doing: "rename a file", path: source) }
    }

    public func remove(_ path: String) throws(DiskError) {
        guard unlink(path) == 0 || errno == ENOENT else {
            throw DiskError(errno: errno, doing: "remove a file", path: path)
        }
    }

    public func removeDirectory(_ path: String) throws(DiskError) {
        guard rmdir(path) == 0 || errno == ENOENT else {
            throw DiskError(errno: errno, doing: "remove a folder", path: path)
        }
    }

    public func syncDirectory(_ path: String) throws(DiskError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskError(errno: errno, doing: "open a folder", path: path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw DiskError(errno: errno, doing: "sync a folder", path: path) }
    }

    public func size(of path: String) throws(DiskError) -> UInt64? {
        var info = stat()
        guard stat(path, &info) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw DiskError(errno: errno, doing: "look at a file", path: path)
        }
        return UInt64(info.st_size)
    }
}

// MARK: The immutable flag

extension LocalDisk {
    #if canImport(Glibc)
        // linux/fs.h, as on every 64-bit Linux; the macros do not reach Swift.
        private static let getFlags: UInt = 0x8008_6601
        private static let setFlags: UInt = 0x4008_6602
        private static let immutableFlag: CInt = 0x10

        /// ext4, xfs, btrfs and others; needs CAP_LINUX_IMMUTABLE.
        public func setImmutable(_ path: String, _ isImmutable: Bool) throws(DiskError) {
            let descriptor = try openForFlags(path)
            defer { close(descriptor) }
            let old = try flags(descriptor, path)
            var new = isImmutable ? old | Self.immutableFlag : old & ~Self.immutableFlag
            guard new != old else { return }
            guard ioctl(descriptor, Self.setFlags, &new) == 0 else {
                throw DiskError(errno: errno, doing: "change the immutable flag", path: path)
            }
        }

        public func isImmutable(_ path: String) throws(DiskError) -> Bool {
            let descriptor = try openForFlags(path)
            defer { close(descriptor) }
            return try flags(descriptor, path) & Self.immutableFlag != 0
        }

        private func openForFlags(_ path: String) throws(DiskError) -> CInt {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard descriptor >= 0 else { throw DiskError(errno: errno, doing: "open a file", path: path) }
            return descriptor
        }

        private func flags(_ descriptor: CInt, _ path: String) throws(DiskError) -> CInt {
            var flags: CInt = 0
            guard ioctl(descriptor, Self.getFlags, &flags) == 0 else {
                throw DiskError(errno: errno, doing: "read the immutable flag", path: path)
            }
            return flags
        }
    #else
        public func setImmutable(_ path: String, _ isImmutable: Bool) throws(DiskError) {
            let old = try flags(path)
            let new = isImmutable ? old | UInt32(UF_IMMUTABLE) : old & ~UInt32(UF_IMMUTABLE)
            guard chflags(path, new) == 0 else {
                throw DiskError(errno: errno, doing: "change the immutable flag", path: path)
            }
        }

        public func isImmutable(_ path: String) throws(DiskError) -> Bool { try flags(path) & UInt32(UF_IMMUTABLE) != 0 }

        private func flags(_ path: String) throws(DiskError) -> UInt32 {
            var info = stat()
            guard stat(path, &info) == 0 else { throw DiskError(errno: errno, doing: "look at a file", path: path) }
            return info.st_flags
        }
    #endif
}

private final class LocalWritableFile: WritableFile {
    /// So much is handed to the disk ahead of the sync, which then waits for the rest only.
    private static let writeBack = 8 << 20

    private let descriptor: Mutex<Int32>
    private let path: String
    /// Bytes appended since the last write-back.
    private let pending = Mutex(0)

    init(descriptor: Int32, path: String) {
        self.descriptor = Mutex(descriptor)
        self.path = path
    }

    deinit { close() }

    func append(_ bytes: UnsafeRawBufferPointer) throws(DiskError) {
        let descriptor = self.descriptor.withLock { $0 }
        var rest = bytes
        while !rest.isEmpty {
            let written = write(descriptor, rest.baseAddress, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw DiskError(errno: errno, doing: "write \(bytes.count) bytes", path: path)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
        startWriteBack(descriptor, after: bytes.count)
    }

    /// A hint that promises nothing: what is durable is only known after ``sync()``.
    private func startWriteBack(_ descriptor: Int32, after count: Int) {
        let isDue = pending.withLock { pending in
            pending += count
            guard pending >= Self.writeBack else { return false }
            pending = 0
            return true
        }
        #if canImport(Glibc)
            if isDue, let range = Self.syncFileRange { _ = range(descriptor, 0, 0, 2) }
        #endif
    }

    #if canImport(Glibc)
        /// `sync_file_range(descriptor, offset, count, flags)`, which the Glibc module does not show; the flag 2 is
        /// SYNC_FILE_RANGE_WRITE.
        private static let syncFileRange: (@convention(c) (Int32, Int64, Int64, UInt32) -> Int32)? =
            dlsym(nil, "sync_file_range").map {
                unsafeBitCast($0, to: (@convention(c) (Int32, Int64, Int64, UInt32) -> Int32).self)
            }
    #endif

    func sync() throws(DiskError) {
        let descriptor = self.descriptor.withLock { $0 }
        #if canImport(Glibc)
            let result = fdatasync(descriptor)
        #else
            let result = fcntl(descriptor, F_FULLFSYNC)
        #endif
        guard result == 0 else { throw DiskError(errno: errno, doing: "sync a file", path: path) }
    }

    func truncate(to length: UInt64) throws(DiskError) {
        let descriptor = self.descriptor.withLock { $0 }
        guard ftruncate(descriptor, off_t(length)) == 0, lseek(descriptor, off_t(length), SEEK_SET) >= 0 else {
            throw DiskError(errno: errno, doing: "cut a file to \(length) bytes", path: path)
        }
    }

    func close() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 {
                #if canImport(Glibc)
                    _ = Glibc.close(descriptor)
                #else
                    _ = Darwin.close(descriptor)
                #endif
            }
            descriptor = -1
        }
    }
}

private final class LocalReadableFile: ReadableFile {
    private let descriptor: Int32
    private let path: String

    init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let got = pread(
                descriptor, buffer.baseAddress! + filled, buffer.count - filled, off_t(offset) + off_t(filled))
            if got < 0 {
                if errno == EINTR { continue }
                throw DiskError(errno: errno, doing: "read \(buffer.count) bytes at \(offset)", path: path)
            }
            if got == 0 { break }
            filled += got
        }
        return filled
    }

    var size: UInt64 {
        get throws(DiskError) {
            var info = stat()
            guard fstat(descriptor, &info) == 0 else {
                throw DiskError(errno: errno, doing: "look at a file", path: path)
            }
            return UInt64(info.st_size)
        }
    }
}
