// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import DurableFiles
import EventHistory
import Foundation
import KeyManagement
import Logging
import MerkleLog
import Metadata
import ObjectStorage
import Synchronization
import Trails

let account = "1000000000000001"
let start: Int64 = 1_767_225_600_000  // 2026-01-01T00:00:00Z

struct StoreFailure: Error {}

/// An object store that fails at a chosen put: before anything happened, or after it was done.
final class FlakyStore: ObjectStore {
    let real: EmbeddedObjectStore
    private let state = Mutex((puts: 0, failAt: -1, isKept: false, badBucket: ""))

    init(_ real: EmbeddedObjectStore) { self.real = real }

    func fail(atPut number: Int, kept: Bool) { state.withLock { $0 = (0, number, kept, $0.badBucket) } }
    func breakBucket(_ name: String) { state.withLock { $0.badBucket = name } }
    var puts: Int { state.withLock { $0.puts } }

    fileprivate func verdict(_ bucket: String) -> (fails: Bool, isKept: Bool) {
        state.withLock { state in
            state.puts += 1
            return (state.puts - 1 == state.failAt || state.badBucket == bucket, state.isKept && state.badBucket != bucket)
        }
    }

    func createBucket(_ name: String, owner: String) throws -> Bucket { try real.createBucket(name, owner: owner) }
    func bucket(_ name: String) throws -> Bucket? { try real.bucket(name) }
    func buckets(owner: String) throws -> [Bucket] { try real.buckets(owner: owner) }
    func deleteBucket(_ name: String) throws { try real.deleteBucket(name) }
    func object(bucket: String, key: String) throws -> StoredObject? { try real.object(bucket: bucket, key: key) }
    func deleteObject(bucket: String, key: String) throws { try real.deleteObject(bucket: bucket, key: key) }
    func read(_ object: StoredObject, range: Range<Int64>, into sink: (Data) async throws -> Void) async throws {
        try await real.read(object, range: range, into: sink)
    }
    func objects(bucket: String, prefix: String, after marker: String, limit: Int) throws -> [StoredObject] {
        try real.objects(bucket: bucket, prefix: prefix, after: marker, limit: limit)
    }
    func beginUpload(bucket: String, key: String, attributes: ObjectAttributes) throws -> any ObjectUpload {
        Upload(try real.beginUpload(bucket: bucket, key: key, attributes: attributes), verdict(bucket))
    }

    private final class Upload: ObjectUpload {
        private let real: any ObjectUpload
        private let verdict: (fails: Bool, isKept: Bool)
        init(_ real: any ObjectUpload, _ verdict: (fails: Bool, isKept: Bool)) { (self.real, self.verdict) = (real, verdict) }
        func append(_ bytes: UnsafeRawBufferPointer) throws { try real.append(bytes) }
        func abandon() { real.abandon() }
        func finish(expectedMD5: [UInt8]?) throws -> StoredObject {
            if verdict.fails && !verdict.isKept {
                real.abandon()
                throw StoreFailure()
            }
            let object = try real.finish(expectedMD5: expectedMD5)
            if verdict.fails { throw StoreFailure() }
            return object
        }
    }
}

/// A whole installation in memory.
final class World: Sendable {
    let disk = MemoryDisk()
    let metadata: Metadata
    let time = Clock()
    let history: EventHistory
    let store: FlakyStore
    let registry: TrailRegistry
    let service: DeliveryService

    init(retentionDays: Int = 90, tailRows: Int = 1 << 16) throws {
        metadata = try Metadata(path: nil)
        let keys = try KeyService(metadata: metadata, rootKeyPath: "data/root.key", disk: disk)
        var settings = EventHistory.Settings(dataFolder: "data")
        settings.retentionDays = retentionDays
        settings.tailRows = tailRows
        let time = self.time
        history = try EventHistory(
            settings: settings, disk: disk, keys: keys, metadata: metadata, now: { time.milliseconds }, report: { _ in })
        store = FlakyStore(
            try EmbeddedObjectStore(
                folder: "data/objects", region: "local-1", disk: disk, keys: keys, metadata: metadata, now: { time.date }))
        registry = TrailRegistry(metadata: metadata, now: { time.date })
        service = DeliveryService(
            registry: registry, history: history, objects: store, interval: .milliseconds(50),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), now: { time.date })
        for bucket in ["bucket-a", "bucket-b"] { _ = try store.createBucket(bucket, owner: account) }
    }

    final class Clock: Sendable {
        private let now = Mutex(start)
        var milliseconds: Int64 { now.withLock { $0 } }
        var date: Date { Date(timeIntervalSince1970: Double(milliseconds) / 1000) }
        func advance(_ by: Int64) { now.withLock { $0 += by } }
    }

    @discardableResult
    func trail(
        _ name: String = "audit", bucket: String = "bucket-a", selection: Trail.Selection = .all, region: String = "All",
        prefix: String = "", owner: String = account
    ) throws -> Trail {
        let trail = Trail(
            id: UUID().uuidString, name: name, accountId: owner, homeRegion: "local-1", trailRegion: region,
            selection: selection, ossBucketName: bucket, ossKeyPrefix: prefix, createdAt: time.date)
        try registry.create(trail)
        return trail
    }

    func startLogging(_ name: String = "audit") throws { try registry.start(name, account: account, at: history.endSequence) }

    func stopLogging(_ name: String = "audit") throws {
        try registry.stop(name, account: account)
        try registry.sealStop(name, account: account, at: history.endSequence)
    }

    @discardableResult
    func record(_ ids: Range<Int>, owner: String = account) async throws -> [String] {
        let batch = EventParser().parse(
            Array(ids.map { event($0) }.joined(separator: "\n").utf8), format: .actiontrail,
            context: ReceivingContext(accountId: owner, region: "local-1", nowMilliseconds: time.milliseconds))
        precondition(batch.rejected.isEmpty && batch.events.count == ids.count, "the fixture is JSON")
        _ = try await history.record(batch, account: owner)
        return batch.events.map { String(decoding: batch.bytes(of: $0), as: UTF8.self) }
    }

    func state(_ name: String = "audit") throws -> DeliveryState {
        try registry.deliveryState(of: registry.trail(name, account: account)!)
    }

    /// Runs deliveries until nothing moves.
    func deliver(rounds: Int = 6) async throws { for _ in 0..<rounds { try await service.deliverOnce() } }

    func keys(_ bucket: String = "bucket-a") throws -> [String] {
        try store.objects(bucket: bucket, prefix: "", after: "", limit: .max).map(\.key)
    }

    func folder(_ bucket: String = "bucket-a") async throws -> Folder {
        var folder = Folder()
        for object in try store.objects(bucket: bucket, prefix: "", after: "", limit: .max) {
            folder.files[object.key] = try await store.content(of: object)
        }
        return folder
    }

    func verify(_ folder: Folder, prefix: String = "") async throws -> DeliveryVerification.Report {
        try await DeliveryVerification(
            source: folder, verifier: NoteVerifier(verifierKey: history.signedLog.verifierKey), prefix: prefix
        ).run()
    }

    /// The events in a bucket, in the order of its keys.
    func delivered(_ bucket: String = "bucket-a") async throws -> [String] {
        let folder = try await folder(bucket)
        return try folder.files.keys.sorted().filter { $0.hasSuffix(".gz") }.flatMap { key -> [String] in
            let raw = try folder.files[key]!.withUnsafeBytes { try Gzip.expand($0, limit: 64 << 20) }
            var found: [String] = []
            _ = raw.withUnsafeBytes { JSONArraySplitter.split($0) { found.append(String(decoding: $0, as: UTF8.self)) } }
            return found
        }
    }
}

/// Downloaded objects.
struct Folder: DeliveredObjects {
    var files: [String: [UInt8]] = [:]
    func keys() async throws -> [String] { Array(files.keys) }
    func content(_ key: String) async throws -> [UInt8] { files[key]! }
}

/// Event n: three regions, two days, every third a read, every tenth global.
func event(_ number: Int) -> String {
    let time = start + Int64(number % 2) * 86_400_000 + Int64(number) * 1000
    let region = ["cn-hangzhou", "cn-beijing", ".."][number % 3]
    return
        #"{"eventId":"E-\#(number)","eventName":"Call\#(number)","eventTime":"\#(EventTime.text(time))","acsRegion":"\#(region)","#
        + #""isGlobal":\#(number % 10 == 0),"eventRW":"\#(number % 3 == 0 ? "Read" : "Write")","recipientAccountId":"\#(account)","x":"é]}\"[{"}"#
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
