// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Crypto
import Dispatch
import DurableFiles
import Foundation
import LogEngine
import MerkleLog
import Synchronization

/// The single writer: orders batches, sets duplicates aside, commits, extends the tree, answers.
///
/// Parsing, hashing and compressing are done by the callers; batches that arrive while a commit is being synced
/// share the next one. Owned by ``EventHistory``; its thread ends in ``stop()``.
final class Sequencer: Sendable {
    struct Request: Sendable {
        var account: String
        var batch: ParsedBatch
        /// Events of the batch that this request carries.
        var events: Range<Int>
        var facts: RowFacts
        /// Compressed outside; nil for small requests, which share a frame.
        var frames: [PreparedFrame]?
        var bytes: Int
        var answer: @Sendable (Result<RecordOutcome, any Error>) -> Void
    }

    private struct Queue {
        var requests: [Request] = []
        var bytes = 0
        var isStopped = false

        mutating func take() -> [Request] {
            CommitShare.take(from: &requests, rows: \.facts.count) { $0.frames == nil }
        }
    }

    /// Smaller requests are compressed together by the sequencer.
    private static let ownFrameBytes = 16 << 10

    private let engine: LogEngine
    private let tree: TreeStore
    private let now: @Sendable () -> Int64
    private let waitingBytesLimit: Int
    private let queue = Mutex(Queue())
    private let wake = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private let healthy = Atomic<Bool>(true)

    init(engine: LogEngine, tree: TreeStore, now: @escaping @Sendable () -> Int64, waitingBytesLimit: Int) {
        self.engine = engine
        self.tree = tree
        self.now = now
        self.waitingBytesLimit = waitingBytesLimit
        let thread = Thread { [self] in run() }
        thread.name = "cairn-sequencer"
        thread.start()
    }

    var canRecord: Bool { healthy.load(ordering: .relaxed) }

    func stop() {
        let wasRunning = queue.withLock { queue in
            defer { queue.isStopped = true }
            return !queue.isStopped
        }
        guard wasRunning else { return }
        wake.signal()
        ended.wait()
    }

    // MARK: Callers' side

    func record(_ batch: ParsedBatch, account: String) async throws -> RecordOutcome {
        var outcome = RecordOutcome()
        outcome.treeSize = tree.size
        var first = 0
        while first < batch.events.count {
            let end = min(first + CommitShare.requestRows, batch.events.count)
            outcome.add(try await enqueue(batch, first..<end, account: account))
            first = end
        }
        return outcome
    }

    private func enqueue(_ batch: ParsedBatch, _ events: Range<Int>, account: String) async throws -> RecordOutcome {
        let bytes = events.reduce(0) { $0 + batch.events[$1].range.count }
        try queue.withLock { queue in
            guard !queue.isStopped else { throw HistoryError.closed }
            guard queue.bytes == 0 || queue.bytes + bytes <= waitingBytesLimit else { throw HistoryError.busy }
            queue.bytes += bytes
        }
        let prepared: Prepared
        if bytes < Self.ownFrameBytes {
            prepared = Prepared(facts: facts(of: batch, events, account: account), frames: nil)
        } else {
            prepared = try await LongWork.run { [self] in
                let run = FrameRun(of: batch, events: Array(events), account: account, conflicts: [], engine: engine)
                return Prepared(facts: facts(of: batch, events, account: account), frames: run.all)
            }
        }
        return try await withCheckedThrowingContinuation { continuation in
            let request = Request(
                account: account, batch: batch, events: events, facts: prepared.facts, frames: prepared.frames, bytes: bytes,
                answer: { continuation.resume(with: $0) })
            let isAccepted = queue.withLock { queue in
                guard !queue.isStopped else { return false }
                queue.requests.append(request)
                return true
            }
            if isAccepted { wake.signal() } else { continuation.resume(throwing: HistoryError.closed) }
        }
    }

    private struct Prepared: Sendable {
        var facts: RowFacts
        var frames: [PreparedFrame]?
    }

    private func facts(of batch: ParsedBatch, _ events: Range<Int>, account: String) -> RowFacts {
        let hasher = engine.hasher(account: account)
        var facts = RowFacts()
        facts.reserve(rows: events.count)
        for index in events { EventIndex.append(batch.events[index], of: batch, hasher: hasher, to: &facts) }
        return facts
    }

    // MARK: The sequencer's thread

    private func run() {
        while true {
            wake.wait()
            let (requests, isStopped) = queue.withLock { queue in
                let requests = queue.take()
                return (requests, queue.isStopped && queue.requests.isEmpty)
            }
            // A signal a request: those taken together used up theirs, except one.
            if !requests.isEmpty { process(requests) }
            if isStopped {
                ended.signal()
                return
            }
        }
    }

    private func process(_ requests: [Request]) {
        let results: [Result<RecordOutcome, any Error>]
        do {
            results = try commit(requests).map { .success($0) }
            healthy.store(true, ordering: .relaxed)
        } catch {
            healthy.store(false, ordering: .relaxed)
            let failure = HistoryError.cannotRecord("\(error)")
            results = requests.map { _ in .failure(failure) }
        }
        queue.withLock { $0.bytes -= requests.reduce(0) { $0 + $1.bytes } }
        for (request, result) in zip(requests, results) { request.answer(result) }
    }

    private func commit(_ requests: [Request]) throws -> [RecordOutcome] {
        var outcomes = Array(repeating: RecordOutcome(), count: requests.count)
        var batches: [LogEngine.Batch] = []
        var entries: [MerkleHash] = []
        var small = SmallFrames(engine: engine)
        var group = GroupIndex()
        var firstRow = 0
        for (index, request) in requests.enumerated() {
            let judged = try judge(request, index, in: requests, &group)
            outcomes[index].duplicates = request.facts.count - judged.rows.count
            outcomes[index].conflicts = judged.conflicts.count
            outcomes[index].accepted = judged.rows.count
            guard !judged.rows.isEmpty else { continue }
            outcomes[index].firstSequence = UInt64(firstRow)
            firstRow += judged.rows.count
            outcomes[index].lastSequence = UInt64(firstRow - 1)
            for row in judged.rows {
                request.batch.events[request.events.lowerBound + row].digest.withUnsafeBytes {
                    entries.append(MerkleHash(bytes: $0)!)
                }
            }
            let isWhole = judged.rows.count == request.facts.count && judged.conflicts.isEmpty
            if let frames = request.frames {
                small.flush(into: &batches)
                batches.append(
                    LogEngine.Batch(
                        account: request.account,
                        frames: isWhole
                            ? frames
                            : FrameRun(
                                of: request.batch, events: judged.rows.map { request.events.lowerBound + $0 },
                                account: request.account, conflicts: judged.conflicts, engine: engine
                            ).all,
                        facts: isWhole ? request.facts : request.facts.keeping(judged.rows)))
            } else {
                small.append(request, judged, into: &batches)
            }
        }
        small.flush(into: &batches)
        guard !batches.isEmpty else {
            return outcomes.map { outcome in
                var outcome = outcome
                outcome.treeSize = tree.size
                return outcome
            }
        }
        let first = try engine.commit(batches, recordedAt: now())
        tree.append(entries)
        let size = tree.size
        for index in outcomes.indices {
            outcomes[index].treeSize = size
            outcomes[index].firstSequence = outcomes[index].firstSequence.map { $0 + first }
            outcomes[index].lastSequence = outcomes[index].lastSequence.map { $0 + first }
        }
        return outcomes
    }

    // MARK: Duplicates and conflicts

    struct Judged {
        /// Rows of the request to record, in order.
        var rows: [Int]
        /// Event numbers (of the batch) whose id is known with other content.
        var conflicts: Set<Int> = []
    }

    private func judge(_ request: Request, _ number: Int, in requests: [Request], _ group: inout GroupIndex) throws -> Judged {
        let suspects = try engine.possiblyKnown(request.facts)
        var judged = Judged(rows: [])
        judged.rows.reserveCapacity(request.facts.count)
        var nextSuspect = 0
        group.reserve(rows: request.facts.count)
        for row in 0..<request.facts.count {
            let event = request.events.lowerBound + row
            let hash = request.facts.uniqueHashes[row]
            var verdict = Verdict.new
            if nextSuspect < suspects.count, suspects[nextSuspect] == row {
                nextSuspect += 1
                verdict = try compareWithStored(request.batch, event, account: request.account, hash: hash)
            }
            if verdict != .duplicate {
                for place in group.places(of: hash) {
                    let other = requests[Int(place.request)]
                    guard other.account == request.account else { continue }
                    verdict = max(verdict, Self.compare(request.batch, event, other.batch, Int(place.event)))
                }
            }
            switch verdict {
            case .duplicate: continue
            case .conflict: judged.conflicts.insert(event)
            case .new: break
            }
            judged.rows.append(row)
            group.add(hash, request: number, event: event)
        }
        return judged
    }

    private enum Verdict: Int, Comparable {
        case new, conflict, duplicate
        static func < (left: Verdict, right: Verdict) -> Bool { left.rawValue < right.rawValue }
    }

    private static func compare(_ batch: ParsedBatch, _ event: Int, _ other: ParsedBatch, _ otherEvent: Int) -> Verdict {
        let (event, otherEvent) = (batch.events[event], other.events[otherEvent])
        let isSameID = batch.withBytes(of: event.eventId) { id in
            other.withBytes(of: otherEvent.eventId) { $0.elementsEqual(id) }
        }
        guard isSameID else { return .new }
        // What was completed on receipt and is sent again as it was stored is no other content either.
        let isSame = event.receivedDigest == otherEvent.receivedDigest || event.digest == otherEvent.digest
        return isSame ? .duplicate : .conflict
    }

    private func compareWithStored(_ batch: ParsedBatch, _ event: Int, account: String, hash: UInt64) throws -> Verdict {
        let event = batch.events[event]
        var verdict = Verdict.new
        for sequence in try engine.sequences(uniqueHash: hash) {
            let record: StoredRecord
            do { record = try engine.record(at: sequence) } catch is StoreDamage {
                // It cannot be told from what is lost: keep the newcomer, and say so.
                verdict = max(verdict, .conflict)
                continue
            } catch LogEngineError.missingRecords where sequence < engine.firstSequence {
                // Retention dropped it just now.
                continue
            }
            guard record.account == account else { continue }
            let isSameID = record.withBytes { bytes in
                guard let fields = EventFields.extract(bytes) else { return false }
                return fields.withBytes(of: fields.eventId, in: bytes) { stored in
                    batch.withBytes(of: event.eventId) { $0.elementsEqual(stored) }
                }
            }
            guard isSameID else { continue }
            let stored = record.withBytes { EventDigest(hashing: $0) }
            let isSame = stored == event.digest || (record.receivedDigest ?? stored.firstHalf) == event.receivedDigest.firstHalf
            verdict = max(verdict, isSame ? .duplicate : .conflict)
        }
        return verdict
    }
}

extension RowFacts {
    fileprivate func keeping(_ rows: [Int]) -> RowFacts {
        var kept = RowFacts()
        for row in rows { kept.append(row: row, of: self) }
        return kept
    }
}

extension EventDigest {
    /// Sixteen bytes: enough to tell received contents apart, for nobody finds a second preimage of 128 bits.
    var firstHalf: (UInt64, UInt64) {
        withUnsafeBytes { ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)) }
    }
}
