// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Runs of logging, and how far into them a delivery is: what the states of a bucket and of a logstore have in common.
///
/// Each of a trail's two destinations has runs of its own, so that neither holds the other up. A run is open while the
/// trail logs and has the destination; adding a destination to a trail that logs is a start for it alone, taking one away
/// a stop.
package protocol DeliveryRuns {
    /// The next event to look at; meaningless before the first start.
    var next: UInt64 { get set }
    /// One past the last event of a run that was ended; nil while a run is open.
    var stop: UInt64? { get set }
    /// Events delivered, or never to be: ascending, apart.
    var covered: [DeliveryState.Run] { get set }
    /// Where that begins which is in hand: neither covered nor a history job's.
    var firstInHand: UInt64 { get }
    /// Whether something was begun that has to be ended as it was planned.
    var isHalfDone: Bool { get }

    /// Moves to the first event of a new run.
    mutating func begin(at sequence: UInt64)
}

extension DeliveryRuns {
    /// Whether anything is left to deliver, or may yet come.
    var isUnfinished: Bool { isHalfDone || stop.map { next < $0 } ?? true }

    /// Opens a run at `sequence`; one that is open, or was ended before all of it was delivered, simply goes on.
    ///
    /// - Parameter end: what a history job is delivering already, up to here, is not the new run's.
    mutating func open(at sequence: UInt64, after end: UInt64) {
        guard let stop else { return }
        self.stop = nil
        guard !isHalfDone, stop < sequence, next >= stop else { return }
        begin(at: max(sequence, end))
    }

    /// Ends the run that is open.
    mutating func seal(at sequence: UInt64) {
        guard stop == nil else { return }
        stop = max(sequence, next)
    }

    /// Notes that `run` was delivered, joining it with what it touches.
    package mutating func cover(_ run: Range<UInt64>) {
        guard !run.isEmpty else { return }
        if let last = covered.last, last.end == run.lowerBound {
            covered[covered.count - 1].end = run.upperBound
            return
        }
        var joined = DeliveryState.Run(first: run.lowerBound, end: run.upperBound)
        covered.removeAll { other in
            guard other.first <= joined.end, joined.first <= other.end else { return false }
            joined = DeliveryState.Run(first: min(joined.first, other.first), end: max(joined.end, other.end))
            return true
        }
        covered.insert(joined, at: covered.firstIndex { $0.first > joined.first } ?? covered.endIndex)
    }

    func covers(_ run: DeliveryState.Run) -> Bool {
        covered.contains { $0.first <= run.first && run.end <= $0.end }
    }

    /// Takes over what was written to `kept` meanwhile: the end of a run, and what history jobs delivered.
    mutating func takeOver(from kept: Self) {
        stop = kept.stop
        for run in kept.covered where !covers(run) { cover(run.first..<run.end) }
    }

    /// Runs of `held` that are neither covered nor still to come in the present run of logging.
    ///
    /// - Parameter isLogging: also while the end of the run is not known yet.
    package func uncovered(within held: Range<UInt64>, isLogging: Bool) -> [DeliveryState.Run] {
        var taken = covered
        if isLogging || isHalfDone || (stop.map { next < $0 } ?? false) {
            taken.append(.init(first: firstInHand, end: isLogging ? .max : stop ?? .max))
        }
        taken.sort { $0.first < $1.first }
        var runs: [DeliveryState.Run] = []
        var position = held.lowerBound
        for run in taken where run.end > position {
            if run.first > position { runs.append(.init(first: position, end: min(run.first, held.upperBound))) }
            position = max(position, run.end)
            if position >= held.upperBound { break }
        }
        if position < held.upperBound { runs.append(.init(first: position, end: held.upperBound)) }
        return runs.filter { $0.first < $0.end }
    }
}
