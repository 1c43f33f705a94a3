// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The rows of a segment, by rank, or of a tail, by arrival, and which of them match a condition.
public struct RowPart: Sendable {
    enum Source: Sendable {
        case segment(Segment)
        case tail(Tail.Columns, firstSequence: UInt64)
    }

    let source: Source
    /// Rows that match.
    public var certain: RowBits
    /// Rows that may match; those that match certainly are among them.
    public internal(set) var possible: RowBits
    /// The block of rows looked at last.
    private var block: (index: Int, rows: Segment.RowBlock)?

    init(source: Source, certain: RowBits, possible: RowBits) {
        self.source = source
        self.certain = certain
        self.possible = possible
    }

    public var rowCount: Int { possible.rowCount }

    public mutating func position(of row: Int) throws -> LogPosition {
        switch source {
        case .tail(let columns, let first): return LogPosition(time: columns.times[row], sequence: first + UInt64(row))
        case .segment(let segment):
            let index = row / SegmentFormat.rowBlock
            if block?.index != index { block = (index, try segment.rowBlock(index)) }
            let place = row % SegmentFormat.rowBlock
            guard let rows = block?.rows, place < rows.times.count else { throw segment.damaged(.truncated) }
            return LogPosition(
                time: rows.times[place], sequence: segment.summary.firstSequence + UInt64(rows.arrivals[place]))
        }
    }

    /// Compares what may match with its record: it then matches certainly, or not at all.
    ///
    /// - Parameter matches: nil to stop.
    /// - Returns: false if it was stopped; what was not looked at then counts as not matching.
    public mutating func settle(_ matches: (UInt64) throws -> Bool?) throws -> Bool {
        var open = possible
        open.subtract(certain)
        defer { possible = certain }
        var row = open.nearest(0, .oldestFirst)
        while let next = row {
            guard let isMatch = try matches(try position(of: next).sequence) else { return false }
            if isMatch { certain.insert(next) }
            row = open.nearest(next + 1, .oldestFirst)
        }
        return true
    }

    /// Counts what matches certainly by time.
    ///
    /// - Parameters:
    ///   - edges: ascending, milliseconds; bucket i is from edge i up to, not including, edge i + 1.
    ///   - counts: one for each bucket; is added to.
    public func tally(edges: [Int64], into counts: inout [Int]) throws {
        guard !certain.isEmpty else { return }
        switch source {
        case .segment(let segment):
            var low = try segment.firstRank(notBefore: LogPosition(time: edges[0], sequence: 0))
            for index in counts.indices {
                let high = try segment.firstRank(notBefore: LogPosition(time: edges[index + 1], sequence: 0))
                counts[index] += certain.count(in: low..<max(low, high))
                low = max(low, high)
            }
        case .tail(let columns, _):
            certain.forEachRow { row in
                let bucket = edges.partitionPoint { $0 <= columns.times[row] } - 1
                if counts.indices.contains(bucket) { counts[bucket] += 1 }
            }
        }
    }

    /// Visits what matches certainly, in the order of the rows, with its time in milliseconds.
    public func forEachTime(_ visit: (_ row: Int, _ time: Int64) -> Void) throws {
        switch source {
        case .tail(let columns, _): certain.forEachRow { visit($0, columns.times[$0]) }
        case .segment(let segment):
            var index = -1
            var times: [Int64] = []
            try certain.forEachRow { row in
                if row / SegmentFormat.rowBlock != index {
                    index = row / SegmentFormat.rowBlock
                    times = try segment.rowBlock(index).times
                }
                visit(row, times[row % SegmentFormat.rowBlock])
            }
        }
    }

    /// The rows that may match, in the order of their positions.
    ///
    /// - Returns: nil if ranks are that order.
    var order: [Int]? {
        guard case .tail(let columns, _) = source else { return nil }
        var rows: [Int] = []
        possible.forEachRow { rows.append($0) }
        let isInOrder = zip(rows, rows.dropFirst()).allSatisfy { columns.times[$0] <= columns.times[$1] }
        return isInOrder ? nil : rows.sorted { (columns.times[$0], $0) < (columns.times[$1], $1) }
    }
}
