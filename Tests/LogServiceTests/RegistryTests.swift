// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogService
import Metadata
import Testing

@Suite struct RegistryTests {
    // MARK: Projects

    @Test func projectsComeChangeAndGo() throws {
        let fixture = try RegistryFixture(isEmpty: true)
        let registry = fixture.registry
        registryRefuses("ProjectNotExist", status: 404) { _ = try registry.project("trails") }
        let project = RegistryFixture.project("trails")
        try registry.createProject(project)
        #expect(try registry.project("trails") == project)
        registryRefuses("ProjectAlreadyExist") { try registry.createProject(RegistryFixture.project("trails", account: "2")) }
        try registry.createProject(RegistryFixture.project("other", account: "2"))
        #expect(try registry.projects(account: RegistryFixture.account) == [project])
        fixture.clock.advance(seconds: 5)
        try registry.updateProject("trails") { $0.description = "events" }
        #expect(try registry.project("trails").description == "events")
        #expect(try registry.project("trails").modifiedAt == 1_700_000_005)
        registryRefuses("ParameterInvalid") { try registry.updateProject("trails") { $0.account = "2" } }
        registryRefuses("ParameterInvalid") {
            try registry.updateProject("trails") { $0.description = String(repeating: "x", count: 1025) }
        }
        try registry.deleteProject("trails")
        registryRefuses("ProjectNotExist", status: 404) { try registry.deleteProject("trails") }
        registryRefuses("ProjectNotExist", status: 404) { try registry.updateProject("trails") { _ in } }
        registryRefuses("ProjectNotExist", status: 404) { _ = try registry.logstores(project: "trails") }
    }

    @Test func namesFollowTheRules() throws {
        let registry = try RegistryFixture().registry
        for name in ["", "ab", "Abc", "a_b", "-abc", "abc-", "a/b", "a.b", "äbc", String(repeating: "a", count: 64)] {
            registryRefuses("ParameterInvalid") { try registry.createProject(RegistryFixture.project(name)) }
        }
        try registry.createProject(RegistryFixture.project("a-1"))
        try registry.createProject(RegistryFixture.project(String(repeating: "a", count: 63)))
        for name in ["", "a", "A1", "_ab", "ab_", "a b", "a/b", "a.b", String(repeating: "a", count: 64)] {
            registryRefuses("LogStoreInfoInvalid") { try registry.createLogstore(RegistryFixture.logstore(name)) }
        }
        try registry.createLogstore(RegistryFixture.logstore("a1"))
        try registry.createLogstore(RegistryFixture.logstore("actiontrail_demo-1"))
        #expect(try registry.logstores(project: "trails").map(\.name) == ["a1", "actiontrail_demo-1", "audit"])
    }

    @Test func quotasHold() throws {
        let registry = try RegistryFixture().registry
        for index in 1..<50 { try registry.createProject(RegistryFixture.project("p-\(index)")) }
        registryRefuses("ProjectQuotaExceed") { try registry.createProject(RegistryFixture.project("p-50")) }
        try registry.createProject(RegistryFixture.project("p-50", account: "2"))
        for index in 1..<200 { try registry.createLogstore(RegistryFixture.logstore("l\(index)")) }
        registryRefuses("ProjectQuotaExceed") { try registry.createLogstore(RegistryFixture.logstore("l200")) }
        for index in 0..<30 {
            try registry.createGroup(.init(name: "g\(index)", timeout: 40, order: false), logstore: "audit", project: "trails")
        }
        registryRefuses("ConsumerGroupQuotaExceed") {
            try registry.createGroup(.init(name: "g30", timeout: 40, order: false), logstore: "audit", project: "trails")
        }
        for index in 0..<100 {
            try registry.createDocument(.dashboard, Data(#"{"dashboardName":"d\#(index)"}"#.utf8), project: "trails")
        }
        registryRefuses("ProjectQuotaExceed") {
            try registry.createDocument(.dashboard, Data(#"{"dashboardName":"d100"}"#.utf8), project: "trails")
        }
    }

    // MARK: Logstores

    @Test func aLogstoreIsCheckedWhenItIsMade() throws {
        let registry = try RegistryFixture().registry
        func refuse(_ code: String = "LogStoreInfoInvalid", status: Int = 400, _ change: (inout Logstore) -> Void) throws {
            var logstore = try RegistryFixture.logstore("new")
            change(&logstore)
            registryRefuses(code, status: status) { try registry.createLogstore(logstore) }
        }
        try refuse { $0.ttl = 0 }
        try refuse { $0.ttl = 3651 }
        try refuse { $0.autoSplit = true }
        try refuse { $0.maxSplitShard = 257 }
        try refuse { $0.maxSplitShard = -1 }
        try refuse { $0.hotTTL = 6 }
        try refuse { $0.hotTTL = 31 }
        try refuse { $0.infrequentAccessTTL = 0 }
        try refuse { $0.mode = "lite" }
        try refuse { $0.telemetryType = "Trace" }
        try refuse { $0.encryption = .init(isEnabled: true, type: "rot13") }
        try refuse { $0.encryption = .init(isEnabled: true, type: "default", roleArn: "acs:ram::1:role/x") }
        try refuse { $0.encryption = .init(isEnabled: true, type: "default", keyId: "") }
        try refuse { $0.shards = [] }
        try refuse { $0.shards[0].isWritable = false }
        try refuse("IndexInfoInvalid") { $0.index = Data("{}".utf8) }
        try refuse("ProjectNotExist", status: 404) { $0.project = "nowhere" }
        try refuse("ProjectNotExist", status: 404) { $0.account = "2" }
        try refuse("LogStoreAlreadyExist") { $0.name = "audit" }

        var logstore = try RegistryFixture.logstore("new", shards: 100)
        logstore.autoSplit = true
        logstore.maxSplitShard = 64
        logstore.hotTTL = 30
        logstore.telemetryType = "None"
        logstore.encryption = .init(
            isEnabled: true, type: "sm4", keyId: "key", roleArn: "acs:ram::1:role/x", regionId: "local-1")
        try registry.createLogstore(logstore)
        #expect(try registry.logstore("new", project: "trails") == logstore)
        registryRefuses("LogStoreNotExist", status: 404) { _ = try registry.logstore("none", project: "trails") }
        registryRefuses("ProjectNotExist", status: 404) { _ = try registry.logstore("audit", project: "none") }
    }

    @Test func anUpdateChangesOnlyWhatItMay() throws {
        let fixture = try RegistryFixture()
        let registry = fixture.registry
        func update(_ change: (inout Logstore) throws -> Void) throws {
            try registry.updateLogstore("audit", project: "trails", change)
        }
        let before = try registry.logstore("audit", project: "trails")
        registryRefuses("ParameterInvalid") { try update { $0.mode = "query" } }
        registryRefuses("ParameterInvalid") { try update { $0.shards = try LogRegistry.initialShards(count: 3, at: 0) } }
        registryRefuses("ParameterInvalid") { try update { $0.name = "other" } }
        registryRefuses("ParameterInvalid") { try update { $0.index = RegistryFixture.index } }
        registryRefuses("ParameterInvalid") { try update { $0.trail = "acs:actiontrail:local-1:1:trail/x" } }
        registryRefuses("LogStoreInfoInvalid") { try update { $0.ttl = 4000 } }
        #expect(throws: CancellationError.self) { try update { _ in throw CancellationError() } }
        #expect(try registry.logstore("audit", project: "trails") == before)

        fixture.clock.advance(seconds: 9)
        try update {
            $0.ttl = 90
            $0.encryption = .init(isEnabled: true, type: "default")
        }
        let changed = try registry.logstore("audit", project: "trails")
        #expect(changed.ttl == 90 && changed.modifiedAt == 1_700_000_009 && changed.createdAt == 1_700_000_000)
        registryRefuses("ParameterInvalid") { try update { $0.encryption = nil } }
        registryRefuses("ParameterInvalid") { try update { $0.encryption?.type = "sm4" } }
        registryRefuses("ParameterInvalid") { try update { $0.encryption?.keyId = "key" } }
        try update { $0.encryption?.isEnabled = false }
        #expect(try registry.logstore("audit", project: "trails").encryption == .init(isEnabled: false, type: "default"))
        registryRefuses("LogStoreNotExist", status: 404) { try registry.updateLogstore("none", project: "trails") { _ in } }
    }

    @Test func whatATrailUsesStays() throws {
        let registry = try RegistryFixture().registry
        let trail = "acs:actiontrail:local-1:1000000000000001:trail/demo"
        _ = try registry.splitShard(0, at: nil, logstore: "audit", project: "trails")
        try registry.setTrail(trail, logstore: "audit", project: "trails")
        registryRefuses("Unauthorized", status: 403) { try registry.deleteLogstore("audit", project: "trails") }
        registryRefuses("Unauthorized", status: 403) { try registry.deleteProject("trails") }
        registryRefuses("Unauthorized", status: 403) { _ = try registry.deleteShard(0, logstore: "audit", project: "trails") }
        registryRefuses("Unauthorized", status: 403) { try registry.setTrail("other", logstore: "audit", project: "trails") }
        registryRefuses("Unauthorized", status: 403) { try registry.updateLogstore("audit", project: "trails") { $0.ttl = 1 } }
        registryRefuses("Unauthorized", status: 403) {
            try registry.setIndex(RegistryFixture.index, logstore: "audit", project: "trails", isNew: true)
        }
        registryRefuses("Unauthorized", status: 403) { try registry.deleteIndex(logstore: "audit", project: "trails") }
        registryRefuses("Unauthorized", status: 403) {
            _ = try registry.splitShard(1, at: nil, logstore: "audit", project: "trails")
        }
        registryRefuses("Unauthorized", status: 403) { _ = try registry.mergeShards(1, logstore: "audit", project: "trails") }
        #expect(try registry.logstore("audit", project: "trails").trail == trail)
        try registry.setTrail(nil, logstore: "audit", project: "trails")
        try registry.deleteLogstore("audit", project: "trails")
    }

    @Test func aTrailMakesOfALogstoreWhatItNeeds() throws {
        let registry = try RegistryFixture().registry
        try registry.updateLogstore("audit", project: "trails") { $0.ttl = 1 }
        try registry.setIndex(RegistryFixture.index, logstore: "audit", project: "trails", isNew: true)
        try registry.setTrail("demo", logstore: "audit", project: "trails") { logstore in
            logstore.ttl = 3650
            logstore.index = TrailIndex.json
        }
        let logstore = try registry.logstore("audit", project: "trails")
        #expect(logstore.ttl == 3650 && logstore.index == TrailIndex.json && logstore.trail == "demo")
    }

    @Test func deletingLeavesNothing() throws {
        let fixture = try RegistryFixture(isEmpty: true)
        let registry = fixture.registry
        try registry.createProject(RegistryFixture.project("trails-2"))
        try registry.createLogstore(RegistryFixture.logstore("audit", project: "trails-2"))
        let rest = try fixture.metadata.entries(prefix: "").map(\.key)

        func fill() throws {
            try registry.createProject(RegistryFixture.project("trails"))
            for name in ["audit", "audit-2"] {
                try registry.createLogstore(RegistryFixture.logstore(name))
                try registry.createGroup(.init(name: "g", timeout: 40, order: false), logstore: name, project: "trails")
                try registry.updateCheckpoint(
                    "MA==", shard: 0, consumer: "", force: true, group: "g", logstore: name, project: "trails")
            }
            try registry.createDocument(.dashboard, Data(#"{"dashboardName":"d"}"#.utf8), project: "trails")
            try registry.createDocument(.savedSearch, Data(#"{"savedsearchName":"s"}"#.utf8), project: "trails")
        }
        try fill()
        let logstores = try registry.logstores(project: "trails")
        #expect(try registry.deleteProject("trails") == logstores)
        #expect(try fixture.metadata.entries(prefix: "").map(\.key) == rest)
        registryRefuses("ProjectNotExist", status: 404) { _ = try registry.logstore("audit", project: "trails") }

        try fill()
        let id = try registry.logstore("audit", project: "trails").id
        #expect(try registry.deleteLogstore("audit", project: "trails").id == id)
        registryRefuses("LogStoreNotExist", status: 404) { _ = try registry.logstore("audit", project: "trails") }
        try registry.createLogstore(RegistryFixture.logstore("audit"))
        #expect(try registry.logstore("audit", project: "trails").id != id)
        #expect(try registry.groups(logstore: "audit", project: "trails").isEmpty)
        #expect(try registry.groups(logstore: "audit-2", project: "trails").count == 1)
        #expect(try registry.allLogstores().map(\.name) == ["audit", "audit", "audit-2"])
    }

    @Test func shardsAreSplitMergedAndForgotten() throws {
        let fixture = try RegistryFixture()
        let registry = fixture.registry
        fixture.clock.advance(seconds: 3)
        #expect(
            try registry.splitShard(
                1, at: "E0000000000000000000000000000000", logstore: "audit", project: "trails"
            ).map(\.id) == [1, 2, 3])
        #expect(try registry.mergeShards(0, logstore: "audit", project: "trails").map(\.id) == [4, 0, 2])
        let logstore = try registry.logstore("audit", project: "trails")
        #expect(logstore.shardCount == 2 && logstore.shards.map(\.isWritable) == [false, false, false, true, true])
        #expect(
            logstore.shards[3].beginKey == "e0000000000000000000000000000000" && logstore.shards[4].createdAt == 1_700_000_003)
        try registry.createGroup(.init(name: "g", timeout: 40, order: false), logstore: "audit", project: "trails")
        func checkpoints(_ shard: Int? = nil) throws -> [Int] {
            try registry.checkpoints(group: "g", shard: shard, logstore: "audit", project: "trails").map(\.shard)
        }
        try registry.updateCheckpoint(
            "MA==", shard: 1, consumer: "", force: true, group: "g", logstore: "audit", project: "trails")
        #expect(try registry.deleteShard(1, logstore: "audit", project: "trails").map(\.id) == [0, 2, 3, 4])
        #expect(try checkpoints() == [0, 2, 3, 4])
        #expect(try fixture.metadata.entries(prefix: "log/checkpoints/").isEmpty)
        registryRefuses("ShardNotExist") { _ = try checkpoints(1) }
        registryRefuses("ParameterInvalid") { _ = try registry.deleteShard(4, logstore: "audit", project: "trails") }
    }

    @Test func readersSeeEachChangeAtOnce() async throws {
        let registry = try RegistryFixture().registry
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    var last = 0
                    for _ in 0..<2000 {
                        let ttl = try registry.logstore("audit", project: "trails").ttl
                        #expect(ttl >= last, "an older state is seen after a newer one")
                        last = ttl
                    }
                }
            }
            group.addTask {
                for ttl in 31...200 {
                    try registry.updateLogstore("audit", project: "trails") { $0.ttl = ttl }
                    #expect(try registry.logstore("audit", project: "trails").ttl == ttl)
                }
            }
            try await group.waitForAll()
        }
        #expect(try registry.logstore("audit", project: "trails").ttl == 200)
    }

    // MARK: Documents

    @Test func documentsAreKeptAsTheyAre() throws {
        let registry = try RegistryFixture().registry
        let json = Data(#"{"charts": [], "dashboardName": "audit.Center_1", "x": 1.50}"#.utf8)
        try registry.createDocument(.dashboard, json, project: "trails")
        registryRefuses("DashboardAlreadyExist") { try registry.createDocument(.dashboard, json, project: "trails") }
        #expect(try registry.document(.dashboard, "audit.Center_1", project: "trails") == json)
        registryRefuses("SavedSearchNotExist", status: 404) {
            _ = try registry.document(.savedSearch, "audit.Center_1", project: "trails")
        }
        for body in [
            "", "[]", "{}", #"{"dashboardName":7}"#, #"{"dashboardName":""}"#, #"{"dashboardName":"a/b"}"#,
            #"{"savedsearchName":"a"}"#,
        ] {
            registryRefuses("ParameterInvalid") { try registry.createDocument(.dashboard, Data(body.utf8), project: "trails") }
        }
        registryRefuses("ParameterInvalid") {
            let long = #"{"dashboardName":"a","x":"\#(String(repeating: "x", count: 256 << 10))"}"#
            try registry.createDocument(.dashboard, Data(long.utf8), project: "trails")
        }
        registryRefuses("ProjectNotExist", status: 404) { try registry.createDocument(.dashboard, json, project: "none") }
        let unnamed = Data(#"{"charts":[]}"#.utf8)
        try registry.updateDocument(.dashboard, "audit.Center_1", unnamed, project: "trails")
        #expect(try registry.documents(.dashboard, project: "trails").map(\.name) == ["audit.Center_1"])
        #expect(try registry.documents(.dashboard, project: "trails").map(\.json) == [unnamed])
        registryRefuses("ParameterInvalid") {
            try registry.updateDocument(.dashboard, "audit.Center_1", Data(#"{"dashboardName":"b"}"#.utf8), project: "trails")
        }
        registryRefuses("DashboardNotExist", status: 404) {
            try registry.updateDocument(.dashboard, "b", unnamed, project: "trails")
        }
        try registry.deleteDocument(.dashboard, "audit.Center_1", project: "trails")
        registryRefuses("DashboardNotExist", status: 404) {
            try registry.deleteDocument(.dashboard, "audit.Center_1", project: "trails")
        }
        #expect(try registry.documents(.dashboard, project: "trails").isEmpty)
    }
}
