// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A part of the store that may have rows in a range of time, not looked at yet.
public struct RowSource: Sendable {
    enum Content: Sendable {
        case segment(Segment)
        case tail(Tail)
    }

    let content: Content
    let query: RowQuery
    let account: UInt64
    /// Times of what is in it, as far as it is known without looking, within the query's.
    let times: ClosedRange<Int64>

    /// Evaluates the condition.
    public func open() throws -> RowPart {
        switch content {
        case .segment(let segment): try SegmentRows(segment: segment).part(query, account: account)
        case .tail(let tail): try TailRows(tail: tail).part(query, account: account)
        }
    }
}

extension LogEngine {
    /// The parts of the store as they are now, oldest first by arrival.
    public func rowSources(_ query: RowQuery) -> [RowSource] {
        let account = accountHash(query.account)
        let (segments, tails) = view.withLock { ($0.segments, $0.tails) }
        let found = segments.compactMap { segment -> RowSource? in
            let times = segment.summary.times
            guard times.overlaps(query.times) else { return nil }
            return RowSource(content: .segment(segment), query: query, account: account, times: times.clamped(to: query.times))
        }
        return found
            + tails.map { RowSource(content: .tail($0), query: query, account: account, times: query.times) }
    }
}

/// Rows that match certainly, and rows that may.
struct RowVerdict {
    var certain: RowBits
    var possible: RowBits

    init(certain: RowBits, possible: RowBits) {
        self.certain = certain
        self.possible = possible
    }

    /// Of which everything is known.
    init(_ rows: RowBits) { self.init(certain: rows, possible: rows) }
}

/// What the index of one part knows.
protocol RowIndex {
    var rowCount: Int { get }
    func rows(with term: RowFacts.Term) throws -> RowBits
    /// Rows that may have all words.
    func rows(with words: [SearchWord]) throws -> RowBits
    func verdict(of test: FieldTest) throws -> RowVerdict
    /// Rows of records before a sequence.
    func rows(before sequence: UInt64) throws -> RowBits
}

extension RowIndex {
    func verdict(of condition: RowCondition) throws -> RowVerdict {
        switch condition {
        case .all: return RowVerdict(.all(rowCount))
        case .from(let sequence): return RowVerdict(try rows(before: sequence).complement)
        case .term(let term): return RowVerdict(try rows(with: term))
        case .words(let words):
            return RowVerdict(
                certain: RowBits(rowCount: rowCount), possible: words.isEmpty ? .all(rowCount) : try rows(with: words))
        case .value(let test):
            var verdict = try verdict(of: test)
            if test.since > 0 {
                let early = try rows(before: test.since)
                if !early.isEmpty {
                    verdict.certain.subtract(early)
                    var open = try self.verdict(of: test.otherwise).possible
                    open.formIntersection(early)
                    verdict.possible.formUnion(open)
                }
            }
            return verdict
        case .maybe(let condition):
            return RowVerdict(certain: RowBits(rowCount: rowCount), possible: try verdict(of: condition).possible)
        case .and(let conditions):
            var all = RowVerdict(.all(rowCount))
            for condition in conditions {
                let next = try verdict(of: condition)
                all.certain.formIntersection(next.certain)
                all.possible.formIntersection(next.possible)
                if all.possible.isEmpty { break }
            }
            return all
        case .or(let conditions):
            var any = RowVerdict(RowBits(rowCount: rowCount))
            for condition in conditions {
                let next = try verdict(of: condition)
                any.certain.formUnion(next.certain)
                any.possible.formUnion(next.possible)
            }
            return any
        case .not(let condition):
            let verdict = try verdict(of: condition)
            return RowVerdict(certain: verdict.possible.complement, possible: verdict.certain.complement)
        }
    }
}
