// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The blocks by which a segment's words are found: runs of arrivals, each with the range of its rows' ranks.
///
/// Source: docs/formats/segment.md.
final class WordBlocks: Sendable {
    struct Entry: Sendable, Equatable {
        /// Rows, one after the other in the order of arrival.
        var rowCount: Int
        var ranks: ClosedRange<Int>
    }

    let entries: [Entry]
    /// The arrival with which each block begins.
    private let starts: [UInt32]
    /// Blocks whose ranks lie in many windows, for their records came out of order.
    let wideBlocks: [UInt32]
    /// Other blocks that have ranks in a window of the search: those of window w are
    /// `windowBlocks[windowEnds[w - 1]..<windowEnds[w]]`.
    private let windowBlocks: [UInt32]
    private let windowEnds: [UInt32]

    /// - Parameter rowCount: of the segment.
    init(_ entries: [Entry], rowCount: Int) throws(FormatError) {
        self.entries = entries
        var starts: [UInt32] = []
        var start = 0
        let windows = (rowCount + RankWindow.size - 1) / RankWindow.size
        var counts = [UInt32](repeating: 0, count: windows)
        var wide: [UInt32] = []
        for (block, entry) in entries.enumerated() {
            guard entry.rowCount > 0, entry.rowCount <= rowCount - start, entry.ranks.lowerBound >= 0,
                entry.ranks.upperBound < rowCount
            else { throw .truncated }
            starts.append(UInt32(start))
            start += entry.rowCount
            if Self.isWide(entry) {
                wide.append(UInt32(block))
            } else {
                for window in Self.windows(of: entry) { counts[window] += 1 }
            }
        }
        guard start == rowCount else { throw .truncated }
        var ends: [UInt32] = []
        var end: UInt32 = 0
        for count in counts {
            ends.append(end)
            end += count
        }
        var blocks = [UInt32](repeating: 0, count: Int(end))
        for (block, entry) in entries.enumerated() where !Self.isWide(entry) {
            for window in Self.windows(of: entry) {
                blocks[Int(ends[window])] = UInt32(block)
                ends[window] += 1
            }
        }
        self.starts = starts
        wideBlocks = wide
        windowBlocks = blocks
        windowEnds = ends
    }

    var cost: Int {
        entries.count * (MemoryLayout<Entry>.stride + 4) + (windowBlocks.count + windowEnds.count + wideBlocks.count) * 4
    }

    private static func isWide(_ entry: Entry) -> Bool { windows(of: entry).count > 8 }

    static func windows(of entry: Entry) -> ClosedRange<Int> {
        entry.ranks.lowerBound / RankWindow.size...entry.ranks.upperBound / RankWindow.size
    }

    func blocks(inWindow window: Int) -> ArraySlice<UInt32> {
        windowBlocks[Int(window == 0 ? 0 : windowEnds[window - 1])..<Int(windowEnds[window])]
    }

    func block(ofArrival arrival: UInt32) -> Int {
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= arrival { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }

    // MARK: On disk

    /// For each block: rows varint, zigzag of its lowest rank less the first arrival, highest less lowest rank varint.
    static func encode(_ entries: [Entry]) -> [UInt8] {
        var writer = ByteWriter()
        var start = 0
        for entry in entries {
            writer.putVarint(entry.rowCount)
            writer.putZigzag(Int64(entry.ranks.lowerBound - start))
            writer.putVarint(entry.ranks.upperBound - entry.ranks.lowerBound)
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
            let lowest = Int64(start) &+ (try reader.getZigzag())
            let span = try reader.getCount()
            guard rows > 0, lowest >= 0, lowest < Int64(rowCount), span < rowCount else { throw .truncated }
            entries.append(Entry(rowCount: rows, ranks: Int(lowest)...Int(lowest) + span))
            start += rows
            guard start <= rowCount else { throw .truncated }
        }
        try self.init(entries, rowCount: rowCount)
    }
}
