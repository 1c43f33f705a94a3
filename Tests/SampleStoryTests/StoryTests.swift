// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import SampleStory
import Testing

@Suite struct `The story in a sample` {
    struct Telling: CustomTestStringConvertible, Sendable {
        var seed: UInt64
        var count: Int
        var end: Int64
        var region = "cn-hangzhou"
        var sample: Sample { Sample(seed: seed, eventCount: count, end: end, region: region) }
        var testDescription: String { "seed \(seed), \(count) events, end \(end), \(region)" }
    }

    /// The ends lie at different hours of different weekdays, and one before 1970.
    static let tellings = [
        Telling(seed: 1, count: 500, end: 1_790_000_000), Telling(seed: 2, count: 2000, end: 1_767_225_600),
        Telling(seed: 3, count: 20_000, end: 1_767_287_000, region: "us-west-1"),
        Telling(seed: 4, count: 700, end: 1_767_341_234), Telling(seed: .max, count: 501, end: -1_000_000),
    ]

    @Test(arguments: tellings)
    func `is whole`(telling: Telling) throws {
        let sample = telling.sample
        let cast = sample.story.cast
        let events = try sample.events()
        let byKey = events.filter { $0.text("sourceIpAddress") == cast.intruderAddresses[0] }
        let byUser = events.filter { $0.text("sourceIpAddress") == cast.intruderAddresses[1] }
        #expect(byKey.allSatisfy { $0.accessKeyId == cast.leakedAccessKeyId && $0.user == cast.leakedKeyOwner })
        #expect(byUser.allSatisfy { $0.accessKeyId == cast.intruderAccessKeyId && $0.user == cast.intruderUser })
        #expect(byKey.prefix(4).map(\.name) == ["GetCallerIdentity", "ListBuckets", "ListUsers", "DescribeInstances"])
        #expect(byKey.count { $0.errorCode == "NoPermission" } >= 5)
        #expect(byKey.map(\.name).contains(["CreateUser", "CreateAccessKey", "AttachPolicyToUser"]))

        #expect(byUser.count { $0.name == "GetObject" && $0.parameter("bucketName") == cast.bucket } >= 10)
        #expect(byUser.contains { $0.name == "ListObjects" && $0.text("eventCategory") == "Data" })
        #expect(byUser.contains { $0.name == "PutBucketAcl" && $0.parameter("x-oss-acl") == "public-read" })
        let started = byUser.filter { $0.name == "RunInstances" && $0.errorCode.isEmpty }
        #expect(started.map { $0.text("resourceName") } == cast.intruderInstanceIds)
        #expect(started.allSatisfy { $0.text("acsRegion") == cast.unusualRegion && cast.unusualRegion != cast.region })
        #expect(byUser.contains { $0.name == "StopLogging" && $0.parameter("Name") == cast.trail })
        #expect(byUser.contains { $0.name == "DeleteTrail" && $0.errorCode == "NoPermission" })
        #expect(byUser.contains { $0.name == "DisableKey" && $0.parameter("KeyId") == cast.keyId })
        #expect(byUser.contains { $0.name == "UpdateRole" && $0.parameter("RoleName") == cast.role })
        let all = byKey + byUser
        #expect(all.allSatisfy { (cast.intrusionStart...cast.intrusionEnd).contains($0.time) })
    }

    @Test(arguments: tellings)
    func `begins on the sixth day and is found the next morning`(telling: Telling) {
        let cast = telling.sample.story.cast
        #expect((25 * 3600...49 * 3600).contains(telling.end - cast.intrusionStart))
        #expect(Calendar.officeDay(cast.discoveryStart) == Calendar.officeDay(cast.intrusionStart) + 1)
        #expect(cast.intrusionEnd < cast.discoveryStart)
    }

    @Test(arguments: tellings)
    func `is put right by the security person`(telling: Telling) throws {
        let sample = telling.sample
        let cast = sample.story.cast
        let events = try sample.events().filter { $0.user == cast.securityPerson && $0.time >= cast.discoveryStart }
        func has(_ name: String, _ parameter: String, _ value: String) -> Bool {
            events.contains { $0.name == name && $0.parameter(parameter) == value && $0.errorCode.isEmpty }
        }
        #expect(has("LookupEvents", "LookupAttribute.1.Value", cast.leakedAccessKeyId))
        #expect(has("StartLogging", "Name", cast.trail))
        #expect(has("UpdateAccessKey", "UserAccessKeyId", cast.leakedAccessKeyId))
        #expect(has("DeleteUser", "UserName", cast.intruderUser))
        #expect(has("PutBucketAcl", "x-oss-acl", "private"))
        #expect(has("EnableKey", "KeyId", cast.keyId))
    }

    @Test(arguments: tellings)
    func `turns on one event`(telling: Telling) throws {
        let sample = telling.sample
        let cast = sample.story.cast
        let found = try sample.events().filter { $0.text("eventId") == cast.decisiveEventId }
        let event = try #require(found.first)
        #expect(found.count == 1)
        #expect(event.name == "AttachPolicyToUser")
        #expect(event.parameter("PolicyName") == "AdministratorAccess")
        #expect(event.time == cast.decisiveEventTime)
    }

    @Test(arguments: tellings)
    func `has someone who forgot the password`(telling: Telling) throws {
        let sample = telling.sample
        let cast = sample.story.cast
        let failed = try sample.events().filter {
            $0.user == cast.failedSignInUser && $0.name == "ConsoleSignin" && !$0.errorCode.isEmpty
                && $0.text("sourceIpAddress") == cast.failedSignInAddress
        }
        #expect(failed.count >= 6)
        #expect(failed.allSatisfy { !$0.text("errorMessage").isEmpty && $0.identity["sessionContext"] == nil })
    }

    @Test(arguments: [Telling(seed: 5, count: 20_000, end: 1_790_000_000)])
    func `gives the pipeline a new key`(telling: Telling) throws {
        let sample = telling.sample
        let cast = sample.story.cast
        let events = try sample.events()
        let created = try #require(
            events.first { $0.name == "CreateAccessKey" && $0.user == cast.securityPerson })
        let after = events.filter { $0.user == cast.leakedKeyOwner && $0.time > created.time }
        #expect(after.count > 100)
        #expect(after.allSatisfy { $0.accessKeyId == cast.rotatedAccessKeyId })
        let before = events.filter { $0.user == cast.leakedKeyOwner && $0.time < created.time }
        #expect(before.allSatisfy { $0.accessKeyId == cast.leakedAccessKeyId })
    }
}
