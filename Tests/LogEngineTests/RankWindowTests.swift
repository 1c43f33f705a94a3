// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine
import Testing

@Suite struct `A window of ranks` {
    /// Mostly at a border of words or of the window, or beside one.
    private static func edge(_ base: Int, _ random: inout Seeded) -> Int {
        switch random.below(4) {
        case 0: base + random.below(RankWindow.size + 300) - 150
        case 1: base + random.below(RankWindow.size / 64 + 1) * 64 + random.below(3) - 1
        case 2: base + random.below(3) - 1
        default: base + RankWindow.size + random.below(3) - 1
        }
    }

    private static func filled(_ base: Int, _ random: inout Seeded) -> (window: RankWindow, ranks: Set<Int>) {
        var window = RankWindow(base: base)
        var ranks: Set<Int> = []
        for _ in 0..<random.below(9) {
            if random.below(2) == 0 {
                let rank = base + random.below(RankWindow.size)
                window.insert(rank)
                ranks.insert(rank)
            } else {
                let (one, two) = (max(0, edge(base, &random)), max(0, edge(base, &random)))
                let range = min(one, two)..<max(one, two)
                window.insert(range)
                ranks.formUnion(range.clamped(to: base..<base + RankWindow.size))
            }
        }
        return (window, ranks)
    }

    @Test(arguments: UInt64(1)...60) func `is a set that is taken from at both ends`(seed: UInt64) throws {
        var random = Seeded(seed)
        let base = random.below(4) * RankWindow.size
        var (window, ranks) = Self.filled(base, &random)
        try #require(window.base == base && window.count == ranks.count && window.isEmpty == ranks.isEmpty, "seed \(seed)")
        if seed % 2 == 0 {
            let other = Self.filled(base, &random)
            window.formIntersection(other.window)
            ranks.formIntersection(other.ranks)
        }
        var left = ranks.sorted()[...]
        while true {
            let direction: SearchDirection = random.below(2) == 0 ? .oldestFirst : .newestFirst
            let expected = direction == .oldestFirst ? left.popFirst() : left.popLast()
            let found = window.pop(direction)
            try #require(found == expected, "seed \(seed)")
            guard found != nil else { break }
            guard left.count % 97 == 0 else { continue }
            try #require(window.count == left.count && window.isEmpty == left.isEmpty, "seed \(seed)")
        }
    }

    @Test func `takes ranges up to its own ends and nothing beyond`() {
        let size = RankWindow.size
        let cases: [(range: Range<Int>, count: Int)] = [
            (0..<size, 0), (size..<2 * size, size), (2 * size..<3 * size, 0), (0..<3 * size, size), (size - 1..<size + 1, 1),
            (2 * size - 1..<2 * size + 5, 1), (size..<size, 0), (size + 63..<size + 64, 1), (size + 63..<size + 65, 2),
            (size + 64..<size + 128, 64), (size + 1..<2 * size - 1, size - 2),
        ]
        for (range, count) in cases {
            var window = RankWindow(base: size)
            window.insert(range)
            #expect(window.count == count, "\(range)")
            let popped = window.pop(.oldestFirst)
            #expect(popped == (count == 0 ? nil : max(range.lowerBound, size)), "\(range)")
        }
    }
}

@Suite struct `A chunk of a posting list` {
    private static func rows(_ random: inout Seeded) -> [UInt32] {
        let firsts = [0, 1, 7, 63, 64, 65, 8191, 8192, 8193, 20_000 + random.below(500)]
        var row = UInt32(firsts[random.below(firsts.count)])
        // Dense ones become bitmaps, sparse ones differences, and some are all ranks in a row.
        let gap = [1, 2, 3, 9, 40, 900][random.below(6)]
        var rows: [UInt32] = []
        for _ in 0...random.below([1, 3, 70, 3000][random.below(4)]) {
            rows.append(row)
            row += UInt32(1 + random.below(gap))
        }
        return rows
    }

    /// The same rows as they are in memory, and as they are read.
    private static func chunks(_ rows: [UInt32]) throws -> [PostingChunk] {
        var writer = ByteWriter()
        Postings.encode(rows, into: &writer)
        return [PostingChunk(rows: rows), try PostingChunk(writer.bytes, count: rows.count)]
    }

    @Test(arguments: UInt64(1)...120) func `is a set of rows`(seed: UInt64) throws {
        var random = Seeded(seed)
        let rows = Self.rows(&random)
        let all = rows.map { Int($0) }
        let (first, last) = (all[0], all[all.count - 1])
        for chunk in try Self.chunks(rows) {
            try #require(chunk.rows == rows, "seed \(seed)")
            var probes = [0, max(first - 1, 0), first, first + 1, last, last + 1, last + 63, last + 64, last + 65, last + 9000]
            for _ in 0..<60 { probes.append(max(0, first - 70 + random.below(last - first + 200))) }
            for probe in probes {
                let next = all.first { $0 >= probe }
                let previous = all.last { $0 <= probe }
                try #require(chunk.nearest(probe, .oldestFirst) == next, "seed \(seed), \(probe)")
                try #require(chunk.nearest(probe, .newestFirst) == previous, "seed \(seed), \(probe)")
            }
            let windows = 0...last / RankWindow.size + 1
            for base in windows.map({ $0 * RankWindow.size }) {
                var window = RankWindow(base: base)
                chunk.insert(into: &window)
                let expected = all.filter { $0 >= base && $0 < base + RankWindow.size }
                try #require(window.count == expected.count, "seed \(seed), \(base)")
                for row in expected {
                    let popped = window.pop(.oldestFirst)
                    try #require(popped == row, "seed \(seed), \(base)")
                }
            }
        }
    }

    @Test(arguments: UInt64(1)...120) func `is visited among bits that may end before it or go on after it`(seed: UInt64) throws {
        var random = Seeded(seed)
        let rows = Self.rows(&random)
        let all = rows.map { Int($0) }
        let last = all[all.count - 1]
        let size = [0, 1, last / 64, last / 64 + 1, last / 64 + 40][random.below(5)]
        let density = [0, 1, 2, 4][random.below(4)]
        let bits = (0..<size).map { _ -> UInt64 in
            var word = UInt64.max
            for _ in 0..<density { word &= random.next() }
            return word
        }
        let expected = all.filter { $0 / 64 < size && bits[$0 / 64] >> UInt64($0 % 64) & 1 == 1 }
        for chunk in try Self.chunks(rows) {
            var visited: [Int] = []
            chunk.forEachRow(in: bits) { visited.append($0) }
            try #require(visited == expected, "seed \(seed)")
            visited = []
            chunk.forEachRow(in: nil) { visited.append($0) }
            try #require(visited == all, "seed \(seed)")
        }
    }

    @Test func `is refused if it does not have as many rows as its term says`() throws {
        for rows in [Array(UInt32(5)..<70), [3, 5000, 90_000]] {
            var writer = ByteWriter()
            Postings.encode(rows, into: &writer)
            let bytes = writer.bytes
            #expect(throws: FormatError.self) { try PostingChunk(bytes, count: rows.count + 1) }
            #expect(throws: FormatError.self) { try PostingChunk([], count: rows.count) }
        }
    }
}
