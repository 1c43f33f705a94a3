// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService
import Testing
import Trails

@Suite struct `A delivery to a logstore` {
    private func trail(_ world: World, bucket: String = "", _ name: String = "audit") throws {
        try world.trail(name, bucket: bucket, project: "logs-a")
    }

    /// Fails in turn at each delivery, before, in the middle of and after it; what follows begins from what is durable.
    @Test(arguments: MemoryLogs.Fault.allCases)
    func `is exactly once whatever delivery fails`(fault: MemoryLogs.Fault) async throws {
        for failing in 0..<20 {
            let world = try World()
            try trail(world)
            try world.startLogging()
            var sent = try await world.record(0..<20)
            world.logs.fail(at: failing, fault)
            try await world.deliver(rounds: 2)
            sent += try await world.record(20..<45)
            try await world.deliver(rounds: 2)
            sent += try await world.record(45..<46)
            try await world.deliver()
            #expect(world.logs.texts() == sent, "delivery \(failing), \(fault)")
            #expect(try world.logState().deliveredEvents == UInt64(sent.count))
            #expect(try world.logState().lastError == nil)
            world.history.close()
            if world.logs.deliveries <= failing { break }
        }
    }

    @Test func `has what its trail selects and no more`() async throws {
        let world = try World()
        try world.trail("reads", bucket: "", selection: .read, region: "cn-beijing", project: "logs-b")
        try world.startLogging("reads")
        let all = try await world.record(0..<100)
        try await world.record(1000..<1050, owner: "2000000000000002")
        try await world.deliver()
        let expected = all.filter {
            $0.contains(#""eventRW":"Read""#) && ($0.contains("cn-beijing") || $0.contains(#""isGlobal":true"#))
        }
        #expect(!expected.isEmpty && world.logs.texts("logs-b", "actiontrail_reads") == expected)
        world.history.close()
    }

    @Test func `begins and ends with logging`() async throws {
        let world = try World()
        try trail(world)
        try await world.record(0..<5)
        try world.startLogging()
        var expected = try await world.record(5..<10)
        try world.startLogging()
        try world.stopLogging()
        try await world.record(10..<15)
        try await world.deliver()
        #expect(world.logs.texts() == expected)
        try world.startLogging()
        expected += try await world.record(15..<20)
        try await world.deliver()
        #expect(world.logs.texts() == expected)
        // Stopped and started before the stop was sealed, or before all of it was delivered: nothing is lost.
        expected += try await world.record(20..<25)
        try world.registry.stop("audit", account: account)
        try world.startLogging()
        expected += try await world.record(25..<30)
        try world.stopLogging()
        expected += try await world.record(30..<35)
        try world.startLogging()
        try await world.deliver()
        #expect(world.logs.texts() == expected)
        world.history.close()
    }

    @Test func `waits for a stop that is not sealed`() async throws {
        let world = try World()
        try trail(world)
        try world.startLogging()
        try await world.record(0..<5)
        try world.registry.stop("audit", account: account)
        try await world.deliver()
        #expect(world.logs.texts().isEmpty)
        try world.registry.sealStop("audit", account: account, at: 3)
        try await world.deliver()
        #expect(world.logs.texts().count == 3)
        world.history.close()
    }

    @Test func `and one to a bucket do not hold each other up`() async throws {
        let world = try World()
        try trail(world, bucket: "bucket-a")
        try world.startLogging()
        world.logs.setDown(true)
        var sent = try await world.record(0..<10)
        try await world.deliver(rounds: 2)
        #expect(try await world.delivered().sorted() == sent.sorted())
        #expect(world.logs.texts().isEmpty)
        #expect(try world.logState().lastError != nil && world.state().lastError == nil)
        world.logs.setDown(false)
        world.faults.breakBucket("bucket-a")
        sent += try await world.record(10..<20)
        try await world.deliver(rounds: 2)
        #expect(world.logs.texts() == sent)
        #expect(try world.logState().lastError == nil && world.state().lastError != nil)
        world.faults.breakBucket("")
        try await world.deliver()
        #expect(try await world.delivered().sorted() == sent.sorted())
        #expect(try world.state().lastError == nil)
        world.history.close()
    }

    @Test func `that is added begins with the change, and one that is taken away ends with it`() async throws {
        let world = try World()
        try world.trail(bucket: "bucket-a")
        try await world.record(0..<5)
        try world.startLogging()
        var objects = try await world.record(5..<10)
        try world.update { $0.slsProjectArn = "acs:log:local-1:\(account):project/logs-a" }
        let both = try await world.record(10..<15)
        objects += both
        var logs = both
        try world.update { $0.ossBucketName = "" }
        logs += try await world.record(15..<20)
        try await world.deliver()
        #expect(world.logs.texts() == logs)
        // Its rest was not delivered while there was no bucket, and is when there is one again.
        try world.update { $0.ossBucketName = "bucket-b" }
        try world.update { $0.slsProjectArn = "" }
        try await world.record(20..<25)
        try await world.deliver()
        #expect(world.logs.texts() == logs)
        #expect(Set(try await world.delivered("bucket-b")).isSuperset(of: objects))
        try world.update { $0.slsProjectArn = "acs:log:local-1:\(account):project/logs-a" }
        logs += try await world.record(25..<30)
        try await world.deliver()
        #expect(world.logs.texts() == logs)
        world.history.close()
    }

    @Test func `to a destination that a stopped trail was given delivers nothing from before the start`() async throws {
        let world = try World()
        try world.trail(bucket: "bucket-a")
        try world.startLogging()
        try await world.record(0..<5)
        try world.stopLogging()
        try world.update { $0.slsProjectArn = "acs:log:local-1:\(account):project/logs-a" }
        try await world.record(5..<10)
        try await world.deliver()
        #expect(world.logs.texts().isEmpty && world.logs.trail() != nil, "made at once, but empty")
        try world.startLogging()
        let sent = try await world.record(10..<15)
        try await world.deliver()
        #expect(world.logs.texts() == sent)
        // And the other way round: a bucket for a trail that had none.
        try world.trail("second", bucket: "", project: "logs-b")
        try world.startLogging("second")
        try await world.record(15..<20)
        try world.stopLogging("second")
        try world.update("second") { $0.ossBucketName = "bucket-b" }
        try await world.deliver()
        try world.startLogging("second")
        let later = try await world.record(20..<25)
        try await world.deliver()
        #expect(try await world.delivered("bucket-b").sorted() == later.sorted())
        world.history.close()
    }

    @Test func `moves to another project and back`() async throws {
        let world = try World()
        try trail(world)
        try world.startLogging()
        var expected: [String: [String]] = [:]
        for (round, project) in ["logs-a", "logs-b", "logs-a"].enumerated() {
            try world.update { $0.slsProjectArn = "acs:log:local-1:\(account):project/\(project)" }
            expected[project, default: []] += try await world.record(round * 10..<round * 10 + 10)
            try await world.deliver()
        }
        for (project, texts) in expected { #expect(world.logs.texts(project) == texts) }
        #expect(world.logs.trail("logs-a") != nil && world.logs.trail("logs-b") == nil)
        world.history.close()
    }

    @Test func `leaves the logstore to its owner when the trail is gone, and takes it again`() async throws {
        let world = try World()
        try trail(world)
        try world.startLogging()
        var sent = try await world.record(0..<5)
        try await world.deliver()
        try world.registry.delete("audit", account: account)
        world.logs.setDown(true)
        try await world.record(5..<10)
        try await world.deliver(rounds: 2)
        #expect(world.logs.texts() == sent && world.logs.trail() == nil)
        world.logs.setDown(false)
        try trail(world)
        try world.startLogging()
        sent += try await world.record(10..<15)
        try await world.deliver()
        #expect(world.logs.texts() == sent && world.logs.trail() != nil)
        // Deleted and made anew before the release was carried out: it stays bound.
        try world.registry.delete("audit", account: account)
        try trail(world)
        try await world.deliver()
        #expect(world.logs.trail() != nil)
        world.history.close()
    }

    @Test func `makes a logstore again that has vanished`() async throws {
        let world = try World()
        try trail(world)
        try world.startLogging()
        try await world.record(0..<5)
        try await world.deliver()
        world.logs.dropLogstore("actiontrail_audit", of: "logs-a")
        let sent = try await world.record(5..<10)
        try await world.deliver()
        #expect(world.logs.texts() == sent)
        #expect(try world.logState().lastError == nil)
        world.history.close()
    }

    @Test func `of a trail whose project is missing tells it and resumes`() async throws {
        let world = try World()
        world.logs.setProject("logs-a", exists: false)
        try trail(world)
        #expect(try world.logState().lastError == nil)
        try await world.deliver(rounds: 1)
        #expect(try world.logState().lastError != nil, "even before it is started")
        world.logs.setProject("logs-a", exists: true)
        try await world.deliver(rounds: 1)
        #expect(try world.logState().lastError == nil && world.logState().readiness != nil)
        world.history.close()
    }

    @Test func `looks at its target once an hour, and after each failure`() async throws {
        let world = try World()
        try trail(world)
        try world.startLogging()
        try await world.record(0..<5)
        try await world.deliver()
        #expect(world.logs.prepared == 1)
        world.time.advance(3_600_000)
        try await world.deliver()
        #expect(world.logs.prepared == 2)
        world.logs.fail(at: 0, .lost)
        try await world.record(5..<10)
        try await world.deliver()
        #expect(world.logs.prepared == 3)
        world.history.close()
    }

    @Test func `passes over an event that is refused among others, and a history job tries it again`() async throws {
        let world = try World()
        try trail(world)
        try world.startLogging()
        world.logs.refuse(["E-5", "E-11"])
        let sent = try await world.record(0..<20)
        try await world.deliver()
        let good = sent.filter { !$0.contains(#""E-5""#) && !$0.contains(#""E-11""#) }
        #expect(world.logs.texts() == good)
        let state = try world.logState()
        #expect(state.parkedEvents == 2 && state.parked.map(\.eventId) == ["E-5", "E-11"] && state.parked[0].sequence == 5)
        #expect(state.deliveredEvents == 18)
        world.logs.refuse([])
        let job = try world.job()
        #expect(job.logRuns?.map(\.first) == [5, 11])
        try await world.deliver()
        #expect(world.logs.texts().sorted() == sent.sorted())
        world.history.close()
    }

    @Test func `does not give up on events because the service refuses everything for a while`() async throws {
        let world = try World()
        try trail(world)
        try world.startLogging()
        world.logs.refuseAll(true)
        let sent = try await world.record(0..<8)
        try await world.deliver(rounds: 4)
        #expect(try world.logState().parkedEvents == 0)
        world.logs.refuseAll(false)
        try await world.deliver()
        #expect(world.logs.texts() == sent)
        // An event that stands alone is given up after some attempts.
        world.logs.refuse(["E-8"])
        try await world.record(8..<9)
        try await world.deliver(rounds: 6)
        #expect(try world.logState().parkedEvents == 1)
        #expect(try world.logState().lastError?.contains("E-8") == true)
        let later = try await world.record(9..<12)
        try await world.deliver()
        #expect(world.logs.texts() == sent + later)
        world.history.close()
    }

    @Test func `that retention overtook goes on with what is held`() async throws {
        let world = try World(retentionDays: 1, tailRows: 50)
        try trail(world)
        try world.startLogging()
        world.logs.setDown(true)
        for first in stride(from: 0, to: 200, by: 50) { try await world.record(first..<first + 50) }
        try await world.deliver(rounds: 2)
        world.time.advance(5 * 86_400_000)
        for first in stride(from: 200, to: 400, by: 50) { try await world.record(first..<first + 50) }
        while world.history.statistics.waitingTails > 0 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(world.history.dropExpired() > 0)
        world.logs.setDown(false)
        let first = world.history.firstSequence
        try await world.deliver()
        #expect(world.logs.texts().count == 400 - Int(first))
        world.history.close()
    }
}

@Suite struct `A history job of a logstore` {
    @Test(arguments: [-1] + Array(0..<12), MemoryLogs.Fault.allCases)
    func `fills the gaps beside a running trail, once, whatever delivery fails`(
        failing: Int, fault: MemoryLogs.Fault
    ) async throws {
        let world = try World()
        try world.trail(bucket: "bucket-a", project: "logs-a")
        let all = try await world.recordWithGaps()
        if failing >= 0 { world.logs.fail(at: failing, fault) }
        let first = try world.job()
        try await world.deliver()
        let done = try #require(try world.registry.job(first.id, account: account))
        #expect(done.status == .done && done.lastError == nil)
        #expect(world.logs.texts().sorted() == all.sorted(), "delivery \(failing), \(fault)")
        #expect(try await world.delivered().sorted() == all.sorted())
        try world.job()
        try await world.deliver()
        #expect(world.logs.texts().count == 40)
        world.history.close()
    }

    @Test(arguments: [true, false])
    func `goes on for one destination while the other is in trouble`(logsAreDown: Bool) async throws {
        let world = try World()
        try world.trail(bucket: "bucket-a", project: "logs-a")
        let old = try await world.record(0..<10)
        try world.startLogging()
        world.logs.setDown(logsAreDown)
        world.faults.breakBucket(logsAreDown ? "" : "bucket-a")
        let first = try world.job()
        try await world.deliver(rounds: 3)
        #expect(world.logs.texts().count == (logsAreDown ? 0 : 10))
        #expect(try await world.delivered().count == (logsAreDown ? 10 : 0))
        let half = try #require(try world.registry.job(first.id, account: account))
        #expect(half.status == .delivering && half.lastError != nil)
        world.logs.setDown(false)
        world.faults.breakBucket("")
        try await world.deliver()
        #expect(try world.registry.job(first.id, account: account)?.status == .done)
        #expect(world.logs.texts().sorted() == old.sorted())
        #expect(try await world.delivered().sorted() == old.sorted())
        world.history.close()
    }

    @Test(arguments: 0..<4, MemoryLogs.Fault.allCases)
    func `that was deleted is not delivered again by the next`(failing: Int, fault: MemoryLogs.Fault) async throws {
        let world = try World()
        try world.trail(bucket: "", project: "logs-a")
        let all = try await world.record(0..<30)
        try world.startLogging()
        world.logs.fail(at: failing, fault)
        let first = try world.job()
        try await world.deliver(rounds: 1)
        try world.registry.deleteJob(first.id, account: account)
        try world.job()
        try await world.deliver()
        #expect(world.logs.texts().sorted() == all.sorted(), "delivery \(failing), \(fault)")
        world.history.close()
    }

    @Test func `that is deleted in the middle of a delivery is not doubled by the next`() async throws {
        let world = try World()
        try world.trail(bucket: "", project: "logs-a")
        let all = try await world.record(0..<30)
        try world.startLogging()
        let first = try world.job()
        let registry = world.registry
        world.logs.meanwhile { try? registry.deleteJob(first.id, account: account) }
        try await world.deliver(rounds: 1)
        #expect(world.logs.texts().count == 8, "what was under way arrived")
        let second = try world.job()
        try await world.deliver()
        #expect(world.logs.texts().sorted() == all.sorted())
        #expect(try world.registry.job(second.id, account: account)?.status == .done)
        world.history.close()
    }

    @Test func `has nothing to do where the trail has lost the destination`() async throws {
        let world = try World()
        try world.trail(bucket: "bucket-a", project: "logs-a")
        let old = try await world.record(0..<10)
        world.logs.setDown(true)
        let first = try world.job()
        try await world.deliver(rounds: 2)
        try world.update { $0.slsProjectArn = "" }
        try await world.deliver()
        #expect(try world.registry.job(first.id, account: account)?.status == .done)
        #expect(try await world.delivered().sorted() == old.sorted())
        world.history.close()
    }
}

@Suite struct `A project of a log service` {
    @Test func `is read from its ARN`() {
        #expect(LogProject(arn: "acs:log:cn-hangzhou:1000000000000001:project/audit-logs")?.name == "audit-logs")
        let project = LogProject(region: "local-1", account: account, name: "abc")
        #expect(LogProject(arn: project.arn) == project)
    }

    @Test(arguments: [
        "", "acs:log:r:1:project/", "acs:log:r:1:project/ab", "acs:log:r:1:project/-ab", "acs:log:r:1:project/ab-",
        "acs:log:r:1:project/Abc", "acs:log:r:1:project/abc/logstore/x", "acs:log:r:1:logstore/abc", "acs:log:r::project/abc",
        "acs:log::1:project/abc", "acs:oss:r:1:project/abc", "acs:log:r:1:project/abc:x", "acs:log:r:one:project/abc",
        "acs:log:r:1:project/" + String(repeating: "a", count: 64),
    ]) func `is nothing else`(arn: String) {
        #expect(LogProject(arn: arn) == nil)
    }
}

@Suite struct `The log of an event` {
    @Test(
        arguments: [
            (1_767_225_600_123, 1_767_225_600, 123_000_000), (0, 0, 0), (999, 0, 999_000_000), (-1, 0, 999_000_000),
            (-5_000, 0, 0), (Int64.max, UInt32.max, 807_000_000), (Int64.min, 0, 192_000_000),
        ] as [(Int64, UInt32, UInt32)])
    func `has its time and its exact text`(time: Int64, seconds: UInt32, nanoseconds: UInt32) {
        let text = #"{"b" :1,"a":"é\u00e9"}"#
        let group = LogGroup(events: [LogEvent(sequence: 1, time: time, eventId: "E", text: text)])
        #expect(group.topic == "actiontrail_audit_event")
        #expect(group.logs == [Log(time: seconds, nanoseconds: nanoseconds, contents: [.init("event", text)])])
    }
}
