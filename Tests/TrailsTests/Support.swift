// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Crypto
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

/// Puts that fail as a test says, and what was put.
final class Faults: Sendable {
    private struct State {
        var puts = 0
        var failAt = -1
        var isKept = false
        var badBucket = ""
        var contents: [String: [UInt8]] = [:]
        var changed: [String] = []
        var made: [String] = []
    }

    private let state = Mutex(State())

    /// Fails at a put from now on, counted from 0: before anything happened, or after it was done.
    func fail(atPut number: Int, kept: Bool) {
        state.withLock {
            $0.puts = 0
            $0.failAt = number
            $0.isKept = kept
        }
    }

    func breakBucket(_ name: String) { state.withLock { $0.badBucket = name } }

    var puts: Int { state.withLock { $0.puts } }
    /// Keys that were put a second time with other bytes.
    var changed: [String] { state.withLock { $0.changed } }
    /// Keys in the order in which objects came to be.
    var made: [String] { state.withLock { $0.made } }

    fileprivate func verdict(_ bucket: String, _ key: String, _ content: [UInt8]) -> (fails: Bool, isKept: Bool) {
        state.withLock { state in
            state.puts += 1
            if let before = state.contents.updateValue(content, forKey: bucket + "/" + key), before != content {
                state.changed.append(key)
            }
            return (state.puts - 1 == state.failAt || state.badBucket == bucket, state.isKept && state.badBucket != bucket)
        }
    }

    fileprivate func noteMade(_ key: String) { state.withLock { $0.made.append(key) } }
}

/// A target whose puts fail at times.
struct FlakyTarget: DeliveryTarget {
    let real: any DeliveryTarget
    let bucket: String
    let faults: Faults

    var location: String { real.location }

    func put(_ key: String, _ content: [UInt8], contentType: String) async throws -> PutReceipt {
        let verdict = faults.verdict(bucket, key, content)
        if verdict.fails && !verdict.isKept { throw StoreFailure() }
        let receipt = try await real.put(key, content, contentType: contentType)
        if receipt.isNew { faults.noteMade(key) }
        if verdict.fails { throw StoreFailure() }
        return receipt
    }

    func read(_ key: String) async throws -> [UInt8]? { try await real.read(key) }
    func list(prefix: String, after marker: String) async throws -> [TargetEntry] {
        try await real.list(prefix: prefix, after: marker)
    }
    func check() async throws -> TargetProtection { try await real.check() }
}

/// A whole installation in memory.
final class World: Sendable {
    let disk = MemoryDisk()
    let metadata: Metadata
    let time = Clock()
    let history: EventHistory
    let store: EmbeddedObjectStore
    let faults = Faults()
    let logs = MemoryLogs()
    let registry: TrailRegistry
    let service: DeliveryService

    init(retentionDays: Int = 90, tailRows: Int = 1 << 16, remote: [String: any DeliveryTarget] = [:]) throws {
        metadata = try Metadata(path: nil)
        let keys = try KeyService(metadata: metadata, rootKeyPath: "data/root.key", disk: disk)
        var settings = EventHistory.Settings(dataFolder: "data")
        settings.retentionDays = retentionDays
        settings.tailRows = tailRows
        let time = self.time
        history = try EventHistory(
            settings: settings, disk: disk, keys: keys, metadata: metadata, now: { time.milliseconds }, report: { _ in })
        store = try EmbeddedObjectStore(
            folder: "data/objects", region: "local-1", disk: disk, keys: keys, metadata: metadata, now: { time.date })
        registry = TrailRegistry(metadata: metadata, now: { time.date })
        service = DeliveryService(
            registry: registry, history: history,
            targets: DeliveryTargets(remote: remote, owner: account) { [store, faults] bucket, _ in
                FlakyTarget(
                    real: EmbeddedTarget(store: store, bucket: bucket, now: { time.date }), bucket: bucket, faults: faults)
            },
            logTargets: LogDeliveryTargets(account: account) { [logs] owner in
                MemoryLogs.Target(logs: logs, owner: owner, now: { time.date })
            }, interval: .milliseconds(50),
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
        prefix: String = "", owner: String = account, project: String = ""
    ) throws -> Trail {
        var trail = Trail(
            id: UUID().uuidString, name: name, accountId: owner, homeRegion: "local-1", trailRegion: region,
            selection: selection, ossBucketName: bucket, ossKeyPrefix: prefix, createdAt: time.date)
        if !project.isEmpty { trail.slsProjectArn = "acs:log:local-1:\(owner):project/\(project)" }
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

    /// Forty events around a trail that logs, stops, and logs again: of them 0 to 9 and 20 to 29 come while it does not.
    func recordWithGaps() async throws -> [String] {
        var all = try await record(0..<10)
        try startLogging()
        all += try await record(10..<20)
        try stopLogging()
        try await deliver()
        all += try await record(20..<30)
        try startLogging()
        all += try await record(30..<40)
        return all
    }

    /// A history job for all that is held.
    @discardableResult
    func job(token: String? = nil) throws -> HistoryJob {
        try registry.createJob(
            trail: "audit", account: account, clientToken: token, held: history.firstSequence..<history.endSequence,
            retentionDays: 90, at: time.date)
    }

    func state(_ name: String = "audit") throws -> DeliveryState {
        try registry.deliveryState(of: registry.trail(name, account: account)!)
    }

    func logState(_ name: String = "audit") throws -> LogDeliveryState {
        try registry.logDeliveryState(of: registry.trail(name, account: account)!)
    }

    func update(_ name: String = "audit", _ change: (inout Trail) throws -> Void) throws {
        try registry.update(name, account: account, at: history.endSequence, change)
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

    /// A digest object with this body, signed by the log.
    func signedDigest(_ body: Data) throws -> [UInt8] {
        let note = try history.signedLog.sign(
            text: "cairn-digest@v1\nsha256 \(Data(SHA256.hash(data: body)).base64EncodedString())\n")
        return Array((note.encoded + "\n").utf8) + body + [0x0A]
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
