// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService
import Testing

@Suite struct RegistryConsumerTests {
    let fixture: RegistryFixture
    let registry: LogRegistry

    init() throws {
        fixture = try RegistryFixture()
        registry = fixture.registry
        try registry.createGroup(.init(name: "g", timeout: 40, order: false), logstore: "audit", project: "trails")
    }

    private func beat(
        _ consumer: String, _ held: [Int] = [], group: String = "g", of registry: LogRegistry? = nil,
        isRead: (Int, String) -> Bool = { _, _ in false }
    ) throws -> [Int] {
        try (registry ?? self.registry).heartbeat(
            consumer, held: held, group: group, logstore: "audit", project: "trails", isRead: isRead)
    }

    private func save(
        _ checkpoint: String, shard: Int = 0, by consumer: String = "a", force: Bool = false, group: String = "g",
        in registry: LogRegistry? = nil
    ) throws {
        try (registry ?? self.registry).updateCheckpoint(
            checkpoint, shard: shard, consumer: consumer, force: force, group: group, logstore: "audit", project: "trails")
    }

    private func checkpoints(_ shard: Int? = nil, in registry: LogRegistry? = nil) throws -> [ConsumerCheckpoint] {
        try (registry ?? self.registry).checkpoints(group: "g", shard: shard, logstore: "audit", project: "trails")
    }

    @Test func groupsComeChangeAndGo() throws {
        registryRefuses("ConsumerGroupAlreadyExist") {
            try registry.createGroup(.init(name: "g", timeout: 10, order: true), logstore: "audit", project: "trails")
        }
        for group in [("", 10), ("a/b", 10), ("ok", 0), ("ok", 86401), (String(repeating: "a", count: 257), 10)] {
            registryRefuses("ParameterInvalid") {
                try registry.createGroup(
                    .init(name: group.0, timeout: group.1, order: true), logstore: "audit", project: "trails")
            }
        }
        try registry.updateGroup("g", timeout: nil, order: true, logstore: "audit", project: "trails")
        #expect(
            try registry.groups(logstore: "audit", project: "trails") == [.init(name: "g", timeout: 40, order: true)])
        try registry.updateGroup("g", timeout: 60, order: nil, logstore: "audit", project: "trails")
        #expect(
            try registry.groups(logstore: "audit", project: "trails") == [.init(name: "g", timeout: 60, order: true)])
        registryRefuses("ParameterInvalid") {
            try registry.updateGroup("g", timeout: -1, order: nil, logstore: "audit", project: "trails")
        }
        try registry.deleteGroup("g", logstore: "audit", project: "trails")
        registryRefuses("ConsumerGroupNotExist", status: 404) {
            try registry.deleteGroup("g", logstore: "audit", project: "trails")
        }
        registryRefuses("ConsumerGroupNotExist", status: 404) { _ = try beat("a") }
        registryRefuses("ConsumerGroupNotExist", status: 404) { try save("MA==", force: true) }
        registryRefuses("ConsumerGroupNotExist", status: 404) { _ = try checkpoints() }
        registryRefuses("LogStoreNotExist", status: 404) {
            try registry.createGroup(.init(name: "g", timeout: 10, order: true), logstore: "none", project: "trails")
        }
    }

    @Test func checkpointsBelongToWhoReads() throws {
        #expect(try checkpoints(1) == [.init(shard: 1, checkpoint: "", updateTime: 0, consumer: "")])
        registryRefuses("ConsumerNotExist", status: 404) { try save("MA==") }
        #expect(try beat("a") == [0, 1])
        #expect(try beat("b") == [])
        try save("MTcwMDAwMDAwMA==")
        registryRefuses("ConsumerNotMatch") { try save("MA==", by: "b") }
        let saved = ConsumerCheckpoint(
            shard: 0, checkpoint: "MTcwMDAwMDAwMA==", updateTime: 1_700_000_000_000_000, consumer: "a")
        #expect(try checkpoints() == [saved, .init(shard: 1)])
        try save("MA==", by: "b", force: true)
        #expect(try checkpoints(0).map(\.consumer) == ["b"])
        try save("MQ==", by: "", force: true)
        registryRefuses("ParameterInvalid") { try save("MQ==", by: "") }
        registryRefuses("ShardNotExist", status: 404) { try save("MA==", shard: 2, force: true) }
        registryRefuses("ShardNotExist") { _ = try checkpoints(2) }
        // Not Base64, no number, none that fits 64 bits, nothing.
        for checkpoint in ["!", "YWJj", "LTE=", "KzE=", "MTg0NDY3NDQwNzM3MDk1NTE2MTY=", ""] {
            registryRefuses("InvalidShardCheckPoint") { try save(checkpoint, force: true) }
        }
        try save("MTg0NDY3NDQwNzM3MDk1NTE2MTU=", force: true)
        #expect(try checkpoints(0).map(\.checkpoint) == ["MTg0NDY3NDQwNzM3MDk1NTE2MTU="])
        fixture.clock.advance(seconds: 41)
        registryRefuses("ConsumerNotExist", status: 404) { try save("MA==") }
    }

    @Test func aRestartKeepsCheckpointsAndReaders() throws {
        #expect(try beat("a") == [0, 1])
        try save("MTc=", shard: 1)
        let restarted = fixture.restarted()
        #expect(try checkpoints(1, in: restarted).map(\.checkpoint) == ["MTc="])
        try save("MTg=", shard: 1, in: restarted)
        #expect(try beat("b", of: restarted) == [], "a reads on, though it was not heard of yet")
        #expect(try beat("a", [0, 1], of: restarted) == [0])
        fixture.clock.advance(seconds: 20)
        #expect(try beat("a", [0], of: restarted) == [0])
        #expect(try beat("b", of: restarted) == [1])
    }

    @Test func aNewGroupOfAnOldNameStartsFromNothing() throws {
        #expect(try beat("a") == [0, 1])
        try save("MTc=")
        try registry.deleteGroup("g", logstore: "audit", project: "trails")
        try registry.createGroup(.init(name: "g", timeout: 40, order: false), logstore: "audit", project: "trails")
        #expect(try checkpoints() == [.init(shard: 0), .init(shard: 1)])
        #expect(try beat("b") == [0, 1])
    }

    @Test func orderIsKept() throws {
        try registry.createGroup(.init(name: "o", timeout: 40, order: true), logstore: "audit", project: "trails")
        _ = try registry.splitShard(0, at: nil, logstore: "audit", project: "trails")
        var asked: [Int: String] = [:]
        func isRead(_ shard: Int, _ checkpoint: String) -> Bool {
            asked[shard] = checkpoint
            return checkpoint == "MTA="
        }
        #expect(try beat("a", group: "o", isRead: isRead) == [0, 1])
        #expect(asked == [0: ""])
        try save("OQ==", group: "o")
        #expect(try beat("a", [0, 1], group: "o", isRead: isRead) == [0, 1])
        #expect(asked == [0: "OQ=="])
        try save("MTA=", group: "o")
        #expect(try beat("a", [0, 1], group: "o", isRead: isRead) == [0, 1, 2, 3])
        // Without order nobody is asked, and all are read at once.
        asked = [:]
        #expect(try beat("a", isRead: isRead) == [0, 1, 2, 3])
        #expect(asked.isEmpty)
    }

    @Test func consumersHaveNames() throws {
        for name in ["", "a\nb", String(repeating: "a", count: 257)] {
            registryRefuses("ParameterInvalid") { _ = try beat(name) }
        }
        #expect(try beat("消费者 1") == [0, 1])
    }
}
