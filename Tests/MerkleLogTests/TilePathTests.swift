// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import MerkleLog
import TestSupport
import Testing

@Suite struct `A tile path` {
    @Test(
        arguments: [
            ("0/x001/x234/067", TilePath.Kind.hashes(level: 0), 1_234_067, 256),
            ("entries/x001/x234/067", .entries, 1_234_067, 256),
            ("0/000", .hashes(level: 0), 0, 256),
            ("0/273.p/112", .hashes(level: 0), 273, 112),
            ("1/001.p/17", .hashes(level: 1), 1, 17),
            ("2/000.p/1", .hashes(level: 2), 0, 1),
            ("63/999", .hashes(level: 63), 999, 256),
            ("entries/x001/000.p/255", .entries, 1000, 255),
            ("5/x018/x446/x744/x073/x709/x551/615", .hashes(level: 5), UInt64.max, 256),
        ] as [(String, TilePath.Kind, UInt64, Int)])
    func `is read and written`(path: String, kind: TilePath.Kind, index: UInt64, width: Int) throws {
        let tile = try #require(TilePath(path: path))
        #expect(tile == TilePath(kind: kind, index: index, width: width))
        #expect(tile.path == path)
    }

    @Test(arguments: [
        "", "/", "0", "0/", "/000", "0/0", "0/00", "0/0000", "0/x000", "0/x000/001", "0/001/002", "0/x001", "0/x01/002",
        "0/x001/x234/67", "0/X001/234", "64/000", "00/000", "01/000", "-1/000", "+1/000", "a/000", "0/-01", "0/+01",
        "0/000.p", "0/000.p/", "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p/1/", "0/000.p/1.p/1", "0/.p/1",
        "0/000.P/1", "0/000.p/-1", "0/000/", "0/000/1", "//000", "0//000", "0/../000", "entries", "entries/",
        "Entries/000",
        "data/000", "0/00٠", "0/x018/x446/x744/x073/x709/x551/616", "0/x999/x999/x999/x999/x999/x999/999",
        "0/x001/x018/x446/x744/x073/x709/x551/615", "0/000 ", " 0/000", "0/000\n", "0/x001.p/1", "0/%30%30%30",
    ]) func `is refused in any other spelling`(path: String) {
        #expect(TilePath(path: path) == nil)
    }

    @Test func `survives writing for random tiles`() throws {
        var random = SeededGenerator(state: 3)
        for _ in 0..<1000 {
            let level = Int.random(in: -1...63, using: &random)
            let tile = try #require(
                TilePath(
                    kind: level < 0 ? .entries : .hashes(level: level),
                    index: UInt64.random(in: 0...(.max), using: &random) >> UInt64.random(in: 0...63, using: &random),
                    width: Int.random(in: 1...256, using: &random)))
            #expect(TilePath(path: tile.path) == tile)
        }
    }

    @Test func `is refused outside its bounds`() {
        for level in [-1, 64, Int.max, Int.min] { #expect(TilePath(kind: .hashes(level: level), index: 0) == nil) }
        for width in [-1, 0, 257, Int.max] { #expect(TilePath(kind: .entries, index: 0, width: width) == nil) }
    }

    /// The specification's example: 273 full tiles and one of 112; one full and one of 17; one of 1.
    @Test func `exists in a tree of 70,000 where the specification says`() throws {
        #expect((0...4).map { TilePath.partialWidth(level: $0, size: 70_000) } == [112, 17, 1, 0, 0])
        let existing = [
            "0/000", "0/272", "0/272.p/3", "0/273.p/112", "0/273.p/1", "1/000", "1/001.p/17", "2/000.p/1",
            "entries/272", "entries/273.p/112",
        ]
        for path in existing {
            #expect(try #require(TilePath(path: path)).exists(inTreeOfSize: 70_000), "\(path)")
        }
        let missing = [
            "0/273", "0/273.p/113", "0/274.p/1", "1/001", "1/001.p/18", "1/002.p/1", "2/000", "2/000.p/2", "2/001.p/1",
            "3/000.p/1", "8/000.p/1", "63/000", "entries/273", "entries/274.p/1", "0/x018/x446/x744/x073/x709/x551/615",
        ]
        for path in missing {
            #expect(try !#require(TilePath(path: path)).exists(inTreeOfSize: 70_000), "\(path)")
        }
    }

    @Test func `exists in no empty tree and stays within 64 bits`() throws {
        let tile = try #require(TilePath(kind: .entries, index: 0, width: 1))
        #expect(!tile.exists(inTreeOfSize: 0))
        #expect(tile.exists(inTreeOfSize: 1))
        #expect(TilePath.partialWidth(level: 7, size: .max) == 255)
        for level in [-1, 8, 63, Int.max, Int.min] { #expect(TilePath.partialWidth(level: level, size: .max) == 0) }
        #expect(try #require(TilePath(path: "7/000.p/255")).exists(inTreeOfSize: .max))
        #expect(try !#require(TilePath(path: "7/000")).exists(inTreeOfSize: .max))
    }
}
