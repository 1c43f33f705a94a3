// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import LogEngine

/// Compresses events of one account into frames, one at a time.
struct FrameRun {
    private let batch: ParsedBatch
    private var events: ArraySlice<Int>
    private let conflicts: Set<Int>
    private var payload: FramePayload

    init(of batch: ParsedBatch, events: [Int], account: String, conflicts: Set<Int>, engine: LogEngine) {
        self.batch = batch
        self.events = events[...]
        self.conflicts = conflicts
        payload = engine.newFrame(account: account)
    }

    mutating func next() -> PreparedFrame? {
        while let event = events.popFirst() {
            payload.append(batch.events[event], of: batch, isConflict: conflicts.contains(event))
            if payload.isFull { break }
        }
        return payload.count > 0 ? payload.prepared() : nil
    }

    var all: [PreparedFrame] {
        var run = self
        var frames: [PreparedFrame] = []
        while let frame = run.next() { frames.append(frame) }
        return frames
    }
}

/// Gathers small requests of one account, one after another, into a shared frame.
struct SmallFrames {
    private let engine: LogEngine
    private var payload: FramePayload?
    private var account = ""
    private var facts = RowFacts()

    init(engine: LogEngine) { self.engine = engine }

    mutating func append(_ request: Sequencer.Request, _ judged: Sequencer.Judged, into batches: inout [LogEngine.Batch]) {
        if account != request.account || payload?.isFull ?? false { flush(into: &batches) }
        account = request.account
        var payload = self.payload ?? engine.newFrame(account: account)
        for row in judged.rows {
            let event = request.events.lowerBound + row
            payload.append(request.batch.events[event], of: request.batch, isConflict: judged.conflicts.contains(event))
            facts.append(row: row, of: request.facts)
        }
        self.payload = payload
    }

    mutating func flush(into batches: inout [LogEngine.Batch]) {
        guard var payload, payload.count > 0 else { return }
        batches.append(LogEngine.Batch(account: account, frames: [payload.prepared()], facts: facts))
        self.payload = nil
        facts = RowFacts()
    }
}

extension FramePayload {
    fileprivate mutating func append(_ event: ParsedEvent, of batch: ParsedBatch, isConflict: Bool) {
        batch.withBytes(of: event) { bytes in
            append(
                bytes, flags: isConflict ? .conflict : [],
                receivedDigest: event.digest == event.receivedDigest ? nil : event.receivedDigest.firstHalf)
        }
    }
}
