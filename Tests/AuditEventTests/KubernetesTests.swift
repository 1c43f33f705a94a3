// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Testing

@Suite struct `A Kubernetes audit record` {
    private func record(_ more: String) -> String {
        #"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a-1","stage":"ResponseComplete","verb":"delete"\#(more.isEmpty ? "" : ",")\#(more)}"#
    }

    @Test func `becomes an ActionTrail event`() throws {
        let batch = parse(
            record(
                #""requestURI":"/apis/x","user":{"username":"alice@example.com","uid":"u-7","extra":{"accessKeyId":["AKIA"]}},"impersonatedUser":{"username":"bob"},"sourceIPs":["192.0.2.1","10.0.0.1"],"userAgent":"kubectl","objectRef":{"resource":"pods","subresource":"exec","namespace":"prod","name":"web","apiGroup":"g","apiVersion":"v1"},"responseStatus":{"code":403,"reason":"Forbidden","message":"no"},"requestReceivedTimestamp":"2026-01-01T00:00:00.000001Z","stageTimestamp":"2026-01-01T00:00:00.250999Z""#
            ))
        let object = try batch.object()
        let expected = [
            "eventId": "a-1", "eventName": "delete", "eventRW": "Write", "eventType": "ApiCall", "requestId": "a-1",
            "serviceName": "Kubernetes", "eventSource": "kubernetes", "eventTime": "2026-01-01T00:00:00.250Z",
            "acsRegion": "local-1", "recipientAccountId": "1000000000000001", "sourceIpAddress": "192.0.2.1",
            "userAgent": "kubectl", "resourceType": "Kubernetes::pods/exec", "resourceName": "prod/web",
            "errorCode": "Forbidden", "errorMessage": "no", "userIdentity.type": "ram-user",
            "userIdentity.userName": "alice@example.com", "userIdentity.principalId": "u-7",
            "userIdentity.accessKeyId": "AKIA", "requestParameters.requestURI": "/apis/x",
            "requestParameters.namespace": "prod", "requestParameters.resource": "pods",
            "requestParameters.name": "web",
            "requestParameters.apiGroup": "g", "requestParameters.apiVersion": "v1",
            "requestParameters.subresource": "exec", "additionalEventData.impersonatedUser": "bob",
        ]
        for (path, value) in expected { #expect(object.text(path) == value, "\(path)") }
        #expect(batch.values(.resourceName) == ["web", "prod/web"])
        #expect(batch.events[0].timeMilliseconds == now + 250)
        #expect(!batch.events[0].isGlobal)
    }

    @Test(arguments: [
        ("ResponseComplete", "a-1"), ("Panic", "a-1"), ("RequestReceived", "a-1/RequestReceived"),
        ("ResponseStarted", "a-1/ResponseStarted"),
    ])
    func `has an id for each stage`(stage: String, id: String) {
        #expect(parse(record("").replacing("ResponseComplete", with: stage)).values(.eventId) == [id])
    }

    @Test(arguments: [
        ("get", "Read"), ("list", "Read"), ("watch", "Read"), ("head", "Read"), ("create", "Write"), ("patch", "Write"),
        ("deletecollection", "Write"),
    ])
    func `reads or writes by its verb`(verb: String, expected: String) {
        #expect(parse(record("").replacing("delete", with: verb)).values(.eventRW) == [expected])
    }

    @Test func `tells people from the system`() throws {
        let account = try parse(record(#""user":{"username":"system:serviceaccount:a:b"}"#)).object()
        #expect(account.text("userIdentity.type") == "system")
        #expect(account.text("userIdentity.principalId") == "system:serviceaccount:a:b")
    }

    @Test func `takes the first time there is`() {
        #expect(
            parse(record(#""timestamp":"2026-01-01T00:00:01Z","stageTimestamp":null"#)).events[0].timeMilliseconds
                == now + 1000)
        #expect(
            parse(record(#""metadata":{"creationTimestamp":"2026-01-01T00:00:02Z"}"#)).events[0].timeMilliseconds == now
                + 2000)
        #expect(parse(record(#""metadata":{"creationTimestamp":null}"#)).events[0].timeMilliseconds == now)
    }

    @Test func `without verb, object or reason still says something`() throws {
        let batch = parse(#"{"kind":"Event","auditID":"a","stage":"Panic","responseStatus":{"code":500}}"#)
        #expect(batch.values(.eventName) == ["unspecified"])
        #expect(try batch.object().text("errorCode") == "500")
        #expect(try parse(record(#""responseStatus":{"code":201}"#)).object()["errorCode"] == nil)
        let cluster = parse(record(#""objectRef":{"resource":"nodes","name":"n1"},"annotations":{"cluster":"blue"}"#))
        #expect(try cluster.object().text("eventSource") == "blue")
        #expect(cluster.values(.resourceName) == ["n1"])
    }
}
