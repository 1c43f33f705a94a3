// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import EventHistory
import Foundation
import MerkleLog
import ObjectStorage
import Synchronization
import Testing
import Trails

/// A target in memory that refuses what a test wants refused.
private final class MemoryTarget: DeliveryTarget {
    private struct State {
        var objects: [String: [UInt8]] = [:]
        var refusal: (any Error)?
        var checkRefusal: (any Error)?
        var checks = 0
        var gaps: [String] = []
    }

    private let state = Mutex(State())

    let location = "memory"

    var objects: [String: [UInt8]] {
        get { state.withLock { $0.objects } }
        set { state.withLock { $0.objects = newValue } }
    }
    var checks: Int { state.withLock { $0.checks } }
    func refuse(_ error: (any Error)?) { state.withLock { $0.refusal = error } }
    func refuseCheck(_ error: (any Error)?) { state.withLock { $0.checkRefusal = error } }
    func setGaps(_ gaps: [String]) { state.withLock { $0.gaps = gaps } }

    func put(_ key: String, _ content: [UInt8], contentType: String) async throws -> PutReceipt {
        try state.withLock { state in
            if let refusal = state.refusal { throw refusal }
            if let held = state.objects[key] {
                guard held == content else { throw TargetConflict(key: key, location: location) }
                return PutReceipt(isNew: false)
            }
            state.objects[key] = content
            return PutReceipt(isNew: true)
        }
    }

    func read(_ key: String) async throws -> [UInt8]? { objects[key] }

    /// Two at a time, so that going on is tried.
    func list(prefix: String, after marker: String) async throws -> [TargetEntry] {
        objects.filter { $0.key.hasPrefix(prefix) && marker.utf8.lexicographicallyPrecedes($0.key.utf8) }
            .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.prefix(2)
            .map { TargetEntry(key: $0.key, size: Int64($0.value.count)) }
    }

    func check() async throws -> TargetProtection {
        try state.withLock { state in
            state.checks += 1
            if let refusal = state.checkRefusal { throw refusal }
            return TargetProtection(
                location: location, retention: "made up", refusesOverwrite: true, gaps: state.gaps,
                checkedAt: Date(timeIntervalSince1970: 0))
        }
    }
}

@Suite struct `A remote target` {
    @Test func `of a trail's bucket name is preferred, and its protection is told`() async throws {
        let target = MemoryTarget()
        let world = try World(remote: ["bucket-a": target])
        try world.trail()
        try world.trail("other", bucket: "bucket-b")
        try world.startLogging()
        try world.startLogging("other")
        let sent = try await world.record(0..<10)
        try await world.deliver()
        #expect(try world.keys("bucket-a").isEmpty)
        #expect(try await world.delivered("bucket-b").sorted() == sent.sorted())
        let state = try world.state()
        #expect(state.protection?.retention == "made up" && state.deliveredEvents == 10)
        #expect(try world.state("other").protection?.location == "embedded bucket `bucket-b`")
        let source = TargetObjects(target, prefix: "AliyunLogs/")
        #expect(try await source.keys() == target.objects.keys.sorted())
        let report = try await DeliveryVerification(
            source: source, verifier: NoteVerifier(verifierKey: world.history.signedLog.verifierKey)
        ).run()
        #expect(report.isGood && report.events == 10, "\(report.findings)")
        // Asked once, and again after an hour.
        #expect(target.checks == 1)
        world.time.advance(3_601_000)
        try await world.deliver(rounds: 2)
        #expect(target.checks == 2)
        world.history.close()
    }

    @Test func `that lacks what is demanded gets nothing until it has it, and no other trail waits`() async throws {
        struct NoLock: Error {}
        let target = MemoryTarget()
        target.refuseCheck(NoLock())
        let world = try World(remote: ["bucket-a": target])
        try world.trail()
        try world.trail("other", bucket: "bucket-b")
        try world.startLogging()
        try world.startLogging("other")
        let sent = try await world.record(0..<10)
        try await world.deliver(rounds: 2)
        #expect(target.objects.isEmpty)
        #expect(try world.state().lastError?.contains("NoLock") == true)
        #expect(try await world.delivered("bucket-b").sorted() == sent.sorted())
        target.refuseCheck(nil)
        try await world.deliver()
        #expect(try world.state().lastError == nil && world.state().deliveredEvents == 10)
        world.history.close()
    }

    @Test func `whose key is disabled is waited for, and delivery resumes by itself`() async throws {
        struct KeyDisabled: Error {}
        let target = MemoryTarget()
        let world = try World(remote: ["bucket-a": target])
        try world.trail()
        try world.startLogging()
        try await world.record(0..<5)
        try await world.deliver()
        let before = target.objects
        target.refuse(KeyDisabled())
        try await world.record(5..<10)
        // The clock of this world stands still: what is due after a pause is due when it moves.
        world.time.advance(1000)
        let running = Task { try await world.service.run() }
        for _ in 0..<100 where try world.state().lastError == nil { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try world.state().lastError?.contains("KeyDisabled") == true)
        target.refuse(nil)
        world.time.advance(600_000)
        for _ in 0..<200 where try world.state().deliveredEvents < 10 { try await Task.sleep(for: .milliseconds(20)) }
        running.cancel()
        try? await running.value
        #expect(try world.state().deliveredEvents == 10 && world.state().lastError == nil)
        #expect(before.allSatisfy { target.objects[$0.key] == $0.value })
        world.history.close()
    }

    @Test func `with other content under a key keeps it, and the trail says so`() async throws {
        let target = MemoryTarget()
        let world = try World(remote: ["bucket-a": target])
        try world.trail()
        try world.startLogging()
        try await world.record(0..<5)
        try await world.deliver()
        let key = try #require(target.objects.keys.first { $0.hasSuffix(".gz") })
        let real = target.objects
        // The same step again, over an object that somebody changed.
        target.objects = [key: [1, 2, 3]]
        try world.registry.delete("audit", account: account)
        try world.trail()
        try world.job()
        try await world.deliver(rounds: 2)
        let job = try #require(try world.registry.jobs(account: account).first)
        #expect(job.delivery.lastError?.contains("has other content") == true, "\(job)")
        #expect(target.objects[key] == [1, 2, 3])
        target.objects[key] = nil
        try await world.deliver()
        #expect(target.objects[key] == real[key])
        #expect(try world.registry.jobs(account: account).first?.status == .done)
        world.history.close()
    }

    /// A second step whose digest is in the bucket although its put failed.
    private func worldWithUnnotedDigest() async throws -> World {
        let world = try World()
        try world.trail()
        try world.startLogging()
        try await world.record(0..<5)
        try await world.deliver(rounds: 1)
        let digestAt = world.faults.made.count - 1
        world.faults.fail(atPut: digestAt, kept: true)
        try await world.record(5..<10)
        try await world.deliver(rounds: 1)
        return world
    }

    /// A crash after the digest was put, and a signature that comes out otherwise the next time.
    @Test func `that holds the step's digest in other bytes keeps them, and the chain goes on from them`() async throws {
        let world = try await worldWithUnnotedDigest()
        #expect(try world.state().plan != nil, "the step is not done")
        let key = try #require(world.faults.made.last)
        #expect(key.hasSuffix(".digest"))
        let object = try #require(try world.store.object(bucket: "bucket-a", key: key))
        let bytes = try await world.store.content(of: object)
        // The same digest, its body laid out otherwise and signed again.
        let start = try #require(bytes.firstRange(of: Array("\n\n{".utf8))).upperBound - 1
        let fields = try JSONSerialization.jsonObject(with: Data(bytes[start...]))
        let body = try JSONSerialization.data(
            withJSONObject: fields, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        let rewritten = try world.signedDigest(body)
        #expect(rewritten != bytes)
        try world.store.put(rewritten, bucket: "bucket-a", key: key)
        try await world.record(10..<15)
        try await world.deliver()
        #expect(try world.state().deliveredEvents == 15 && world.state().lastError == nil)
        let report = try await world.verify(world.folder())
        #expect(report.isGood && report.events == 15, "\(report.findings)")
        world.history.close()
    }

    @Test func `with a digest of something else in the way is not believed`() async throws {
        let world = try await worldWithUnnotedDigest()
        let key = try #require(world.faults.made.last)
        let first = try #require(world.faults.made.first { $0.hasSuffix(".digest") })
        let foreign = try await world.store.content(of: #require(try world.store.object(bucket: "bucket-a", key: first)))
        try world.store.put(foreign, bucket: "bucket-a", key: key)
        try await world.deliver(rounds: 2)
        #expect(try world.state().deliveredEvents == 5)
        #expect(try world.state().lastError?.contains("has other content") == true)
        world.history.close()
    }
}
