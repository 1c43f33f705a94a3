// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// An event taken apart into constant bytes and slots, for copying at speed.
package struct Template: Sendable {
    package enum Piece: Sendable {
        case constant(Extent)
        case slot(Int)
    }

    private(set) var pieces: [Piece] = []
    private(set) var slots: [Slot] = []

    package init(_ text: String, into arena: inout [UInt8]) {
        var rest = text[...]
        while let opening = rest.firstIndex(of: "‹") {
            append(rest[..<opening], into: &arena)
            guard let closing = rest[opening...].firstIndex(of: "›") else {
                preconditionFailure("a slot in the sample's catalog is not closed: \(text)")
            }
            let name = String(rest[rest.index(after: opening)..<closing])
            guard let slot = Slot.named(name) else {
                preconditionFailure("the sample's catalog names an unknown slot \(name)")
            }
            pieces.append(.slot(slot.index))
            if !slots.contains(slot) {
                slots.append(slot)
            }
            rest = rest[rest.index(after: closing)...]
        }
        append(rest, into: &arena)
    }

    private mutating func append(_ constant: Substring, into arena: inout [UInt8]) {
        if !constant.isEmpty {
            pieces.append(.constant(arena.store(constant)))
        }
    }
}
