// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import Foundation
import KeyManagement
import LogService
import Metadata
import Testing

/// A log service in memory with a logstore `audit` that is not indexed.
private struct Logs {
    let service: LogService
    static let time: UInt32 = 1_700_000_000

    init(index: String? = nil) throws {
        let metadata = try Metadata(path: nil)
        let disk = MemoryDisk()
        service = try LogService(
            settings: .init(dataFolder: "data", region: "local-1"), disk: disk,
            keys: KeyService(metadata: metadata, rootKeyPath: "data/root.key", disk: disk), metadata: metadata,
            now: { Date(timeIntervalSince1970: Double(Self.time)) }, report: { _ in })
        try service.registry.createProject(RegistryFixture.project("trails"))
        try service.registry.createLogstore(RegistryFixture.logstore("audit"))
        if let index { try set(index) }
    }

    var logstore: Logstore { get throws { try service.registry.logstore("audit", project: "trails") } }

    func set(_ index: String) throws {
        let isNew = try logstore.index == nil
        try service.registry.setIndex(Data(index.utf8), logstore: "audit", project: "trails", isNew: isNew)
    }

    func put(_ fields: [Log.Field]..., into logstore: Logstore? = nil, tags: [Log.Field] = []) async throws {
        try await service.put(
            LogGroup(logs: fields.map { Log(time: Self.time, contents: $0) }, tags: tags), into: logstore ?? self.logstore)
    }

    /// The values of the field `id` of what a search finds.
    func find(_ search: String) async throws -> [String] {
        let times = Int64(Self.time) * 1_000_000_000..<Int64(Self.time + 1) * 1_000_000_000
        let answer = try await service.query(LogQuery(text: search, times: times), in: logstore)
        return answer.rows.compactMap { row in row.first { $0.key == "id" }?.value }.sorted()
    }
}

@Suite struct `What is found` {
    private static let level = #"{"keys":{"level":{"type":"text","doc_value":true}}}"#
    private static let other = #"{"keys":{"other":{"type":"text","doc_value":true}}}"#

    @Test func `are logs of before, of after, and of while a field was not in the index`() async throws {
        let logs = try Logs(index: Self.other)
        try await logs.put([.init("id", "1"), .init("level", "high")], [.init("id", "2"), .init("level", "low")])
        try logs.set(Self.level)
        try await logs.put([.init("id", "3"), .init("level", "high")])
        try logs.set(Self.other)
        try await logs.put([.init("id", "4"), .init("level", "high")], [.init("id", "5")])
        try logs.set(Self.level)
        try await logs.put([.init("id", "6"), .init("level", "high")])
        #expect(try await logs.find("level: high") == ["1", "3", "4", "6"])
        #expect(try await logs.find("not level: high") == ["2", "5"])
        #expect(try await logs.find("level: *") == ["1", "2", "3", "4", "6"])
    }

    @Test func `is what a call wrote that knew the logstore before its index`() async throws {
        let logs = try Logs(index: Self.other)
        let stale = try logs.logstore
        try logs.set(Self.level)
        #expect(try await logs.find("level: high") == [])
        try await logs.put([.init("id", "1"), .init("level", "high")], into: stale)
        #expect(try await logs.find("level: high") == ["1"])
    }

    /// Logs are written all the while, so that some are on their way when the index changes.
    @Test func `is what was being written when the index changed`() async throws {
        let logs = try Logs(index: Self.other)
        let count = 400
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                group.addTask { try await logs.put([.init("id", "\(number)"), .init("level", "high")]) }
                if number == count / 2 { group.addTask { try logs.set(Self.level) } }
            }
            try await group.waitForAll()
        }
        let times = Int64(Logs.time) * 1_000_000_000..<Int64(Logs.time + 1) * 1_000_000_000
        let histogram = try await logs.service.histogram(
            LogQuery(text: "level: high", times: times), interval: nil, in: logs.logstore)
        #expect(histogram.count == count)
    }

    @Test func `tells fields with dots from leaves, tags from fields of their name, and the last of two from the first`()
        async throws
    {
        let logs = try Logs(
            index: #"{"keys":{"a.b":{"type":"text"},"a":{"type":"json","json_keys":{"b":{"type":"text"}}},"#
                + #""__tag__:host":{"type":"text"}}}"#)
        try await logs.put(
            [.init("id", "1"), .init("a.b", "field"), .init("a", #"{"b":"leaf"}"#)],
            [.init("id", "2"), .init("a", #"{"b":"old"}"#), .init("a", #"{"c":"new"}"#)],
            [.init("id", "3"), .init("__tag__:host", "false")], tags: [.init("host", "real")])
        #expect(try await logs.find("a.b: field") == ["1"])
        #expect(try await logs.find("not a.b: field") == ["2", "3"])
        #expect(try await logs.find("not a.b: *") == ["2", "3"])
        #expect(try await logs.find("__tag__:host: real") == ["1", "2", "3"])
        #expect(try await logs.find("not __tag__:host: real") == [])
    }
}

@Suite struct `An analysis` {
    @Test(arguments: [1, 60, Int64.max / 1000 + 1, Int64.max]) func `groups by steps of any length`(step: Int64) async throws {
        let logs = try Logs(index: #"{"line":{"token":[" "]}}"#)
        try await logs.put([.init("id", "1")], [.init("id", "2")])
        let times = Int64(Logs.time) * 1_000_000_000..<Int64(Logs.time + 1) * 1_000_000_000
        let query = LogQuery(
            text: "* | SELECT __time__ - __time__ % \(step) AS t, count(1) AS n GROUP BY t", times: times)
        let answer = try await logs.service.query(query, in: logs.logstore)
        let start = Int64(Logs.time) / step * step
        #expect(answer.rows == [[.init("t", "\(start)"), .init("n", "2")]])
    }
}

@Suite struct `A logstore's files` {
    @Test func `are not those of the next logstore of its name`() async throws {
        let logs = try Logs()
        let old = try logs.logstore
        try await logs.put([.init("id", "1")])
        _ = try logs.service.registry.deleteLogstore("audit", project: "trails")
        try logs.service.registry.createLogstore(RegistryFixture.logstore("audit"))
        let new = try logs.logstore
        try #require(new.id != old.id)
        try await logs.put([.init("id", "2")])
        // Removing the first is over only now.
        try await logs.service.remove(old)
        await #expect(throws: LogServiceError.self) { try await logs.put([.init("id", "3")], into: old) }
        let pulled = try await logs.service.pull(shard: 0, from: 0, to: nil, count: 10, query: nil, in: new)
        let rest = try await logs.service.pull(shard: 1, from: 0, to: nil, count: 10, query: nil, in: new)
        #expect((pulled.groups + rest.groups).flatMap(\.logs).flatMap(\.contents).map(\.value) == ["2"])
    }

    @Test func `cannot be made huge by what their logs share`() async throws {
        let logs = try Logs()
        let tags = [Log.Field("t", String(repeating: "x", count: 1 << 20))]
        let small = LogGroup(logs: Array(repeating: Log(time: Logs.time, contents: []), count: 1000), tags: tags)
        do {
            try await logs.service.put(small, into: logs.logstore)
            Issue.record("1 GiB was stored")
        } catch let error as LogServiceError { #expect(error.code == "PostBodyTooLarge") }
    }
}
