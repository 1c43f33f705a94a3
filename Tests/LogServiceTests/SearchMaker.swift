// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import TestSupport

/// Makes indexes, logs and searches that have something to do with each other.
struct SearchMaker {
    private static let words = [
        "alpha", "Beta", "GAMMA", "alpha1", "al", "a.b", "x-1", "中文", "文", "ÄÖ", "äö", "é", "Éa", "\u{212A}elvin", "kelvin", "İx",
        "ix",
        "12", "-5", "3.5", "007", "1e3", "null", "true", "C:\\dir", "back\\nslash", "a/b", "q\"q", "e\u{1}f", "l\u{8}m", "😀",
        "a*b", "what?",
        "tab\u{7F}x", "u0041",
    ]
    /// Those that need no quotes.
    private static let bareWords = words.filter { !$0.contains(":") }
    private static let joints = [" ", ", ", "/", "=", "\n", "，", "", "-", ".", "\\", "\"", "\t", "、"]
    private static let keys = ["a", "b", "c", "a.b", "b.c", "É", "x y", "e\"f", "k/l", "", "num", "Deep"]
    private static let paths = [
        "a", "b", "a.b", "a.b.c", "b.c", "c", "num", "a.num", "b.num", "É", "x y", "e\"f", "k/l", "", "a.", "Deep.a", "b.Deep",
        "c.b.a",
    ]
    private static let numbers = [
        "12", "-5", "0", "3.5", "1e3", "007", "+4", "9223372036854775807", "-9223372036854775808", "1e30", "12.0", "x", "",
    ]

    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed) }

    private mutating func settings() -> IndexConfiguration.Text {
        let sets: [Set<Character>] = [
            IndexConfiguration.Text.standard, IndexConfiguration.Text.standard, [], [",", " "], [" ", "，"],
            IndexConfiguration.Text.standard.union(["-", "."]), ["/", "\n", "\\"], [" ", "、", "\""],
        ]
        return .init(
            delimiters: random.pick(sets), isCaseSensitive: random.chance(1, of: 3), splitsChinese: random.chance(1, of: 4))
    }

    mutating func index() -> IndexConfiguration {
        var fields: [String: IndexConfiguration.Field] = [
            "plain": .value(.init(kind: .text(settings()), isColumn: true)),
            "with.dot": .value(.init(kind: .text(settings()), isColumn: true)),
            "long": .value(.init(kind: .long, isColumn: true)), "double": .value(.init(kind: .double, isColumn: true)),
        ]
        for name in ["event", "event.a"] where name == "event" || random.chance(1, of: 4) {
            var leaves: [String: IndexConfiguration.Key] = [
                "num": .init(kind: .long, isColumn: true), "a.num": .init(kind: .double, isColumn: true),
            ]
            for _ in 0..<random.below(4) { leaves[random.pick(Self.paths)] = .init(kind: .text(settings()), isColumn: true) }
            fields[name] = .json(
                .init(
                    text: settings(), indexesAll: random.chance(3, of: 4),
                    maxDepth: random.chance(1, of: 4) ? random.below(3) : nil,
                    isColumn: true, leaves: leaves))
        }
        return IndexConfiguration(line: random.chance(5, of: 6) ? settings() : nil, fields: fields)
    }

    mutating func text() -> String {
        var text = ""
        for _ in 0..<random.below(5) { text += (text.isEmpty ? "" : random.pick(Self.joints)) + random.pick(Self.words) }
        return text
    }

    mutating func log() -> SearchLog {
        var log = SearchLog(topic: random.pick(["", "alpha", "alpha beta"]), source: random.pick(["192.0.2.1", "Beta", ""]))
        for _ in 0..<random.below(3) { log.tags.append(Log.Field(random.pick(["a", "b c"]), text())) }
        for key in ["plain", "with.dot", "other", "plain", "event", "event.a", "alpha 12"] where random.chance(1, of: 2) {
            log.contents.append(Log.Field(key, key.hasPrefix("event") ? json() : text()))
        }
        for key in ["long", "double"] where random.chance(2, of: 3) {
            log.contents.append(Log.Field(key, random.pick(Self.numbers)))
        }
        log.contents.shuffle(using: &random)
        return log
    }

    /// Mostly JSON, sometimes the beginning of one or with something changed.
    mutating func json() -> String {
        let json = object(depth: 0)
        var scalars = Array(json.unicodeScalars)
        switch random.below(8) {
        case 0: return String(String.UnicodeScalarView(scalars.prefix(random.below(scalars.count + 1))))
        case 1:
            for _ in 0...random.below(2) {
                scalars[random.below(scalars.count)] = random.pick(["{", "}", "[", "]", ",", ":", "\"", "\\", "x", "1", " ", "文"])
            }
            return String(String.UnicodeScalarView(scalars))
        case 2 where random.chance(1, of: 4): return text()
        default: return json
        }
    }

    private mutating func object(depth: Int) -> String {
        var members: [String] = []
        for _ in 0..<random.below(depth == 0 ? 7 : 4) {
            members.append(blank() + string(random.pick(Self.keys)) + blank() + ":" + blank() + value(depth: depth) + blank())
        }
        return "{" + members.joined(separator: ",") + blank() + "}"
    }

    private mutating func value(depth: Int) -> String {
        switch random.below(depth > 3 ? 7 : 10) {
        case 0...3: string(text())
        case 4: random.pick(["true", "false", "null"])
        case 5, 6: random.pick(["12", "-5", "0", "3.5", "1e3", "1.50"])
        case 7: "[" + string(text()) + "," + object(depth: depth + 1) + ",[ ]" + "]"
        default: object(depth: depth + 1)
        }
    }

    private mutating func blank() -> String { random.chance(1, of: 12) ? random.pick([" ", "\n  ", "\t"]) : "" }

    private mutating func string(_ text: String) -> String {
        var json = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": json += "\\" + String(scalar)
            case "/": json += random.chance(1, of: 2) ? "\\/" : "/"
            case "\n": json += "\\n"
            case "\t": json += "\\t"
            case "\u{8}": json += "\\b"
            case "\u{0}"..<" ": json += "\\u000" + String(scalar.value, radix: 16)
            default: json += random.chance(1, of: 60) ? Self.escaped(scalar) : String(scalar)
            }
        }
        return json + "\""
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        String(scalar).utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }
}

extension SearchMaker {
    mutating func expression(depth: Int = 0) -> SearchExpression {
        switch random.below(depth > 2 ? 5 : 10) {
        case 0...4: return .condition(condition())
        case 5: return random.chance(1, of: 6) ? .all : .condition(condition())
        case 6: return .not(expression(depth: depth + 1))
        case 7, 8: return .and((0..<2 + random.below(2)).map { _ in expression(depth: depth + 1) })
        default: return .or((0..<2 + random.below(2)).map { _ in expression(depth: depth + 1) })
        }
    }

    private mutating func condition() -> SearchCondition {
        let numeric = ["long", "double", "event.num", "event.a.num"]
        if random.chance(1, of: 5) {
            let key = random.pick(numeric)
            let bounds = (0..<2).map { _ in random.pick(["12", "-5", "0", "3.5", "1e3", "999", "-1000000", "4"]) }
            if random.chance(1, of: 3) {
                return condition(
                    key,
                    .range(
                        from: bounds[0], includesFrom: random.chance(1, of: 2), to: bounds[1], includesTo: random.chance(1, of: 2)
                    ))
            }
            return condition(
                key, .comparison(random.pick([.equal, .greater, .greaterOrEqual, .less, .lessOrEqual]), number: bounds[0]))
        }
        let fixed = ["__topic__", "__source__", "source", "__tag__:a", "__tag__:b c", "plain", "with.dot", "event", "event.a"]
        let key = random.chance(1, of: 2) ? random.pick(fixed) : "event." + random.pick(Self.paths)
        if random.chance(1, of: 8) { return condition(key, .exists) }
        if random.chance(1, of: 16) { return condition(key, .value(.init(text: "", form: .quoted))) }
        return condition(random.chance(1, of: 4) ? nil : key, .value(value()))
    }

    private func condition(_ key: String?, _ test: SearchCondition.Test) -> SearchCondition {
        .init(key: key, test: test, column: 0)
    }

    private mutating func value() -> SearchValue {
        switch random.below(8) {
        case 0, 1: return .init(text: text() + random.pick(Self.words), form: .quoted)
        case 2: return .init(text: text() + random.pick(Self.words), form: .phrase)
        case 3, 4:
            var scalars = Array(random.pick(Self.bareWords).unicodeScalars)
            for _ in 0...random.below(2) {
                let place = 1 + random.below(scalars.count)
                if place < scalars.count, random.chance(1, of: 2) {
                    scalars[place] = random.pick(["*", "?"])
                } else {
                    scalars.insert(random.pick(["*", "?"]), at: place)
                }
            }
            return .init(text: String(String.UnicodeScalarView(scalars)), form: .word)
        default: return .init(text: random.pick(Self.bareWords), form: .word)
        }
    }

    /// As a person could write it.
    mutating func written(_ expression: SearchExpression) -> String {
        switch expression {
        case .all: return "*"
        case .condition(let condition): return written(condition)
        case .not(let part): return random.pick(["not ", "NOT "]) + bracketed(part)
        case .and(let parts):
            return parts.map { bracketed($0) }.joined(separator: random.pick([" and ", " AND ", " ", "  And\n"]))
        case .or(let parts):
            return parts.map { part in
                if case .or = part { bracketed(part) } else { written(part) }
            }.joined(separator: random.pick([" or ", " OR "]))
        }
    }

    private mutating func bracketed(_ expression: SearchExpression) -> String {
        switch expression {
        case .and, .or: "(" + written(expression) + random.pick([")", " )"])
        default: written(expression)
        }
    }

    private mutating func written(_ condition: SearchCondition) -> String {
        let blank = random.pick(["", "", " "])
        let key = condition.key.map { key in
            key.hasPrefix("__tag__:") && random.chance(1, of: 2) ? "__tag__:" + name(String(key.dropFirst(8))) : name(key)
        }
        switch condition.test {
        case .exists: return (key ?? "") + blank + ":" + blank + "*"
        case .value(let value): return (key.map { $0 + blank + ":" + blank } ?? "") + written(value)
        case .comparison(let comparison, let number): return (key ?? "") + blank + comparison.rawValue + blank + number
        case .range(let from, let includesFrom, let to, let includesTo):
            return "\(key ?? "") in \(includesFrom ? "[" : "(")\(from) \(to)\(includesTo ? "]" : ")")"
        }
    }

    private mutating func name(_ key: String) -> String {
        key.isEmpty || key.hasSuffix(".") && random.chance(1, of: 2) || key.contains { " :\"".contains($0) }
            || random.chance(1, of: 3)
            ? Self.quoted(key) : key
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    private func written(_ value: SearchValue) -> String {
        switch value.form {
        case .quoted: return Self.quoted(value.text)
        case .phrase: return "#" + Self.quoted(value.text)
        case .word:
            // Signs that end a word cannot be written in one.
            return value.text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        }
    }
}
