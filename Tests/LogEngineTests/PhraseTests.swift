// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogEngine
import Testing

/// Records written with the numbers of a book, through a frame and back: byte for byte, whatever they are.
@Suite struct `A record written with phrases` {
    private static let id = "F90B88B7-7C24-566C-DB7F-22D28A3B688B"

    private static func identifier(_ number: Int) -> String {
        let digits = String(number, radix: 16, uppercase: true)
        return "F90B88B7-7C24-566C-DB7F-" + String(repeating: "0", count: 12 - digits.utf8.count) + digits
    }

    private static func escaped(_ object: String) -> String {
        object.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
    }

    private static func event(parameters: String, text: String? = nil, id: String = id, request: String = id) -> String {
        #"{"acsRegion":"cn-hangzhou","apiVersion":"2014-05-26","eventId":"\#(id)","eventName":"RunInstances","#
            + #""eventSource":"ecs.aliyuncs.com","eventVersion":1,"requestId":"\#(request)","#
            + #""requestParameterJson":"\#(text ?? escaped(parameters))","requestParameters":\#(parameters),"#
            + #""serviceName":"Ecs","userIdentity":{"accountId":"1234567890123456","type":"ram-user"}}"#
    }

    private static func usual(_ number: Int) -> String {
        let parameters = #"{"RegionId":"cn-hangzhou","InstanceId":"i-\#(number)","DryRun":false,"Amount":\#(number % 7)}"#
        return event(parameters: parameters, id: identifier(number), request: identifier(number + (number % 3 == 0 ? 1000 : 0)))
    }

    private static let usualBodies = (0..<50).map { Array(usual($0).utf8) }
    private static let dictionary = FrameDictionary(
        id: 7, book: PhraseBook(from: usualBodies), content: Array(usualBodies[..<20].joined()))

    private static func roundTrip(_ bodies: [[UInt8]], with dictionary: FrameDictionary?) throws -> [[UInt8]] {
        var payload = FramePayload(account: "a", dictionary: dictionary)
        for body in bodies { body.withUnsafeBytes { payload.append($0, flags: [], receivedDigest: nil) } }
        return try payload.prepared().decoded(with: dictionary).map(\.bytes)
    }

    private static func expectSame(_ bodies: [[UInt8]], _ label: String) throws {
        for dictionary in [dictionary, FrameDictionary(id: 1, book: PhraseBook(phrases: [], values: []), content: []), nil] {
            let read = try roundTrip(bodies, with: dictionary)
            let isSame = read == bodies
            #expect(isSame, "\(label), dictionary \(dictionary.map { "\($0.id)" } ?? "none")")
        }
    }

    /// As the book writes it; nil if it stays as it is.
    private static func coded(_ body: String) -> (bytes: [UInt8], identifiers: [UInt8])? {
        let writer = PhraseWriter(book: PhraseBook(from: usualBodies))
        return withExtendedLifetime(writer) {
            Array(body.utf8).withUnsafeBytes { body in writer.write(body).map { (Array($0.bytes), $0.identifiers) } }
        }
    }

    private static func size(_ body: String) -> Int { coded(body).map { $0.bytes.count + $0.identifiers.count } ?? .max }

    // MARK: Sizes

    @Test func `is less than a third if its form is known`() throws {
        for number in [3, 60, 5000] {
            let body = Self.usual(number)
            #expect(Self.size(body) * 3 < body.utf8.count, "\(Self.size(body)) of \(body.utf8.count)")
        }
        // In a frame as well, the identifiers aside.
        var payload = FramePayload(account: "a", dictionary: Self.dictionary)
        var size = 0
        for number in 100..<200 {
            let body = Array(Self.usual(number).utf8)
            body.withUnsafeBytes { payload.append($0, flags: [], receivedDigest: nil) }
            size += body.count
        }
        #expect(payload.count == 100)
        #expect(payload.rawCount * 3 < size)
    }

    @Test func `stays as it is if nothing would be gained`() {
        for body in ["", "{}", String(repeating: "x", count: 300), "plain words, and more of them, that no book has, on and on"] {
            #expect(Self.coded(body) == nil, "\(body)")
        }
    }

    /// What is said twice is kept once, wherever it stands.
    @Test(arguments: UInt64(1)...40) func `keeps identifiers and parameters once in any order of keys`(seed: UInt64) throws {
        var random = Seeded(seed)
        let parameters = #"{"RegionId":"cn-hangzhou","Name":"a \"quoted\" \\ name","N":{"x":[1,"}"]}}"#
        let text = Self.escaped(parameters)
        let members = [
            #""eventId":"\#(Self.id)""#, #""requestId":"\#(Self.id)""#, #""eventName":"RunInstances""#,
            #""acsRegion":"cn-hangzhou""#, #""requestParameters":\#(parameters)"#, #""requestParameterJson":"\#(text)""#,
        ]
        let body = "{" + members.shuffled(using: &random).joined(separator: ",") + "}"
        #expect(Self.size(body) < body.utf8.count - text.utf8.count - 20, "seed \(seed): \(Self.size(body)), \(body)")
        #expect(Self.coded(body)?.identifiers.count == 16, "seed \(seed)")
        try Self.expectSame([Array(body.utf8)], "seed \(seed)")
    }

    @Test func `has identifiers in one case only`() throws {
        let parameters = #"{"RegionId":"cn-hangzhou"}"#
        for (id, count) in [
            (Self.id, 1), (Self.id.lowercased(), 1), ("12345678-1234-1234-1234-123456789012", 1),
            ("f90B88B7-7C24-566C-DB7F-22D28A3B688B", 0), ("F90B88B7-7C24-566C-DB7F-22D28A3B688G", 0),
            ("F90B88B7-7C24-566C-DB7F+22D28A3B688B", 0), ("F90B88B77C24566CDB7F22D28A3B688B", 0),
        ] {
            let body = Self.event(parameters: parameters, id: id, request: id)
            #expect(Self.coded(body)?.identifiers.count == count * 16, "\(id)")
            try Self.expectSame([Array(body.utf8)], id)
        }
    }

    // MARK: The same again

    @Test func `is the same again among others of its form`() throws {
        try Self.expectSame((0..<300).map { Array(Self.usual($0 * 31).utf8) }, "usual ones")
        try Self.expectSame([], "none")
    }

    @Test func `is the same again if it is nothing that a book knows`() throws {
        let bodies: [(String, [UInt8])] = [
            ("nothing", []), ("a zero", [0]), ("all bytes", (0...255).map { $0 }),
            ("all bytes again and again", (0..<5000).map { UInt8(truncatingIfNeeded: $0 * 7) }),
            ("quotation marks", [UInt8](repeating: UInt8(ascii: "\""), count: 999)),
            ("backslashes", [UInt8](repeating: UInt8(ascii: "\\"), count: 1000)),
            ("digits and marks", Array(String(repeating: "1\"\"", count: 400).utf8)),
            ("numbers", Array((0..<400).map { "\($0 * 7919),-\($0)e\($0)" }.joined(separator: ",").utf8)),
            ("other JSON", Array(#"{"größe":"日本語 🙂","list":[true,false,null,1.5e-7],"":"","a":{"b":{"c":[[[["d"]]]]}}}"#.utf8)),
            ("no end", Array(Self.usual(1).utf8.dropLast(70))), ("no beginning", Array(Self.usual(1).utf8.dropFirst(70))),
        ]
        for (label, body) in bodies { try Self.expectSame([body], label) }
        try Self.expectSame(bodies.map(\.1), "all of them")
    }

    @Test func `is the same again with any bytes in its values`() throws {
        for piece in [
            "\u{0}", "\u{1}", "\u{2}", "\u{3}", "\u{1D}", "\u{1E}", "\u{1F}", "\u{7F}", "\u{80}", "é", "🙂", "\\u0000", "\\\"",
            "\\\\", "\\\\\\\"", "{", "}", #"\"requestParameters\":{"#, #"\"eventId\":\""#, "",
        ] {
            for parameters in [
                #"{"Name":"\#(piece)"}"#, #"{"Name":"begins as others do, then \#(piece) and ends"}"#,
                #"{"\#(piece)":"a value"}"#,
            ] {
                let body = Self.event(parameters: parameters)
                try Self.expectSame([Array(body.utf8)], "\(piece.debugDescription) in \(parameters)")
                try Self.expectSame([Array(Self.event(parameters: parameters, text: parameters).utf8)], "\(parameters), as text")
            }
        }
    }

    @Test func `is the same again if it is huge`() throws {
        let long = String(repeating: "a long value ", count: 300_000 / 13)
        let bodies = [
            Self.event(parameters: #"{"Name":"\#(long)","Again":"\#(long)"}"#),
            Self.event(parameters: "[" + (0..<60_000).map { "\($0)" }.joined(separator: ",") + "]"),
            Self.event(parameters: #"{"Data":"\#(String(repeating: "\\\\\\\"", count: 200_000))"}"#),
            Self.event(parameters: "{" + (0..<3000).map { #""k\#($0)":"cn-hangzhou""# }.joined(separator: ",") + "}"),
        ]
        try Self.expectSame(bodies.map { Array($0.utf8) }, "huge ones")
    }

    @Test(arguments: [254, 255, 256, 257, 300]) func `is the same again with many identifiers and long values`(count: Int) throws
    {
        let identifiers = (0..<count).map { #""\#(Self.identifier($0))""# }.joined(separator: ",")
        let values = (0..<count).map { #""a value of some length, \#($0)""# }.joined(separator: ",")
        let both = (0..<count).map { #""\#(Self.identifier($0))","a value of some length, \#($0)""# }.joined(separator: ",")
        for list in [identifiers, values, both] {
            // Each once, and each twice, the last ones with numbers that a byte cannot say.
            for parameters in [#"{"List":[\#(list)]}"#, #"{"List":[\#(list)],"Again":[\#(list)]}"#] {
                try Self.expectSame([Array(Self.event(parameters: parameters).utf8)], "\(count)")
            }
        }
    }

    @Test func `is the same again if the text of its parameters is not quite that`() throws {
        let object = #"{"a":"b","c":{"d":"e \" f"},"g":"a value of some length"}"#
        let text = Self.escaped(object)
        let more: [(String, String)] = [
            ("shorter", String(text.dropLast(20))), ("longer", text + ","), ("another", text.replacing("b", with: "x")),
            ("empty", ""), ("not escaped", object), ("escaped twice", Self.escaped(text)),
            ("cut in an escape", String(text.prefix(3))),
        ]
        for (label, text) in more {
            try Self.expectSame([Array(Self.event(parameters: object, text: text).utf8)], label)
        }
        let twice = Self.event(parameters: object).dropLast() + #","requestParameterJson":"\#(text)"}"#
        try Self.expectSame([Array(twice.utf8)], "twice")
        // The text stands in the object whose text it is.
        let inside =
            #"{"requestParameters":{"requestParameterJson":"{\"requestParameterJson\":\"{"},"eventId":"\#(Self.id)","#
            + #""requestId":"\#(Self.id)","serviceName":"Ecs"}"#
        try Self.expectSame([Array(inside.utf8)], "inside")
        let deeper = #"{"requestParameters":{"a":"b","#
        let deeperText = Self.escaped(#"{"a":"b","#)
        try Self.expectSame(
            [Array((deeper + #""requestParameterJson":"\#(deeperText)"},"requestId":"\#(Self.id)","e":"\#(Self.id)"}"#).utf8)],
            "inside, of what is before it")
    }

    /// Pieces that mislead: keys within texts, brackets within texts, ids within ids, members in any order, cut anywhere.
    @Test(arguments: UInt64(0)..<40) func `is the same again whatever it holds`(seed: UInt64) throws {
        var random = Seeded(seed)
        let pieces = [
            #""eventId":""#, #""requestParameters":{"#, #""requestParameterJson":""#, "\"", "\\", "\\\"", "{", "}", "[", "]", ",",
            Self.id, Self.id.lowercased(), String(Self.id.prefix(9)), #"\"eventId\":\""#, #"\"requestParameters\":{"#, "é", " ",
            "\u{1}", "\u{2}", "a\":1", Self.usual(3), Self.event(parameters: #"{"a":"b"}"#), "cn-hangzhou", "12", "-1.5e3",
            Self.event(parameters: #"{"a":{"b":"\#(Self.id)"}}"#), "{\\\"a\\\":\\\"b\\\"}", #"{"requestParameterJson":""#,
            #"{\"requestParameterJson\":\""#, #"","eventName":""#,
        ]
        var bodies: [[UInt8]] = []
        for _ in 0..<300 {
            var text = ""
            for _ in 0..<Int.random(in: 1..<30, using: &random) { text += pieces.randomElement(using: &random)! }
            var bytes = Array(text.utf8)
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            if !bytes.isEmpty, Bool.random(using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bodies.append(bytes)
        }
        try Self.expectSame(bodies, "seed \(seed)")
    }

    @Test func `keeps its flags and digest`() throws {
        var payload = FramePayload(account: "anna", dictionary: Self.dictionary)
        let bodies = [Self.usual(1), "{}", Self.usual(2)].map { Array($0.utf8) }
        bodies[0].withUnsafeBytes { payload.append($0, flags: .conflict, receivedDigest: (1, .max)) }
        bodies[1].withUnsafeBytes { payload.append($0, flags: .conflict, receivedDigest: nil) }
        bodies[2].withUnsafeBytes { payload.append($0, flags: [], receivedDigest: (2, 3)) }
        let records = try payload.prepared().decoded(with: Self.dictionary)
        #expect(records.map(\.bytes) == bodies)
        #expect(records.map(\.count) == bodies.map(\.count))
        #expect(records.map(\.flags) == [.conflict, .conflict, []])
        #expect(records.map { $0.receivedDigest?.0 } == [1, nil, 2])
        #expect(records.map { $0.receivedDigest?.1 } == [.max, nil, 3])
        #expect(records.allSatisfy { $0.account == "anna" })
        // The next frame begins empty.
        #expect(payload.count == 0)
        bodies[2].withUnsafeBytes { payload.append($0, flags: [], receivedDigest: nil) }
        #expect(try payload.prepared().decoded(with: Self.dictionary).map(\.bytes) == [bodies[2]])
    }

    // MARK: Books

    @Test func `is written in one way`() {
        let book = PhraseBook(from: Self.usualBodies)
        #expect(PhraseBook(from: Self.usualBodies).encoded == book.encoded)
        let used = PhraseWriter(book: book)
        for body in Self.usualBodies { body.withUnsafeBytes { _ = used.write($0) } }
        for number in 0..<20 {
            let body = Array(Self.usual(number * 77).utf8)
            func write(_ writer: PhraseWriter) -> [UInt8]? {
                body.withUnsafeBytes { body in writer.write(body).map { Array($0.bytes) + $0.identifiers } }
            }
            let fresh = PhraseWriter(book: book)
            #expect(write(fresh) == write(used), "what was written before does not matter")
            #expect(write(fresh) != nil)
        }
    }

    @Test func `can be written with a book that was read`() throws {
        let book = PhraseBook(from: Self.usualBodies)
        #expect(book.phrases.count > 5 && book.values.count > 5)
        let read = try book.encoded.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            let book = try PhraseBook(decoding: &reader)
            #expect(reader.isAtEnd)
            return book
        }
        #expect(read.encoded == book.encoded)
        let again = FrameDictionary(id: 7, book: read, content: Array(Self.usualBodies[..<20].joined()))
        var payload = FramePayload(account: "a", dictionary: Self.dictionary)
        for body in Self.usualBodies { body.withUnsafeBytes { payload.append($0, flags: [], receivedDigest: nil) } }
        #expect(try payload.prepared().decoded(with: again).map(\.bytes) == Self.usualBodies)
    }

    @Test func `has a book of what comes three times or more`() {
        let bodies = [#"{"a":"one","b":"two"}"#, #"{"a":"one","b":"two"}"#, #"{"a":"one","b":"three"}"#].map { Array($0.utf8) }
        let book = PhraseBook(from: bodies)
        func number(_ text: String, _ table: PhraseTable) -> Int? { Array(text.utf8).withUnsafeBytes { table.number(of: $0) } }
        #expect(book.phrases.count == 3)
        for phrase in [#"{"a":""#, #"","b":""#, #""}"#] { #expect(number(phrase, book.phrases) != nil, "\(phrase)") }
        #expect(book.values.count == 1)
        #expect(number("one", book.values) == 0)
        #expect(number("two", book.values) == nil)
        #expect(PhraseBook(from: Array(bodies[..<2])).isEmpty)
        #expect(PhraseBook(from: []).isEmpty)
    }
}
