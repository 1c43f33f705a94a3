// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleStory
import Testing

@Suite struct `An event of a sample` {
    private static let samples: [(seed: UInt64, count: Int)] = [(1, 2000), (2, 500), (3, 20_000)]

    private static let requiredTexts = [
        "acsRegion", "eventCategory", "eventId", "eventName", "eventRW", "eventSource", "eventTime", "eventType",
        "eventVersion", "recipientAccountId", "requestId", "serviceName", "sourceIpAddress", "userAgent",
    ]
    private static let optionalTexts = [
        "apiVersion", "errorCode", "errorMessage", "requestParameterJson", "resourceName", "resourceType", "vpcId",
    ]
    private static let objects = [
        "additionalEventData", "referencedResources", "requestParameters", "responseElements", "userIdentity",
    ]
    private static let known = Set(requiredTexts + optionalTexts + objects + ["isGlobal"])

    @Test(arguments: samples)
    func `has the fields of the schema with the right types`(seed: UInt64, count: Int) throws {
        for event in try Sample(seed: seed, eventCount: count).events() {
            #expect(Set(event.fields.keys).isSubset(of: Self.known))
            for name in Self.requiredTexts {
                #expect((event.fields[name] as? String)?.isEmpty == false, "\(name) of \(event.name)")
            }
            for name in Self.optionalTexts where event.fields[name] != nil {
                #expect(event.fields[name] is String, "\(name) of \(event.name)")
            }
            for name in Self.objects where event.fields[name] != nil {
                #expect(event.fields[name] is [String: Any], "\(name) of \(event.name)")
            }
            #expect(event.fields["isGlobal"] is Bool)
            #expect(["Read", "Write"].contains(event.text("eventRW")))
            #expect(event.fields["responseElements"] == nil || event.errorCode.isEmpty)
            #expect(event.fields["apiVersion"] != nil || event.text("serviceName") == "AasSub")
        }
    }

    @Test(arguments: samples)
    func `names who called in the form of its credential`(seed: UInt64, count: Int) throws {
        for event in try Sample(seed: seed, eventCount: count).events() {
            let identity = event.identity
            #expect(identity["accountId"] as? String == "1000000000000001")
            #expect((identity["principalId"] as? String)?.isEmpty == false)
            #expect(!event.user.isEmpty)
            let type = try #require(identity["type"] as? String)
            #expect(["root-account", "ram-user", "assumed-role", "system"].contains(type))
            if type == "assumed-role" {
                #expect(event.accessKeyId?.hasPrefix("STS.NEXAMPLE") == true)
                #expect(event.user.contains(":"))
            } else if let key = event.accessKeyId {
                #expect(key.hasPrefix("LTAI5t") && key.count == 22 && key.contains("EXAMPLE"))
            }
            if let session = identity["sessionContext"] as? [String: Any] {
                let attributes = try #require(session["attributes"] as? [String: String])
                let created = try #require(attributes["creationDate"])
                #expect(created.count == 20 && created <= event.text("eventTime"))
                #expect(["true", "false"].contains(attributes["mfaAuthenticated"]))
            }
        }
    }

    @Test(arguments: samples)
    func `repeats its parameters as text`(seed: UInt64, count: Int) throws {
        for event in try Sample(seed: seed, eventCount: count).events() {
            #expect((event.fields["requestParameters"] == nil) == (event.fields["requestParameterJson"] == nil))
            guard event.fields["requestParameters"] != nil else { continue }
            let repeated = try JSONSerialization.jsonObject(with: Data(event.text("requestParameterJson").utf8))
            let texts = try [event.parameters, repeated].map {
                try JSONSerialization.data(withJSONObject: $0, options: .sortedKeys)
            }
            #expect(texts[0] == texts[1], "\(event.name)")
        }
    }

    @Test(arguments: samples)
    func `comes in order of time, within the week, with ids of its own`(seed: UInt64, count: Int) throws {
        let sample = Sample(seed: seed, eventCount: count)
        let events = try sample.events()
        let times = events.map(\.time)
        #expect(times == times.sorted())
        #expect(times.first! >= sample.story.end - 7 * 86_400)
        #expect(times.last! <= sample.story.end)
        #expect(Set(events.map { $0.text("eventId") }).count == count)
        #expect(Set(events.map { $0.text("requestId") }).count == count)
    }

    @Test func `shows only addresses that belong to nobody`() throws {
        for event in try Sample(eventCount: 20_000).events() {
            let address = event.text("sourceIpAddress")
            let isReserved = ["192.0.2.", "198.51.100.", "203.0.113.", "10."].contains { address.hasPrefix($0) }
            #expect(isReserved || address == "Internal" || address.hasSuffix(".aliyuncs.com"), "\(address)")
        }
    }

    @Test func `is mostly a read and seldom an error`() throws {
        let events = try Sample(eventCount: 20_000).events()
        let reads = events.count { $0.text("eventRW") == "Read" }
        let errors = events.count { !$0.errorCode.isEmpty }
        #expect((0.70...0.80).contains(Double(reads) / Double(events.count)))
        #expect((0.01...0.05).contains(Double(errors) / Double(events.count)))
        let services = Set(events.map { $0.text("serviceName") })
        let expected = ["Ecs", "Oss", "Rds", "Ram", "Sts", "Vpc", "Slb", "Kms", "Sls", "Actiontrail", "CS", "Alidns"]
        #expect(services.isSuperset(of: expected))
        #expect(Set(events.map(\.user)).isSuperset(of: Company.people))
    }
}
