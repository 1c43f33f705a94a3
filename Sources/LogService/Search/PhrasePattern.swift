// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// A text that is looked for as it stands, wherever it begins and ends.
struct PhrasePattern: Sendable, Equatable {
    private let scalars: [UInt32]
    /// How much of the phrase still stands when the next character does not fit (Knuth, Morris and Pratt).
    private let borders: [Int]
    private let rules: TextRules

    init(_ text: String, rules: TextRules) {
        let scalars = text.unicodeScalars.map { rules.folded($0.value) }
        var borders = [Int](repeating: 0, count: scalars.count)
        var length = 0
        for index in scalars.indices.dropFirst() {
            while length > 0, scalars[index] != scalars[length] { length = borders[length - 1] }
            if scalars[index] == scalars[length] { length += 1 }
            borders[index] = length
        }
        self.scalars = scalars
        self.borders = borders
        self.rules = rules
    }

    func isIn(_ text: UnsafeRawBufferPointer) -> Bool {
        guard !scalars.isEmpty else { return true }
        var fitting = 0
        var place = 0
        while place < text.count {
            let (scalar, bytes) = ScalarText.scalar(in: text, at: place)
            let folded = rules.folded(scalar)
            while fitting > 0, scalars[fitting] != folded { fitting = borders[fitting - 1] }
            if scalars[fitting] == folded { fitting += 1 }
            if fitting == scalars.count { return true }
            place += bytes
        }
        return false
    }
}
