// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Words that must all occur, in any order, and perhaps a phrase.
struct WordTest: Sendable {
    /// Of one value; each has a bit.
    static let mostWords = 64
    static let longestWithWildcards = 64
    /// Bytes from which on it is worth a look whether a text can have a word before it is cut into words.
    private static let long = 64
    private static let escape = Array("\\u".utf8)

    let rules: TextRules
    let patterns: [WordPattern]
    let phrase: PhrasePattern?

    /// A bit for each word.
    @inline(__always)
    var everyWord: UInt64 { patterns.isEmpty ? 0 : .max >> UInt64(64 - patterns.count) }

    func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        var missing = everyWord
        takeWords(of: text, from: &missing)
        return missing == 0 && phrase?.isIn(text) ?? true
    }

    /// Takes those words that the text has from `missing`.
    @inline(__always)
    func takeWords(of text: UnsafeRawBufferPointer, from missing: inout UInt64) {
        guard missing != 0, text.count < Self.long || mayHave(missing, text, isJSON: false) else { return }
        var left = missing
        patterns.withUnsafeBufferPointer { patterns in
            rules.forEachWord(in: text) { word in
                var candidates = left
                while candidates != 0 {
                    let index = candidates.trailingZeroBitCount
                    candidates &= candidates &- 1
                    if patterns[index].matches(word) { left &= ~(1 << UInt64(index)) }
                }
                return left != 0
            }
        }
        missing = left
    }

    /// Whether a text can have any of these words: their longest parts are in it, or its JSON may hide them behind escapes.
    private func mayHave(_ words: UInt64, _ text: UnsafeRawBufferPointer, isJSON: Bool) -> Bool {
        patterns.indices.contains { index in
            words >> UInt64(index) & 1 == 1
                && (patterns[index].part.isEmpty || patterns[index].part.withUnsafeBytes { ByteText.mayContain(text, $0) })
        } || isJSON && Self.escape.withUnsafeBytes { ByteText.mayContain(text, $0) }
    }

    /// In a JSON text, where words are those of its keys and values, and a phrase stands in one of them or in the text as written.
    func matchesJSON(_ text: UnsafeRawBufferPointer, scratch: ScratchBytes) -> Bool {
        var missing = everyWord
        takeWords(ofJSON: text, from: &missing, scratch: scratch)
        return missing == 0 && hasPhrase(inJSON: text, scratch: scratch)
    }

    func takeWords(ofJSON text: UnsafeRawBufferPointer, from missing: inout UInt64, scratch: ScratchBytes) {
        guard missing != 0, text.count < Self.long || mayHave(missing, text, isJSON: true) else { return }
        var left = missing
        JSONPieces.forEachPiece(in: text, scratch: scratch) { piece in
            takeWords(of: piece, from: &left)
            return left != 0
        }
        missing = left
    }

    func hasPhrase(inJSON text: UnsafeRawBufferPointer, scratch: ScratchBytes) -> Bool {
        guard let phrase, !phrase.isIn(text) else { return true }
        var isFound = false
        JSONPieces.forEachPiece(in: text, scratch: scratch) { piece in
            isFound = phrase.isIn(piece)
            return !isFound
        }
        return isFound
    }
}
