// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine
import Testing

@Suite struct `Differences of rows` {
    @Test(arguments: UInt64(1)...60) func `of hostile bytes are refused, or give the rows of a plain reading`(seed: UInt64) {
        var random = Seeded(seed)
        let bits = (0..<random.below(700)).map { _ in random.next() | random.next() }
        for _ in 0..<200 {
            let list = (0..<random.below(700)).map { _ -> UInt8 in
                let byte = UInt8(truncatingIfNeeded: random.next())
                return random.below(9) == 0 ? byte | 0x80 : byte & 0x7F
            }
            let count = random.below(list.count + 3)
            // A list of differences begins with 0.
            let rows = ([0] + list).withUnsafeBytes { try? Postings.decode($0, count: count) }
            var found: [Int] = []
            let isWhole = bits.withUnsafeBufferPointer { bits in
                list.withUnsafeBytes { list in
                    (try? RowDifferences.forEachRow(of: list, count: count, among: bits) { found.append($0) }) != nil
                }
            }
            #expect(isWhole == (rows != nil), "seed \(seed)")
            guard let rows else { continue }
            let expected = rows.map { Int($0) }.filter {
                $0 >> 6 < bits.count && bits[$0 >> 6] >> UInt64($0 & 63) & 1 == 1
            }
            #expect(found == expected, "seed \(seed)")
        }
    }
}
