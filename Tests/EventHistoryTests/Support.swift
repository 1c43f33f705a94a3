// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import DurableFiles
import EventHistory
import Foundation
import KeyManagement
import LogEngine
import MerkleLog
import Metadata
import Synchronization

let account = "1000000000000001"
let start: Int64 = 1_767_225_600_000  // 2026-01-01T00:00:00Z
let day: Int64 = 86_400_000

/// A data folder on a disk in memory, and the clock beside it.
final class World: Sendable {
    let disk: MemoryDisk
    let metadata: Metadata
    let clock: Mutex<Int64>
    let tailRows: Int
    let reports = Mutex<[String]>([])

    init(disk: MemoryDisk = MemoryDisk(), metadata: Metadata? = nil, clock: Int64 = start, tailRows: Int = 1 << 16) throws {
        self.disk = disk
        self.metadata = try metadata ?? Metadata(path: nil)
        self.clock = Mutex(clock)
        self.tailRows = tailRows
    }

    func open(waitingBytesLimit: Int = 256 << 20) throws -> EventHistory {
        try Self.open(
            disk, metadata, folder: "data", tailRows: tailRows, waitingBytesLimit: waitingBytesLimit,
            now: { self.clock.withLock { $0 } }
        ) { report in
            self.reports.withLock { $0.append("\(report)") }
        }
    }

    static func open(
        _ disk: some Disk, _ metadata: Metadata, folder: String, tailRows: Int = 1 << 16, waitingBytesLimit: Int = 256 << 20,
        now: @escaping @Sendable () -> Int64 = { start }, report: @escaping @Sendable (LogEngine.Report) -> Void = { _ in }
    ) throws -> EventHistory {
        var settings = EventHistory.Settings(dataFolder: folder)
        settings.tailRows = tailRows
        settings.waitingBytesLimit = waitingBytesLimit
        return try EventHistory(
            settings: settings, disk: disk,
            keys: KeyService(metadata: metadata, rootKeyPath: folder + "/root.key", disk: disk), metadata: metadata,
            now: now, report: report)
    }

    /// The same data folder as it may be found after the power failed.
    func afterPowerLoss(seed: UInt64) throws -> World {
        try World(disk: disk.afterPowerLoss(seed: seed), metadata: metadata, clock: clock.withLock { $0 }, tailRows: tailRows)
    }
}

func parse(_ body: String, owner: String = account, now: Int64 = start) -> ParsedBatch {
    EventParser().parse(
        Array(body.utf8), format: .actiontrail,
        context: ReceivingContext(accountId: owner, region: "local-1", nowMilliseconds: now))
}

func event(_ id: String, name: String = "DescribeInstances", time: Int64 = start, more: String = "") -> String {
    #"{"eventId":"\#(id)","eventName":"\#(name)","eventTime":"\#(EventTime.text(time))",\#(more)"acsRegion":"cn-hangzhou","recipientAccountId":"\#(account)"}"#
}

func events(_ ids: some Sequence<Int>, time: Int64 = start) -> ParsedBatch {
    parse(ids.map { event("E-\($0)", time: time) }.joined(separator: "\n"))
}

extension EventHistory {
    @discardableResult
    func record(_ text: String, owner: String = account, now: Int64 = start) async throws -> RecordOutcome {
        try await record(parse(text, owner: owner, now: now), account: owner)
    }

    func all(_ owner: String? = nil) throws -> [String] {
        var found: [String] = []
        _ = try forEachRecord(in: firstSequence..<endSequence) { record in
            if owner == nil || record.account == owner { found.append(String(decoding: record.bytes, as: UTF8.self)) }
            return true
        }
        return found
    }

    func find(_ conditions: [LookupQuery.Condition], owner: String = account, times: ClosedRange<Int64> = .min ... .max) throws
        -> [StoredRecord]
    {
        try lookUp(LookupQuery(account: owner, conditions: conditions, times: times, limit: 100_000)).events
    }

    /// Checks the whole tree from outside: root, inclusion of all events, tiles.
    func treeProblem(step: UInt64 = 1) throws -> String? {
        var range = CompactRange()
        var entries: [MerkleHash] = []
        _ = try forEachRecord(in: firstSequence..<endSequence) { record in
            entries.append(record.withBytes { EventHistory.commitment(of: $0) })
            return true
        }
        let held = try commitments(0..<treeSize) ?? []
        guard Array(held[Int(firstSequence)...]) == entries else { return "the commitments are not those of the events" }
        for entry in held { range.append(leafHash: MerkleTree.leafHash(entry: entry)) }
        let note = try signedLog.checkpoint()
        let checkpoint = try Checkpoint(
            verifying: note, with: NoteVerifier(verifierKey: signedLog.verifierKey), origin: signedLog.origin)
        guard checkpoint.size == treeSize, checkpoint.root == range.root else { return "the root of \(treeSize) events is wrong" }
        let verifier = try NoteVerifier(verifierKey: signedLog.verifierKey)
        for sequence in stride(from: firstSequence, to: endSequence, by: Int(step)) {
            let proof = try proof(of: record(at: sequence), embedEvent: false)
            guard proof.verify(leafHash: MerkleTree.leafHash(entry: held[Int(sequence)]), verifier: verifier).isValid else {
                return "no proof of event \(sequence) of \(treeSize)"
            }
        }
        return nil
    }
}

/// A value that tasks share.
final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>
    init(_ value: Value) { self.value = Mutex(value) }
    func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result { value.withLock { body(&$0) } }
}
