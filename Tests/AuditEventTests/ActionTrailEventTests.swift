// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Testing

@Suite struct `An ActionTrail event` {
    @Test func `that is complete is stored as received without white space`() {
        let text = event(#""z":1.50,"a":"\u0041\/","#)
        let batch = parse(" " + text.replacing(#"":"#, with: #"" : "#))
        #expect(batch.stored() == text)
        #expect(batch.events[0].digest == batch.events[0].receivedDigest)
        #expect(batch.events[0].digest == EventDigest(hashing: Array(text.utf8)))
        #expect(batch.events[0].timeMilliseconds == now)
        #expect(batch.text(of: batch.events[0].region) == "cn-hangzhou")
        #expect(batch.text(of: batch.events[0].account) == "1000000000000001")
        #expect(batch.text(of: batch.events[0].eventId) == "E-1")
    }

    @Test func `that lacks members has them appended`() throws {
        let received = #"{"eventName":"CreateTrail"}"#
        let batch = parse(received)
        let id = batch.text(of: batch.events[0].eventId)
        #expect(
            batch.stored()
                == #"{"eventName":"CreateTrail","eventId":"\#(id)","eventTime":"2026-01-01T00:00:00Z","recipientAccountId":"1000000000000001","acsRegion":"local-1"}"#
        )
        #expect(batch.events[0].receivedDigest == EventDigest(hashing: Array(received.utf8)))
        #expect(batch.events[0].digest == EventDigest(hashing: Array(batch.bytes(of: batch.events[0]))))
        #expect(batch.text(of: batch.events[0].region) == "local-1")
        #expect(batch.values(.eventId) == [id])
    }

    @Test func `without an id gets one from its bytes`() throws {
        let batch = parse("{\"eventName\":\"x\"}\n{ \"eventName\" : \"x\" }\n{\"eventName\":\"y\"}")
        let ids = batch.events.map { batch.text(of: $0.eventId) }
        #expect(ids[0] == ids[1])
        #expect(ids[0] != ids[2])
        #expect(
            try #/[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}/#.wholeMatch(in: ids[0]) != nil)
        let digest = EventDigest(hashing: Array(#"{"eventName":"x"}"#.utf8)).description.uppercased()
        #expect(ids[0].prefix(8) == digest.prefix(8))
        #expect(ids[0].suffix(12) == digest.prefix(32).suffix(12))
    }

    @Test(arguments: ["null", "\"\""])
    func `with an empty id or time has it replaced where it stands`(empty: String) {
        let batch = parse(#"{"eventTime":\#(empty),"eventName":"x","eventId": \#(empty) ,"acsRegion":"r","k":0}"#)
        let id = batch.text(of: batch.events[0].eventId)
        #expect(
            batch.stored()
                == #"{"eventTime":"2026-01-01T00:00:00Z","eventName":"x","eventId":"\#(id)","acsRegion":"r","k":0,"recipientAccountId":"1000000000000001"}"#
        )
        #expect(batch.events[0].timeMilliseconds == now)
        #expect(id.count == 36)
        #expect(batch.events[0].receivedDigest != batch.events[0].digest)
    }

    @Test func `keeps an empty region and account`() {
        let batch = parse(
            #"{"eventName":"x","eventId":"1","eventTime":1767225600,"acsRegion":"","recipientAccountId":null}"#)
        #expect(batch.events[0].digest == batch.events[0].receivedDigest)
        #expect(batch.events[0].region.isEmpty && batch.events[0].account.isEmpty)
    }

    @Test func `completes with context that needs escapes`() throws {
        let odd = ReceivingContext(accountId: "a\"b", region: "r\\", nowMilliseconds: now)
        let batch = EventParser().parse(Array(#"{"eventName":"x"}"#.utf8), format: .auto, context: odd)
        #expect(try batch.object().text("recipientAccountId") == "a\"b")
        #expect(batch.text(of: batch.events[0].account) == "a\"b")
        #expect(batch.text(of: batch.events[0].region) == "r\\")
    }

    @Test(arguments: ["\"yesterday\"", "true", "{}", "12", "\"2026-02-30T00:00:00Z\""])
    func `with a time that is none is rejected`(time: String) {
        #expect(parse(#"{"eventName":"x","eventTime":\#(time)}"#).rejections == ["1 InvalidEventTime"])
    }

    @Test(
        arguments: [
            ("1767225600", now), ("1767225600250", now + 250), ("\"2026-01-01T08:00:00+0800\"", now),
            (#""2026\u002d01-01T00:00:00Z""#, now),
        ] as [(String, Int64)])
    func `may tell its time in several ways`(time: String, expected: Int64) {
        let batch = parse(#"{"eventName":"x","eventTime":\#(time)}"#)
        #expect(batch.events.first?.timeMilliseconds == expected)
        #expect(batch.stored().contains(#""eventTime":\#(time)"#))
    }

    @Test func `with an id that is not text is rejected`() {
        #expect(parse(#"{"eventName":"x","eventId":5}"#).rejections == ["1 InvalidEventId"])
    }

    @Test(arguments: [
        (#"{"eventName":"x","eventName":"x"}"#, "the key \"eventName\" occurs twice"),
        (#"{"eventName":"x","event\u004eame":"y"}"#, "the key \"eventName\" occurs twice"),
        (#"{"eventName":"x","acsRegion":1,"acsRegion":null}"#, "the key \"acsRegion\" occurs twice"),
        (#"{"EventName":"x","EventName":"x"}"#, "the key \"eventName\" occurs twice"),
        (
            #"{"eventName":"x","userIdentity":{"userName":"a","userName":"b"}}"#,
            "the key \"userName\" occurs twice in userIdentity"
        ),
    ])
    func `with a known key twice is rejected`(text: String, message: String) {
        let batch = parse(text)
        #expect(batch.rejections == ["1 DuplicateKey"])
        #expect(batch.rejected.first?.message == message)
    }

    @Test func `may have unknown and foreign keys twice`() {
        #expect(parse(#"{"eventName":"x","k":1,"k":2,"type":1,"type":2}"#).rejected.isEmpty)
    }

    @Test func `may have keys with escapes`() {
        let batch = parse(#"{"event\u004eame":"x","\u0065ventId":"I","userIdentity":{"user\u004eame":"u"}}"#)
        #expect(batch.values(.eventName) == ["x"])
        #expect(batch.values(.eventId) == ["I"])
        #expect(batch.values(.user) == ["u"])
        #expect(!batch.stored().contains("\"eventId\""))
    }

    @Test func `may have capitalised keys`() {
        let batch = parse(
            #"{"EventName":"AppendVSwitchId","EventId":"P","EventTime":"2026-01-01T00:00:00.366+0000","AcsRegion":"cn","EventRW":"read","ServiceName":"RealtimeCompute","EventType":"ApiCall","SourceIpAddress":"10.0.0.1","UserIdentity":{"Type":"root-account","UserName":"root","AccessKeyId":"TMP.1","PrincipalId":"11"},"ReferencedResources":{"A":["r"]}}"#
        )
        #expect(batch.events[0].timeMilliseconds == now + 366)
        #expect(
            batch.allTerms(0) == [
                "eventId=P", "eventName=AppendVSwitchId", "serviceName=RealtimeCompute", "user=root", "resourceType=A",
                "resourceName=r", "eventRW=Read", "accessKeyId=TMP.1", "eventType=ApiCall", "sourceIpAddress=10.0.0.1",
                "principalId=11",
            ])
        #expect(batch.stored().hasSuffix(#""recipientAccountId":"1000000000000001"}"#))
    }

    @Test func `prefers the normal spelling to the capitalised one`() {
        let batch = parse(
            #"{"EventName":"B","eventName":"A","EventId":"2","eventId":null,"UserIdentity":{"UserName":"x","userName":"y"}}"#
        )
        #expect(batch.values(.eventName) == ["A"])
        #expect(batch.values(.eventId) == ["2"])
        #expect(batch.values(.user) == ["y"])
    }

    @Test func `may come from the platform itself`() {
        let batch = parse(
            #"{"EventID":"I-1","EventVersion":"1.0.0","EventProduct":"ecs","EventName":"DescribeDisk","EventTime":"2026-01-01T00:00:00Z","ResourceType":"disk","ResourceID":"d-1","ResourceRegionID":"cn-beijing","ResourceOwnerID":"77"}"#
        )
        #expect(batch.values(.eventId) == ["I-1"])
        #expect(batch.values(.serviceName) == ["ecs"])
        #expect(batch.values(.resourceType) == ["disk"])
        #expect(batch.values(.resourceName) == ["d-1"])
        #expect(batch.text(of: batch.events[0].region) == "cn-beijing")
        #expect(batch.text(of: batch.events[0].account) == "77")
        #expect(!batch.events[0].isWrite)
    }

    @Test func `extracted again gives the same`() {
        for text in [
            #"{"eventName":"x"}"#, #"{"eventName":"\u0078","eventId":"","eventTime":null}"#, event(),
            #"{"eventName":"x","resourceName":"a;b\u002cc","userIdentity":{"type":"assumed-role","userName":"r\u003as"}}"#,
        ] {
            let batch = parse(text)
            let stored = Array(batch.bytes(of: batch.events[0]))
            let fields = EventFields.extract(stored)
            #expect(fields?.allTerms(in: stored) == batch.allTerms(0))
            #expect(fields?.timeMilliseconds == batch.events[0].timeMilliseconds)
        }
        #expect(EventFields.extract(Array("[]".utf8)) == nil)
        #expect(EventFields.extract(Array(#"{"eventName":"x"}"#.utf8)) == nil)
        #expect(EventFields.extract([]) == nil)
    }

    @Test func `that is stored and sent again is unchanged`() {
        let first = parse(#"{"eventName":"x"}"#)
        let second = parse(first.stored())
        #expect(second.stored() == first.stored())
        #expect(second.events[0].digest == first.events[0].digest)
    }
}
