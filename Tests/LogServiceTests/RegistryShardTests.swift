// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import TestSupport
import Testing

@Suite struct RegistryShardTests {
    static let greatest = String(repeating: "f", count: 32)

    @Test func initialRangesAreEqual() throws {
        let two = try [Shard].initial(count: 2, at: 7)
        #expect(two.map(\.beginKey) == ["00000000000000000000000000000000", "80000000000000000000000000000000"])
        #expect(two.map(\.endKey) == ["80000000000000000000000000000000", Self.greatest])
        #expect(two.map(\.createdAt) == [7, 7])
        let three = try [Shard].initial(count: 3, at: 7)
        #expect(three[1].beginKey == "55555555555555555555555555555555")
        #expect(three[2].beginKey == "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
        for count in 1...100 { expectCover(try [Shard].initial(count: count, at: 0)) }
        registryRefuses("LogStoreInfoInvalid") { _ = try [Shard].initial(count: 0, at: 0) }
        registryRefuses("LogStoreInfoInvalid") { _ = try [Shard].initial(count: 101, at: 0) }
    }

    /// Writable shards follow each other from the least key to the greatest.
    private func expectCover(_ shards: [Shard], sourceLocation: SourceLocation = #_sourceLocation) {
        let ranges = shards.writable.sorted { $0.beginKey < $1.beginKey }
        #expect(ranges.first?.beginKey == String(repeating: "0", count: 32), sourceLocation: sourceLocation)
        #expect(ranges.last?.endKey == Self.greatest, sourceLocation: sourceLocation)
        let isGapless = zip(ranges, ranges.dropFirst()).allSatisfy { $0.endKey == $1.beginKey }
        #expect(isGapless, sourceLocation: sourceLocation)
        #expect(ranges.allSatisfy { $0.beginKey < $0.endKey && $0.beginKey.count == 32 }, sourceLocation: sourceLocation)
        #expect(Set(shards.map(\.id)).count == shards.count, sourceLocation: sourceLocation)
    }

    @Test(arguments: 1...40) func randomSplitsAndMergesCoverTheKeySpaceOnce(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        var shards = try [Shard].initial(count: 1 + random.below(5), at: 0)
        var used = Set(shards.map(\.id))
        for step in 1...120 {
            let id = random.below((shards.map(\.id).max() ?? 0) + 2)
            let known = shards
            do {
                switch random.below(5) {
                case 0, 1:
                    let key = random.chance(50, of: 100) ? randomKey(&random) : nil
                    let changed = try shards.split(id, key: key, at: Int64(step))
                    #expect(changed.map(\.isWritable) == [false, true, true])
                    #expect(changed[0].beginKey == changed[1].beginKey && changed[0].endKey == changed[2].endKey)
                    #expect(changed[1].parents == [id] && changed[2].parents == [id])
                    if let key { #expect(changed[2].beginKey == key.lowercased()) }
                case 2, 3:
                    let changed = try shards.merge(id, at: Int64(step))
                    #expect(changed.map(\.isWritable) == [true, false, false])
                    #expect(changed[0].parents == [changed[1].id, changed[2].id] && changed[1].id == id)
                default:
                    try shards.delete(id)
                    #expect(known.first { $0.id == id }?.isWritable == false)
                }
                let fresh = Set(shards.map(\.id)).subtracting(known.map(\.id))
                #expect(fresh.isDisjoint(with: used), "a number is used once")
                used.formUnion(fresh)
            } catch {
                #expect(shards == known, "a refusal changes nothing")
            }
            expectCover(shards)
            // Each key has exactly one shard that takes it.
            let key = randomKey(&random)
            let chosen = try shards.choose(hashKey: key, turn: 0)
            let takers = shards.writable.filter {
                $0.beginKey <= key.lowercased() && (key.lowercased() < $0.endKey || $0.endKey == Self.greatest)
            }
            #expect(takers.map(\.id) == [chosen])
        }
    }

    private func randomKey(_ random: inout SeededGenerator) -> String {
        let digits = Array(random.chance(50, of: 100) ? "0123456789abcdef" : "0123456789ABCDEF")
        return String((0..<32).map { _ in digits[random.below(16)] })
    }

    @Test func splittingRefusesKeysOutsideTheRange() throws {
        var shards = try [Shard].initial(count: 2, at: 0)
        for key in ["", "8", "80000000000000000000000000000000", "00000000000000000000000000000000", "g".padded, "ä".padded] {
            registryRefuses("ParameterInvalid") { _ = try shards.split(0, key: key, at: 0) }
        }
        registryRefuses("ParameterInvalid") { _ = try shards.split(1, key: Self.greatest, at: 0) }
        registryRefuses("ShardNotExist") { _ = try shards.split(2, key: nil, at: 0) }
        registryRefuses("ShardNotExist") { _ = try shards.merge(-1, at: 0) }
        registryRefuses("ParameterInvalid") { _ = try shards.merge(1, at: 0) }
        registryRefuses("ParameterInvalid") { try shards.delete(0) }
        _ = try shards.split(0, key: nil, at: 0)
        #expect(shards[3].beginKey == "40000000000000000000000000000000")
        registryRefuses("ParameterInvalid") { _ = try shards.split(0, key: nil, at: 0) }
        _ = try shards.split(1, key: nil, at: 0)
        #expect(shards[5].beginKey == "c0000000000000000000000000000000")
    }

    @Test func aRangeOfOneKeyCannotBeSplit() throws {
        var shards = try [Shard].initial(count: 1, at: 0)
        for key in ["1", "2"].map({ String(repeating: "0", count: 31) + $0 }) {
            _ = try shards.split(shards.last?.id ?? 0, key: key, at: 0)
        }
        registryRefuses("ParameterInvalid") { _ = try shards.split(1, key: nil, at: 0) }
        registryRefuses("ParameterInvalid") { _ = try shards.split(3, key: nil, at: 0) }
    }

    @Test func splittingStopsAtTheLimit() throws {
        var shards = try [Shard].initial(count: 100, at: 0)
        var random = SeededGenerator(state: 1)
        while shards.writable.count < 256 {
            let writable = shards.writable
            _ = try shards.split(writable[random.below(writable.count)].id, key: nil, at: 0)
        }
        registryRefuses("ProjectQuotaExceed") { _ = try shards.split(shards.writable[0].id, key: nil, at: 0) }
    }

    @Test func choosesInTurnAndByKey() throws {
        var shards = try [Shard].initial(count: 2, at: 0)
        _ = try shards.split(0, key: nil, at: 0)
        #expect(try (0..<6).map { try shards.choose(hashKey: nil, turn: $0) } == [1, 2, 3, 1, 2, 3])
        #expect(try shards.choose(hashKey: "", turn: .max) == [1, 2, 3][Int(UInt64.max % 3)])
        #expect(try shards.choose(hashKey: Self.greatest.uppercased(), turn: 0) == 1)
        // The MD5 of "a" begins with 0c, that of "b" with 92.
        #expect(try shards.choose(hashKey: "a", turn: 0) == 2)
        #expect(try shards.choose(hashKey: "b", turn: 0) == 1)
        registryRefuses("LogStoreWithoutShard") { _ = try [Shard]().choose(hashKey: nil, turn: 0) }
        registryRefuses("LogStoreWithoutShard") { _ = try [Shard]().choose(hashKey: "a", turn: 0) }
    }

    @Test func childrenWaitForAllAncestors() throws {
        var shards = try [Shard].initial(count: 1, at: 0)
        _ = try shards.split(0, key: nil, at: 0)  // 1, 2
        _ = try shards.split(1, key: nil, at: 0)  // 3, 4
        _ = try shards.merge(4, at: 0)  // 5 of 4 and 2
        func readable(_ read: Set<Int>) -> [Int] { shards.inOrder { read.contains($0) } }
        #expect(readable([]) == [0])
        #expect(readable([0]) == [0, 1, 2])
        #expect(readable([1, 2, 4]) == [0], "an empty parent is not read before its own parents are")
        #expect(readable([0, 1]) == [0, 1, 2, 3, 4])
        #expect(readable([0, 1, 2]) == [0, 1, 2, 3, 4])
        #expect(readable([0, 1, 2, 4]) == [0, 1, 2, 3, 4, 5])
        try shards.delete(0)
        #expect(readable([1]) == [1, 2, 3, 4], "a deleted parent is waited for no more")
    }
}

extension String {
    fileprivate var padded: String { self + String(repeating: "1", count: 31) }
}
