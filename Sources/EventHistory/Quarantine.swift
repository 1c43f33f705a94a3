// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import KeyManagement
import LogEngine
import Metrics
import Synchronization

/// Keeps what was rejected, so that nothing a producer sent disappears: a sealed file a request, bounded in all.
///
/// When the limit is reached the oldest files go, and are counted.
public final class Quarantine: Sendable {
    public struct Entry: Codable, Sendable {
        public var account: String
        public var receivedAt: String
        public var requestId: String
        public var source: String
        public var line: Int
        public var code: String
        public var message: String
        /// The raw record, at most its first 64 KiB.
        public var record: Data

        public init(
            account: String, receivedAt: String, requestId: String, source: String, line: Int, code: String,
            message: String, record: Data
        ) {
            self.account = account
            self.receivedAt = receivedAt
            self.requestId = requestId
            self.source = source
            self.line = line
            self.code = code
            self.message = message
            self.record = record
        }
    }

    static let magic: StaticString = "CRNQRNT1"
    private static let suffix = ".rejected"
    private static let nameScalars = CharacterSet(charactersIn: "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-")

    private let folder: String
    private let disk: any Disk
    private let key: ServiceKey
    private let limit: UInt64
    private let used: Mutex<UInt64>
    private let dropped = Counter(label: "cairn_quarantine_dropped_files_total")
    private let unreadable = Counter(label: "cairn_quarantine_unreadable_files_total")
    private let kept = Counter(label: "cairn_quarantined_records_total")

    public init(folder: String, disk: any Disk, keys: KeyService, limit: UInt64 = 1 << 30) throws {
        self.folder = folder
        self.disk = disk
        self.limit = limit
        key = try keys.serviceKey("quarantine")
        try disk.createDirectory(folder)
        var total: UInt64 = 0
        for name in try disk.list(folder) {
            if name.hasSuffix(Self.suffix + ".tmp") {
                try disk.remove(folder + "/" + name)
            } else if name.hasSuffix(Self.suffix) {
                total += try disk.size(of: folder + "/" + name) ?? 0
            }
        }
        used = Mutex(total)
    }

    /// Makes the rejected records of one request durable.
    public func keep(_ entries: [Entry], receivedAtMilliseconds: Int64) throws {
        guard let first = entries.first else { return }
        let plain = try JSONEncoder().encode(entries)
        let compressed = plain.withUnsafeBytes { Zstd.compress($0, dictionary: nil) }
        let envelope = try FileEnvelope(magic: Self.magic, key: key)
        let count = withUnsafeBytes(of: UInt32(plain.count).littleEndian) { Array($0) }
        let bytes = envelope.header + envelope.seal(count + compressed, nonce: FileEnvelope.onlyNonce, authenticating: [])
        // A name of its own even if an id should come twice; whatever the id holds, it stays one file name.
        var id = String.UnicodeScalarView()
        for scalar in first.requestId.unicodeScalars.prefix(64) where Self.nameScalars.contains(scalar) { id.append(scalar) }
        let time = String(format: "%016lld", receivedAtMilliseconds)
        let name: String = "\(time)-\(String(id))-\(UUID().uuidString.prefix(8))\(Self.suffix)"
        try disk.replace(folder + "/" + name, with: bytes)
        kept.increment(by: Int64(entries.count))
        let total = used.withLock { used in
            used += UInt64(bytes.count)
            return used
        }
        if total > limit { try dropOldest() }
    }

    private func dropOldest() throws {
        for name in try disk.list(folder) where name.hasSuffix(Self.suffix) {
            guard used.withLock({ $0 }) > limit / 10 * 9 else { return }
            let size = try disk.size(of: folder + "/" + name) ?? 0
            try disk.remove(folder + "/" + name)
            used.withLock { $0 -= min($0, size) }
            dropped.increment()
        }
    }

    /// Rejected records of an account, newest request first; a file that cannot be read is passed over and counted.
    ///
    /// - Parameter before: the `next` of the page before, opaque to callers: a file and how many of its records were shown.
    public func entries(account: String, before: String?, limit: Int) throws -> (entries: [Entry], next: String?) {
        let parts = before?.split(separator: "/", maxSplits: 1).map(String.init)
        let (file, shown) = (parts?.first ?? before, parts?.last.flatMap(Int.init) ?? .max)
        var found: [Entry] = []
        for name in try disk.list(folder).reversed() where name.hasSuffix(Self.suffix) {
            if let file, name > file || (name == file && shown == .max) { continue }
            let content: [Entry]
            do { content = try read(name) } catch is StoreDamage {
                unreadable.increment()
                continue
            }
            let skipped = name == file ? max(0, shown) : 0
            let rest = content.filter { $0.account == account }.dropFirst(skipped)
            let taken = rest.prefix(limit - found.count)
            found += taken
            if found.count >= limit { return (found, "\(name)/\(skipped + taken.count)") }
        }
        return (found, nil)
    }

    private func read(_ name: String) throws -> [Entry] {
        let path = folder + "/" + name
        guard let bytes = try disk.readAll(path, limit: 512 << 20) else { return [] }
        do {
            let envelope = try FileEnvelope(reading: bytes, magic: Self.magic, key: key)
            let plain = try envelope.open(
                bytes[envelope.header.count...], nonce: FileEnvelope.onlyNonce, authenticating: [])
            let count = plain.prefix(4).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
            guard count <= 512 << 20 else { throw FormatError.truncated }
            let raw = try plain.dropFirst(4).withUnsafeBytes { buffer throws(FormatError) in
                try Zstd.expand(buffer, rawCount: count, dictionary: nil)
            }
            return try JSONDecoder().decode([Entry].self, from: Data(raw))
        } catch let error as FormatError { throw StoreDamage(path: path, offset: 0, reason: error) } catch is KeyError {
            throw StoreDamage(path: path, offset: 0, reason: .notAuthentic)
        } catch is DecodingError {
            throw StoreDamage(path: path, offset: 0, reason: .unknownVersion)
        }
    }
}
