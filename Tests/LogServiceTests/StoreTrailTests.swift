// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService
import Testing

@Suite struct `A logstore that a trail is to have` {
    private static func take(_ logstore: Logstore, _ service: LogService) throws {
        try service.registry.setTrail("trail", logstore: logstore.name, project: logstore.project)
    }

    @Test func `must not hold what others wrote, or have held it`() async throws {
        let world = try StoreWorld()
        var service = try world.open()
        let logstore = try await service.made(try StoreWorld.logstore())
        try await service.put(0..<2, into: logstore)
        for _ in 0..<2 {
            #expect(try !service.registry.logstore("audit", project: "trails").mayBecomeTrails)
            registryRefuses("LogStoreAlreadyExist") { try Self.take(logstore, service) }
            #expect(try service.registry.logstore("audit", project: "trails").trail == nil)
            service.close()
            service = try world.open()
        }
        service.close()
    }

    @Test func `may be empty, or left by another trail as it was`() async throws {
        let service = try StoreWorld().open()
        let logstore = try await service.made(try StoreWorld.logstore())
        try await service.put(LogGroup(logs: []), into: logstore)
        try Self.take(logstore, service)
        try await service.deliver(StoreWorld.group(0..<3), positions: [1, 2, 3], stream: "s", into: logstore)
        try service.registry.setTrail(nil, logstore: "audit", project: "trails")
        try Self.take(logstore, service)
        try service.registry.setTrail(nil, logstore: "audit", project: "trails")
        try await service.put(7..<8, into: logstore)
        registryRefuses("LogStoreAlreadyExist") { try Self.take(logstore, service) }
        #expect(try await service.numbers(logstore) == [0, 1, 2, 7])
        service.close()
    }

    @Test func `takes nothing from a writer who was let in before the trail had it`() async throws {
        let service = try StoreWorld().open()
        let logstore = try await service.made(try StoreWorld.logstore())
        try Self.take(logstore, service)
        do {
            try await service.put(0..<1, into: logstore)
            Issue.record("written")
        } catch let error as LogServiceError { #expect(error.code == "Unauthorized") }
        #expect(try await service.numbers(logstore).isEmpty)
        service.close()
    }

    @Test func `of an earlier version, of which nothing is known, is refused`() async throws {
        let world = try StoreWorld()
        let made = try StoreWorld.logstore()
        var object = try #require(try JSONSerialization.jsonObject(with: try JSONEncoder().encode(made)) as? [String: Any])
        object["hasOtherLogs"] = nil
        let old = try JSONDecoder().decode(Logstore.self, from: try JSONSerialization.data(withJSONObject: object))
        let service = try world.open()
        _ = try await service.made(old)
        registryRefuses("LogStoreAlreadyExist") { try Self.take(old, service) }
        service.close()
    }
}
