// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogService
import Testing

@Suite struct SearchLanguageTests {
    @Test func bindsAsDocumented() throws {
        #expect(
            try SearchExpression.read("a b or c not d")
                == .or([.and([.word(nil, "a"), .word(nil, "b")]), .and([.word(nil, "c"), .not(.word(nil, "d"))])]))
        #expect(try SearchExpression.read("not a and b") == .and([.not(.word(nil, "a")), .word(nil, "b")]))
        #expect(try SearchExpression.read("NOT not a") == .not(.not(.word(nil, "a"))))
        #expect(try SearchExpression.read("(a Or b)c") == .and([.or([.word(nil, "a"), .word(nil, "b")]), .word(nil, "c")]))
        #expect(try SearchExpression.read("* AND k : v") == .and([.all, .word("k", "v")]))
    }

    @Test func quotesMakePlainCharacters() throws {
        #expect(
            try SearchExpression.read(#""and" "*" "a:b" "\"" "x\\y""#)
                == .and(["and", "*", "a:b", "\"", "x\\y"].map { .quoted(nil, $0) }))
        #expect(try SearchExpression.read(#"k:"*""#) == .quoted("k", "*"))
        #expect(try SearchExpression.read(#""a b":"c""#) == .quoted("a b", "c"))
    }

    @Test func wordsMayLookLikeOperators() throws {
        #expect(try SearchExpression.read("logged in today") == .and(["logged", "in", "today"].map { .word(nil, $0) }))
        #expect(try SearchExpression.read("this is null-ish") == .and(["this", "is", "null-ish"].map { .word(nil, $0) }))
        #expect(try SearchExpression.read("#x k:#y") == .and([.word(nil, "#x"), .word("k", "#y")]))
        #expect(try SearchExpression.read("select") == .word(nil, "select"))
    }

    @Test func comparisonsAndRanges() throws {
        for (query, test) in [
            ("k=1", SearchCondition.Test.comparison(.equal, number: "1")),
            ("k >= -1.5", .comparison(.greaterOrEqual, number: "-1.5")),
            ("k<\"2\"", .comparison(.less, number: "2")),
            ("k in[1 2)", .range(from: "1", includesFrom: true, to: "2", includesTo: false)),
            ("k in ( 1e3\t+2 ]", .range(from: "1e3", includesFrom: false, to: "+2", includesTo: true)),
        ] {
            #expect(try SearchExpression.read(query) == .condition(.init(key: "k", test: test, column: 0)), "\(query)")
        }
    }

    @Test func columnsAreThoseOfTheQuery() throws {
        guard case .and(let parts) = try SearchExpression(" 日:1 and (b)"), case .condition(let last) = parts[1] else {
            Issue.record("two conditions expected")
            return
        }
        #expect(last.column == 11)
    }

    @Test func termsAreWhatIsLookedFor() throws {
        let plan = try SearchPlan(
            #"note:"Quick brown" and Moz* and not x and not (not y) and status > 4 and note:* and note:"quick BROWN" and note:Quick"#,
            index: SearchIndexes.trail)
        #expect(
            plan.terms.map { "\($0.key)=\($0.term)" } == ["note=Quick", "note=brown", "=Moz*", "=y", "note=quick", "note=BROWN"])
        #expect(!plan.isPhraseSearch)
        let phrase = try SearchPlan(#"note:#"Quick brown""#, index: SearchIndexes.trail)
        #expect(phrase.terms == [.init(key: "note", term: "Quick brown")])
        #expect(phrase.isPhraseSearch)
    }

    @Test func indexWordsNarrowDown() throws {
        func words(_ query: String, _ index: IndexConfiguration = SearchIndexes.trail) throws -> IndexWords {
            IndexWords(try SearchPlan(query, index: index))
        }
        #expect(try words("event.eventName: RunInstances and not x") == .words(["runinstances"]))
        #expect(try words("a or (b and status > 5)") == .or([.words(["a"]), .words(["b"])]))
        #expect(try words("a or status > 5") == .everything)
        #expect(try words("Forbidden.*") == .everything)
        #expect(try words("note:ärger and note:\"b c\"") == .words(["b", "c"]))
        #expect(try words(#"note:"CORP\alice a\*""#) == .words(["corp", "alice", "a", "*"]))
        #expect(try words("exact:a/b*") == .words(["a"]))
        #expect(try words("event.errorCode:*") == .words(["errorcode"]))
        #expect(try words("event.userIdentity.userName:*") == .everything)
        #expect(try words("chinese:abc") == .everything)
        #expect(try words("__topic__:abc") == .everything)
        var index = SearchIndexes.trail
        index.line = .init(delimiters: IndexConfiguration.Text.standard.union(["."]))
        #expect(try words("a.b", index) == .everything)
    }

    @Test func pipesPart() throws {
        #expect(try QueryParts(" a ").search == " a ")
        #expect(try QueryParts(" a ").searchPart == "a")
        #expect(try QueryParts(" a ").analysis == .none)
        let parts = try QueryParts(#"k:"a|b" and x\"| select 1 | 2 "#)
        #expect(parts.search == #"k:"a|b" and x\"| "#.dropLast(2))
        #expect(parts.searchPart == #"k:"a|b" and x\""#)
        let sql = try #require(try QueryParts(#"日 "\"|" | select "é" "#).sql)
        #expect(sql.text == #"select "é""#)
        #expect(sql.byteOffset == 12)
        #expect(sql.characterOffset == 10)
        #expect(try QueryParts("* | With_Pack_Meta ").analysis == .packMeta)
        #expect(try QueryParts("|select 1").searchPart == "*")
        #expect(throws: LogServiceError.self) { try QueryParts("* | ") }
    }

    @Test func sessionSettingsArePartedFromTheStatement() throws {
        let query = "* | set session parallel_sql=true; SET  session mode = scan;\n select ';' as x"
        let sql = try #require(try QueryParts(query).sql)
        #expect(sql.text == "select ';' as x")
        #expect(sql.session == [.init(name: "parallel_sql", value: "true"), .init(name: "mode", value: "scan")])
        #expect(query.dropFirst(sql.characterOffset) == "select ';' as x")
        #expect(try QueryParts("* | select 'set session a=b;'").sql?.session == [])
        #expect(throws: LogServiceError.self) { try QueryParts("* | set session a=b;") }
    }
}

extension QueryParts {
    var sql: SQL? { if case .sql(let sql) = analysis { sql } else { nil } }
}
