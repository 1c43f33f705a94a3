// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Going through the matches of a query, best first, over segments and tails as they were when it began.
public struct SearchCursor {
    private let engine: LogEngine
    private let query: SearchQuery
    private let account: UInt64
    private var sources: [Source] = []

    private enum Source {
        /// Not opened yet; nothing in it comes before `bound`.
        case unopened(Segment, bound: LogPosition)
        case segment(SegmentMatches, head: LogPosition)
        case tail(TailMatches, head: LogPosition)

        var head: LogPosition {
            switch self {
            case .unopened(_, let bound): bound
            case .segment(_, let head), .tail(_, let head): head
            }
        }
    }

    init(engine: LogEngine, query: SearchQuery) throws {
        self.engine = engine
        self.query = query
        account = engine.accountHash(query.account)
        let (segments, tails) = engine.view.withLock { ($0.segments, $0.tails) }
        // A later page has no business in segments that only earlier pages needed.
        var times = query.times
        if let after = query.after {
            switch query.direction {
            case .oldestFirst where after.time > times.upperBound, .newestFirst where after.time < times.lowerBound: return
            case .oldestFirst: times = max(times.lowerBound, after.time)...times.upperBound
            case .newestFirst: times = times.lowerBound...min(times.upperBound, after.time)
            }
        }
        for segment in segments where segment.summary.times.overlaps(times) {
            let bound =
                query.direction == .oldestFirst
                ? LogPosition(time: max(segment.summary.times.lowerBound, times.lowerBound), sequence: 0)
                : LogPosition(time: min(segment.summary.times.upperBound, times.upperBound), sequence: .max)
            sources.append(.unopened(segment, bound: bound))
        }
        for tail in tails {
            var matches = TailMatches(tail: tail, query: query, account: account)
            if let head = matches.next() { sources.append(.tail(matches, head: head)) }
        }
    }

    /// The next match. Its record must still be compared with the query: hashes are not proof.
    public mutating func next() throws -> LogPosition? {
        while true {
            guard var best = sources.indices.first else { return nil }
            for index in sources.indices.dropFirst()
            where query.direction.precedes(sources[index].head, sources[best].head) { best = index }
            switch sources[best] {
            case .unopened(let segment, _):
                var matches = try SegmentMatches(segment: segment, query: query, account: account)
                if let head = try matches.next() {
                    sources[best] = .segment(matches, head: head)
                } else {
                    sources.remove(at: best)
                }
            case .segment(var matches, let head):
                if let next = try matches.next() {
                    sources[best] = .segment(matches, head: next)
                } else {
                    sources.remove(at: best)
                }
                return head
            case .tail(var matches, let head):
                if let next = matches.next() {
                    sources[best] = .tail(matches, head: next)
                } else {
                    sources.remove(at: best)
                }
                return head
            }
        }
    }
}

extension LogEngine {
    public func search(_ query: SearchQuery) throws -> SearchCursor {
        try SearchCursor(engine: self, query: query)
    }
}

/// Matches in a tail, fetched some at a time.
private struct TailMatches {
    static let step = 64

    let tail: Tail
    let query: SearchQuery
    let account: UInt64
    private var fetched: [LogPosition] = []
    private var used = 0
    private var last: LogPosition?
    private var isExhausted = false

    init(tail: Tail, query: SearchQuery, account: UInt64) {
        self.tail = tail
        self.query = query
        self.account = account
        last = query.after
    }

    mutating func next() -> LogPosition? {
        if used == fetched.count {
            guard !isExhausted else { return nil }
            fetched = tail.matches(query, account: account, after: last, limit: Self.step)
            isExhausted = fetched.count < Self.step
            used = 0
        }
        guard used < fetched.count else { return nil }
        last = fetched[used]
        used += 1
        return last
    }
}

/// Matches in a segment: the lists of the terms, walked together from the shortest.
private struct SegmentMatches {
    private let segment: Segment
    private let direction: SearchDirection
    private var cursors: [Segment.PostingCursor] = []
    private var ranks: Range<Int>

    init(segment: Segment, query: SearchQuery, account: UInt64) throws {
        self.segment = segment
        direction = query.direction
        var low = LogPosition(time: query.times.lowerBound, sequence: 0)
        var high: LogPosition? =
            query.times.upperBound == .max
            ? nil : LogPosition(time: query.times.upperBound + 1, sequence: 0)
        if let after = query.after {
            switch direction {
            case .oldestFirst:
                // A position from outside may be the last there can be.
                guard let next = after.next else {
                    ranks = 0..<0
                    return
                }
                low = max(low, next)
            case .newestFirst: high = high.map { min($0, after) } ?? after
            }
        }
        ranks = 0..<0
        var keys = query.terms.map { SegmentFormat.termKey(field: $0.field, hash: $0.hash) }
        if keys.isEmpty && segment.summary.soleAccount != account {
            guard segment.summary.soleAccount == 0 else { return }
            keys = [SegmentFormat.termKey(field: LogEngine.accountField, hash: account)]
        }
        for key in keys {
            guard let list = try segment.postings(forKey: key) else { return }
            cursors.append(Segment.PostingCursor(segment: segment, list: list))
        }
        cursors.sort { $0.list.count < $1.list.count }
        let first = try segment.firstRank(notBefore: low)
        let end = try high.map { try segment.firstRank(notBefore: $0) } ?? segment.summary.rowCount
        ranks = first..<max(first, end)
    }

    mutating func next() throws -> LogPosition? {
        guard !ranks.isEmpty else { return nil }
        guard !cursors.isEmpty else {
            return try take(direction == .oldestFirst ? ranks.lowerBound : ranks.upperBound - 1)
        }
        var candidate = UInt32(direction == .oldestFirst ? ranks.lowerBound : ranks.upperBound - 1)
        var agreed = 0
        var index = 0
        while agreed < cursors.count {
            guard let row = try cursors[index].nearest(candidate, direction), ranks.contains(Int(row)) else {
                ranks = 0..<0
                return nil
            }
            if row == candidate { agreed += 1 } else { candidate = row; agreed = 1 }
            index = (index + 1) % cursors.count
        }
        return try take(Int(candidate))
    }

    private mutating func take(_ rank: Int) throws -> LogPosition {
        ranks = direction == .oldestFirst ? rank + 1..<ranks.upperBound : ranks.lowerBound..<rank
        return try segment.position(ofRank: rank)
    }
}
