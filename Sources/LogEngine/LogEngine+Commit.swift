// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation

/// Recording: called by one thread.
extension LogEngine {
    /// Records of one account, compressed, with their facts in the same order.
    public struct Batch: Sendable {
        public var account: String
        public var frames: [PreparedFrame]
        public var facts: RowFacts

        public init(account: String, frames: [PreparedFrame], facts: RowFacts) {
            self.account = account
            self.frames = frames
            self.facts = facts
        }
    }

    /// The most rows one commit may carry.
    public static let commitRowLimit = Tail.rowLimit / 2

    /// Makes batches durable in order, then visible; returns the first record's sequence.
    ///
    /// - Throws: ``DiskError`` when nothing of them was recorded; the next commit may succeed.
    public func commit(_ batches: [Batch], recordedAt: Int64) throws -> UInt64 {
        let rows = batches.reduce(0) { $0 + $1.facts.count }
        precondition(rows <= Self.commitRowLimit, "the caller splits large commits")
        for batch in batches {
            precondition(
                batch.frames.reduce(0) { $0 + $1.recordCount } == batch.facts.count, "facts and records go together")
            precondition(
                batch.frames.allSatisfy { $0.rawLength <= JournalFormat.frameRawMaximum }, "the caller bounds records")
        }
        let bytes = batches.reduce(0) { $0 + $1.frames.reduce(0) { $0 + $1.compressed.count + 128 } }
        precondition(bytes < 1 << 31, "the caller bounds commits")
        return try commits.withLock { state in
            try rollIfFull(&state, incoming: rows, at: recordedAt)
            let writer = try state.writer ?? beginFile(&state)
            let first = state.nextSequence
            do {
                try writer.commit(batches.flatMap(\.frames), recordedAt: recordedAt)
            } catch {
                giveUp(writer, &state)
                throw error
            }
            state.nextSequence = writer.endSequence
            state.rawBytes += batches.reduce(0) { $0 + $1.frames.reduce(0) { $0 + UInt64($1.rawLength) } }
            let tail = view.withLock { $0.tails[$0.tails.count - 1] }
            for batch in batches {
                tail.append(
                    batch.facts, words: batch.frames.map { ($0.recordCount, $0.words) }, account: accountHash(batch.account),
                    recordedAt: recordedAt)
            }
            committedEnd.store(state.nextSequence, ordering: .releasing)
            if dictionaries.current == nil && state.rawBytes >= UInt64(FrameDictionary.firstSample) {
                state.rawBytes = 0
                background.async { self.makeDictionary() }
            }
            return first
        }
    }

    private func rollIfFull(_ state: inout CommitState, incoming rows: Int, at now: Int64) throws {
        let tail = view.withLock { $0.tails[$0.tails.count - 1] }
        let tailCount = tail.count
        let isFileFull = (state.writer?.length ?? 0) >= settings.journalFileBytes
        // Retention drops segments, not tails: a quiet store must not keep its records for ever.
        let isOld = tail.firstRecordedAt < now.subtractingReportingOverflow(settings.tailAge).partialValue
        guard tailCount > 0, tailCount + rows > settings.tailRows || isFileFull || isOld else { return }
        let deadline = DispatchTime.now() + 5
        while view.withLock({ $0.tails.count > Self.waitingTailLimit }) {
            guard tailSealed.wait(timeout: deadline) == .success else { throw LogEngineError.overloaded }
        }
        beginTail(&state)
    }

    /// What is recorded from now on goes to another tail and another file; the tail that there was becomes a segment.
    func beginTail(_ state: inout CommitState) {
        state.writer?.finish()
        state.writer = nil
        let sequence = state.nextSequence
        view.withLock { $0.tails.append(Tail(firstSequence: sequence, fieldCount: settings.fieldCount)) }
        background.async { self.sealWaitingTails(includingLast: false) }
    }

    private func beginFile(_ state: inout CommitState) throws -> JournalWriter {
        let writer = try JournalWriter(
            folder: settings.folder + "/journal", firstSequence: state.nextSequence, disk: disk, key: key,
            cache: cache, number: nextFileNumber())
        state.writer = writer
        view.withLock { $0.journals.append(writer.reader) }
        return writer
    }

    /// After a failed write: what the file holds so far stays, its uncertain end is cut off, and if it holds
    /// nothing it goes, for the next file will have its name.
    private func giveUp(_ writer: JournalWriter, _ state: inout CommitState) {
        state.writer = nil
        if writer.endSequence == writer.reader.firstSequence {
            view.withLock { $0.journals.removeAll { $0 === writer.reader } }
            try? disk.remove(writer.reader.path)
        }
    }
}
