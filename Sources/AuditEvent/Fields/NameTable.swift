// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A fixed set of names, each with a number, looked up by bytes without making a `String`.
///
/// `@unchecked Sendable`: the memory is written in `init` only.
final class NameTable: @unchecked Sendable {
    private struct Entry {
        var name: UnsafePointer<UInt8>?
        var count: Int
        var value: Int
    }

    private let entries: UnsafeMutablePointer<Entry>
    private let mask: Int
    private let names: UnsafeMutablePointer<UInt8>

    init(_ pairs: [(name: String, value: Int)]) {
        var size = 8
        while size < pairs.count * 4 { size *= 2 }
        mask = size - 1
        entries = .allocate(capacity: size)
        entries.initialize(repeating: Entry(name: nil, count: 0, value: 0), count: size)
        names = .allocate(capacity: pairs.reduce(1) { $0 + $1.name.utf8.count })
        var free = names
        for (name, value) in pairs {
            let count = name.utf8.count
            for (index, byte) in name.utf8.enumerated() { free[index] = byte }
            precondition(count > 0 && self.value(of: Text(start: free, count: count)) == nil, "\(name) twice")
            var slot = Self.hash(UnsafeRawPointer(free), count) & mask
            while entries[slot].name != nil { slot = (slot + 1) & mask }
            entries[slot] = Entry(name: UnsafePointer(free), count: count, value: value)
            free += count
        }
    }

    deinit {
        entries.deallocate()
        names.deallocate()
    }

    @inline(__always)
    func value(of name: Text) -> Int? {
        guard name.count > 0 else { return nil }
        var slot = Self.hash(name.baseAddress!, name.count) & mask
        while let known = entries[slot].name {
            if name.equals(Text(start: known, count: entries[slot].count)) { return entries[slot].value }
            slot = (slot &+ 1) & mask
        }
        return nil
    }

    /// Mixes the length with the first and last bytes; for a few dozen known names that tells them apart.
    @inline(__always)
    private static func hash(_ name: UnsafeRawPointer, _ count: Int) -> Int {
        let first: UInt64
        let last: UInt64
        if count >= 8 {
            first = name.loadUnaligned(as: UInt64.self)
            last = name.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        } else if count >= 4 {
            first = UInt64(name.loadUnaligned(as: UInt32.self))
            last = UInt64(name.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
        } else {
            first = UInt64(name.load(as: UInt8.self))
            last =
                UInt64(name.load(fromByteOffset: count &- 1, as: UInt8.self))
                | UInt64(name.load(fromByteOffset: count / 2, as: UInt8.self)) << 8
        }
        var mixed = (first ^ UInt64(truncatingIfNeeded: count)) &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 29) ^ last) &* 0xBF58_476D_1CE4_E5B9
        return Int(truncatingIfNeeded: mixed >> 33)
    }
}
