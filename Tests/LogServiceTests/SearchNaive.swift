// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService

/// The search language once more, as simply as it can be written: everything is decoded, cut up and compared.
struct NaiveSearch {
    let index: IndexConfiguration
    let log: SearchLog

    func matches(_ expression: SearchExpression) -> Bool {
        switch expression {
        case .all: true
        case .and(let parts): parts.allSatisfy(matches)
        case .or(let parts): parts.contains(where: matches)
        case .not(let part): !matches(part)
        case .condition(let condition): matches(condition)
        }
    }

    func matches(_ condition: SearchCondition) -> Bool {
        guard let key = condition.key else { return lineMatches(condition) }
        let (value, kind, isJSON) = look(key)
        guard let value else { return false }
        switch condition.test {
        case .exists: return true
        case .value(let wanted):
            if wanted.text.isEmpty { return value.isEmpty }
            switch kind {
            case .text(let text):
                let pieces = isJSON ? NaiveJSON(value).pieces : [value]
                return NaiveText(settings: text).matches(wanted, in: pieces, whole: value)
            case .long, .double: return number(value, kind).map { $0 == Double(wanted.text) } ?? false
            }
        case .comparison(let comparison, let bound):
            guard let number = number(value, kind), let bound = Double(bound) else { return false }
            return switch comparison {
            case .equal: number == bound
            case .greater: number > bound
            case .greaterOrEqual: number >= bound
            case .less: number < bound
            case .lessOrEqual: number <= bound
            }
        case .range(let from, let includesFrom, let to, let includesTo):
            guard let number = number(value, kind), let from = Double(from), let to = Double(to) else { return false }
            return (includesFrom ? number >= from : number > from) && (includesTo ? number <= to : number < to)
        }
    }

    private func number(_ value: String, _ kind: IndexConfiguration.Kind) -> Double? {
        let digits = value.first.map { "+-".contains($0) } ?? false ? value.dropFirst() : value[...]
        guard digits.first?.isASCII ?? false, digits.allSatisfy({ $0.isASCII && ($0.isNumber || "eE.+-".contains($0)) }) else {
            return nil
        }
        if case .long = kind { return Int64(value).map { Double($0) } }
        return Double(value)
    }

    private func lineMatches(_ condition: SearchCondition) -> Bool {
        guard let line = index.line, case .value(let value) = condition.test else { return false }
        let text = NaiveText(settings: line)
        let fields: [(pieces: [String], whole: String)] = log.contents.flatMap { field in
            let isJSON = if case .json = index.fields[field.key] { true } else { false }
            return [([field.key], field.key), (isJSON ? NaiveJSON(field.value).pieces : [field.value], field.value)]
        }
        return text.hasWords(value, in: fields.flatMap(\.pieces))
            && (value.form != .phrase || fields.contains { text.hasPhrase(value, in: $0.pieces, whole: $0.whole) })
    }

    /// The value of a key, if the log has one, and how it is searched.
    func look(_ key: String) -> (value: String?, kind: IndexConfiguration.Kind, isJSON: Bool) {
        let whole = IndexConfiguration.Kind.text(.init(delimiters: []))
        if key == "__topic__" { return (log.topic, whole, false) }
        if key == "__source__" || key == "source" { return (log.source, whole, false) }
        if key.hasPrefix("__tag__:") { return (log.tags.last { "__tag__:" + $0.key == key }?.value, whole, false) }
        var name = key
        var path: [String] = []
        while true {
            let value = log.contents.last { $0.key == name }?.value
            switch index.fields[name] {
            case .value(let settings) where path.isEmpty: return (value, settings.kind, false)
            case .json(let json) where path.isEmpty: return (value, .text(json.text), true)
            case .json(let json):
                let below = path.joined(separator: ".")
                let kind = json.leaves[below]?.kind ?? .text(json.text)
                if json.leaves[below] != nil || json.indexesAll && path.count <= json.maxDepth ?? .max {
                    return (value.flatMap { NaiveJSON($0).leaves.last { $0.path == below }?.value }, kind, false)
                }
            default: break
            }
            let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard parts.count > 1 else { return (nil, whole, false) }
            name = parts.dropLast().joined(separator: ".")
            path.insert(parts[parts.count - 1], at: 0)
        }
    }
}

/// Words of a text, by the settings of an index.
struct NaiveText {
    let settings: IndexConfiguration.Text

    func matches(_ value: SearchValue, in pieces: [String], whole: String) -> Bool {
        hasWords(value, in: pieces) && (value.form != .phrase || hasPhrase(value, in: pieces, whole: whole))
    }

    func hasWords(_ value: SearchValue, in pieces: [String]) -> Bool {
        let found = pieces.flatMap { words(of: $0) }
        let wanted = words(of: value.text, wildcards: value.form == .word)
        return wanted.filter { value.form != .word || $0.contains { $0 != "*" } }.allSatisfy { word in
            found.contains { value.form == .word ? Self.glob(word[...], $0[...]) : word == $0 }
        }
    }

    func hasPhrase(_ value: SearchValue, in pieces: [String], whole: String) -> Bool {
        let phrase = folded(value.text)
        return ([whole] + pieces).map(folded).contains { text in
            text.indices.contains { text[$0...].starts(with: phrase) }
        }
    }

    private func folded(_ text: String) -> [Unicode.Scalar] {
        text.unicodeScalars.map { scalar in
            let lower = Array(scalar.properties.lowercaseMapping.unicodeScalars)
            guard !settings.isCaseSensitive, lower.count == 1, scalar.isASCII || !lower[0].isASCII else { return scalar }
            return lower[0]
        }
    }

    private func words(of text: String, wildcards: Bool = false) -> [[Unicode.Scalar]] {
        var words: [[Unicode.Scalar]] = [[]]
        let delimiters = Set(settings.delimiters.flatMap { Array($0.unicodeScalars) })
        for scalar in folded(text) {
            if wildcards, scalar == "*" || scalar == "?" {
                words[words.count - 1].append(scalar)
            } else if delimiters.contains(scalar) {
                words.append([])
            } else if settings.splitsChinese, scalar.properties.isIdeographic {
                words += [[scalar], []]
            } else {
                words[words.count - 1].append(scalar)
            }
        }
        return words.filter { !$0.isEmpty }
    }

    private static func glob(_ pattern: ArraySlice<Unicode.Scalar>, _ text: ArraySlice<Unicode.Scalar>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let rest = pattern.dropFirst()
        if first == "*" { return glob(rest, text) || !text.isEmpty && glob(pattern, text.dropFirst()) }
        return !text.isEmpty && (first == "?" || first == text.first) && glob(rest, text.dropFirst())
    }
}
