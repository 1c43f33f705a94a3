// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Bytes put together from many small pieces. Whoever makes one frees it.
struct GrowingBytes {
    private var start: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = max(capacity, 64)
        start = UnsafeMutableRawPointer.allocate(byteCount: self.capacity, alignment: 8)
    }

    func free() { start.deallocate() }

    mutating func removeAll() { count = 0 }

    /// For callers that made room before.
    @inline(__always)
    mutating func appendUnchecked(_ byte: UInt8) {
        start.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    /// Valid until the next change.
    var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
    var bytes: [UInt8] { Array(buffer) }

    @inline(__always)
    mutating func append(_ piece: UnsafeRawBufferPointer) {
        guard !piece.isEmpty else { return }
        makeRoom(for: piece.count)
        memcpy(start + count, piece.baseAddress!, piece.count)
        count += piece.count
    }

    /// Appends `more` bytes that `body` writes.
    mutating func append(count more: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Void) {
        makeRoom(for: more)
        body((start + count).assumingMemoryBound(to: UInt8.self))
        count += more
    }

    /// Appends what is in a range of it already.
    mutating func append(again range: Range<Int>) {
        makeRoom(for: range.count)
        memcpy(start + count, start + range.lowerBound, range.count)
        count += range.count
    }

    @inline(__always)
    mutating func makeRoom(for more: Int) {
        if count + more > capacity { grow(to: count + more) }
    }

    @inline(never)
    private mutating func grow(to needed: Int) {
        let larger = max(needed, 2 * capacity)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 8)
        memcpy(moved, start, count)
        start.deallocate()
        (start, capacity) = (moved, larger)
    }
}
