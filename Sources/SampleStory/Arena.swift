// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Where all the bytes of events stand: constant ones, and places overwritten for each event.
///
/// A class with a fixed address, because the writer fills one part of it while it reads others.
package final class Arena {
    package let bytes: UnsafeMutablePointer<UInt8>

    package init(_ contents: [UInt8]) {
        bytes = .allocate(capacity: contents.count)
        bytes.initialize(from: contents, count: contents.count)
    }

    deinit {
        bytes.deallocate()
    }

    package func contents(of extent: Extent) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: bytes + extent.start, count: extent.count)
    }

    package func copy(_ source: Extent, over target: Extent) {
        precondition(source.count == target.count, "a place in the arena keeps its length")
        (bytes + target.start).update(from: bytes + source.start, count: source.count)
    }
}

/// A run of bytes in the arena.
package struct Extent: Sendable {
    package var start: Int
    package var count: Int

    package static let empty = Extent(start: 0, count: 0)
}

extension [UInt8] {
    package mutating func store(_ text: some StringProtocol) -> Extent {
        let start = count
        append(contentsOf: text.utf8)
        return Extent(start: start, count: count - start)
    }

    package mutating func reserve(_ length: Int) -> Extent {
        defer { append(contentsOf: repeatElement(UInt8(ascii: "0"), count: length)) }
        return Extent(start: count, count: length)
    }
}
