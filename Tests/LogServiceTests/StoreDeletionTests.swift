// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import LogService
import Testing

@Suite struct `A deleted logstore` {
    private static func filled(_ service: LogService) async throws -> Logstore {
        let logstore = try await service.made(try StoreWorld.logstore())
        for batch in 0..<5 { try await service.put(batch * 10..<batch * 10 + 10, into: logstore) }
        try await service.deliver(StoreWorld.group(500..<503), positions: [1, 2, 3], stream: "trail", into: logstore)
        try await service.settle(logstore)
        return logstore
    }

    private static func expectEmpty(_ service: LogService, _ logstore: Logstore, _ label: String) async throws {
        try #require(try await service.numbers(logstore).isEmpty, "\(label)")
        try #require(try await service.pulled(logstore).isEmpty, "\(label)")
        try #require(try await service.lastPosition(stream: "trail", in: logstore) == nil, "\(label)")
        try await service.deliver(StoreWorld.group(7..<8), positions: [1], stream: "trail", into: logstore)
        try await service.put(0..<5, into: logstore)
        try #require(try await service.numbers(logstore) == [0, 1, 2, 3, 4, 7], "\(label)")
    }

    @Test func `leaves nothing behind, and nothing of it is in the next of its name`() async throws {
        let world = try StoreWorld(tailRows: 16)
        let service = try world.open()
        let old = try await Self.filled(service)
        try service.registry.deleteLogstore("audit", project: "trails")
        try await service.remove(old)
        #expect(try world.files().isEmpty && world.disk.list("data/logstores").isEmpty)
        #expect(try world.metadata.value([String: String].self, at: "logstreams/\(old.id)") == nil)
        let new = try await service.made(try StoreWorld.logstore())
        try await Self.expectEmpty(service, new, "made anew")
        // Whoever still holds the old one neither reads nor writes.
        await #expect(throws: LogServiceError.self) { try await service.put(800..<801, into: old) }
        await #expect(throws: LogServiceError.self) { _ = try await service.numbers(old) }
        #expect(try await service.numbers(new) == [0, 1, 2, 3, 4, 7])
        service.close()
        #expect(try await world.open().numbers(new) == [0, 1, 2, 3, 4, 7])
    }

    @Test func `whose files are removed late does not take the next one's with it`() async throws {
        let world = try StoreWorld(tailRows: 16)
        let service = try world.open()
        let old = try await Self.filled(service)
        try service.registry.deleteLogstore("audit", project: "trails")
        let new = try await service.made(try StoreWorld.logstore())
        try await Self.expectEmpty(service, new, "made before the removal")
        try await service.remove(old)
        #expect(try await service.numbers(new) == [0, 1, 2, 3, 4, 7])
        #expect(try world.files().allSatisfy { !$0.contains(old.id) })
        service.close()
    }

    @Test func `is gone after a crash at any step of the removal`() async throws {
        var step = 0
        var isDone = false
        while !isDone {
            let world = try StoreWorld(tailRows: 16)
            let service = try world.open()
            let old = try await Self.filled(service)
            let bystander = try await service.made(try StoreWorld.logstore("bystander"))
            try await service.put(0..<20, into: bystander)
            try service.registry.deleteLogstore("audit", project: "trails")
            let faults = StoreFaults(failing: step, way: .ended)
            faults.install(on: world.disk)
            isDone = (try? await service.remove(old)) != nil
            world.disk.setFault(nil)
            for (end, disk) in [
                world.disk.afterKill(), world.disk.afterPowerLoss(seed: UInt64(step)),
                world.disk.afterPowerLoss(seed: UInt64(step) + 1000),
            ].enumerated() {
                let later = try world.with(disk)
                let reopened = try later.open()
                let label = "step \(step), end \(end)"
                try #require(try later.files().allSatisfy { !$0.contains(old.id) }, "\(label)")
                let new = try await reopened.made(try StoreWorld.logstore())
                try await Self.expectEmpty(reopened, new, label)
                try #require(try await reopened.numbers(bystander) == (0..<20).map { $0 }, "\(label)")
                reopened.close()
                try reopened.registry.deleteLogstore("audit", project: "trails")
            }
            step += 1
        }
        #expect(step > 8)
    }

    @Test func `with its project, and one that is made while others write`() async throws {
        let world = try StoreWorld(tailRows: 16)
        let service = try world.open()
        let old = try await Self.filled(service)
        // Writers do not stop for a deletion: each log is in the old one or refused.
        await withTaskGroup(of: Void.self) { tasks in
            for writer in 0..<4 {
                tasks.addTask {
                    for number in 0..<30 { try? await service.put(writer * 100 + number..<writer * 100 + number + 1, into: old) }
                }
            }
            tasks.addTask {
                try? await Task.sleep(for: .milliseconds(5))
                for logstore in (try? service.registry.deleteProject("trails")) ?? [] { try? await service.remove(logstore) }
            }
        }
        await #expect(throws: LogServiceError.self) { try await service.put(0..<1, into: old) }
        #expect(try world.files().isEmpty)
        try service.registry.createProject(
            Project(name: "trails", account: StoreWorld.account, region: StoreWorld.region, createdAt: 1_700_000_000))
        let new = try await service.made(try StoreWorld.logstore())
        try await Self.expectEmpty(service, new, "made anew")
        service.close()
    }

    @Test func `whose files cannot be removed keeps nobody from the others, and goes later`() async throws {
        let world = try StoreWorld(tailRows: 16)
        let service = try world.open()
        let old = try await Self.filled(service)
        let bystander = try await service.made(try StoreWorld.logstore("bystander"))
        try await service.put(0..<20, into: bystander)
        try service.registry.deleteLogstore("audit", project: "trails")
        service.close()
        world.disk.setFault { operation, path in
            operation == .remove && path.contains(old.id) ? .lost(errno: 5) : nil
        }
        let reopened = try world.open()
        #expect(try await reopened.numbers(bystander) == (0..<20).map { $0 })
        #expect(world.failures.contains { $0.contains(old.id) })
        #expect(try world.files().contains { $0.contains(old.id) })
        reopened.close()
        world.disk.setFault(nil)
        let last = try world.open()
        #expect(try world.files().allSatisfy { !$0.contains(old.id) })
        #expect(try await last.numbers(bystander) == (0..<20).map { $0 })
        last.close()
    }

    @Test func `is not taken for a folder that something else made`() async throws {
        let world = try StoreWorld()
        let file = "data/logstores/trails/audit/journal/0000000000000000.journal"
        try world.disk.createDirectory("data/logstores/trails/audit/journal")
        try world.disk.replace(file, with: [1, 2, 3])
        let service = try world.open()
        #expect(world.failures.contains { $0.contains("data/logstores/trails/audit/journal") && $0.contains("move it") })
        #expect(try world.disk.size(of: file) == 3)
        let logstore = try await service.made(try StoreWorld.logstore())
        try await service.put(0..<3, into: logstore)
        #expect(try await service.numbers(logstore) == [0, 1, 2])
        service.close()
    }
}
