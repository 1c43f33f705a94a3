// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Goes through the rows that may match, best first, over segments and tails as they were when it began.
public struct RowSearch {
    private let direction: SearchDirection
    private var cursors: [Cursor]

    private enum Cursor {
        /// Nothing in it comes before `bound`.
        case unopened(RowSource, bound: LogPosition)
        case opened(PartCursor, head: LogPosition, row: Int)

        var head: LogPosition {
            switch self {
            case .unopened(_, let bound): bound
            case .opened(_, let head, _): head
            }
        }
    }

    init(_ sources: [RowSource], direction: SearchDirection) {
        self.direction = direction
        cursors = sources.map { source in
            .unopened(
                source,
                bound: direction == .oldestFirst
                    ? LogPosition(time: source.times.lowerBound, sequence: 0)
                    : LogPosition(time: source.times.upperBound, sequence: .max))
        }
    }

    public mutating func next() throws -> (position: LogPosition, isCertain: Bool)? {
        while true {
            guard var best = cursors.indices.first else { return nil }
            for index in cursors.indices.dropFirst()
            where direction.precedes(cursors[index].head, cursors[best].head) { best = index }
            switch cursors[best] {
            case .unopened(let source, _):
                var cursor = PartCursor(try source.open(), direction)
                try advance(best, &cursor)
            case .opened(var cursor, let head, let row):
                let isCertain = cursor.part.certain.contains(row)
                try advance(best, &cursor)
                return (head, isCertain)
            }
        }
    }

    private mutating func advance(_ index: Int, _ cursor: inout PartCursor) throws {
        guard let row = cursor.next() else {
            cursors.remove(at: index)
            return
        }
        cursors[index] = .opened(cursor, head: try cursor.part.position(of: row), row: row)
    }
}

private struct PartCursor {
    var part: RowPart
    private let direction: SearchDirection
    /// Nil if the rows are in order.
    private let order: [Int]?
    private var place: Int

    init(_ part: RowPart, _ direction: SearchDirection) {
        self.part = part
        self.direction = direction
        order = part.order
        place = direction == .oldestFirst ? 0 : (order?.count ?? part.rowCount) - 1
    }

    mutating func next() -> Int? {
        let step = direction == .oldestFirst ? 1 : -1
        if let order {
            guard order.indices.contains(place) else { return nil }
            defer { place += step }
            return order[place]
        }
        guard let row = part.possible.nearest(place, direction) else { return nil }
        place = row + step
        return row
    }
}

extension LogEngine {
    public func rows(_ query: RowQuery, direction: SearchDirection) -> RowSearch {
        RowSearch(rowSources(query), direction: direction)
    }
}
