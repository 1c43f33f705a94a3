// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Which fields have so many different values (ids, times, whole parameters) that a list of rows for each would be no gain:
/// their logs are found by words.
///
/// For each field the values of late are remembered by a part of their hash; one that is not among them counts as new.
struct FieldVariety: Sendable {
    private static let slots = 1 << 14
    /// A field is judged after so many values, and first after fewer if nearly all were new.
    private static let window = 1 << 16
    private static let firstLook = 1 << 12

    private struct Field {
        var recent = [UInt32](repeating: 0, count: FieldVariety.slots)
        var seen = 0
        var new = 0
        var isScattered = false
    }

    private var fields: [Field?] = Array(repeating: nil, count: Int(FieldTable.end))

    func isScattered(_ field: UInt8) -> Bool { fields[Int(field)]?.isScattered ?? false }

    mutating func note(_ field: UInt8, hash: UInt64) {
        var state = fields[Int(field)] ?? Field()
        fields[Int(field)] = nil
        let print = UInt32(truncatingIfNeeded: hash >> 32) | 1
        let slot = Int(truncatingIfNeeded: hash) & (Self.slots - 1)
        state.seen += 1
        if state.recent[slot] != print {
            state.recent[slot] = print
            state.new += 1
        }
        if state.seen == Self.firstLook && state.new * 20 > state.seen * 19 { state.isScattered = true }
        if state.seen >= Self.window {
            state.isScattered = state.new * 2 > state.seen
            (state.seen, state.new) = (0, 0)
        }
        fields[Int(field)] = state
    }
}
