// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// An event taken apart into constant bytes and slots, for copying at speed.
package struct Template: Sendable {
    package enum Piece: Sendable {
        case constant(Extent)
        case slot(Int)
    }

    private(set) var pieces: [Piece] = []
    /// The numbers of the slots that occur, each once.
    private(set) var slots: [Int] = []

    /// - Parameter slot: the number of a slot by its name.
    package init(
        _ text: String, into arena: inout [UInt8], slot: (String) -> Int? = { Slot.named($0)?.index }
    ) {
        var rest = text[...]
        while let opening = rest.unicodeScalars.firstIndex(of: "‹") {
            append(rest[..<opening], into: &arena)
            guard let closing = rest.unicodeScalars[opening...].firstIndex(of: "›") else {
                preconditionFailure("a slot in the sample's catalog is not closed: \(text)")
            }
            let name = String(rest[rest.unicodeScalars.index(after: opening)..<closing])
            guard let number = slot(name) else {
                preconditionFailure("the sample's catalog names an unknown slot \(name)")
            }
            pieces.append(.slot(number))
            if !slots.contains(number) {
                slots.append(number)
            }
            rest = rest[rest.unicodeScalars.index(after: closing)...]
        }
        append(rest, into: &arena)
    }

    private mutating func append(_ constant: Substring, into arena: inout [UInt8]) {
        if !constant.isEmpty {
            pieces.append(.constant(arena.store(constant)))
        }
    }
}
