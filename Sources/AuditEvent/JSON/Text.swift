// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension UnsafeRawBufferPointer {
    init(_ literal: StaticString) {
        self.init(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
    }

    @inline(__always)
    func equals(_ literal: StaticString) -> Bool {
        count == literal.utf8CodeUnitCount && (count == 0 || memcmp(baseAddress!, literal.utf8Start, count) == 0)
    }

    @inline(__always)
    func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        count == other.count && (count == 0 || memcmp(baseAddress!, other.baseAddress!, count) == 0)
    }

    func starts(with literal: StaticString) -> Bool {
        count >= literal.utf8CodeUnitCount && memcmp(baseAddress!, literal.utf8Start, literal.utf8CodeUnitCount) == 0
    }

    func ends(with literal: StaticString) -> Bool {
        let length = literal.utf8CodeUnitCount
        return count >= length && memcmp(baseAddress! + (count - length), literal.utf8Start, length) == 0
    }

    func contains(_ literal: StaticString) -> Bool {
        let length = literal.utf8CodeUnitCount
        guard count >= length else { return false }
        var at = baseAddress!
        let last = at + (count - length)
        while at <= last, let hit = memchr(at, Int32(literal.utf8Start[0]), last - at + 1) {
            if memcmp(hit, literal.utf8Start, length) == 0 { return true }
            at = UnsafeRawPointer(hit) + 1
        }
        return false
    }

    /// The part with these offsets, as a buffer of its own.
    @inline(__always)
    func part(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[range])
    }

    func firstIndex(of mark: Unicode.Scalar) -> Int? { firstIndex(of: UInt8(ascii: mark)) }

    func lastIndex(of mark: Unicode.Scalar) -> Int? { lastIndex(of: UInt8(ascii: mark)) }

    /// What stands before the first `mark`, or all of it.
    func before(_ mark: Unicode.Scalar) -> UnsafeRawBufferPointer {
        firstIndex(of: mark).map { part(0..<$0) } ?? self
    }

    /// What stands behind the last `mark`, or all of it.
    func afterLast(_ mark: Unicode.Scalar) -> UnsafeRawBufferPointer {
        lastIndex(of: mark).map { part($0 + 1..<count) } ?? self
    }
}
