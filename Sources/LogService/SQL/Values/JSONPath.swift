// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// `$.a.b[0]["c d"]`
struct JSONPath: Sendable {
    enum Step: Sendable, Equatable {
        case key(String)
        case index(Int)
    }

    let steps: [Step]

    init(_ text: String) throws {
        func fault() -> SQLFailure { .data("Invalid JSON path: '\(text.prefix(200))'") }
        var rest = Substring(text)
        if rest.first == "$" { rest.removeFirst() } else { rest = "." + rest }
        var steps: [Step] = []
        while let first = rest.first {
            rest.removeFirst()
            if first == "." {
                let key = rest.prefix { $0 != "." && $0 != "[" }
                if key.isEmpty || key == "*" { throw fault() }
                rest = rest.dropFirst(key.count)
                steps.append(.key(String(key)))
            } else if first == "[", let quote = rest.first, quote == "\"" || quote == "'" {
                rest.removeFirst()
                var key = ""
                while let character = rest.first, character != quote {
                    rest.removeFirst()
                    if character == "\\", let escaped = rest.first {
                        key.append(escaped)
                        rest.removeFirst()
                    } else {
                        key.append(character)
                    }
                }
                guard rest.first == quote, rest.dropFirst().first == "]" else { throw fault() }
                rest = rest.dropFirst(2)
                steps.append(.key(key))
            } else if first == "[" {
                let inner = rest.prefix { $0 != "]" }
                rest = rest.dropFirst(inner.count)
                guard rest.first == "]", !inner.isEmpty else { throw fault() }
                rest.removeFirst()
                if let index = Int(inner), index >= 0 { steps.append(.index(index)) } else { steps.append(.key(String(inner))) }
            } else {
                throw fault()
            }
            if steps.count > JSONText.maximumDepth { throw fault() }
        }
        self.steps = steps
    }
}
