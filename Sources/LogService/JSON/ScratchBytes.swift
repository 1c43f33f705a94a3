// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Bytes put together again and again in the same memory. For one thread at a time.
package final class ScratchBytes {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 1)
    package private(set) var count = 0

    package init() {}

    deinit { memory.deallocate() }

    /// Valid until the next change.
    @inline(__always)
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    /// Takes away what comes after the first `length` bytes.
    @inline(__always)
    package func cut(to length: Int) {
        precondition(length <= count)
        count = length
    }

    @inline(__always)
    package func append(_ byte: UInt8) {
        if count == memory.count { grow(by: 1) }
        memory[count] = byte
        count += 1
    }

    /// - Parameter bytes: of other memory than this.
    @inline(__always)
    package func append(_ bytes: UnsafeRawBufferPointer) {
        if memory.count - count < bytes.count { grow(by: bytes.count) }
        UnsafeMutableRawBufferPointer(rebasing: memory[count..<count + bytes.count]).copyMemory(from: bytes)
        count += bytes.count
    }

    @inline(never)
    private func grow(by more: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: max(memory.count * 2, count + more), alignment: 1)
        larger.copyMemory(from: bytes)
        memory.deallocate()
        memory = larger
    }
}
