// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Counts how often strings of bytes come, to find what records have in common.
struct PhraseCounts {
    /// By number of string.
    private(set) var counts: [Int] = []
    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    /// Open addressing, linear probing: number + 1, 0 for free; a power of two.
    private var slots = [UInt32](repeating: 0, count: 1 << 12)
    private var hashes: [UInt64] = []

    /// Counts a string once more.
    ///
    /// - Returns: its number.
    mutating func add(_ string: UnsafeRawBufferPointer) -> Int {
        if (counts.count + 1) * 2 > slots.count { grow() }
        // Keyed by the process: nobody can make values that all fall into one place.
        var hasher = Hasher()
        hasher.combine(bytes: string)
        let hash = UInt64(bitPattern: Int64(hasher.finalize()))
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            if hashes[number] == hash,
                self.bytes.withUnsafeBytes({ UnsafeRawBufferPointer(rebasing: $0[range(number)]).isSame(as: string) })
            {
                counts[number] += 1
                return number
            }
            slot = (slot + 1) & mask
        }
        counts.append(1)
        bytes.append(contentsOf: string)
        ends.append(bytes.count)
        hashes.append(hash)
        slots[slot] = UInt32(counts.count)
        return counts.count - 1
    }

    func string(_ number: Int) -> ArraySlice<UInt8> { bytes[range(number)] }

    private func range(_ number: Int) -> Range<Int> { (number == 0 ? 0 : ends[number - 1])..<ends[number] }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        let mask = slots.count - 1
        for (number, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(number + 1)
        }
    }

    /// Numbers of strings that came three times or more, most frequent first, as far as limits of number and bytes allow.
    func best(limit: Int, longest: Int, bytesLimit: Int) -> [Int] {
        let frequent = counts.indices.filter { counts[$0] >= 3 && range($0).count <= longest }
        let sorted = frequent.sorted { (counts[$1], $0) < (counts[$0], $1) }
        var total = 0
        return Array(
            sorted.prefix(limit).prefix { number in
                total += range(number).count
                return total <= bytesLimit
            })
    }
}
