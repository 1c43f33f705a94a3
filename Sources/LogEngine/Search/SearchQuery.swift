// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A place in the order of a lookup: by time, then by sequence.
public struct LogPosition: Sendable, Hashable, Comparable {
    /// Milliseconds since 1970, UTC.
    public var time: Int64
    public var sequence: UInt64

    public init(time: Int64, sequence: UInt64) {
        self.time = time
        self.sequence = sequence
    }

    /// The position right after this one.
    var next: LogPosition? {
        if sequence < .max { return LogPosition(time: time, sequence: sequence + 1) }
        return time < .max ? LogPosition(time: time + 1, sequence: 0) : nil
    }

    public static func < (left: LogPosition, right: LogPosition) -> Bool {
        left.time != right.time ? left.time < right.time : left.sequence < right.sequence
    }
}

public enum SearchDirection: Sendable, Hashable {
    case oldestFirst, newestFirst

    /// Whether `left` comes before `right` in this direction.
    func precedes(_ left: LogPosition, _ right: LogPosition) -> Bool {
        self == .oldestFirst ? left < right : right < left
    }
}

/// What is looked for: records of one account that have every term, within a range of time.
public struct SearchQuery: Sendable {
    public var account: String
    /// Joined by AND. Hashes come from the engine's hasher for the account.
    public var terms: [RowFacts.Term]
    /// Joined by AND; anywhere in the record. See ``LogEngine/words(of:account:)``.
    public var words: [SearchWord]
    /// Milliseconds, both ends included.
    public var times: ClosedRange<Int64>
    public var direction: SearchDirection
    /// Only what comes after this in the given direction.
    public var after: LogPosition?

    public init(
        account: String, terms: [RowFacts.Term] = [], words: [SearchWord] = [], times: ClosedRange<Int64> = .min ... .max,
        direction: SearchDirection = .newestFirst, after: LogPosition? = nil
    ) {
        self.account = account
        self.terms = terms
        self.words = words
        self.times = times
        self.direction = direction
        self.after = after
    }
}

/// Keeps the best few positions of many: a bounded heap with the worst on top.
struct TopPositions {
    private let limit: Int
    private let direction: SearchDirection
    private let bound: LogPosition?
    private var heap: [LogPosition] = []

    /// - Parameter bound: only what comes after it is kept.
    init(limit: Int, direction: SearchDirection, after bound: LogPosition?) {
        self.limit = limit
        self.direction = direction
        self.bound = bound
    }

    var sorted: [LogPosition] { heap.sorted { direction.precedes($0, $1) } }

    /// Whether a position would be among the best.
    func takes(_ position: LogPosition) -> Bool {
        if let bound, !direction.precedes(bound, position) { return false }
        return heap.count < limit || direction.precedes(position, heap[0])
    }

    /// Whether a position of one of these times might be among the best.
    func takesSome(of times: ClosedRange<Int64>) -> Bool {
        switch direction {
        case .oldestFirst:
            if let bound, times.upperBound < bound.time { return false }
            return heap.count < limit || times.lowerBound <= heap[0].time
        case .newestFirst:
            if let bound, times.lowerBound > bound.time { return false }
            return heap.count < limit || times.upperBound >= heap[0].time
        }
    }

    /// - Parameter position: one that it ``takes(_:)``.
    mutating func take(_ position: LogPosition) {
        if heap.count < limit {
            heap.append(position)
            var child = heap.count - 1
            while child > 0, direction.precedes(heap[(child - 1) / 2], heap[child]) {
                heap.swapAt(child, (child - 1) / 2)
                child = (child - 1) / 2
            }
        } else {
            heap[0] = position
            var parent = 0
            while true {
                var worst = parent
                for child in [2 * parent + 1, 2 * parent + 2]
                where child < heap.count && direction.precedes(heap[worst], heap[child]) { worst = child }
                if worst == parent { break }
                heap.swapAt(parent, worst)
                parent = worst
            }
        }
    }
}
