// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import EventHistory
import Foundation
import LogEngine
import ObjectStorage
import TestSupport
import Testing
import Trails

@Suite struct `A delivery` {
    /// A failure before or after each put in turn; the step is begun again from what is durable, as after a crash.
    @Test(arguments: [false, true])
    func `is exactly once whatever put fails`(kept: Bool) async throws {
        for failing in 0..<30 {
            let world = try World()
            try world.trail()
            try world.startLogging()
            var sent = try await world.record(0..<20)
            world.faults.fail(atPut: failing, kept: kept)
            try await world.deliver(rounds: 2)
            sent += try await world.record(20..<45)
            try await world.deliver(rounds: 2)
            sent += try await world.record(45..<46)
            try await world.deliver()
            let delivered = try await world.delivered()
            #expect(delivered.sorted() == sent.sorted(), "put \(failing), kept \(kept)")
            let report = try await world.verify(world.folder())
            #expect(report.isGood, "put \(failing), kept \(kept): \(report.findings)")
            #expect(report.events == sent.count)
            #expect(try world.state().deliveredEvents == UInt64(sent.count))
            #expect(world.faults.changed.isEmpty, "put again with other bytes: \(world.faults.changed)")
            #expect(Set(world.faults.made).count == world.faults.made.count)
            #expect(Set(world.faults.made) == Set(try world.keys()), "put \(failing), kept \(kept)")
            world.history.close()
            if world.faults.puts < failing { break }
        }
    }

    @Test func `has the vendor's layout, one folder for a region and a day`() async throws {
        let world = try World()
        try world.trail(prefix: "audit/x")
        try world.startLogging()
        try await world.record(0..<60)
        try await world.deliver()
        let keys = try world.keys().filter { $0.hasSuffix(".gz") }
        let layout =
            #/audit/x/AliyunLogs/Actiontrail/([a-z0-9_-]+)/2026/01/0([12])/Actiontrail_([a-z0-9_-]+)_2026010\d{7}_1002_(\d+)_(\d+)_([0-9a-f]{32})\.gz/#
        for key in keys { #expect(try layout.wholeMatch(in: key) != nil, "\(key)") }
        #expect(Set(keys.map { $0.split(separator: "/")[4] }) == ["cn-hangzhou", "cn-beijing", "__", "local-1"])
        #expect(keys.count == 8 - 1, "global events are even: \(keys)")
        for key in keys {
            let object = try #require(try world.store.object(bucket: "bucket-a", key: key))
            let match = try #require(try layout.wholeMatch(in: key))
            #expect(Int64(match.5) == object.size && object.etag.lowercased() == match.6)
        }
        world.history.close()
    }

    @Test func `has what its trail selects and no more`() async throws {
        let world = try World()
        try world.trail("w", bucket: "bucket-a", selection: .write)
        try world.trail("r", bucket: "bucket-b", selection: .read, region: "cn-beijing, cn-shanghai")
        try world.startLogging("w")
        try world.startLogging("r")
        let all = try await world.record(0..<100)
        try await world.record(1000..<1050, owner: "2000000000000002")
        try await world.deliver()
        let (writes, reads) = (try await world.delivered("bucket-a"), try await world.delivered("bucket-b"))
        #expect(writes.sorted() == all.filter { $0.contains(#""eventRW":"Write""#) }.sorted())
        #expect(
            reads.sorted()
                == all.filter {
                    $0.contains(#""eventRW":"Read""#) && ($0.contains("cn-beijing") || $0.contains(#""isGlobal":true"#))
                }.sorted())
        for bucket in ["bucket-a", "bucket-b"] {
            let report = try await world.verify(world.folder(bucket))
            #expect(report.isGood, "\(report.findings)")
        }
        world.history.close()
    }

    @Test func `of nothing writes nothing, and the next digest accounts for it`() async throws {
        let world = try World()
        try world.trail(selection: .read)
        try world.startLogging()
        try await world.record(1..<3)
        try await world.deliver()
        #expect(try world.keys().isEmpty)
        try await world.record(3..<4)
        try await world.deliver()
        let report = try await world.verify(world.folder())
        #expect(report.isGood && report.events == 1, "\(report.findings)")
        #expect(report.proved.values.first == [[0, 2]])
        world.history.close()
    }

    @Test func `begins and ends with logging`() async throws {
        let world = try World()
        try world.trail()
        try await world.record(0..<5)
        try world.startLogging()
        var expected = try await world.record(5..<10)
        try world.startLogging()
        try world.stopLogging()
        try await world.record(10..<15)
        try await world.deliver()
        #expect(try await world.delivered().sorted() == expected.sorted())
        try world.startLogging()
        expected += try await world.record(15..<20)
        try await world.deliver()
        #expect(try await world.delivered().sorted() == expected.sorted())
        var report = try await world.verify(world.folder())
        #expect(report.isGood && report.gaps.values.first == [[10, 14]], "\(report)")
        // Stopped and started before the stop was sealed: nothing is lost.
        expected += try await world.record(20..<25)
        try world.registry.stop("audit", account: account)
        try world.startLogging()
        expected += try await world.record(25..<30)
        try await world.deliver()
        #expect(try await world.delivered().sorted() == expected.sorted())
        report = try await world.verify(world.folder())
        #expect(report.isGood, "\(report.findings)")
        world.history.close()
    }

    @Test func `of a trail made anew under the same name begins a chain of its own`() async throws {
        let world = try World()
        try world.trail()
        try world.startLogging()
        var expected = try await world.record(0..<10)
        try await world.deliver()
        try world.registry.delete("audit", account: account)
        try await world.record(10..<20)
        try world.trail()
        try world.startLogging()
        expected += try await world.record(20..<30)
        try await world.deliver()
        #expect(try await world.delivered().sorted() == expected.sorted())
        let report = try await world.verify(world.folder())
        #expect(report.isGood && report.proved.count == 2, "\(report.findings)")
        world.history.close()
    }

    @Test func `moves to another bucket and back, and each can be verified alone`() async throws {
        let world = try World()
        try world.trail()
        try world.startLogging()
        for (round, bucket) in ["bucket-a", "bucket-b", "bucket-a"].enumerated() {
            try world.update { $0.ossBucketName = bucket }
            try await world.record(round * 10..<round * 10 + 10)
            try await world.deliver()
        }
        for bucket in ["bucket-a", "bucket-b"] {
            let report = try await world.verify(world.folder(bucket))
            #expect(report.isGood, "\(bucket): \(report.findings)")
        }
        world.history.close()
    }

    @Test func `that retention overtook goes on with what is held, even from the middle of a plan`() async throws {
        let world = try World(retentionDays: 1, tailRows: 50)
        try world.trail()
        try world.startLogging()
        for first in stride(from: 0, to: 200, by: 50) { try await world.record(first..<first + 50) }
        world.faults.breakBucket("bucket-a")
        try await world.deliver(rounds: 2)
        #expect(try world.state().plan != nil)
        world.time.advance(5 * 86_400_000)
        for first in stride(from: 200, to: 400, by: 50) { try await world.record(first..<first + 50) }
        while world.history.statistics.waitingTails > 0 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(world.history.dropExpired() > 0)
        world.faults.breakBucket("")
        try await world.deliver()
        let first = Int(world.history.firstSequence)
        #expect(try await world.delivered().count == 400 - first)
        let report = try await world.verify(world.folder())
        #expect(report.isGood, "\(report.findings)")
        world.history.close()
    }

    @Test func `in trouble tells it, touches no other trail, and resumes`() async throws {
        let world = try World()
        try world.trail("good", bucket: "bucket-a")
        try world.trail("bad", bucket: "bucket-c")
        try world.startLogging("good")
        try world.startLogging("bad")
        let sent = try await world.record(0..<10)
        let running = Task { try await world.service.run() }
        for _ in 0..<100 where try world.state("bad").lastError == nil || world.state("good").deliveredEvents < 10 {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try world.state("good").deliveredEvents == 10)
        #expect(try world.state("bad").lastError?.contains("bucket-c") == true)
        running.cancel()
        try? await running.value
        _ = try world.store.createBucket("bucket-c", owner: account)
        try await world.deliver()
        #expect(try world.state("bad").lastError == nil)
        #expect(try await world.delivered("bucket-c").sorted() == sent.sorted())
        world.history.close()
    }
}

@Suite struct `A history job` {
    @Test(arguments: 1...300 as ClosedRange<UInt64>)
    func `is for what is neither covered nor to come`(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        var state = DeliveryState()
        var covered: Set<UInt64> = []
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            let first = UInt64.random(in: 0..<60, using: &random)
            let end = first + .random(in: 0..<20, using: &random)
            state.cover(first..<end)
            covered.formUnion(first..<end)
        }
        #expect(Set(state.covered.flatMap { $0.first..<$0.end }) == covered, "seed \(seed)")
        for (left, right) in zip(state.covered, state.covered.dropFirst()) { #expect(left.end < right.first, "seed \(seed)") }
        let isLogging = Bool.random(using: &random)
        state.next = .random(in: 0..<80, using: &random)
        state.digestStart = state.next - min(state.next, .random(in: 0..<5, using: &random))
        if !isLogging { state.stop = .random(in: 0..<90, using: &random) }
        let low = UInt64.random(in: 0..<40, using: &random)
        let held = low..<low + .random(in: 0..<50, using: &random)
        var expected = Set(held).subtracting(covered)
        if isLogging { expected = expected.filter { $0 < state.digestStart } }
        if let stop = state.stop, state.next < stop { expected.subtract(min(state.next, state.digestStart)..<stop) }
        let runs = state.uncovered(within: held, isLogging: isLogging)
        #expect(Set(runs.flatMap { $0.first..<$0.end }) == expected, "seed \(seed)")
        #expect(runs.reduce(0) { $0 + $1.end - $1.first } == UInt64(expected.count), "seed \(seed)")
    }

    @Test(arguments: [-1] + Array(0..<24), [false, true])
    func `fills the gaps beside a running trail, once, whatever put fails`(failing: Int, kept: Bool) async throws {
        let world = try World()
        try world.trail()
        let all = try await world.recordWithGaps()
        if failing >= 0 { world.faults.fail(atPut: failing, kept: kept) }
        let first = try world.job(token: "t")
        #expect(try world.job(token: "t").id == first.id)
        #expect(throws: TrailError.jobRunning(first.id)) { try world.job() }
        try await world.deliver()
        #expect(try world.registry.job(first.id, account: account)?.status == .done)
        #expect(try await world.delivered().sorted() == all.sorted(), "put \(failing), kept \(kept)")
        let second = try world.job()
        #expect(second.runs.isEmpty)
        try await world.deliver()
        #expect(try await world.delivered().count == 40)
        let report = try await world.verify(world.folder())
        #expect(report.isGood, "put \(failing), kept \(kept): \(report.findings)")
        world.history.close()
    }

    @Test func `that was deleted is not delivered again by the next`() async throws {
        let world = try World()
        try world.trail()
        let all = try await world.record(0..<10)
        try world.startLogging()
        try await world.record(10..<12)
        try await world.deliver()
        try world.stopLogging()
        let between = try await world.record(12..<20)
        try world.startLogging()
        world.faults.fail(atPut: 9, kept: false)
        let first = try world.job()
        try await world.deliver(rounds: 1)
        try world.registry.deleteJob(first.id, account: account)
        try world.job()
        try await world.deliver()
        let delivered = try await world.delivered()
        #expect(Set(delivered).count == delivered.count)
        #expect(Set(delivered).isSuperset(of: all + between))
        world.history.close()
    }
}
