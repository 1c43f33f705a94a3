// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import Testing

/// What is refused, and that the refusal names the place.
@Suite struct SearchErrorTests {
    private static let notConfigured =
        "key (nokey) is not config as key value config,if symbol : is in your log,please wrap : with quotation mark \""

    @Test(arguments: [
        ("a (b", "Unexpected the end at column 5: the bracket opened at column 3 is not closed: ) is expected."),
        ("a ) b", "Unexpected ')' at column 3: and, or, or another condition is expected."),
        ("()", "Unexpected ')' at column 2: a condition is expected."),
        ("日本 \"abc", "The double quote at column 4 is not closed."),
        ("a and and b", "A condition is expected at column 7, before 'and'; put the word in double quotes to search for it."),
        ("a or", "Unexpected the end at column 5: a condition is expected."),
        ("not", "Unexpected the end at column 4: a condition is expected."),
        ("note:", "Unexpected the end at column 6: a value is expected after note:."),
        (
            "note: and x",
            "A value is expected after note: at column 7; put 'and' in double quotes if it is one."
        ),
        (
            "note: (a or b)",
            "Unexpected '(' at column 7: a value is expected after note: (write key:a or key:b, each with its key)."
        ),
        (
            "event.resourceType: ACS::ECS::Instance",
            "Unexpected ':' at column 24: a key or value that has a colon in it must be put in double quotes."
        ),
        ("#\"\"", "The phrase at column 1 is empty."),
        ("__tag__:k", "Unexpected the end at column 10: a colon and a value are expected after __tag__:k."),
        ("status > many", "A number is expected after > at column 10, not 'many'; texts are searched with key:value."),
        (
            "status in [1,2]",
            "Unexpected ',2]' at column 13: a number is expected: a range is written key in [1 100], with a blank between its ends;"
                + " put \"in\" in double quotes to search for the word."
        ),
        ("status in [1 5", "Unexpected the end at column 15: ] or ) is expected at the end of a range."),
        ("status: 5*", "status at column 1 is a number: '5*' cannot be one of its values."),
        (
            "note > 5",
            "note at column 1 is indexed as text and cannot be compared with a number: write note:value, or index it as long or double."
        ),
        ("nokey: 4", notConfigured), ("not (x or nokey:*)", notConfigured), ("nokey > 4", notConfigured),
        ("__time__ > 4", "__time__ at column 1 cannot be searched: the request's from and to choose the time."),
        (
            "x *abc",
            "A word cannot begin with * or ?, as in '*abc' at column 3; put it in double quotes to search for the character."
        ),
        (
            "note:''",
            "The value '''' at column 1 has no words, only delimiters of the index; note:* finds any value, note:\"\" an empty one."
        ),
        ("\"\"", "The value '' at column 1 has no words, only delimiters of the index."),
        (
            "select count(*) as c",
            "sql query must follow search query,please read syntex doc: write * | select …, or put the word \"select\" in quotes"
        ),
    ])
    func namesThePlace(_ query: String, _ message: String) {
        #expect(throws: LogServiceError.parameter(message)) { try SearchPlan(query, index: SearchIndexes.trail) }
    }

    @Test func onlyIndexedLeavesCanBeSearched() throws {
        for key in ["info.other", "info.a.b.c", "info", "event.x"] {
            let isRefused = (try? SearchPlan("\(key):x", index: SearchIndexes.trail)) == nil
            #expect(isRefused == ["info.other", "info.a.b.c"].contains(key), "\(key)")
        }
        var index = SearchIndexes.trail
        index.fields["event"] = .json(.init(text: .init(), indexesAll: true, maxDepth: 2, isColumn: true, leaves: [:]))
        #expect(throws: Never.self) { try SearchPlan("event.a.b:x", index: index) }
        #expect(throws: LogServiceError.self) { try SearchPlan("event.a.b.c:x", index: index) }
    }

    @Test func withoutIndexNothingCanBeSearched() {
        let error = LogServiceError(400, "IndexConfigNotExist", "logstore without index config")
        #expect(throws: error) { try SearchPlan("*", index: nil) }
    }

    @Test func withoutFullTextWordsNeedKeys() throws {
        var index = SearchIndexes.trail
        index.line = nil
        #expect(throws: LogServiceError.self) { try SearchPlan("word", index: index) }
        #expect(try SearchPlan("*", index: index).matchesAll)
        #expect(throws: Never.self) { try SearchPlan("note:word", index: index) }
    }

    @Test func conditionsAreCounted() throws {
        let thirty = Array(repeating: "a", count: 30).joined(separator: " or ")
        #expect(throws: Never.self) { try SearchPlan("not (" + thirty + ")", index: SearchIndexes.trail) }
        #expect(
            throws: LogServiceError.parameter("A search has at most 30 conditions; number 31 begins at column 152.")
        ) { try SearchPlan(thirty + " and b", index: SearchIndexes.trail) }
    }

    @Test func nestingIsBounded() {
        for opening in ["(", "not ", "not("] {
            let deep = String(repeating: opening, count: 20_000) + "a"
            #expect(throws: LogServiceError.self) { try SearchPlan(deep, index: SearchIndexes.trail) }
        }
        let brackets = String(repeating: "(", count: 60) + "a" + String(repeating: ")", count: 60)
        #expect(throws: Never.self) { try SearchPlan(brackets, index: SearchIndexes.trail) }
    }

    @Test func sizesAreBounded() {
        #expect(throws: LogServiceError.self) {
            try SearchPlan(String(repeating: "a", count: 65_537), index: SearchIndexes.trail)
        }
        let words = (0..<65).map { "w\($0)" }.joined(separator: " ")
        #expect(throws: LogServiceError.self) { try SearchPlan("\"\(words)\"", index: SearchIndexes.trail) }
        let wildcards = String(repeating: "a", count: 64) + "*"
        #expect(throws: LogServiceError.self) { try SearchPlan(wildcards, index: SearchIndexes.trail) }
        let keys = "event." + Array(repeating: "a", count: 200).joined(separator: ".")
        #expect(throws: LogServiceError.self) { try SearchPlan(keys + ":x", index: SearchIndexes.trail) }
    }
}
