// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Testing

@Suite struct `A CloudEvent` {
    private func record(
        _ type: String = "com.github.push.created", source: String = "https://github.com/x", _ more: String = ""
    ) -> String {
        #"{"specversion":"1.0","id":"ce-1","type":"\#(type)","source":"\#(source)"\#(more.isEmpty ? "" : ",")\#(more)}"#
    }

    @Test func `becomes an ActionTrail event`() throws {
        let batch = parse(
            record(
                #"com.github.push.created"#,
                #""subject":"repo/a,b","time":"2026-01-01T00:00:00Z","authtype":"user","authid":"alice","data":{"sourceIpAddress":"192.0.2.2"}"#
            ))
        let object = try batch.object()
        let expected = [
            "eventId": "ce-1", "eventName": "com.github.push.created", "eventSource": "https://github.com/x",
            "serviceName": "github", "resourceType": "CloudEvents::Subject", "resourceName": "repo/a,b",
            "eventRW": "Write", "userIdentity.userName": "alice", "userIdentity.type": "ram-user",
            "sourceIpAddress": "192.0.2.2", "acsRegion": "local-1",
        ]
        for (path, value) in expected { #expect(object.text(path) == value, "\(path)") }
        #expect(batch.values(.resourceName) == ["repo/a,b", "repo/a", "b"])
        #expect(batch.events[0].timeMilliseconds == now)
    }

    @Test func `may come in a batch`() {
        let batch = parse("[\(record()),\(record())]")
        #expect(batch.events.count == 2)
    }

    @Test(arguments: [
        ("com.github.push", "github"), ("ecs:ActionTrail:ApiCall", "ecs"), ("order.created", "shop.example"),
        ("io.cncf.x.y", "cncf"), ("plain", "shop.example"),
    ])
    func `has a service`(type: String, service: String) {
        #expect(parse(record(type, source: "https://shop.example/orders")).values(.serviceName) == [service])
        #expect(parse(record("plain", source: "/local")).values(.serviceName) == ["/local"])
    }

    @Test(arguments: [("a.b.get", "Read"), ("a.object.list", "Read"), ("a:read", "Read"), ("a.b.created", "Write")])
    func `reads or writes by its type's end`(type: String, expected: String) {
        #expect(parse(record(type)).values(.eventRW) == [expected])
    }

    @Test(
        arguments: [
            (#""data":{"user":"u"}"#, "u"), (#""data":{"actor":{"login":"l"}}"#, "l"),
            (#""data":{"userIdentity":{"type":"ram-user","userName":"i"}}"#, "i"),
            (#""data":{"userIdentity":"t"}"#, "t"),
            (#""authtype":"system""#, "system"), (#""data":[1]"#, nil),
        ] as [(String, String?)])
    func `has its actor found`(more: String, user: String?) {
        #expect(parse(record("t", more)).values(.user).first == user)
    }

    @Test func `that carries an ActionTrail event is that event`() throws {
        let batch = parse(
            record(
                "ecs:ActionTrail:ApiCall", source: "acs.ecs",
                #""data":{"eventId":"at-1","eventName":"StopInstance","eventRW":"Write","eventTime":"2026-01-01T00:00:05Z","acsRegion":"cn-beijing","serviceName":"Ecs","eventType":"ApiCall","isGlobal":true,"recipientAccountId":"9","referencedResources":{"ACS::ECS::Instance":["i-9"]},"requestParameters":{"a":1},"userIdentity":{"type":"assumed-role","userName":"r:s","principalId":"p"}}"#
            ))
        #expect(
            batch.allTerms(0) == [
                "eventId=at-1", "eventName=StopInstance", "serviceName=Ecs", "user=r:s",
                "resourceType=ACS::ECS::Instance",
                "resourceName=i-9", "eventRW=Write", "eventType=ApiCall", "roleName=r", "principalId=p",
            ])
        #expect(batch.events[0].timeMilliseconds == now + 5000)
        #expect(batch.events[0].isGlobal)
        #expect(batch.text(of: batch.events[0].region) == "cn-beijing")
        #expect(batch.text(of: batch.events[0].account) == "9")
    }
}
