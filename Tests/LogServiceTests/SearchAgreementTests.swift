// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService
import Testing

/// The matcher against a second one that is written as simply as possible.
@Suite struct SearchAgreementTests {
    @Test(arguments: 0..<8) func bothFindTheSame(seed: UInt64) throws {
        var maker = SearchMaker(seed: seed)
        var pairs = 0
        var found = 0
        var refused = 0
        while pairs < 3_000 {
            let index = maker.index()
            let logs = (0..<12).map { _ in maker.log() }
            let expression = maker.expression()
            let query = maker.written(expression)
            let plan: SearchPlan
            do {
                try #require(try SearchExpression.read(query) == expression, "\(query)")
                plan = try SearchPlan(query, index: index)
            } catch let error as LogServiceError {
                // Words that are only delimiters, keys that this index does not have.
                refused += 1
                #expect(error.code == "ParameterInvalid")
                continue
            }
            for log in logs {
                let expected = NaiveSearch(index: index, log: log).matches(expression)
                pairs += 1
                found += expected ? 1 : 0
                try #require(log.isFound(by: plan) == expected, "\(query)\n\(log)\n\(index)")
                let stored = StoredBytes(log, index: index)
                if expected, !stored.mustBeLookedAt {
                    let words = IndexWords(plan)
                    try #require(stored.mayBeFound(by: words), "\(query)\n\(stored.json)\n\(words)")
                }
            }
            try valuesAlone(expression, plan, index, logs)
        }
        #expect(found > pairs / 10)
        #expect(refused < pairs / 10)
    }

    /// Each condition on a field decides by the field's value alone.
    private func valuesAlone(
        _ expression: SearchExpression, _ plan: SearchPlan, _ index: IndexConfiguration, _ logs: [SearchLog]
    ) throws {
        for (condition, bound) in zip(expression.conditions, plan.conditions) {
            guard let key = condition.key else { continue }
            for log in logs {
                let naive = NaiveSearch(index: index, log: log)
                let value = naive.look(key).value.map { Array($0.utf8) }
                let isMatch =
                    value.map { value in value.withUnsafeBytes { bound.matches(value: $0) } } ?? bound.matches(value: nil)
                try #require(isMatch == naive.matches(condition), "\(condition) \(log)")
            }
        }
    }

    @Test func indexWordsAreUsedAtAll() throws {
        var maker = SearchMaker(seed: 99)
        var excluded = 0
        for _ in 0..<400 {
            let index = maker.index()
            let query = maker.written(maker.expression())
            guard let plan = try? SearchPlan(query, index: index) else { continue }
            for _ in 0..<5 where !StoredBytes(maker.log(), index: index).mayBeFound(by: IndexWords(plan)) { excluded += 1 }
        }
        #expect(excluded > 100)
    }
}

/// A log as the engine stores it, and the words that its index has of it.
struct StoredBytes {
    let json: String
    /// Whatever the words say; see `BoundCondition.wordsForIndex`.
    let mustBeLookedAt: Bool
    private let words: Set<[UInt8]>

    init(_ log: SearchLog, index: IndexConfiguration) {
        var mustBeLookedAt = false
        let members = log.contents.map { field in
            let isJSON = if case .json = index.fields[field.key] { true } else { false }
            let isValid = isJSON && field.value.unicodeScalars.first == "{" && Self.isValid(field.value)
            if isJSON, !isValid, field.value.contains("\\") { mustBeLookedAt = true }
            return Self.string(field.key) + ":" + (isValid ? field.value : Self.string(field.value))
        }
        json = "{" + members.joined(separator: ",") + "}"
        self.mustBeLookedAt = mustBeLookedAt || json.contains("\\u")
        words = Self.words(Array(json.utf8))
    }

    private static func isValid(_ json: String) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(json.utf8))) != nil
    }

    private static func string(_ text: String) -> String {
        let plain: [Unicode.Scalar: String] = ["\"": "\\\"", "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\u{8}": "\\b"]
        return "\""
            + text.unicodeScalars.map {
                plain[$0] ?? ($0.value < 32 ? "\\u00\($0.value < 16 ? "0" : "")\(String($0.value, radix: 16))" : String($0))
            }.joined() + "\""
    }

    private static func words(_ bytes: [UInt8]) -> Set<[UInt8]> {
        var words: Set<[UInt8]> = []
        var word: [UInt8] = []
        var place = 0
        while place < bytes.count {
            let byte = bytes[place]
            if byte < 0x20 || byte == 0x7F || ", '\";=()[]{}?@&<>/:\\".utf8.contains(byte) {
                words.insert(word)
                word = []
                if byte == UInt8(ascii: "\\") {
                    place += place + 1 < bytes.count && bytes[place + 1] == UInt8(ascii: "u") ? 5 : 1
                }
            } else {
                word.append(65...90 ~= byte ? byte + 32 : byte)
            }
            place += 1
        }
        return words.union([word])
    }

    func mayBeFound(by query: IndexWords) -> Bool {
        switch query {
        case .everything: true
        case .words(let list): list.allSatisfy { words.contains(Array($0.utf8)) }
        case .and(let parts): parts.allSatisfy(mayBeFound)
        case .or(let parts): parts.contains(where: mayBeFound)
        }
    }
}

extension SearchExpression {
    /// In the order in which they are written.
    var conditions: [SearchCondition] {
        switch self {
        case .all: []
        case .condition(let condition): [condition]
        case .and(let parts), .or(let parts): parts.flatMap(\.conditions)
        case .not(let part): part.conditions
        }
    }
}
