// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import LogEngine
import Synchronization

/// The single writer of a logstore: what arrives while a commit is being synced shares the next one.
final class CommitQueue: Sendable {
    struct Request: Sendable {
        /// Compressed already; nil for little, which shares a frame with its neighbours.
        var frames: [PreparedFrame]?
        var records: [[UInt8]] = []
        var facts: RowFacts
        /// Of the records.
        var bytes: Int
        /// Called with the sequence of the first record once all are durable, before anybody is answered.
        var onCommit: @Sendable (UInt64) -> Void = { _ in }
    }

    private struct Waiting {
        var request: Request
        var continuation: CheckedContinuation<UInt64, any Error>
    }

    private struct State {
        var waiting: [Waiting] = []
        var bytes = 0
        var isRunning = false
        var isClosed = false
    }

    /// More that waits is refused.
    private static let bytesLimit = 128 << 20

    private let engine: LogEngine
    private let account: String
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())
    private let queue: DispatchQueue

    init(engine: LogEngine, account: String, now: @escaping @Sendable () -> Int64) {
        self.engine = engine
        self.account = account
        self.now = now
        queue = DispatchQueue(label: "cairn.logstore-commit")
    }

    /// Makes records durable.
    ///
    /// - Throws: ``LogServiceError``; then nothing of it was stored.
    func commit(_ request: Request) async throws -> UInt64 {
        try await withCheckedThrowingContinuation { continuation in
            let refusal: LogServiceError? = state.withLock { state in
                guard !state.isClosed else {
                    return LogServiceError(503, "ServerBusy", "the logstore is being closed, try again")
                }
                guard state.bytes == 0 || state.bytes + request.bytes <= Self.bytesLimit else {
                    return LogServiceError(403, "WriteQuotaExceed", "too many logs are waiting to be written, try again")
                }
                state.bytes += request.bytes
                state.waiting.append(Waiting(request: request, continuation: continuation))
                if !state.isRunning {
                    state.isRunning = true
                    queue.async { self.drain() }
                }
                return nil
            }
            if let refusal { continuation.resume(throwing: refusal) }
        }
    }

    /// Takes nothing more; returns when what was taken is written.
    func close() {
        state.withLock { $0.isClosed = true }
        queue.sync {}
    }

    private func drain() {
        while let run = nextRun() {
            do {
                let first = try engine.commit(batches(of: run), recordedAt: now())
                var sequence = first
                for waiting in run {
                    waiting.request.onCommit(sequence)
                    waiting.continuation.resume(returning: sequence)
                    sequence += UInt64(waiting.request.facts.count)
                }
            } catch {
                let refusal = LogServiceError(503, "ServerBusy", "logs cannot be written at present: \(error)")
                for waiting in run { waiting.continuation.resume(throwing: refusal) }
            }
        }
    }

    /// Rows of one commit, unless a single request has more: what comes meanwhile has no longer to wait than for these.
    private static let commitRows = 2048

    private func nextRun() -> [Waiting]? {
        state.withLock { state in
            var rows = 0
            let run = state.waiting.prefix { waiting in
                let isFirst = rows == 0
                rows += waiting.request.facts.count
                return isFirst || rows <= Self.commitRows
            }
            guard !run.isEmpty else {
                state.isRunning = false
                return nil
            }
            state.waiting.removeFirst(run.count)
            state.bytes -= run.reduce(0) { $0 + $1.request.bytes }
            return Array(run)
        }
    }

    /// In the order of the requests.
    private func batches(of run: [Waiting]) -> [LogEngine.Batch] {
        var batches: [LogEngine.Batch] = []
        var payload = engine.newFrame(account: account)
        var frames: [PreparedFrame] = []
        var facts = RowFacts()
        func end() {
            if payload.count > 0 { frames.append(payload.prepared()) }
            if !frames.isEmpty { batches.append(.init(account: account, frames: frames, facts: facts)) }
            (frames, facts) = ([], RowFacts())
        }
        for waiting in run {
            let request = waiting.request
            if let ready = request.frames {
                end()
                batches.append(.init(account: account, frames: ready, facts: request.facts))
                continue
            }
            for (row, record) in request.records.enumerated() {
                record.withUnsafeBytes { payload.append($0, flags: [], receivedDigest: nil) }
                facts.append(row: row, of: request.facts)
                if payload.isFull { frames.append(payload.prepared()) }
            }
        }
        end()
        return batches
    }
}
