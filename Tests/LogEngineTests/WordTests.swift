// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import LogEngine
import Testing

@Suite struct `Words of records` {
    /// Every word of every record, in some case, has to find all records that have it, and no other.
    ///
    /// - Parameter step: of how many words one is looked for.
    private static func expectAllFound(_ store: WordStore, _ log: WordLog, _ label: String, step: Int = 1) throws {
        try #require(store.trouble.isEmpty, "\(label): \(store.trouble)")
        for account in Set(log.records.map(\.account)).sorted() {
            let places = log.places(account)
            for (number, word) in places.keys.sorted().enumerated() where number % step == 0 {
                let direction: SearchDirection = number / step % 2 == 0 ? .oldestFirst : .newestFirst
                // Only the case of `A` to `Z` does not matter.
                let asked = number / step % 3 == 0 && word.allSatisfy(\.isASCII) ? word.uppercased() : word
                let query = store.query(asked, account: account, direction: direction)
                try #require(query.words.count == 1, "\(label): \(word)")
                let found = try store.find(query)
                let expected = log.sorted(places[word]!, direction)
                try #require(found == expected, "\(label): `\(asked)` of \(account) finds \(found.count) of \(expected.count)")
            }
        }
        // A text that is cut may end with one of them.
        let present = log.held.reduce(into: Set<String>()) { $0.formUnion(log.records[$1].words) }
        for absent in ["nowhere", "中", "wor", "seldom", "ord1", "00000000-0000-4abc-8000-000000000000"]
        where !present.contains(absent) {
            try #require(try store.find(store.query(absent)).isEmpty, "\(label): \(absent)")
        }
        for sequence in log.held {
            let stored = try store.engine.record(at: UInt64(sequence))
            let isSame = stored.bytes == Array(log.records[sequence].text.utf8)
            try #require(isSame, "\(label): \(log.records[sequence].text)")
        }
    }

    /// Several words with terms, times and places to go on from, page by page.
    private static func expectJoined(
        _ store: WordStore, _ log: WordLog, _ label: String, rounds: Int, _ random: inout Seeded
    ) throws {
        let separators = [" ", ", ", "\"", "\\", "/ "]
        for _ in 0..<rounds {
            let pattern = log.records[log.first + random.below(log.held.count)]
            let patternWords = pattern.words.sorted()
            let words = (0..<1 + random.below(3)).map { _ in patternWords[random.below(patternWords.count)] }
            var terms: [(field: UInt8, value: String)] = []
            if let colour = pattern.fields.colour, random.below(2) == 0 { terms.append((WordRecord.colour, colour)) }
            if let tag = pattern.fields.tags?.first, random.below(3) == 0 { terms.append((WordRecord.tag, tag)) }
            if random.below(9) == 0 { terms.append((WordRecord.unique, pattern.fields.eventId)) }
            let other = log.records[log.first + random.below(log.held.count)].fields.time
            let (low, high) = (min(other, pattern.fields.time), max(other, pattern.fields.time))
            let times = random.below(2) == 0 ? Int64.min ... .max : low...high
            let direction: SearchDirection = random.below(2) == 0 ? .oldestFirst : .newestFirst
            let matching = log.held.filter { sequence in
                let record = log.records[sequence]
                return record.account == pattern.account && times.contains(record.fields.time)
                    && words.allSatisfy(record.words.contains)
                    && terms.allSatisfy { record.fields.values($0.field).contains($0.value) }
            }
            let expected = log.sorted(matching, direction)
            let text = words.joined(separator: separators[random.below(separators.count)])
            var query = store.query(text, account: pattern.account, terms: terms, times: times, direction: direction)
            let limit = max([1, 3, 17, Int.max][random.below(4)], expected.count / 20)
            var found: [LogPosition] = []
            while true {
                let page = try store.find(query, limit: limit)
                found += page
                guard page.count == limit, let last = page.last, found.count <= expected.count else { break }
                query.after = last
            }
            try #require(found == expected, "\(label): `\(text)` \(terms) \(times) \(direction), pages of \(limit)")
        }
    }

    @Test(arguments: UInt64(1)...4)
    func `find every record that has them, whatever becomes of the store`(seed: UInt64) throws {
        var random = Seeded(seed)
        let maker = WordMaker(accounts: seed % 3 == 0 ? ["anna"] : ["anna", "anna", "bert"])
        let disk = MemoryDisk()
        let tailRows = [40, 150, 1000][Int(seed) % 3]
        var log = WordLog()
        func add(_ count: Int, to store: WordStore) throws {
            let records = (0..<count).map { maker.record(log.records.count + $0, &random) }
            let first = try store.commit(records, recordedAt: Int64(log.records.count), perFrame: 1 + random.below(30))
            try #require(first == UInt64(log.records.count))
            log.records += records
        }
        do {
            let store = try WordStore(disk: disk, tailRows: tailRows)
            for step in 0..<14 {
                try add(60 + random.below(130), to: store)
                // Frames with it come in the middle of a tail, and those with the next one in the middle of another.
                if step == 6 || step == 9 {
                    store.settle()
                    store.engine.makeDictionary()
                    try #require(store.engine.dictionaries.current != nil)
                }
                if step % 4 == 3 { try Self.expectAllFound(store, log, "seed \(seed), step \(step)", step: 41) }
            }
            try Self.expectAllFound(store, log, "seed \(seed), running", step: 7)
            try Self.expectJoined(store, log, "seed \(seed), running", rounds: 60, &random)
            store.settle()
            try Self.expectAllFound(store, log, "seed \(seed), settled", step: 4)
            try Self.expectJoined(store, log, "seed \(seed), settled", rounds: 60, &random)
        }
        // Tails of another size begin and end in the middle of frames.
        let after = seed % 2 == 0 ? disk.afterPowerLoss(seed: seed) : disk.afterKill()
        do {
            let store = try WordStore(disk: after, tailRows: 33)
            try Self.expectAllFound(store, log, "seed \(seed), after the end", step: 7)
            try add(50, to: store)
            try Self.expectJoined(store, log, "seed \(seed), after the end", rounds: 60, &random)
            store.settle()
        }
        for name in try after.list("h/segments") { try after.remove("h/segments/" + name) }
        do {
            let store = try WordStore(disk: after, tailRows: [33, 100, 5000][Int(seed / 2) % 3])
            try Self.expectAllFound(store, log, "seed \(seed), indexed again", step: 5)
            try Self.expectJoined(store, log, "seed \(seed), indexed again", rounds: 60, &random)
            store.engine.close()
        }
        let store = try WordStore(disk: after, tailRows: 64)
        try Self.expectAllFound(store, log, "seed \(seed), opened again", step: 9)
        // Retention drops a part.
        store.settle()
        log.first = Int(store.engine.dropRecords(olderThan: Int64(log.records.count / 2)))
        try Self.expectAllFound(store, log, "seed \(seed), shortened", step: 9)
        try Self.expectJoined(store, log, "seed \(seed), shortened", rounds: 30, &random)
    }

    @Test func `are found in a store without a dictionary`() throws {
        var random = Seeded(77)
        let maker = WordMaker(accounts: ["anna", "bert"])
        let disk = MemoryDisk()
        var log = WordLog()
        do {
            let store = try WordStore(disk: disk, tailRows: 60)
            for _ in 0..<5 {
                let records = (0..<30).map { maker.record(log.records.count + $0, &random) }
                try store.commit(records, recordedAt: 1)
                log.records += records
            }
            try Self.expectAllFound(store, log, "running")
            store.settle()
            #expect(store.engine.dictionaries.current == nil)
            try Self.expectAllFound(store, log, "settled")
            try Self.expectJoined(store, log, "settled", rounds: 100, &random)
        }
        try Self.expectAllFound(try WordStore(disk: disk, tailRows: 7), log, "opened again")
    }

    @Test func `are compared with a record byte by byte but for the case of letters`() throws {
        let engine = try WordStore(disk: MemoryDisk(), tailRows: 10).engine
        func has(_ text: String, _ record: String) -> Bool {
            Array(record.utf8).withUnsafeBytes { engine.has(engine.words(of: text, account: "anna"), $0) }
        }
        let record =
            #"{"Key-1":"One two,THREE","path":"C:\\Users\\mina","line":"a\nb\u00e9c","#
            + #""who":"CORP\\alice","n":-1.5e3,"x":"é"}"#
        for text in [
            "one", "ONE TWO three", "key-1", #"C:\Users\mina"#, #"CORP\alice"#, #"corp\\ALICE"#, "a", "b", "c", "-1.5E3", "é",
            "three one", "one one", "", " ,\"", "(mina)",
        ] { #expect(has(text, record), "\(text)") }
        for text in ["on", "ones", "É", "nb", "u00e9c", "00e9c", "1.5e3", "key", "one four", "alic", "sers", #"CORP\lice"#] {
            #expect(!has(text, record), "\(text)")
        }
        #expect(LogEngine.wordCount("") == 0 && LogEngine.wordCount(" \",\\\n") == 0 && LogEngine.wordCount("(x) y") == 2)
        #expect(engine.words(of: "one ONE two/one", account: "anna").count == 2)
    }

    /// Two words that many blocks have and one record in a hundred has together: a search may end early and go on from there.
    @Test(arguments: [SearchDirection.oldestFirst, .newestFirst])
    func `are found in several goes if they are seldom together`(direction: SearchDirection) throws {
        let records = (0..<900).map { number in
            let words = number % 100 == 50 ? "left right" : number % 2 == 0 ? "left" : "right"
            return WordRecord(eventId: "id-\(number)", time: Int64(number), after: #""text":"\#(words)""#)
        }
        let store = try WordStore(disk: MemoryDisk(), tailRows: 400)
        for start in stride(from: 0, to: 900, by: 30) { try store.commit(Array(records[start..<start + 30])) }
        store.settle()
        var query = store.query("left right", direction: direction)
        let whole = try store.find(query)
        #expect(whole.count == 9)
        var found: [LogPosition] = []
        var goes = 0
        while goes < 200 {
            goes += 1
            var cursor = try store.engine.search(query, patience: 7)
            while let position = try cursor.next() { found.append(position) }
            guard let stopped = cursor.stopped else { break }
            query.after = stopped
        }
        #expect(found == whole)
        #expect(goes > 100 && goes < 200)
    }

    /// A frame of many words is in every search, and does not keep them.
    @Test func `of which there are too many are looked for in the record`() throws {
        let many = (0..<40_000).map { "w\($0)" }.joined(separator: " ")
        let records = [("id-1", "few"), ("id-2", many), ("id-3", String(repeating: "same ", count: 40_000))].map { id, text in
            WordRecord(eventId: id, time: 1, after: #""text":"\#(text)""#)
        }
        let disk = MemoryDisk()
        for tailRows in [100, 3] {
            let store = try WordStore(disk: disk, tailRows: tailRows)
            if tailRows == 100 { for record in records { try store.commit([record]) } }
            store.settle()
            for (word, sequences) in [("w39999", [1]), ("w0", [1]), ("few", [0]), ("same", [2]), ("none", [])] {
                let found = try store.find(store.query(word)).map(\.sequence)
                #expect(found == sequences.map { UInt64($0) }, "\(word)")
            }
        }
    }

    @Test(arguments: [false, true])
    func `of an id are found in either case, as the record's own and within`(withDictionary: Bool) throws {
        let own = "0A1B2C3D-4E5F-4607-8899-AABBCCDDEEFF"
        let inner = "99999999-4E5F-4607-8899-AABBCCDDEEFF"
        let filling = #""filling":"\#(String(repeating: "much of the same ", count: 20))""#
        func record(_ id: String, _ more: String) -> WordRecord {
            WordRecord(eventId: id, time: 1, before: more.isEmpty ? filling : filling + "," + more)
        }
        var log = WordLog()
        var random = Seeded(4)
        let maker = WordMaker(accounts: ["anna"])
        // What comes three times is in the book, with the key in it.
        log.records = (0..<900).map { number in
            switch number % 6 {
            case 0: record(String(format: "00000000-0000-4000-8000-%012d", number), "")
            case 1:
                record("plain-\(number)", #""inner":{"eventId":"\#(String(format: "00000000-0000-4000-9000-%012d", number))"}"#)
            default: maker.record(number, &random)
            }
        }
        let disk = MemoryDisk()
        let store = try WordStore(disk: disk, tailRows: 400)
        if withDictionary {
            try store.commit(log.records)
            store.settle()
            store.engine.makeDictionary()
            try #require(store.engine.dictionaries.current != nil)
        } else {
            log.records = []
        }
        let first = log.records.count
        log.records += [
            record(own, ""), record("b", #""requestId":"\#(own)""#),
            record(own.lowercased(), #""inner":{"eventId":"\#(inner)"}"#),
            record("c", #""inner":{"eventId":"\#(inner.lowercased())"}"#),
            record("d", #""inner":[[{"a":1,"eventId":"\#(inner)"}]]"#),
            record("e", #""requestParameters":{"eventId":"\#(inner)"},"requestParameterJson":"{\"eventId\":\"\#(inner)\"}""#),
        ]
        try store.commit(Array(log.records[first...]))
        func expect(_ label: String, _ store: WordStore) throws {
            for text in [own, own.lowercased(), "0a1B2C3D-4E5F-4607-8899-AABBCCDDEEFF"] {
                let found = try store.find(store.query(text)).map { Int($0.sequence) - first }
                #expect(found.sorted() == [0, 1, 2], "\(label): \(text)")
            }
            for text in [inner, inner.lowercased()] {
                let found = try store.find(store.query(text)).map { Int($0.sequence) - first }
                #expect(found.sorted() == [2, 3, 4, 5], "\(label): \(text)")
            }
            try Self.expectAllFound(store, log, label, step: 7)
        }
        try expect("running", store)
        store.settle()
        try expect("settled", store)
        try expect("indexed again", try WordStore(disk: disk.afterKill(), tailRows: 50))
    }

    @Test func `are found where a frame has more of them than are kept`() throws {
        var log = WordLog()
        let disk = MemoryDisk()
        let store = try WordStore(disk: disk, tailRows: 500)
        for number in 0..<600 {
            let many = number % 200 == 100 ? (0..<17_000).map { "m\(number)x\($0)" }.joined(separator: " ") : "few"
            log.records.append(WordRecord(eventId: "e\(number)", time: Int64(number), after: #""text":"\#(many)""#))
        }
        for start in stride(from: 0, to: 600, by: 50) { try store.commit(Array(log.records[start..<start + 50]), perFrame: 10) }
        func expect(_ label: String, _ store: WordStore) throws {
            for number in [100, 300, 500] {
                for word in [0, 1, 8000, 16_999] {
                    let found = try store.find(store.query("m\(number)x\(word)"))
                    #expect(found == [log.position(number)], "\(label): \(number), \(word)")
                }
            }
            for number in [0, 99, 100, 101, 350, 599] {
                #expect(try store.find(store.query("E\(number)")) == [log.position(number)], "\(label): \(number)")
            }
            #expect(try store.find(store.query("few")).count == 597, "\(label)")
            #expect(try store.find(store.query("m100x17000")).isEmpty, "\(label)")
        }
        try expect("running", store)
        store.settle()
        try expect("settled", store)
        try expect("opened again", try WordStore(disk: disk.afterKill(), tailRows: 90))
    }

    /// Blocks whose ranks lie all over a joined segment, for their records came in no order.
    @Test func `are found in eighty thousand records that came out of order`() throws {
        var random = Seeded(8)
        let disk = MemoryDisk()
        let store = try WordStore(disk: disk, tailRows: 10_000)
        var rare: [String: [LogPosition]] = [:]
        var colours: [String: [LogPosition]] = [:]
        for step in 0..<84 {
            let records = (0..<1000).map { row in
                let number = step * 1000 + row
                let word = number % 53 == 0 ? "rare\(number % 40_009)" : "usual"
                let colour = number % 2 == 0 ? "red" : "blue"
                let record = WordRecord(
                    eventId: "e\(number)", time: Int64(random.below(1 << 40)), colour: colour, after: #""text":"\#(word)""#)
                let position = LogPosition(time: record.fields.time, sequence: UInt64(number))
                if word != "usual" { rare[word, default: []].append(position) }
                if number % 1000 == 7 { colours["e\(number)", default: []].append(position) }
                return record
            }
            try store.commit(records, perFrame: 100)
            if step % 10 == 9 { store.settle() }
        }
        store.settle()
        #expect(store.engine.statistics.segments == 1)
        func expect(_ label: String, _ store: WordStore) throws {
            for (word, positions) in rare.sorted(by: { $0.key < $1.key }).prefix(60) {
                #expect(try store.find(store.query(word, direction: .oldestFirst)) == positions.sorted(), "\(label): \(word)")
                let last = positions.max()!
                let found = try store.find(store.query(word, times: last.time...last.time))
                #expect(found == [last], "\(label): \(word)")
            }
            for (word, positions) in colours {
                let query = store.query(word, terms: [(WordRecord.colour, Int(word.dropFirst())! % 2 == 0 ? "red" : "blue")])
                #expect(try store.find(query) == positions, "\(label): \(word)")
            }
            let usual = try store.find(store.query("usual", direction: .oldestFirst), limit: 500)
            #expect(usual == usual.sorted() && usual.count == 500)
        }
        try expect("joined", store)
        store.engine.close()
        try expect("opened again", try WordStore(disk: disk.afterKill(), tailRows: 10_000))
        #expect(store.trouble.isEmpty)
    }

    @Test func `that a tail gets while a search is open do not hide what it had`() throws {
        let store = try WordStore(disk: MemoryDisk(), tailRows: 10_000)
        func record(_ number: Int) -> WordRecord {
            WordRecord(eventId: "e\(number)", time: Int64(number), after: #""text":"word\#(number % 3)""#)
        }
        try store.commit((0..<400).map(record))
        for direction in [SearchDirection.oldestFirst, .newestFirst] {
            let end = store.engine.endSequence
            let expected = (0..<end).filter { $0 % 3 == 1 }
            var cursor = try store.engine.search(store.query("word1", direction: direction))
            var found: Set<UInt64> = []
            var next = Int(end)
            while let position = try cursor.next() {
                found.insert(position.sequence)
                guard found.count % 40 == 0 else { continue }
                try store.commit((next..<next + 30).map(record))
                next += 30
            }
            #expect(found.isSuperset(of: expected))
        }
    }

    /// What the phrases of a book make of such records must be the records.
    @Test func `of a text within its own object are those of the record`() throws {
        var random = Seeded(15)
        let maker = WordMaker(accounts: ["anna"])
        var log = WordLog()
        log.records = (0..<900).map { maker.record($0, &random) }
        let disk = MemoryDisk()
        let store = try WordStore(disk: disk, tailRows: 5000)
        try store.commit(log.records)
        store.engine.makeDictionary()
        try #require(store.engine.dictionaries.current != nil)
        let first = log.records.count
        for text in [
            #"{\"requestParameterJson\":\"{"#, #"{\"requestParameterJson\":\"{\\"#, #"{\"requestParameterJson\":\""#,
            #"{\"a\":1}"#,
        ] {
            let own = #""requestParameters":{"requestParameterJson":"\#(text)","a":1}"#
            log.records.append(WordRecord(eventId: "e\(log.records.count)", time: 1, before: own))
        }
        try store.commit(Array(log.records[first...]))
        try Self.expectAllFound(store, log, "running", step: 20)
        try Self.expectAllFound(try WordStore(disk: disk.afterKill(), tailRows: 5000), log, "opened again", step: 20)
    }
}
