// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Memory for decoded and joined texts that live as long as the record at hand.
struct ScratchPad: ~Copyable {
    private var block: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private var used = 0
    /// Blocks that were too small but are still pointed into.
    private var retired: [UnsafeMutablePointer<UInt8>] = []

    init() {
        capacity = 4096
        block = .allocate(capacity: capacity)
    }

    deinit {
        block.deallocate()
        for old in retired { old.deallocate() }
    }

    /// Forgets every text handed out so far.
    @inline(__always)
    mutating func reset() {
        used = 0
        if !retired.isEmpty { release() }
    }

    private mutating func release() {
        for old in retired { old.deallocate() }
        retired.removeAll(keepingCapacity: true)
    }

    mutating func allocate(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        if capacity - used < count {
            retired.append(block)
            capacity = max(capacity * 2, count)
            block = .allocate(capacity: capacity)
            used = 0
        }
        defer { used += count }
        return block + used
    }

    /// The decoded text of a string; empty for no value and for other values.
    mutating func text(_ value: JSONValue?) -> Text {
        guard let value, value.kind == .string else { return Text(start: nil, count: 0) }
        guard value.node.hasEscapes else { return value.content }
        let target = allocate(value.content.count)
        return Text(start: target, count: JSONText.decode(value.content, into: target))
    }

    mutating func join(_ first: Text, _ separator: StaticString, _ second: Text) -> Text {
        let middle = Text(separator)
        let target = allocate(first.count + middle.count + second.count)
        var at = UnsafeMutableRawPointer(target)
        for piece in [first, middle, second] where piece.count > 0 {
            at.copyMemory(from: piece.baseAddress!, byteCount: piece.count)
            at += piece.count
        }
        return Text(start: target, count: first.count + middle.count + second.count)
    }

    /// `yyyy-MM-ddTHH:mm:ssZ`, with milliseconds where there are any.
    mutating func timeText(_ milliseconds: Int64) -> Text {
        let target = allocate(24)
        var count = EventTime.write(milliseconds, to: target, separated: true)
        let fraction = Int(((milliseconds % 1000) + 1000) % 1000)
        if fraction != 0 {
            target[19] = UInt8(ascii: ".")
            target[20] = UInt8(48 + fraction / 100)
            target[21] = UInt8(48 + fraction / 10 % 10)
            target[22] = UInt8(48 + fraction % 10)
            target[23] = UInt8(ascii: "Z")
            count = 24
        }
        return Text(start: target, count: count)
    }
}
