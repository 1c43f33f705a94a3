// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Testing

@Suite struct `The terms of an event` {
    @Test func `are its values in the order of the attributes`() {
        let batch = parse(
            event(
                #""serviceName":"Ecs","eventType":"ApiCall","eventRW":"Write","sourceIpAddress":"192.0.2.1","resourceType":"ACS::ECS::Disk;ACS::ECS::Instance","resourceName":"d-1,d-2;i-1","referencedResources":{"ACS::ECS::Instance":["i-1","i-2"]},"userIdentity":{"type":"assumed-role","userName":"ops:alice:x","principalId":"33:alice","accessKeyId":"STS.1"},"errorCode":"Throttling","#,
                name: "DeleteDisk"))
        #expect(
            batch.allTerms(0) == [
                "eventId=E-1", "eventName=DeleteDisk", "serviceName=Ecs", "user=ops:alice:x",
                "resourceType=ACS::ECS::Instance", "resourceName=i-1", "resourceName=i-2",
                "resourceType=ACS::ECS::Disk",
                "resourceName=d-1", "resourceName=d-2", "eventRW=Write", "accessKeyId=STS.1", "eventType=ApiCall",
                "sourceIpAddress=192.0.2.1", "roleName=ops", "principalId=33:alice", "errorCode=Throttling",
            ])
    }

    @Test func `have neither empty strings nor other values`() {
        let batch = parse(
            event(
                #""serviceName":"","eventType":5,"sourceIpAddress":null,"resourceType":";","resourceName":",;,","referencedResources":{"":[""," ",1,null,{}],"T":"single"},"userIdentity":{"userName":"","accessKeyId":7},"#
            ))
        #expect(
            batch.allTerms(0) == [
                "eventId=E-1", "eventName=CreateTrail", "resourceName= ", "resourceType=T", "resourceName=single",
                "eventRW=Write",
            ])
        #expect(parse(event(#""userIdentity":"alice","referencedResources":["x"],"#)).events.count == 1)
    }

    @Test func `are decoded`() {
        let batch = parse(event(#""serviceName":"\u00c9\ud83d\ude00\n\"\\\/\ud800.","resourceName":"a\u003bb","#))
        #expect(batch.values(.serviceName) == ["É😀\n\"\\/\u{fffd}."])
        #expect(batch.values(.resourceName) == ["a", "b"])
    }

    @Test func `are each there once however many there are`() {
        let names = (0..<3000).map { "\"r\($0 % 1500)\"" }.joined(separator: ",")
        let batch = parse(event(#""referencedResources":{"A":[\#(names)],"B":["r1","A"]},"resourceName":"r7,new","#))
        #expect(batch.values(.resourceName).count == 1502)
        #expect(Set(batch.values(.resourceName)).count == 1502)
        #expect(batch.values(.resourceType) == ["A", "B"])
        let next = parse("\(event(#""resourceName":"r1,r1","#))\n\(event(#""resourceName":"r1,r2","#))")
        #expect(next.values(.resourceName, 0) == ["r1"])
        #expect(next.values(.resourceName, 1) == ["r1", "r2"])
    }

    @Test(arguments: [
        ("GetObject", false), ("ListTrails", false), ("DescribeRegions", false), ("LookupEvents", false),
        ("HeadBucket", false), ("QueryOrders", false), ("CheckMfa", false), ("SearchLogs", false), ("get", false),
        ("list_all", false), ("BatchGetItem", false), ("Get2", false), ("CreateTrail", true), ("Checkout", true),
        ("Getaway", true), ("Listen", true), ("PutObject", true), ("delete", true), ("forgetIt", true),
    ])
    func `tell reading from writing by the name`(name: String, isWrite: Bool) {
        let batch = parse(event(name: name))
        #expect(batch.events[0].isWrite == isWrite)
        #expect(batch.values(.eventRW) == [isWrite ? "Write" : "Read"])
    }

    @Test func `believe the event rather than its name`() {
        #expect(parse(event(#""eventRW":"READ","#)).values(.eventRW) == ["Read"])
        #expect(parse(event(#""eventRW":"write","#, name: "GetX")).events[0].isWrite)
        #expect(parse(event(#""eventRW":"Neither","#, name: "GetX")).values(.eventRW) == ["Read"])
    }

    @Test func `leave out a role that nobody assumed`() {
        #expect(parse(event(#""userIdentity":{"type":"ram-user","userName":"a:b"},"#)).values(.roleName) == [])
        #expect(parse(event(#""userIdentity":{"type":"assumed-role","userName":"r"},"#)).values(.roleName) == ["r"])
        #expect(parse(event(#""userIdentity":{"type":"assumed-role","userName":":s"},"#)).values(.roleName) == [])
    }

    @Test func `go with flags`() {
        #expect(parse(event(#""isGlobal":true,"#)).events[0].isGlobal)
        #expect(parse(event(#""isGlobal":"true","#)).events[0].isGlobal)
        #expect(!parse(event(#""isGlobal":1,"#)).events[0].isGlobal)
    }

    @Test func `are found in a stored event`() {
        let stored = Array(event(#""serviceName":"\u0045cs","#).utf8)
        let fields = EventFields.extract(stored)!
        func has(_ attribute: LookupAttribute, _ value: String) -> Bool {
            stored.withUnsafeBytes { bytes in
                Array(value.utf8).withUnsafeBytes { fields.has(attribute, $0, in: bytes) }
            }
        }
        #expect(has(.serviceName, "Ecs"))
        #expect(has(.eventName, "CreateTrail"))
        #expect(!has(.eventName, "createtrail"))
        #expect(!has(.user, "CreateTrail"))
    }

    @Test(arguments: [
        (#""serviceName":"Actiontrail","#, "DeleteTrail", true),
        (#""serviceName":"ActionTrail","#, "StopLogging", true),
        (#""serviceName":"Ecs","#, "DeleteTrail", false), ("", "DeleteTrail", false),
        (#""serviceName":"Actiontrail","#, "CreateTrail", false), (#""serviceName":"Sls","#, "DeleteLogStore", true),
        (#""serviceName":"Kms","#, "ScheduleKeyDeletion", true), (#""serviceName":"Ram","#, "CreateAccessKey", true),
        (#""serviceName":"Ram","#, "AttachPolicyToUser", true), (#""serviceName":"Ims","#, "UnbindMFADevice", true),
        (#""serviceName":"AasSub","userIdentity":{"type":"root-account"},"#, "ConsoleSignin", true),
        (#""serviceName":"AasSub","userIdentity":{"type":"ram-user"},"#, "ConsoleSignin", false),
        (#""serviceName":"Ecs","requestParameters":{"SourceCidrIp":"0.0.0.0/0"},"#, "AuthorizeSecurityGroup", true),
        (#""serviceName":"Ecs","requestParameters":{"SourceCidrIp":"10.0.0.0/8"},"#, "AuthorizeSecurityGroup", false),
        (#""serviceName":"Ecs","#, "AuthorizeSecurityGroup", false),
        (#""serviceName":"Oss","requestParameters":{"x-oss-acl":"public-read"},"#, "PutBucketAcl", true),
        (#""serviceName":"Oss","requestParameters":{"x-oss-acl":"private"},"#, "PutBucketAcl", false),
        (#""serviceName":"Kubernetes","resourceType":"Kubernetes::pods/exec","#, "create", true),
        (#""serviceName":"Kubernetes","resourceType":"Kubernetes::pods","#, "create", false),
        (#""serviceName":"Kubernetes","resourceType":"Kubernetes::namespaces","#, "delete", true),
        (#""serviceName":"Kubernetes","resourceType":"Kubernetes::namespaces","#, "create", false),
        (#""serviceName":"cloudtrail","#, "PutEventSelectors", true),
        (#""serviceName":"guardduty","#, "DeleteDetector", true),
    ])
    func `name sensitive actions`(more: String, name: String, isSensitive: Bool) {
        #expect(
            parse(event(more, name: name), as: .actiontrail).values(.sensitiveAction) == (isSensitive ? ["true"] : []))
    }

    @Test func `have the wire's names and fixed numbers`() {
        for attribute in LookupAttribute.allCases {
            #expect(LookupAttribute(wireName: attribute.wireName) == attribute)
        }
        #expect(LookupAttribute.allCases.map(\.rawValue) == Array(1...14))
        #expect(LookupAttribute(wireName: "EventAccessKeyId") == .accessKeyId)
        #expect(LookupAttribute(wireName: "eventId") == nil)
    }
}

@Suite struct `An event's digest` {
    @Test func `is SHA-256`() {
        let digest = EventDigest(hashing: Array("abc".utf8))
        #expect(digest.description == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(EventDigest(bytes: digest.bytes) == digest)
        #expect(EventDigest(bytes: [1, 2]) == nil)
        #expect(Set([digest, digest, EventDigest(hashing: [])]).count == 2)
    }
}
