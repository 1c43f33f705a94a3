// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// Which words the engine's word index has of a record: those of `WordHasher`.
enum EngineWords {
    /// The words of the engine that any text has which a pattern matches as a whole, if its ends end words too.
    static func wholeWords(of pattern: [WordPattern.Element]) -> [String] {
        var words: [String] = []
        var word = ""
        var isKnown = true
        func end() {
            if isKnown, !word.isEmpty { words.append(word.lowercased()) }
            word = ""
            isKnown = true
        }
        for element in pattern {
            guard case .scalar(let value) = element, value < 0x80 else {
                isKnown = false
                continue
            }
            if WordHasher.isDelimiter(UInt8(value)) {
                end()
            } else {
                word.unicodeScalars.append(Unicode.Scalar(UInt8(value)))
            }
        }
        end()
        return words
    }
}
