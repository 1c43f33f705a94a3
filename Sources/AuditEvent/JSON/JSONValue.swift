// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Some decoded text of the record at hand; empty when there is none.
typealias Text = UnsafeRawBufferPointer

/// One value of a scanned record. Valid until the tape or the arena it points into is used for the next.
struct JSONValue {
    let base: UnsafePointer<UInt8>
    let nodes: UnsafePointer<JSONNode>
    let index: Int

    @inline(__always)
    var node: JSONNode { nodes[index] }

    @inline(__always)
    var kind: JSONNode.Kind { nodes[index].kind }

    @inline(__always)
    func at(_ index: Int) -> JSONValue { JSONValue(base: base, nodes: nodes, index: index) }

    /// The bytes between a string's quotes, or the whole of another value.
    @inline(__always)
    var content: UnsafeRawBufferPointer {
        let node = self.node
        return UnsafeRawBufferPointer(start: base + Int(node.start), count: Int(node.end &- node.start))
    }

    /// The value as received, quotes included.
    var raw: UnsafeRawBufferPointer {
        let quote = kind == .string ? 1 : 0
        return UnsafeRawBufferPointer(start: base + Int(node.start) - quote, count: content.count + 2 * quote)
    }

    var isEmptyString: Bool { kind == .string && node.start == node.end }

    var bool: Bool? {
        switch kind {
        case .true: true
        case .false: false
        case .string where content.equals("true"): true
        case .string where content.equals("false"): false
        default: nil
        }
    }

    /// An object's first member of this name that is not null.
    func member(_ name: StaticString) -> JSONValue? {
        guard kind == .object else { return nil }
        var child = index + 1
        let end = Int(node.next)
        while child < end {
            let value = at(child + 1)
            if value.kind != .null, at(child).spells(name) { return value }
            child = Int(value.node.next)
        }
        return nil
    }

    /// Calls `body` with each key and value of an object.
    @inline(__always)
    func forEachMember(_ body: (_ key: JSONValue, _ value: JSONValue) -> Void) {
        guard kind == .object else { return }
        var child = index + 1
        let end = Int(node.next)
        while child < end {
            let value = at(child + 1)
            body(at(child), value)
            child = Int(value.node.next)
        }
    }

    /// Calls `body` with each element of an array.
    @inline(__always)
    func forEachElement(_ body: (JSONValue) -> Void) {
        guard kind == .array else { return }
        var child = index + 1
        let end = Int(node.next)
        while child < end {
            body(at(child))
            child = Int(nodes[child].next)
        }
    }

    var firstElement: JSONValue? {
        kind == .array && Int(node.next) > index + 1 ? at(index + 1) : nil
    }

    private func spells(_ name: StaticString) -> Bool {
        guard node.hasEscapes else { return content.equals(name) }
        // Each character of `name` takes at most six bytes when escaped.
        guard content.count <= name.utf8CodeUnitCount * 6 else { return false }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: content.count + 1) { buffer in
            let count = JSONText.decode(content, into: buffer.baseAddress!)
            return UnsafeRawBufferPointer(start: buffer.baseAddress!, count: count).equals(name)
        }
    }
}
