// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// How long logs are kept, and shown.
extension LogStore {
    /// The first log that is still to be kept, as it was found last.
    struct FirstKept: Sendable {
        var cutoff: Int64 = .min
        var sequence: UInt64 = 0
        /// Every cutoff up to this one has the same first log.
        var lastCutoff: Int64 = .min
    }

    /// The first log that is not past its time: the engine drops whole runs of them, so some that are past theirs may be there,
    /// and are not shown.
    func firstKept() throws -> UInt64 {
        let first = engine.firstSequence
        guard let cutoff = now.retention.cutoff(at: clock()) else { return first }
        let known = firstKeptLog.withLock { $0 }
        let start = cutoff >= known.cutoff ? max(first, known.sequence) : first
        if (known.cutoff...max(known.cutoff, known.lastCutoff)).contains(cutoff) { return start }
        do {
            let found = try firstLog(receivedFrom: cutoff, after: start)
            firstKeptLog.withLock {
                $0 = FirstKept(cutoff: cutoff, sequence: found.sequence, lastCutoff: found.receivedAt ?? cutoff)
            }
            return found.sequence
        } catch LogEngineError.missingRecords {
            // Dropped meanwhile.
            return engine.firstSequence
        }
    }

    /// The first log that was received at a time or later, of those from a sequence on. Logs are stored in the order they were
    /// received in, but for what a turned clock does.
    ///
    /// - Parameter time: milliseconds since 1970.
    /// - Returns: the end and nil if there is none.
    func firstLog(receivedFrom time: Int64, after start: UInt64) throws -> (sequence: UInt64, receivedAt: Int64?) {
        var (low, high) = (start, max(start, engine.endSequence))
        var receivedAt: Int64?
        while low < high {
            let middle = low + (high - low) / 2
            // What is damaged was received when the next was that can be read.
            var received: Int64 = .max
            _ = try forEachReadable(in: middle..<high) { stored in
                received = stored.recordedAt
                return false
            }
            if received < time {
                low = middle + 1
            } else {
                high = middle
                if received < .max { receivedAt = received }
            }
        }
        return (low, receivedAt)
    }

    /// Drops what is past its time, as far as the engine can.
    ///
    /// - Parameter cutoff: of when it was received, milliseconds since 1970.
    func drop(olderThan cutoff: Int64) {
        engine.endTail(olderThan: cutoff)
        engine.dropRecords(olderThan: cutoff)
    }
}
