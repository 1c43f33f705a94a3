// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import KeyManagement
import Metadata
import ObjectStorage
import Synchronization

/// A store on a disk in memory, as it may be found again after a power loss, with clocks that a test can move.
final class World: @unchecked Sendable {
    // Used by one thread at a time.
    var disk = MemoryDisk()
    let metadata: Metadata
    let time = TestTime()
    let customerKeys = TestKeys()
    private let received = Mutex<[StoreReport]>([])

    init() throws {
        metadata = try Metadata(path: nil)
        _ = try open().createBucket("bucket", owner: "1")
    }

    func open() throws -> EmbeddedObjectStore {
        let time = self.time
        let customerKeys = self.customerKeys
        return try EmbeddedObjectStore(
            folder: "objects", region: "local-1", disk: disk,
            keys: KeyService(metadata: metadata, rootKeyPath: "keys/root.key", disk: disk),
            metadata: metadata, now: { Date(timeIntervalSince1970: 1_767_225_600) }, time: time.sources,
            customerKey: { try customerKeys.key($0, $1) },
            report: { [weak self] report in self?.received.withLock { $0.append(report) } })
    }

    /// Reports so far, of a store that is asked to hand them over first.
    func reports(_ store: EmbeddedObjectStore) -> [StoreReport] {
        store.close()
        return received.withLock { $0 }
    }

    func jumps(_ store: EmbeddedObjectStore) -> [ClockJump] {
        reports(store).compactMap { if case .clockJump(let jump) = $0 { jump } else { nil } }
    }

    func damages(_ store: EmbeddedObjectStore) -> [String] {
        reports(store).compactMap {
            if case .damage(let bucket, let key, let what) = $0 { "\(bucket)/\(key): \(what)" } else { nil }
        }
    }

    func files() throws -> [String] { try disk.list("objects/bucket") }
}

/// Clocks that stand still unless told.
final class TestTime: Sendable {
    static let start: Int64 = 1_767_225_600_000
    static let day: Int64 = 24 * 3600 * 1000
    private let state = Mutex((wall: start, monotonic: Int64(5000), boot: 1))

    var sources: TimeSources {
        TimeSources(
            wall: { self.state.withLock { $0.wall } }, monotonic: { self.state.withLock { $0.monotonic } },
            bootId: "boot-\(state.withLock { $0.boot })")
    }

    /// Time passes, on both clocks.
    func pass(_ milliseconds: Int64) {
        state.withLock {
            $0.wall += milliseconds
            $0.monotonic += milliseconds
        }
    }

    func pass(days: Int) { pass(Int64(days) * Self.day) }

    /// Somebody sets the wall clock.
    func setWall(_ difference: Int64) { state.withLock { $0.wall += difference } }

    /// The machine starts anew.
    func reboot() {
        state.withLock {
            $0.boot += 1
            $0.monotonic = 100
        }
    }
}

/// Customers' keys that can be disabled.
final class TestKeys: Sendable {
    struct Disabled: Error, Equatable { var id: String }
    struct NotFound: Error, Equatable { var id: String }

    private let disabled = Mutex<Set<String>>([])
    private let keys: [String: ServiceKey]

    init() {
        let metadata = try! Metadata(path: nil)
        let service = try! KeyService(metadata: metadata, rootKeyPath: "root", disk: MemoryDisk())
        keys = ["key-1": try! service.serviceKey("one"), "key-2": try! service.serviceKey("two")]
    }

    func set(_ id: String, isEnabled: Bool) {
        disabled.withLock { if isEnabled { $0.remove(id) } else { _ = $0.insert(id) } }
    }

    /// nil and `alias` are key-1.
    func key(_ id: String?, _ account: String) throws -> CustomerObjectKey {
        let id = id == nil || id == "alias" ? "key-1" : id!
        guard let key = keys[id] else { throw NotFound(id: id) }
        return CustomerObjectKey(id: id, wrapper: Wrapper(id: id, key: key, keys: self))
    }

    private struct Wrapper: DataKeyWrapper {
        let id: String
        let key: ServiceKey
        let keys: TestKeys

        func check() throws { if keys.disabled.withLock({ $0.contains(id) }) { throw Disabled(id: id) } }

        func newDataKey(context: some DataProtocol) throws -> DataKey {
            try check()
            return try key.newDataKey(context: context)
        }

        func unwrap(_ wrapped: some DataProtocol, context: some DataProtocol) throws -> SymmetricKey {
            try check()
            return try key.unwrap(wrapped, context: context)
        }
    }
}

final class Counter: @unchecked Sendable {
    // Used by one thread at a time.
    private var value = -1
    func next() -> Int { value += 1; return value }
    var count: Int { value + 1 }
}

func bytes(_ count: Int, seed: UInt8 = 1) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) ^ seed } }

extension EmbeddedObjectStore {
    func content(_ key: String, _ range: Range<Int64>? = nil, version: String? = nil) async throws -> [UInt8]? {
        guard case .object(let object) = try lookup(bucket: "bucket", key: key, versionId: version) else { return nil }
        var content: [UInt8] = []
        try await read(object, range: range ?? 0..<object.size) { content += $0 }
        return content
    }

    @discardableResult
    func put(_ content: [UInt8], _ key: String, _ options: PutOptions) throws -> StoredObject {
        let writer = try beginPut(bucket: "bucket", key: key, attributes: .init(), options: options)
        try content.withUnsafeBytes { try writer.append($0) }
        return try writer.finish(expectedMD5: nil, expectedCRC64: nil)
    }

    @discardableResult
    func append(_ content: [UInt8], _ key: String, at position: Int64, _ options: PutOptions = .init()) throws -> StoredObject {
        let writer = try beginAppend(bucket: "bucket", key: key, position: position, attributes: .init(), options: options)
        try content.withUnsafeBytes { try writer.append($0) }
        return try writer.finish(expectedMD5: nil, expectedCRC64: nil)
    }

    @discardableResult
    func putPart(_ content: [UInt8], _ upload: MultipartUpload, _ number: Int) throws -> StoredPart {
        let writer = try beginPart(bucket: upload.bucket, key: upload.key, uploadId: upload.uploadId, number: number)
        try content.withUnsafeBytes { try writer.append($0) }
        return try writer.finish(expectedMD5: nil, expectedCRC64: nil)
    }

    func beginMultipart(_ key: String, _ options: PutOptions = .init()) throws -> MultipartUpload {
        try beginMultipart(bucket: "bucket", key: key, attributes: .init(contentType: "a/b"), options: options)
    }

    func complete(_ upload: MultipartUpload, _ parts: [PartChoice]? = nil) throws -> StoredObject {
        try completeMultipart(bucket: upload.bucket, key: upload.key, uploadId: upload.uploadId, parts: parts)
    }

    func lock(_ bucket: String = "bucket", days: Int) throws {
        try completeRetention(bucket: bucket, id: initiateRetention(bucket: bucket, days: days).id)
    }
}

func crc64(_ content: [UInt8]) -> UInt64 {
    var crc = CRC64()
    content.withUnsafeBytes { crc.update($0) }
    return crc.value
}

func hex(_ bytes: some Sequence<UInt8>) -> String { bytes.map { String(format: "%02X", $0) }.joined() }
