// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A disk in memory for fault tests: it can fail, tear, fill up and lie, and it can lose power.
///
/// What was not synced is volatile: ``afterPowerLoss(seed:)`` gives a disk that kept the durable bytes, a random
/// part of each unsynced tail, and a random choice of the renames and creations whose folder was not synced.
public final class MemoryDisk: Disk {
    public enum Operation: Sendable, Hashable {
        case create, append, sync, truncate, rename, remove, syncDirectory, read, setFlag
    }

    public enum Fault: Sendable {
        /// Nothing happens, the caller is told so.
        case lost(errno: Int32)
        /// It happens, but the caller is told that it failed.
        case kept(errno: Int32)
        /// The first `bytes` of an append happen.
        case torn(bytes: Int, errno: Int32)
        /// Nothing happens, the caller is told that it did.
        case lie
    }

    fileprivate final class Content: Sendable {
        struct State {
            var bytes: [UInt8] = []
            var durableBytes: [UInt8] = []
            var isImmutable = false
        }
        let state = Mutex(State())
    }

    private struct State {
        var names: [String: Content] = [:]
        var durableNames: [String: Content] = [:]
        var directories: Set<String> = []
        var fault: (@Sendable (Operation, String) -> Fault?)?
        var hasImmutableFlag = true
        var capacity = Int.max
        var used = 0
    }

    private let state: Mutex<State>

    public init() { state = Mutex(State()) }

    private init(_ initial: State) { state = Mutex(initial) }

    /// Consulted before each operation; nil lets it through.
    public func setFault(_ fault: (@Sendable (Operation, String) -> Fault?)?) {
        state.withLock { $0.fault = fault }
    }

    /// Bytes that fit in all files together, appends beyond it fail with "no space left".
    public func setCapacity(_ bytes: Int) { state.withLock { $0.capacity = bytes } }

    /// Whether this file system has the immutable flag at all.
    public func setImmutableFlag(isSupported: Bool) { state.withLock { $0.hasImmutableFlag = isSupported } }

    public var used: Int { state.withLock { $0.used } }

    public func flipBit(in path: String, at offset: Int) {
        guard let content = state.withLock({ $0.names[path] }) else { return }
        content.state.withLock {
            $0.bytes[offset] ^= 0x10
            if offset < $0.durableBytes.count { $0.durableBytes[offset] ^= 0x10 }
        }
    }

    public func afterPowerLoss(seed: UInt64) -> MemoryDisk {
        var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func next(_ bound: Int) -> Int {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return Int(random % UInt64(max(bound, 1)))
        }
        return state.withLock { old in
            var new = State()
            new.directories = old.directories
            new.hasImmutableFlag = old.hasImmutableFlag
            var names = old.durableNames
            for name in old.names.keys.sorted() {
                guard let content = old.names[name], names[name] !== content, next(2) == 0 else { continue }
                names[name] = content
            }
            for name in old.durableNames.keys.sorted() where old.names[name] == nil && next(2) == 0 {
                // A removal that happened; a rename never loses both names.
                if let content = names[name], !old.names.values.contains(where: { $0 === content }) { names[name] = nil }
            }
            for name in names.keys.sorted() {
                guard let content = names[name] else { continue }
                let copy = Content()
                content.state.withLock { source in
                    var bytes = source.durableBytes
                    if source.bytes.count > bytes.count {
                        let tail = source.bytes[bytes.count...]
                        var kept = Array(tail.prefix(next(tail.count + 1)))
                        if !kept.isEmpty && next(3) == 0 { kept[next(kept.count)] ^= UInt8(1 + next(255)) }
                        bytes += kept
                    }
                    // Flags are never synced.
                    let isImmutable = source.isImmutable && next(2) == 0
                    copy.state.withLock {
                        $0.bytes = bytes
                        $0.durableBytes = bytes
                        $0.isImmutable = isImmutable
                    }
                    new.used += bytes.count
                }
                new.names[name] = copy
            }
            new.durableNames = new.names
            return MemoryDisk(new)
        }
    }

    /// What a process that is killed leaves: all that it wrote, synced or not. The power may go after that.
    public func afterKill() -> MemoryDisk {
        state.withLock { old in
            var new = State()
            new.directories = old.directories
            new.hasImmutableFlag = old.hasImmutableFlag
            // One file may have one name that lasts and another that does not yet.
            var copies: [ObjectIdentifier: Content] = [:]
            for content in Array(old.names.values) + Array(old.durableNames.values) {
                let held = content.state.withLock { $0 }
                let copy = Content()
                copy.state.withLock { $0 = held }
                copies[ObjectIdentifier(content)] = copy
            }
            new.names = old.names.mapValues { copies[ObjectIdentifier($0)]! }
            new.durableNames = old.durableNames.mapValues { copies[ObjectIdentifier($0)]! }
            for content in new.names.values { new.used += content.state.withLock { $0.bytes.count } }
            return MemoryDisk(new)
        }
    }

    /// Runs `action` unless the plan says otherwise; returns normally for a lie.
    fileprivate func perform(
        _ operation: Operation, _ path: String, torn: (Int) -> Void = { _ in }, _ action: () throws(DiskError) -> Void
    ) throws(DiskError) {
        let fault = state.withLock { $0.fault }?(operation, path)
        switch fault {
        case nil: try action()
        case .lost(let number): throw DiskError(errno: number, doing: "\(operation)", path: path)
        case .kept(let number):
            try action()
            throw DiskError(errno: number, doing: "\(operation)", path: path)
        case .torn(let bytes, let number):
            torn(bytes)
            throw DiskError(errno: number, doing: "\(operation)", path: path)
        case .lie: break
        }
    }

    fileprivate func reserve(_ count: Int, path: String) throws(DiskError) {
        let fits = state.withLock { state in
            guard state.used + count <= state.capacity else { return false }
            state.used += count
            return true
        }
        if !fits { throw DiskError(errno: ENOSPC, doing: "write \(count) bytes", path: path) }
    }

    fileprivate func release(_ count: Int) { state.withLock { $0.used -= count } }

    public func create(_ path: String) throws(DiskError) -> any WritableFile {
        let content = Content()
        var exists = false
        try perform(.create, path) { () throws(DiskError) in
            exists = state.withLock { state in
                if state.names[path] != nil { return true }
                state.names[path] = content
                return false
            }
        }
        if exists { throw DiskError(errno: EEXIST, doing: "create a file", path: path) }
        return MemoryFile(disk: self, content: content, path: path)
    }

    public func openForAppending(_ path: String) throws(DiskError) -> any WritableFile {
        try refuseImmutable([path], doing: "open a file")
        return try memoryFile(path)
    }

    public func openForReading(_ path: String) throws(DiskError) -> any ReadableFile { try memoryFile(path) }

    private func memoryFile(_ path: String) throws(DiskError) -> MemoryFile {
        guard let content = state.withLock({ $0.names[path] }) else {
            throw DiskError(errno: ENOENT, doing: "open a file", path: path)
        }
        return MemoryFile(disk: self, content: content, path: path)
    }

    public func list(_ directory: String) throws(DiskError) -> [String] {
        let prefix = directory + "/"
        return state.withLock { state in
            var names: Set<String> = []
            for path in Array(state.names.keys) + Array(state.directories) where path.hasPrefix(prefix) {
                names.insert(String(path.dropFirst(prefix.count).prefix(while: { $0 != "/" })))
            }
            return names.sorted()
        }
    }

    public func createDirectory(_ path: String) throws(DiskError) {
        state.withLock { _ = $0.directories.insert(path) }
    }

    public func rename(_ source: String, to target: String) throws(DiskError) {
        var missing = false
        try refuseImmutable([source, target], doing: "rename a file")
        try perform(.rename, source) { () throws(DiskError) in
            missing = state.withLock { state in
                guard let content = state.names.removeValue(forKey: source) else { return true }
                if let replaced = state.names.updateValue(content, forKey: target) {
                    state.used -= replaced.state.withLock { $0.bytes.count }
                }
                return false
            }
        }
        if missing { throw DiskError(errno: ENOENT, doing: "rename a file", path: source) }
    }

    public func remove(_ path: String) throws(DiskError) {
        try refuseImmutable([path], doing: "remove a file")
        try perform(.remove, path) { () throws(DiskError) in
            state.withLock { state in
                if let content = state.names.removeValue(forKey: path) {
                    state.used -= content.state.withLock { $0.bytes.count }
                }
            }
        }
    }

    public func removeDirectory(_ path: String) throws(DiskError) {
        guard try list(path).isEmpty else { throw DiskError(errno: ENOTEMPTY, doing: "remove a folder", path: path) }
        try perform(.remove, path) { () throws(DiskError) in state.withLock { _ = $0.directories.remove(path) } }
    }

    public func syncDirectory(_ path: String) throws(DiskError) {
        try perform(.syncDirectory, path) { () throws(DiskError) in
            state.withLock { state in
                func isInside(_ name: String) -> Bool {
                    name.hasPrefix(path + "/") && !name.dropFirst(path.count + 1).contains("/")
                }
                for name in state.durableNames.keys where isInside(name) { state.durableNames[name] = nil }
                for (name, content) in state.names where isInside(name) { state.durableNames[name] = content }
            }
        }
    }

    public func setImmutable(_ path: String, _ isImmutable: Bool) throws(DiskError) {
        let content = try flagged(path)
        try perform(.setFlag, path) { () throws(DiskError) in content.state.withLock { $0.isImmutable = isImmutable } }
    }

    public func isImmutable(_ path: String) throws(DiskError) -> Bool {
        try flagged(path).state.withLock { $0.isImmutable }
    }

    private func flagged(_ path: String) throws(DiskError) -> Content {
        let (content, isSupported) = state.withLock { ($0.names[path], $0.hasImmutableFlag) }
        guard let content else { throw DiskError(errno: ENOENT, doing: "open a file", path: path) }
        guard isSupported else { throw DiskError(errno: ENOTTY, doing: "read the immutable flag", path: path) }
        return content
    }

    private func refuseImmutable(_ paths: [String], doing attempt: String) throws(DiskError) {
        let isImmutable = state.withLock { state in
            paths.contains { path in state.names[path]?.state.withLock { $0.isImmutable } ?? false }
        }
        if isImmutable { throw DiskError(errno: EPERM, doing: attempt, path: paths[0]) }
    }

    public func size(of path: String) throws(DiskError) -> UInt64? {
        state.withLock { $0.names[path] }.map { content in UInt64(content.state.withLock { $0.bytes.count }) }
    }
}

private final class MemoryFile: WritableFile, ReadableFile {
    let disk: MemoryDisk
    let content: MemoryDisk.Content
    let path: String

    init(disk: MemoryDisk, content: MemoryDisk.Content, path: String) {
        self.disk = disk
        self.content = content
        self.path = path
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(DiskError) {
        func keep(_ count: Int) { content.state.withLock { $0.bytes += bytes.prefix(count) } }
        func tear(_ count: Int) {
            if (try? disk.reserve(count, path: path)) != nil { keep(count) }
        }
        try disk.perform(.append, path, torn: { tear(min($0, bytes.count)) }) { () throws(DiskError) in
            try disk.reserve(bytes.count, path: path)
            keep(bytes.count)
        }
    }

    func sync() throws(DiskError) {
        try disk.perform(.sync, path) { () throws(DiskError) in
            content.state.withLock { $0.durableBytes = $0.bytes }
        }
    }

    func truncate(to length: UInt64) throws(DiskError) {
        try disk.perform(.truncate, path) { () throws(DiskError) in
            let cut = content.state.withLock { state in
                defer { state.bytes = Array(state.bytes.prefix(Int(length))) }
                return max(0, state.bytes.count - Int(length))
            }
            disk.release(cut)
        }
    }

    func close() {}

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
        var count = 0
        try disk.perform(.read, path) { () throws(DiskError) in
            content.state.withLock { state in
                guard offset < UInt64(state.bytes.count) else { return }
                count = min(buffer.count, state.bytes.count - Int(offset))
                state.bytes.withUnsafeBytes { source in
                    buffer.baseAddress?.copyMemory(from: source.baseAddress! + Int(offset), byteCount: count)
                }
            }
        }
        return count
    }

    var size: UInt64 {
        get throws(DiskError) { UInt64(content.state.withLock { $0.bytes.count }) }
    }
}
