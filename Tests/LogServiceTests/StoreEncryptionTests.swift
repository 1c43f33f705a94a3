// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import KeyManagement
import LogService
import Testing

@Suite struct `Logs under a customer's key` {
    private static func key(_ world: StoreWorld) throws -> String {
        try world.keys.createKey(NewKey(), account: StoreWorld.account, region: StoreWorld.region).id
    }

    private static func expectRefused(_ service: LogService, _ logstore: Logstore) async {
        func expect(_ work: () async throws -> Void) async {
            let error = await #expect(throws: LogServiceError.self) { try await work() }
            #expect(error?.status == 403 && error?.code == "Unauthorized", "\(String(describing: error))")
        }
        await expect { try await service.put(900..<901, into: logstore) }
        await expect { _ = try await service.numbers(logstore) }
        await expect {
            _ = try await service.histogram(LogQuery(text: "*", times: 0..<1_000_000_000), interval: nil, in: logstore)
        }
        await expect { _ = try await service.cursor(.begin, shard: 0, in: logstore) }
        await expect { _ = try await service.pull(shard: 0, from: 0, to: nil, count: 1, query: nil, in: logstore) }
        await expect { _ = try await service.lastPosition(stream: "trail", in: logstore) }
        await expect { _ = try await service.topics(after: "", limit: 5, in: logstore) }
        await expect {
            try await service.deliver(StoreWorld.group(900..<901), positions: [1], stream: "trail", into: logstore)
        }
    }

    @Test func `are there while it is enabled, and only then`() async throws {
        let world = try StoreWorld(tailRows: 16)
        let key = try Self.key(world)
        let service = try world.open()
        let logstore = try await service.made(
            try StoreWorld.logstore(encryption: LogstoreEncryption(isEnabled: true, type: "default", keyId: key)))
        for batch in 0..<6 { try await service.put(batch * 10..<batch * 10 + 10, into: logstore) }
        try await service.settle(logstore)
        let store = try await service.store(logstore)
        try world.keys.disableKey(key)
        await Self.expectRefused(service, logstore)
        await Self.expectRefused(service, logstore)
        #expect(world.keys.openVersions(of: key) == 0)
        // A service that is started now does not get at them either.
        let later = try world.with(world.disk.afterKill())
        let restarted = try later.open()
        await Self.expectRefused(restarted, logstore)
        for world in [world, later] { try world.keys.enableKey(key) }
        for service in [service, restarted] {
            #expect(try await service.numbers(logstore) == (0..<60).map { $0 })
            try await service.put(60..<70, into: logstore)
            #expect(try await service.numbers(logstore) == (0..<70).map { $0 })
        }
        // The data keys in memory went with the store.
        #expect(try await service.store(logstore) !== store)
        try world.keys.scheduleDeletion(of: key, days: 7)
        await Self.expectRefused(service, logstore)
        try world.keys.cancelDeletion(of: key)
        #expect(try await service.numbers(logstore).count == 70)
        try world.keys.scheduleDeletion(of: key, days: 7)
        world.now += 8 * StoreWorld.day
        _ = world.keys.maintain()
        await Self.expectRefused(service, logstore)
        // It can be removed without its key, and another logstore is not touched by any of it.
        let other = try await service.made(try StoreWorld.logstore("other"))
        try await service.put(0..<3, into: other)
        try service.registry.deleteLogstore("audit", project: "trails")
        try await service.remove(logstore)
        #expect(try await service.numbers(other) == [0, 1, 2])
        service.close()
    }

    @Test func `stay readable when encryption is switched on, off and on`() async throws {
        let world = try StoreWorld(tailRows: 16)
        var new = NewKey()
        (new.rotates, new.rotationInterval) = (true, "7d")
        let key = try world.keys.createKey(new, account: StoreWorld.account, region: StoreWorld.region).id
        var service = try world.open()
        _ = try await service.made(try StoreWorld.logstore())
        var encryption = LogstoreEncryption(isEnabled: true, type: "default", keyId: key)
        var count = 0
        for phase in 0..<4 {
            var logstore = try service.registry.logstore("audit", project: "trails")
            if phase > 0 {
                encryption.isEnabled = phase != 2
                try await service.updateEncryption(encryption, of: logstore)
                logstore = try service.registry.logstore("audit", project: "trails")
            }
            for _ in 0..<4 {
                try await service.put(count..<count + 10, into: logstore)
                count += 10
            }
            try await service.settle(logstore)
            #expect(try await service.numbers(logstore) == (0..<count).map { $0 })
            service.close()
            service = try world.open()
            #expect(try await service.numbers(logstore) == (0..<count).map { $0 })
            if phase == 1 || phase == 3 {
                try world.keys.disableKey(key)
                await Self.expectRefused(service, logstore)
                try world.keys.enableKey(key)
            }
        }
        // A new version of the key, with the old one's files beside it.
        world.now += 8 * StoreWorld.day
        _ = world.keys.maintain()
        #expect(try world.keys.versions(of: key).count == 2)
        let logstore = try service.registry.logstore("audit", project: "trails")
        try await service.put(count..<count + 40, into: logstore)
        service.close()
        service = try world.open()
        #expect(try await service.numbers(logstore).count == count + 40)
        service.close()
    }

    @Test func `are refused with a choice that is not to be had`() async throws {
        let world = try StoreWorld()
        let service = try world.open()
        let key = try Self.key(world)
        let foreign = try world.keys.createKey(NewKey(), account: "1000000000000002", region: StoreWorld.region).id
        for encryption in [
            LogstoreEncryption(isEnabled: true, type: "sm4", keyId: key),
            LogstoreEncryption(isEnabled: true, type: "default", keyId: foreign),
            LogstoreEncryption(isEnabled: true, type: "default", keyId: "nobody's"),
            LogstoreEncryption(isEnabled: true, type: "default", keyId: key, regionId: "elsewhere"),
        ] {
            await #expect(throws: LogServiceError.self, "\(encryption)") {
                try await service.createLogstore(try StoreWorld.logstore(encryption: encryption))
            }
        }
        try world.keys.disableKey(key)
        await #expect(throws: LogServiceError.self) {
            try await service.createLogstore(
                try StoreWorld.logstore(encryption: .init(isEnabled: true, type: "default", keyId: key)))
        }
        #expect(try service.registry.allLogstores().isEmpty)
    }
}
