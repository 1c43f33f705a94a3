// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import TestSupport
import Testing

@Suite struct `A body` {
    @Test func `of lines has an event for each, blank ones skipped`() {
        let batch = parse("\u{feff}\(event(id: "A"))\r\n\n  \n\(event(id: "B"))\n")
        #expect(batch.values(.eventId, 0) == ["A"])
        #expect(batch.values(.eventId, 1) == ["B"])
        #expect(batch.events.map(\.line) == [1, 4])
        #expect(batch.rejected.isEmpty)
    }

    @Test func `of countless bad lines costs little, loses none and takes no good one down`() {
        let bad = EventParser.namedRejections + 200_000
        let batch = parse(String(repeating: "x\n", count: bad) + event(id: "A"))
        #expect(batch.events.map(\.line) == [bad + 1])
        #expect(batch.rejected.reduce(0) { $0 + $1.count } == bad)
        #expect(batch.rejected.count < EventParser.namedRejections + 20)
        let later = batch.rejected.dropFirst(EventParser.namedRejections)
        #expect(later.allSatisfy { $0.rejection == .tooManyBadRecords && $0.range.count <= 64 << 10 })
        #expect(later.first?.line == EventParser.namedRejections + 1)
        #expect(batch.bytes(of: later.first!).prefix(4).elementsEqual("x\nx\n".utf8))
    }

    @Test func `may be one pretty-printed object, or several`() {
        let pretty = """
            {
              "eventName": "StopLogging",
              "eventId": "A", "eventTime": "2026-01-01T00:00:00Z",
              "acsRegion": "x", "recipientAccountId": "1",
              "requestParameters": { "a": [ 1, 2 ] }
            }
            """
        let batch = parse(pretty + "\n\n" + pretty)
        #expect(batch.events.map(\.line) == [1, 8])
        #expect(
            batch.stored(1)
                == #"{"eventName":"StopLogging","eventId":"A","eventTime":"2026-01-01T00:00:00Z","acsRegion":"x","recipientAccountId":"1","requestParameters":{"a":[1,2]}}"#
        )
    }

    @Test func `may be an array, counted by elements`() {
        let batch = parse("[\(event(id: "A")),\n 5 ,\(event(id: "B")) ]\n")
        #expect(batch.events.map(\.line) == [1, 3])
        #expect(batch.rejections == ["2 NotAnObject"])
        #expect(parse("[]").events.isEmpty)
        #expect(parse(" [ ] ").rejected.isEmpty)
    }

    @Test func `may be CloudTrail's Records`() {
        let record = #"{"eventID":"c","eventName":"GetUser","awsRegion":"us-east-1","eventSource":"iam.amazonaws.com"}"#
        let batch = parse(#"{ "Records" : [ \#(record), \#(record) ] , "more": {"a":1} }"#)
        #expect(batch.events.map(\.line) == [1, 2])
        #expect(batch.rejected.isEmpty)
        #expect(batch.values(.serviceName) == ["iam"])
        #expect(parse(#"{"Records":[]}"#).rejected.isEmpty)
    }

    @Test(arguments: [
        #"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[X,X]}"#,
        #"{"apiVersion":"audit.k8s.io/v1","items":[X,X],"kind":"EventList","metadata":{"a":[]}}"#,
    ])
    func `may be a Kubernetes EventList, whose items have no kind`(list: String) {
        let item = #"{"auditID":"k","stage":"ResponseComplete","verb":"get","user":{"username":"eve"}}"#
        let batch = parse(list.replacing("X", with: item))
        #expect(batch.events.count == 2)
        #expect(batch.values(.user) == ["eve"])
        #expect(batch.rejected.isEmpty)
    }

    @Test func `of nothing has nothing`() {
        for body in ["", " ", "\n\n", "\u{feff}"] {
            let batch = parse(body)
            #expect(batch.events.isEmpty && batch.rejected.isEmpty)
        }
    }

    @Test(arguments: [
        ("{\"eventName\":\"x\"", "InvalidJSON"), ("{\"eventName\":\"x", "InvalidJSON"), ("nonsense", "InvalidJSON"),
        ("{\"eventName\":\"x\",", "InvalidJSON"), ("{\"a\":[", "InvalidJSON"), ("{", "InvalidJSON"),
        ("{\"a\":", "InvalidJSON"), ("5", "NotAnObject"), ("\"text\"", "NotAnObject"), ("[1]", "NotAnObject"),
        ("{}", "UnrecognizedFormat"), ("{\"a\":1}", "UnrecognizedFormat"), ("{\"eventName\":\"\"}", "MissingEventName"),
        ("{\"eventName\":null}", "MissingEventName"), ("{\"eventName\":7}", "MissingEventName"), ("}", "InvalidJSON"),
        ("\u{1}", "InvalidJSON"), ("{\"eventName\":\"x\"} trailing", "InvalidJSON"),
        ("{\"eventName\":\"x\"},", "InvalidJSON"),
        ("  {\"eventName\":\"x\"", "InvalidJSON"),
    ])
    func `keeps its good lines whatever stands between them`(bad: String, code: String) {
        let batch = parse("\(event(id: "A"))\n\(bad)\n\(event(id: "B"))\n   \(event(id: "C"))\n")
        #expect(batch.events.count == 3)
        #expect(batch.events.map(\.line) == [1, 3, 4])
        #expect(batch.rejections == ["2 \(code)"])
        let kept = String(decoding: batch.bytes(of: batch.rejected[0]), as: UTF8.self)
        #expect(kept == bad.trimmingPrefix(while: { $0 == " " }))
    }

    @Test func `keeps its good lines among many that run on`() {
        let open = #"{"a":[{},"# + "\n"
        let batch = parse(String(repeating: "\(open)\(open)\(event())\n", count: 500))
        #expect(batch.events.count == 500)
        #expect(batch.rejected.count == 1000)
        #expect(batch.events.last?.line == 1500)
    }

    @Test func `goes on behind a broken pretty-printed object`() {
        let batch = parse("{\n  \"eventName\": oops,\n  \"a\": {\n    \"b\": 1\n  }\n}\n\(event())\n")
        #expect(batch.events.map(\.line) == [7])
        #expect(batch.rejections == ["1 InvalidJSON"])
        #expect(batch.rejected[0].message == "a JSON value was expected at byte 17 of the record")
    }

    @Test func `that is an array goes on behind a broken element`() {
        for bad in [#"{"a":01}"#, #"{"a":"\q"}"#, #"{"a" 1}"#, "oops", #"{"a":["x\"]",]}"#, "[1,]", "{]"] {
            let batch = parse("[\(event(id: "A")), \(bad) , \(event(id: "B"))]")
            #expect(batch.events.map(\.line) == [1, 3], "\(bad)")
            #expect(batch.rejections == ["2 InvalidJSON"], "\(bad)")
        }
        let crossed = parse("[\(event()), {\"a\":[}]}, \(event())]")
        #expect(crossed.events.count == 1)
        #expect(crossed.rejections == ["2 InvalidJSON"])
        let unclosed = parse("[\(event()), {\"a\":[1, \(event())")
        #expect(unclosed.events.count == 1)
        #expect(unclosed.rejections == ["2 InvalidJSON"])
        let ended = parse("[\(event())")
        #expect(ended.events.count == 1)
        #expect(ended.rejections == ["2 InvalidJSON"])
    }

    @Test func `says where it is broken`() {
        let batch = parse("\n  {\"eventName\":\"a\tb\"}")
        #expect(batch.rejected[0].line == 2)
        #expect(batch.rejected[0].message == "a control character stands in a string at byte 15 of the record")
        #expect(batch.rejected[0].code == "InvalidJSON")
    }

    @Test func `has its depth limited`() {
        let deep = { (depth: Int) in
            "{\"eventName\":\"x\",\"a\":" + String(repeating: "[", count: depth - 1)
                + String(repeating: "]", count: depth - 1) + "}"
        }
        let batch = parse("\(deep(128))\n\(deep(129))\n\(event())")
        #expect(batch.events.map(\.line) == [1, 3])
        #expect(batch.rejections == ["2 NestingTooDeep"])
        #expect(EventFields.extract(Array(batch.bytes(of: batch.events[0]))) != nil)
        let list = parse("[\(deep(129)),\(event())]")
        #expect(list.rejections == ["1 NestingTooDeep"])
        #expect(list.events.count == 1)
    }

    @Test func `has its events' size limited, and quarantines the first 64 KiB`() {
        let filler = { (count: Int) in "\"pad\":\"\(String(repeating: "p", count: count))\"," }
        let bare = event(filler(0)).utf8.count
        let largest = event(filler(EventParser.maximumEventBytes - bare))
        #expect(largest.utf8.count == EventParser.maximumEventBytes)
        let batch = parse("\(largest)\n\(event(filler(EventParser.maximumEventBytes - bare + 1)))\n\(event(id: "B"))")
        #expect(batch.events.map(\.line) == [1, 3])
        #expect(batch.rejections == ["2 EventTooLarge"])
        #expect(batch.bytes(of: batch.rejected[0]).count == 65536)
        let manyValues = event("\"a\":[" + String(repeating: "0,", count: 3 << 20) + "0],")
        #expect(parse("\(manyValues)\n\(event())").rejections == ["1 EventTooLarge"])
        let openLists = event("\"a\":[" + String(repeating: "[],", count: 3 << 20) + "0],")
        #expect(parse("[\(openLists),\(event())]").events.count == 1)
    }

    @Test func `cut anywhere never traps and keeps what was whole before`() {
        let whole = """
            {"eventId":"A","eventName":"x","eventTime":1767225600,"ü\\u00fc":[1.5e3,true,null,{"😀":"\\ud83d\\ude00"}]}
            """
        let bytes = Array(whole.utf8)
        for format in EventFormat.allCases {
            for cut in 0...bytes.count {
                let start = Array("\(event())\n".utf8)
                let batch = EventParser().parse(start + bytes[..<cut], format: format, context: here)
                #expect(batch.events.count + batch.rejected.count == (cut == 0 ? 1 : 2))
                let list = EventParser().parse([0x5B] + bytes[..<cut], format: format, context: here)
                #expect(list.events.count <= 1)
            }
        }
        for cut in 0...bytes.count { _ = EventFields.extract(Array(bytes[..<cut])) }
    }

    @Test func `with one byte changed never traps`() {
        let bytes = Array(event(#""referencedResources":{"a":["b"]},"userIdentity":{"type":"x"},"#).utf8)
        var generator = SeededGenerator(state: 3)
        for place in bytes.indices {
            for _ in 0..<8 {
                var changed = bytes
                changed[place] = UInt8.random(in: 0...255, using: &generator)
                let batch = EventParser().parse(changed, format: .auto, context: here)
                #expect(batch.events.count + batch.rejected.count >= 1)
                for event in batch.events { #expect(EventFields.extract(Array(batch.bytes(of: event))) != nil) }
            }
        }
    }

    @Test func `of many events outgrows no room`() {
        let tiny = #"{"eventName":"x"}"#
        let batch = parse(String(repeating: tiny + "\n", count: 50_000))
        #expect(batch.events.count == 50_000)
        #expect(batch.events.last?.line == 50_000)
        let audit = #"{"kind":"Event","auditID":"a","verb":"get"}"#
        let translated = parse(String(repeating: audit, count: 20_000))
        #expect(translated.events.count == 20_000)
        for event in [translated.events[0], translated.events[19_999]] {
            #expect(EventDigest(hashing: Array(translated.bytes(of: event))) == event.digest)
        }
    }
}

extension EventDigest {
    init(hashing bytes: [UInt8]) { self = bytes.withUnsafeBytes { EventDigest(hashing: $0) } }
}
