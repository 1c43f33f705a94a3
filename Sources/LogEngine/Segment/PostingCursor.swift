// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Goes through the rows of a term in one direction, window by window.
struct PostingCursor {
    let segment: Segment
    let list: Segment.PostingList
    private var loaded: (index: Int, chunk: PostingChunk)?

    init(segment: Segment, list: Segment.PostingList) {
        self.segment = segment
        self.list = list
        if case .rows(let rows) = list.content { loaded = (0, PostingChunk(rows: rows)) }
    }

    /// The nearest row at or after (`oldestFirst`), or at or before, a row.
    mutating func nearest(_ row: Int, _ direction: SearchDirection) throws -> Int? {
        guard case .chunks(let chunks) = list.content else { return loaded?.chunk.nearest(row, direction) }
        let low = chunks.partitionPoint { chunk in
            let bounds = segment.bounds(ofChunk: chunk)
            return direction == .oldestFirst ? bounds.last < Int64(row) : bounds.first <= Int64(row)
        }
        // Now `low` is the first block that ends at or after the row, or the first that begins after it.
        let index = direction == .oldestFirst ? low : low - 1
        guard chunks.contains(index) else { return nil }
        return try load(index, chunks).nearest(row, direction)
    }

    /// Puts the rows that are in the window into it.
    mutating func insert(into window: inout RankWindow) throws {
        guard case .chunks(let chunks) = list.content else { return loaded!.chunk.insert(into: &window) }
        let (first, end) = (Int64(window.base), Int64(window.base + RankWindow.size))
        var low = chunks.partitionPoint { segment.bounds(ofChunk: $0).last < first }
        while low < chunks.upperBound, segment.bounds(ofChunk: low).first < end {
            try load(low, chunks).insert(into: &window)
            low += 1
        }
    }

    /// Keeps those ranks of a window that are in the list.
    ///
    /// - Parameter scratch: another window, used again and again.
    mutating func intersect(_ window: inout RankWindow, scratch: inout RankWindow) throws {
        // Where little is left, that is looked for; else the whole list is laid over the window.
        if window.count <= Self.few { return try window.filter { try contains($0) } }
        scratch.clear(base: window.base)
        try insert(into: &scratch)
        window.formIntersection(scratch)
    }

    private static let few = 12

    private mutating func contains(_ row: Int) throws -> Bool {
        guard case .chunks(let chunks) = list.content else { return loaded?.chunk.nearest(row, .oldestFirst) == row }
        let index = chunks.partitionPoint { segment.bounds(ofChunk: $0).last < Int64(row) }
        guard index < chunks.upperBound, segment.bounds(ofChunk: index).first <= Int64(row) else { return false }
        return try load(index, chunks).nearest(row, .oldestFirst) == row
    }

    private mutating func load(_ index: Int, _ chunks: Range<Int>) throws -> PostingChunk {
        if let loaded, loaded.index == index { return loaded.chunk }
        let chunk = try segment.chunk(index, of: chunks, total: list.count)
        loaded = (index, chunk)
        return chunk
    }
}
