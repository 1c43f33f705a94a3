// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Going through the matches of a query, best first, over segments and tails as they were when it began. A copy goes on where
/// the other one does.
public struct SearchCursor {
    private let engine: LogEngine
    private let query: SearchQuery
    private let account: UInt64
    private var sources: [Source] = []
    private var probes: WordProbes
    /// Candidates that may yet be looked at in vain.
    private var patience: Int
    /// Where the search was given up, for it had looked at too many candidates: it goes on after this.
    public private(set) var stopped: LogPosition?

    private struct Source {
        /// The next match in it; of one that was not opened yet, nothing in it comes before this.
        var head: LogPosition
        var content: Content

        enum Content {
            case unopened(Segment)
            case segment(SegmentMatches)
            case tail(TailMatches)
        }
    }

    init(engine: LogEngine, query: SearchQuery, patience: Int) throws {
        self.engine = engine
        self.query = query
        self.patience = patience
        account = engine.accountHash(query.account)
        probes = WordProbes(query.words, hasher: engine.wordHasher)
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
            sources.append(Source(head: bound, content: .unopened(segment)))
        }
        for tail in tails {
            let matches = TailMatches(tail: tail, query: query, account: account)
            if let head = matches.next() { sources.append(Source(head: head, content: .tail(matches))) }
        }
    }

    /// The next match. Its record must still be compared with the query: hashes are not proof.
    public mutating func next() throws -> LogPosition? {
        while let position = try nextCandidate() {
            guard !query.words.isEmpty else { return position }
            // What cannot be read is for the caller to find out.
            guard let mayMatch = try? probes.mayMatch(position.sequence, read: { try engine.frame(holding: $0) }), !mayMatch
            else { return position }
            patience -= 1
            if patience == 0 {
                stopped = position
                return nil
            }
        }
        return nil
    }

    /// The next position that the indexes give; of words they know only blocks of records.
    private mutating func nextCandidate() throws -> LogPosition? {
        while true {
            guard var best = sources.indices.first else { return nil }
            for index in sources.indices.dropFirst()
            where query.direction.precedes(sources[index].head, sources[best].head) { best = index }
            let head = sources[best].head
            switch sources[best].content {
            case .unopened(let segment):
                let matches = try SegmentMatches(
                    segment: segment, query: query, account: account, uniqueField: engine.settings.uniqueField)
                sources[best].content = .segment(matches)
                goOn(best, try matches.next())
                continue
            case .segment(let matches): goOn(best, try matches.next())
            case .tail(let matches): goOn(best, matches.next())
            }
            return head
        }
    }

    private mutating func goOn(_ index: Int, _ next: LogPosition?) {
        if let next { sources[index].head = next } else { sources.remove(at: index) }
    }
}

extension LogEngine {
    /// - Parameter patience: records to look through in vain for words, before the search is given up.
    public func search(_ query: SearchQuery, patience: Int = .max) throws -> SearchCursor {
        try SearchCursor(engine: self, query: query, patience: patience)
    }
}
