// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension LogEngine {
    /// Begins another tail if every record of the newest one is older than `cutoff`, so that ``dropRecords(olderThan:)`` may
    /// drop them once they have a segment. A store that is written to does so by itself.
    ///
    /// - Parameter cutoff: milliseconds since 1970.
    public func endTail(olderThan cutoff: Int64) {
        commits.withLock { state in
            // Another engine may have the folder once this one is closed.
            guard !isStopping.load(ordering: .relaxed) else { return }
            let tails = view.withLock { $0.tails }
            guard let newest = tails.last, newest.count > 0, newest.retentionBasis < cutoff,
                tails.count <= Self.waitingTailLimit
            else { return }
            beginTail(&state)
        }
    }
}
