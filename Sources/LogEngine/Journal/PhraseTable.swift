// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Numbered strings of bytes, found by their content. Never changed once made.
package final class PhraseTable: Sendable {
    package let count: Int
    /// All of them back to back; number n is `ends[n - 1]..<ends[n]`.
    private let bytes: [UInt8]
    private let ends: [UInt32]
    /// Open addressing, linear probing: upper half of 32 bits of hash, lower half number + 1; 0 for free; a power of two.
    private let slots: [UInt32]

    /// - Parameter strings: at most 65,535, none twice.
    package init(_ strings: [[UInt8]]) {
        precondition(strings.count < 1 << 16, "a slot has sixteen bits for a number")
        count = strings.count
        bytes = Array(strings.joined())
        var ends: [UInt32] = []
        var end: UInt32 = 0
        for string in strings {
            end += UInt32(string.count)
            ends.append(end)
        }
        self.ends = ends
        var size = 16
        while size < strings.count * 4 { size *= 2 }
        var slots = [UInt32](repeating: 0, count: size)
        for (number, string) in strings.enumerated() {
            let hash = string.withUnsafeBytes { Self.hash($0) }
            var slot = Int(truncatingIfNeeded: hash) & (size - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = UInt32(truncatingIfNeeded: hash >> 48) << 16 | UInt32(number + 1)
        }
        self.slots = slots
    }

    package func withBytes<Result>(of number: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        let range = Int(number == 0 ? 0 : ends[number - 1])..<Int(ends[number])
        return try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    package func number(of string: UnsafeRawBufferPointer) -> Int? {
        let hash = Self.hash(string)
        let tag = UInt32(truncatingIfNeeded: hash >> 48)
        return slots.withUnsafeBufferPointer { slots in
            let mask = slots.count - 1
            var slot = Int(truncatingIfNeeded: hash) & mask
            while true {
                let entry = slots[slot]
                if entry == 0 { return nil }
                if entry >> 16 == tag {
                    let number = Int(entry & 0xFFFF) - 1
                    if withBytes(of: number, { $0.isSame(as: string) }) { return number }
                }
                slot = (slot + 1) & mask
            }
        }
    }

    /// Not keyed: a table is fixed before what is looked up in it, and a miss costs a few probes.
    static func hash(_ string: UnsafeRawBufferPointer) -> UInt64 {
        let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
        let count = string.count
        var hash = UInt64(truncatingIfNeeded: count) &* multiplier
        @inline(__always) func mix(_ word: UInt64) {
            hash = (hash ^ word) &* multiplier
            hash ^= hash >> 29
        }
        if count >= 8 {
            var offset = 0
            while offset + 8 <= count {
                mix(string.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                offset += 8
            }
            if offset < count { mix(string.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)) }
        } else if count >= 4 {
            mix(
                UInt64(string.loadUnaligned(as: UInt32.self))
                    | UInt64(string.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)) << 32)
        } else if count > 0 {
            mix(UInt64(string[0]) | UInt64(string[count / 2]) << 8 | UInt64(string[count - 1]) << 16)
        }
        return (hash ^ hash >> 32) &* multiplier
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    func isSame(as other: UnsafeRawBufferPointer) -> Bool {
        count == other.count && (count == 0 || memcmp(baseAddress!, other.baseAddress!, count) == 0)
    }
}
