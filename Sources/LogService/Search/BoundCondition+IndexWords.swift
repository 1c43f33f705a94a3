// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension BoundCondition {
    /// Words that the stored bytes of each log have that meets the condition, whole in the sense of the engine's word index and
    /// in lower case; nil if there is nothing to say.
    ///
    /// This holds where the log is stored as a JSON object with its contents as members, each a string, but a JSON field whose
    /// text is valid JSON as that JSON. Two kinds of logs must be looked at whatever the words say: with a `\u` escape in their
    /// stored bytes; and with a JSON field stored as a string (its JSON is broken) that has a backslash, as what is escaped in
    /// it is then escaped twice.
    ///
    /// Where a text's delimiters also part words in the engine, a word of the text begins and ends where words of the engine do.
    /// The engine may part it further: each piece between its delimiters is a word of it, if it has no wildcards. Of letters
    /// that are not ASCII nothing is said, as the engine does not know their case.
    package var wordsForIndex: [String]? {
        switch target {
        case .topic, .source, .tag: return nil
        case .line, .field, .leaf: break
        }
        let words: [String]
        switch test {
        case .number: return nil
        case .exists, .isEmpty:
            // With a dot in it, a path may be one key or several.
            guard case .leaf(_, let path) = target, !path.contains(".") else { return nil }
            words = EngineWords.wholeWords(of: path.unicodeScalars.map { .scalar($0.value) })
        case .words(let test), .wordsOfJSON(let test):
            guard test.rules.isWithinEngineWords else { return nil }
            words = test.patterns.flatMap { EngineWords.wholeWords(of: $0.elements) }
        }
        return words.isEmpty ? nil : words.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
