// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Where a record's known top-level keys have their values: one walk over its members, then no search any more.
struct RecordSlots: ~Copyable {
    /// Node indexes by raw key, 0 for none (node 0 is the record itself), then the same for capitalised keys.
    private let indexes: UnsafeMutablePointer<UInt32>
    private let table = RecordKey.table
    /// A bit for each key that was met twice in the same spelling.
    private var repeated: UInt64 = 0
    private(set) var root: JSONValue

    init() {
        indexes = .allocate(capacity: RecordKey.capitalBit * 2)
        indexes.initialize(repeating: 0, count: RecordKey.capitalBit * 2)
        // Points nowhere until `fill`; with all indexes 0 nothing is read through it.
        let nowhere = UnsafeMutablePointer<JSONNode>(bitPattern: 16)!
        root = JSONValue(
            base: UnsafePointer(indexes).withMemoryRebound(to: UInt8.self, capacity: 1) { $0 },
            nodes: UnsafePointer(nowhere), index: 0)
    }

    deinit { indexes.deallocate() }

    /// Notes the members of `record`, an object.
    mutating func fill(from record: JSONValue, scratch: inout ScratchPad) {
        root = record
        repeated = 0
        indexes.update(repeating: 0, count: RecordKey.capitalBit * 2)
        let nodes = record.nodes
        let end = Int(record.node.next)
        var child = record.index + 1
        while child < end {
            let key = record.at(child)
            let name = nodes[child].hasEscapes ? scratch.text(key) : key.content
            if let slot = table.value(of: name) {
                if indexes[slot] != 0 {
                    repeated |= 1 << UInt64(slot & (RecordKey.capitalBit - 1))
                } else {
                    indexes[slot] = UInt32(truncatingIfNeeded: child &+ 1)
                }
            }
            child = Int(nodes[child &+ 1].next)
        }
    }

    /// The first of `format`'s keys that occurs twice.
    func repeatedKey(in format: EventFormat) -> RecordKey? {
        let found = repeated & RecordKey.unique(in: format)
        return found == 0 ? nil : RecordKey(rawValue: UInt8(found.trailingZeroBitCount))
    }

    /// The value, unless it is absent or null; the capitalised spelling counts where the normal one does not.
    @inline(__always)
    subscript(key: RecordKey) -> JSONValue? {
        let normal = Int(indexes[Int(key.rawValue)])
        if normal != 0, root.nodes[normal].kind != .null { return root.at(normal) }
        let capital = Int(indexes[Int(key.rawValue) | RecordKey.capitalBit])
        if capital != 0, root.nodes[capital].kind != .null { return root.at(capital) }
        return nil
    }

    /// The value even if it is null.
    func present(_ key: RecordKey) -> JSONValue? {
        let normal = Int(indexes[Int(key.rawValue)])
        let index = normal != 0 ? normal : Int(indexes[Int(key.rawValue) | RecordKey.capitalBit])
        return index == 0 ? nil : root.at(index)
    }

    /// The value under exactly this spelling, even if it is null.
    func spelled(_ key: RecordKey) -> JSONValue? {
        let index = Int(indexes[Int(key.rawValue)])
        return index == 0 ? nil : root.at(index)
    }

    /// Says that `key`'s value is the node `index`, behind the record's own. `record` is the record as it lies now.
    mutating func add(_ key: RecordKey, index: Int, record: JSONValue) {
        root = record
        indexes[Int(key.rawValue)] = UInt32(truncatingIfNeeded: index)
    }
}
