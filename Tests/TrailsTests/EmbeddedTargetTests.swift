// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import ObjectStorage
import Testing
import Trails

@Suite struct `An embedded bucket as a target` {
    private let content = Array("what is delivered".utf8)

    private func target(_ world: World) -> EmbeddedTarget {
        EmbeddedTarget(store: world.store, bucket: "bucket-a", now: { world.time.date })
    }

    @Test(arguments: [false, true]) func `takes the same content again and never other`(isLocked: Bool) async throws {
        let world = try World()
        if isLocked {
            let policy = try world.store.initiateRetention(bucket: "bucket-a", days: 30)
            try world.store.completeRetention(bucket: "bucket-a", id: policy.id)
        }
        let target = target(world)
        #expect(try await target.put("k", content, contentType: "x/y").isNew)
        #expect(try await !target.put("k", content, contentType: "x/y").isNew)
        await #expect(throws: TargetConflict.self) { try await target.put("k", [1], contentType: "x/y") }
        await #expect(throws: TargetConflict.self) { try await target.put("k", content.map { $0 ^ 1 }, contentType: "x/y") }
        #expect(try await target.read("k") == content)
        #expect(try await target.list(prefix: "", after: "") == [TargetEntry(key: "k", size: Int64(content.count))])
        world.history.close()
    }

    @Test func `with versions keeps one of each`() async throws {
        let world = try World()
        try world.store.setVersioning(.enabled, bucket: "bucket-a")
        let target = target(world)
        let first = try await target.put("k", content, contentType: "x/y")
        #expect(first.isNew && first.versionId != nil)
        #expect(try await target.put("k", content, contentType: "x/y") == PutReceipt(isNew: false, versionId: first.versionId))
        #expect(try await !target.check().refusesOverwrite)
        world.history.close()
    }

    @Test func `tells what protects it`() async throws {
        let world = try World()
        let target = target(world)
        #expect(try await target.check().gaps.contains { $0.contains("no WORM policy") })
        let policy = try world.store.initiateRetention(bucket: "bucket-a", days: 30)
        #expect(try await target.check().gaps.contains { $0.contains("not locked") })
        try world.store.completeRetention(bucket: "bucket-a", id: policy.id)
        let protection = try await target.check()
        #expect(protection.retention == "WORM Locked, 30 days" && protection.gaps.isEmpty && protection.refusesOverwrite)
        await #expect(throws: ObjectError.noSuchBucket("absent")) {
            try await EmbeddedTarget(store: world.store, bucket: "absent", now: { world.time.date }).check()
        }
        world.history.close()
    }

    /// A step that a crash cut off is repeated in a bucket that takes nothing back.
    @Test(arguments: 0..<6) func `under retention has each object of a trail once`(failing: Int) async throws {
        let world = try World()
        let policy = try world.store.initiateRetention(bucket: "bucket-a", days: 30)
        try world.store.completeRetention(bucket: "bucket-a", id: policy.id)
        try world.trail()
        try world.startLogging()
        world.faults.fail(atPut: failing, kept: true)
        let sent = try await world.record(0..<20)
        try await world.deliver()
        #expect(try await world.delivered().sorted() == sent.sorted())
        #expect(try world.state().lastError == nil && world.faults.changed.isEmpty)
        let report = try await world.verify(world.folder())
        #expect(report.isGood, "\(report.findings)")
        world.history.close()
    }
}
