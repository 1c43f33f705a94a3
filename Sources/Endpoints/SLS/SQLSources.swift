// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// The names that follow FROM and JOIN in an SQL text, whatever else the text says: the SQL itself is read elsewhere.
enum SQLSources {
    static func names(in sql: String) -> [String] {
        var names: [String] = []
        var isSource = false
        for token in tokens(of: sql) {
            if isSource, token.isName { names.append(token.text) }
            isSource = token.isName && ["from", "join"].contains(token.text.lowercased())
        }
        return names
    }

    private struct Token {
        var text: String
        var isName: Bool
    }

    private static func tokens(of sql: String) -> [Token] {
        var tokens: [Token] = []
        var rest = Substring(sql).unicodeScalars
        while let first = rest.first {
            switch first {
            case "'", "\"":
                let inside = rest.dropFirst().prefix { $0 != first }
                tokens.append(Token(text: String(inside), isName: first == "\""))
                rest = rest.dropFirst(inside.count + 2)
            case let letter where isOfName(letter):
                let word = rest.prefix(while: isOfName)
                tokens.append(Token(text: String(word), isName: true))
                rest = rest.dropFirst(word.count)
            case let other:
                if !other.properties.isWhitespace { tokens.append(Token(text: String(other), isName: false)) }
                rest = rest.dropFirst()
            }
        }
        return tokens
    }

    /// Names of logstores may have dashes, which SQL would want quoted.
    private static func isOfName(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".": true
        default: false
        }
    }
}
