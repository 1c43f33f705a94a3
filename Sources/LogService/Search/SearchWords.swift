// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension SearchValue {
    /// The words of what is looked for, cut as the text is that it is looked for in, each once. Wildcards that are left alone
    /// between delimiters say nothing and are left out.
    func words(by rules: TextRules, column: Int) throws(LogServiceError) -> [WordPattern] {
        var patterns: [WordPattern] = []
        for word in pieces(by: rules) {
            let pattern = WordPattern(word, rules: rules)
            guard !patterns.contains(pattern), pattern.elements != [.any] else { continue }
            if pattern.hasWildcards {
                try checkWildcards(of: pattern, column: column)
            }
            patterns.append(pattern)
        }
        guard patterns.count <= WordTest.mostWords else {
            throw .parameter("The value at column \(column) has more than \(WordTest.mostWords) different words.")
        }
        return patterns
    }

    private func pieces(by rules: TextRules) -> [[WordPattern.Element]] {
        var pieces: [[WordPattern.Element]] = []
        var piece: [WordPattern.Element] = []
        for scalar in text.unicodeScalars {
            if form == .word, scalar == "*" || scalar == "?" {
                piece.append(scalar == "*" ? .any : .one)
            } else if rules.isDelimiter(scalar.value) {
                pieces.append(piece)
                piece = []
            } else if rules.isWordItself(scalar.value) {
                pieces += [piece, [.scalar(scalar.value)]]
                piece = []
            } else {
                piece.append(.scalar(scalar.value))
            }
        }
        return (pieces + [piece]).filter { !$0.isEmpty }
    }

    /// Documented: never first, and words of up to 64 characters.
    private func checkWildcards(of pattern: WordPattern, column: Int) throws(LogServiceError) {
        guard case .scalar = pattern.elements.first else {
            throw .parameter(
                "A word cannot begin with * or ?, as in '\(text)' at column \(column);"
                    + " put it in double quotes to search for the character.")
        }
        guard pattern.elements.count <= WordTest.longestWithWildcards else {
            throw .parameter(
                "A word with * or ? has at most \(WordTest.longestWithWildcards) characters, unlike the one at column \(column).")
        }
    }

    /// For highlighting: the words as they are written.
    func terms(by rules: TextRules) -> [String] {
        guard form != .phrase else { return [text] }
        return pieces(by: rules).map { piece in
            var term = String.UnicodeScalarView()
            for element in piece {
                switch element {
                case .any: term.append("*")
                case .one: term.append("?")
                case .scalar(let value): term.append(Unicode.Scalar(value) ?? "\u{FFFD}")
                }
            }
            return String(term)
        }
    }
}
