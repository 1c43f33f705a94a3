// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine
import LogService
import Testing

@Suite struct SearchEngineWordsTests {
    /// What a search takes for a word of the engine's index is one.
    @Test func wordsArePartedWhereTheEnginePartsThem() throws {
        let whole = IndexConfiguration.Text(delimiters: [])
        let index = IndexConfiguration(line: nil, fields: ["k": .value(.init(kind: .text(whole), isColumn: true))])
        for byte in UInt8(0)..<128 {
            let character = String(Unicode.Scalar(byte))
            let text = "a" + character + "b"
            let written = ["\"", "\\"].contains(character) ? "a\\" + character + "b" : text
            let plan = try SearchPlan("k:\"\(written)\"", index: index)
            let words = LogEngine.wordCount(text) == 2 ? ["a", "b"] : [text.lowercased()]
            #expect(IndexWords(plan) == .words(words), "character \(byte)")
        }
    }
}
