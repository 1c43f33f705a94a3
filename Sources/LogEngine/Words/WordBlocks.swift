// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The blocks by which a segment's words are found: runs of arrivals, each with the ranges of its rows' ranks.
///
/// Records come mostly in the order of their times: then a block has one short range. One that comes out of order has a range
/// of its own, or a search would look at all between it and the others.
///
/// Source: docs/formats/segment.md.
final class WordBlocks: Sendable {
    struct Entry: Sendable, Equatable {
        /// Rows, one after the other in the order of arrival.
        var rowCount: Int
        /// Ascending.
        var ranks: [ClosedRange<Int>]

        /// - Parameter ranks: of its rows, in any order.
        init(ranks: some Collection<Int>) {
            rowCount = ranks.count
            self.ranks = []
            for rank in ranks.sorted() {
                if let last = self.ranks.last, rank - last.upperBound <= WordBlocks.gap {
                    self.ranks[self.ranks.count - 1] = last.lowerBound...rank
                } else {
                    self.ranks.append(rank...rank)
                }
            }
        }

        fileprivate init(rowCount: Int, ranks: [ClosedRange<Int>]) {
            self.rowCount = rowCount
            self.ranks = ranks
        }
    }

    /// Ranks so far apart are in one range.
    static let gap = 256

    /// The arrival with which each block begins; one more, where the last one ends.
    private let starts: [UInt32]
    /// Ranges of block b are `ranges[rangeEnds[b - 1]..<rangeEnds[b]]`.
    private let ranges: [ClosedRange<UInt32>]
    private let rangeEnds: [UInt32]
    /// Blocks that have ranks in a window of the search: those of window w are
    /// `windowBlocks[windowEnds[w - 1]..<windowEnds[w]]`.
    private let windowBlocks: [UInt32]
    private let windowEnds: [UInt32]

    /// - Parameter rowCount: of the segment.
    private init(_ entries: [Entry], rowCount: Int) throws(FormatError) {
        var starts: [UInt32] = []
        var start = 0
        var ranges: [ClosedRange<UInt32>] = []
        var rangeEnds: [UInt32] = []
        var counts = [UInt32](repeating: 0, count: (rowCount + RankWindow.size - 1) / RankWindow.size)
        for entry in entries {
            guard entry.rowCount > 0, entry.rowCount <= rowCount - start, (1...entry.rowCount).contains(entry.ranks.count),
                let first = entry.ranks.first, let last = entry.ranks.last, first.lowerBound >= 0, last.upperBound < rowCount
            else { throw .truncated }
            starts.append(UInt32(start))
            start += entry.rowCount
            for range in entry.ranks {
                // No more windows than its rows can reach.
                guard range.count <= entry.rowCount * (Self.gap + 1) else { throw .truncated }
                ranges.append(UInt32(range.lowerBound)...UInt32(range.upperBound))
            }
            rangeEnds.append(UInt32(ranges.count))
            Self.forEachWindow(entry.ranks) { counts[$0] += 1 }
        }
        guard start == rowCount else { throw .truncated }
        starts.append(UInt32(start))
        var ends: [UInt32] = []
        var end: UInt32 = 0
        for count in counts {
            ends.append(end)
            end += count
        }
        var blocks = [UInt32](repeating: 0, count: Int(end))
        for (block, entry) in entries.enumerated() {
            Self.forEachWindow(entry.ranks) { window in
                blocks[Int(ends[window])] = UInt32(block)
                ends[window] += 1
            }
        }
        self.starts = starts
        self.ranges = ranges
        self.rangeEnds = rangeEnds
        windowBlocks = blocks
        windowEnds = ends
    }

    /// Each window once, ascending, as the ranges are.
    private static func forEachWindow(_ ranges: [ClosedRange<Int>], _ visit: (Int) -> Void) {
        var next = 0
        for range in ranges {
            for window in max(next, range.lowerBound / RankWindow.size)..<range.upperBound / RankWindow.size + 1 { visit(window) }
            next = range.upperBound / RankWindow.size + 1
        }
    }

    var count: Int { rangeEnds.count }
    var rowCount: Int { Int(starts[count]) }
    var cost: Int { (starts.count + ranges.count * 2 + rangeEnds.count + windowBlocks.count + windowEnds.count) * 4 }

    /// The arrivals of a block.
    func arrivals(of block: Int) -> Range<Int> { Int(starts[block])..<Int(starts[block + 1]) }

    func ranks(of block: Int) -> ArraySlice<ClosedRange<UInt32>> {
        ranges[Int(block == 0 ? 0 : rangeEnds[block - 1])..<Int(rangeEnds[block])]
    }

    func blocks(inWindow window: Int) -> ArraySlice<UInt32> {
        windowBlocks[Int(window == 0 ? 0 : windowEnds[window - 1])..<Int(windowEnds[window])]
    }

    func block(ofArrival arrival: UInt32) -> Int {
        starts.prefix(count).partitionPoint { $0 <= arrival } - 1
    }

    // MARK: On disk

    /// For each block: rows varint, ranges varint, for each range: zigzag of its lowest rank less the first arrival (of the
    /// others: less the highest rank before, varint), highest less lowest rank varint.
    static func encode(_ entries: [Entry]) -> [UInt8] {
        var writer = ByteWriter()
        var start = 0
        for entry in entries {
            writer.putVarint(entry.rowCount)
            writer.putVarint(entry.ranks.count)
            var last: Int?
            for range in entry.ranks {
                if let last {
                    writer.putVarint(range.lowerBound - last)
                } else {
                    writer.putZigzag(Int64(range.lowerBound - start))
                }
                writer.putVarint(range.upperBound - range.lowerBound)
                last = range.upperBound
            }
            start += entry.rowCount
        }
        return writer.bytes
    }

    convenience init(decoding bytes: UnsafeRawBufferPointer, rowCount: Int) throws(FormatError) {
        var reader = ByteReader(bytes)
        var entries: [Entry] = []
        var start = 0
        while !reader.isAtEnd {
            let rows = try reader.getCount()
            var ranges: [ClosedRange<Int>] = []
            for _ in 0..<(try reader.getCount()) {
                let lowest: Int64
                if let last = ranges.last {
                    lowest = Int64(last.upperBound + (try reader.getCount()))
                    guard lowest > last.upperBound else { throw .truncated }
                } else {
                    lowest = Int64(start) &+ (try reader.getZigzag())
                }
                let span = try reader.getCount()
                guard lowest >= 0, lowest < Int64(rowCount), span < rowCount - Int(lowest) else { throw .truncated }
                ranges.append(Int(lowest)...Int(lowest) + span)
            }
            entries.append(Entry(rowCount: rows, ranks: ranges))
            start += rows
            guard start <= rowCount else { throw .truncated }
        }
        try self.init(entries, rowCount: rowCount)
    }
}
