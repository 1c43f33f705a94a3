// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Checks JSON, takes out the insignificant white space, and notes where each value lies, all in one pass.
///
/// Owns its memory and is used again for one record after another, so that a record costs no allocation.
package struct JSONTape: ~Copyable {
    /// More nodes than any event of the permitted size can have; past it nodes are overwritten, not kept.
    private static let maximumNodes = EventParser.maximumEventBytes / 2 + 1024

    private(set) var nodes: UnsafeMutablePointer<JSONNode>
    private(set) var count = 0
    private var capacity: Int
    /// Open containers: node index × 2, plus 1 for an object.
    private let open: UnsafeMutablePointer<UInt32>
    private let maximumDepth: Int

    /// Whether the last scan had too many nodes to keep; they then mean nothing.
    private(set) var overflowed = false
    /// The line breaks that the last scan passed over.
    private(set) var newlines = 0
    /// The last scan's size without white space.
    private(set) var minifiedCount = 0
    private(set) var failure = JSONFailure(reason: .unexpectedEnd, offset: 0)

    init(maximumDepth: Int) {
        capacity = 512
        nodes = .allocate(capacity: capacity)
        open = .allocate(capacity: maximumDepth)
        self.maximumDepth = maximumDepth
    }

    deinit {
        nodes.deallocate()
        open.deallocate()
    }

    /// The value scanned last, whose node offsets count from `base`.
    func root(base: UnsafePointer<UInt8>) -> JSONValue {
        JSONValue(base: base, nodes: UnsafePointer(nodes), index: 0)
    }

    /// Adds the node of a string that was written behind the scanned value.
    mutating func appendString(start: Int, end: Int, hasEscapes: Bool) -> Int {
        push(
            JSONNode(
                start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end),
                next: UInt32(truncatingIfNeeded: count + 1), kind: .string, hasEscapes: hasEscapes))
        return count - 1
    }

    @inline(__always)
    private mutating func push(_ node: JSONNode) {
        if count == capacity { makeRoom() }
        nodes[count] = node
        count &+= 1
    }

    @inline(never)
    private mutating func makeRoom() {
        if capacity >= Self.maximumNodes {
            overflowed = true
            count = 0
            return
        }
        let larger = UnsafeMutablePointer<JSONNode>.allocate(capacity: capacity * 2)
        larger.update(from: nodes, count: count)
        nodes.deallocate()
        nodes = larger
        capacity *= 2
    }

    /// Scans the value that begins at `start`, and returns where it ends; nil sets `failure`.
    ///
    /// - Parameters:
    ///   - destination: receives the value without white space; needs room for `end - start` bytes. Without
    ///     one, node offsets are those in the source.
    ///   - origin: the offset to give to the first byte.
    mutating func scan(
        _ start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>,
        into destination: UnsafeMutablePointer<UInt8>?, origin: Int
    ) -> UnsafePointer<UInt8>? {
        count = 0
        overflowed = false
        newlines = 0
        var cursor = Cursor(at: start, end: end, destination: destination, origin: origin)
        let result = scan(&cursor)
        newlines = cursor.newlines
        guard let result else {
            failure = JSONFailure(reason: cursor.reason, offset: cursor.at - start)
            return nil
        }
        minifiedCount = cursor.flush(upTo: result) - origin
        return result
    }

    private mutating func scan(_ cursor: inout Cursor) -> UnsafePointer<UInt8>? {
        var depth = 0
        while true {
            guard cursor.skipWhitespace() else { return nil }
            let byte = cursor.at.pointee
            switch byte {
            case UInt8(ascii: "\""):
                guard pushString(&cursor) else { return nil }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard depth < maximumDepth else { return cursor.fail(.tooDeep) }
                let isObject = byte == UInt8(ascii: "{")
                let position = cursor.position
                push(
                    JSONNode(
                        start: position, end: position, next: 0, kind: isObject ? .object : .array,
                        hasEscapes: false))
                open[depth] = UInt32(truncatingIfNeeded: (count &- 1) &* 2 &+ (isObject ? 1 : 0))
                depth &+= 1
                cursor.at += 1
                guard cursor.skipWhitespace() else { return nil }
                if isObject {
                    if cursor.at.pointee != UInt8(ascii: "}") {
                        guard pushKey(&cursor) else { return nil }
                        continue
                    }
                } else if cursor.at.pointee != UInt8(ascii: "]") {
                    continue
                }
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                let position = cursor.position
                guard cursor.skipNumber() else { return nil }
                push(leaf(.number, position, cursor.position))
            case UInt8(ascii: "t"):
                guard pushWord("true", .true, &cursor) else { return nil }
            case UInt8(ascii: "f"):
                guard pushWord("false", .false, &cursor) else { return nil }
            case UInt8(ascii: "n"):
                guard pushWord("null", .null, &cursor) else { return nil }
            default:
                return cursor.fail(.unexpectedByte)
            }
            // A value has ended: close what ends with it, or go on to the next in its container.
            while true {
                if depth == 0 { return cursor.at }
                guard cursor.skipWhitespace() else { return nil }
                let top = open[depth &- 1]
                let isObject = top & 1 == 1
                let byte = cursor.at.pointee
                if byte == UInt8(ascii: ",") {
                    cursor.at += 1
                    if isObject {
                        guard cursor.skipWhitespace(), pushKey(&cursor) else { return nil }
                    }
                    break
                }
                guard byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    return cursor.fail(.expectedCommaOrEnd)
                }
                cursor.at += 1
                depth &-= 1
                nodes[Int(top >> 1)].end = cursor.position
                nodes[Int(top >> 1)].next = UInt32(truncatingIfNeeded: count)
            }
        }
    }

    @inline(__always)
    private func leaf(_ kind: JSONNode.Kind, _ start: UInt32, _ end: UInt32) -> JSONNode {
        JSONNode(
            start: start, end: end, next: UInt32(truncatingIfNeeded: count &+ 1), kind: kind, hasEscapes: false)
    }

    @inline(__always)
    private mutating func pushString(_ cursor: inout Cursor) -> Bool {
        let position = cursor.position &+ 1
        var hasEscapes = false
        guard cursor.skipString(&hasEscapes) else { return false }
        var node = leaf(.string, position, cursor.position &- 1)
        node.hasEscapes = hasEscapes
        push(node)
        return true
    }

    @inline(__always)
    private mutating func pushKey(_ cursor: inout Cursor) -> Bool {
        guard cursor.at.pointee == UInt8(ascii: "\"") else { return cursor.failed(.expectedKey) }
        guard pushString(&cursor), cursor.skipWhitespace() else { return false }
        guard cursor.at.pointee == UInt8(ascii: ":") else { return cursor.failed(.expectedColon) }
        cursor.at += 1
        return true
    }

    private mutating func pushWord(_ word: StaticString, _ kind: JSONNode.Kind, _ cursor: inout Cursor) -> Bool {
        let position = cursor.position
        guard cursor.skipWord(word) else { return false }
        push(leaf(kind, position, cursor.position))
        return true
    }
}

extension JSONTape {
    /// `json` without insignificant white space, which must be one whole JSON text.
    package static func minify(_ json: [UInt8], maximumDepth: Int = EventParser.maximumDepth) throws(JSONFailure)
        -> [UInt8]
    {
        var tape = JSONTape(maximumDepth: maximumDepth)
        var failure: JSONFailure?
        let output = [UInt8](unsafeUninitializedCapacity: json.count + 1) { target, count in
            json.withUnsafeBufferPointer { source in
                var start = source.baseAddress ?? UnsafePointer(target.baseAddress!)
                let whole = start
                let end = start + source.count
                while start < end, Cursor.isWhitespace(start.pointee) { start += 1 }
                guard var rest = tape.scan(start, end: end, into: target.baseAddress!, origin: 0) else {
                    failure = tape.failure
                    failure?.offset += start - whole
                    return
                }
                while rest < end, Cursor.isWhitespace(rest.pointee) { rest += 1 }
                if rest < end { failure = JSONFailure(reason: .trailingText, offset: rest - whole) }
                count = tape.minifiedCount
            }
        }
        if let failure { throw failure }
        return output
    }
}
