// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import EventHistory
import Foundation
import LogEngine
import TestSupport
import Testing

@Suite struct `A lookup` {
    private static func random(_ number: Int, _ random: inout SeededGenerator) -> String {
        func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
        let name = ["DescribeInstances", "CreateUser", "DeleteBucket", "ConsoleSignin"][pick(4)]
        let time = start + Int64(pick(20)) * 3_600_000 - Int64(pick(3)) * 100 * day
        let more =
            #""eventRW":"\#(pick(2) == 0 ? "Read" : "Write")","serviceName":"S\#(pick(3))","sourceIpAddress":"10.0.0.\#(pick(4))","#
            + #""eventType":"ApiCall","userIdentity":{"type":"ram-user","accessKeyId":"AK\#(pick(4))","userName":"u\#(pick(3))","principalId":"P\#(pick(3))"},"#
            + #""referencedResources":{"ACS::ECS::Instance":["i-\#(pick(5))","i-\#(pick(5))"]},"#
        return event("R-\(number)", name: name, time: time, more: more)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `gives what a plain search over all events gives`(seed: UInt64) async throws {
        var random = SeededGenerator(state: seed)
        let world = try World(tailRows: 150)
        let history = try world.open()
        var model: [(position: LogPosition, owner: String, fields: EventFields, bytes: [UInt8])] = []
        for batch in 0..<20 {
            let owner = batch % 3 == 0 ? "2" : account
            let parsed = parse((0..<40).map { Self.random(batch * 40 + $0, &random) }.joined(separator: "\n"), owner: owner)
            let outcome = try await history.record(parsed, account: owner)
            for (index, event) in parsed.events.enumerated() {
                let bytes = Array(parsed.bytes(of: event))
                model.append(
                    (
                        LogPosition(time: event.timeMilliseconds, sequence: try #require(outcome.firstSequence) + UInt64(index)),
                        owner,
                        try #require(EventFields.extract(bytes)), bytes
                    ))
            }
        }
        for round in 0..<300 {
            let owner = Bool.random(using: &random) ? account : "2"
            let sample = model[Int.random(in: 0..<model.count, using: &random)]
            var conditions: [LookupQuery.Condition] = []
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                guard let term = sample.fields.terms.randomElement(using: &random) else { continue }
                let value = sample.bytes.withUnsafeBytes { all in
                    sample.fields.withBytes(of: term.value, in: all) { String(decoding: $0, as: UTF8.self) }
                }
                conditions.append(.init(term.attribute, value))
            }
            let low = start - 250 * day + Int64.random(in: 0..<250 * day, using: &random)
            let times = Bool.random(using: &random) ? Int64.min...Int64.max : low...low + 150 * day
            let direction: SearchDirection = Bool.random(using: &random) ? .oldestFirst : .newestFirst
            let expected = model.filter { row in
                row.owner == owner && times.contains(row.position.time)
                    && conditions.allSatisfy { condition in
                        row.bytes.withUnsafeBytes { all in
                            Array(condition.value.utf8).withUnsafeBytes { row.fields.has(condition.attribute, $0, in: all) }
                        }
                    }
            }.map(\.position).sorted { direction == .oldestFirst ? $0 < $1 : $1 < $0 }.map(\.sequence)
            var query = LookupQuery(
                account: owner, conditions: conditions, times: times, direction: direction,
                limit: Int.random(in: 1...60, using: &random))
            var found: [UInt64] = []
            while true {
                let page = try history.lookUp(query)
                found += page.events.map(\.sequence)
                #expect(page.events.count <= query.limit)
                guard let next = page.next else { break }
                query.after = next
            }
            #expect(found == expected, "seed \(seed), round \(round), \(conditions)")
        }
        history.close()
    }

    @Test func `covers every attribute`() async throws {
        var random = SeededGenerator(state: 9)
        let history = try World().open()
        let role = event(
            "X", name: "DeleteTrail",
            more: #""userIdentity":{"type":"assumed-role","accessKeyId":"STS.x","userName":"admin:bob","principalId":"1:bob"},"#
                + #""serviceName":"Actiontrail","resourceType":"T","resourceName":"N","sourceIpAddress":"1.2.3.4","eventType":"ApiCall","#
        )
        try await history.record(role + "\n" + Self.random(1, &random))
        let stored = try history.record(at: 0)
        let fields = try #require(EventFields.extract(stored.bytes))
        for attribute in LookupAttribute.allCases {
            for term in fields.terms where term.attribute == attribute {
                let value = stored.bytes.withUnsafeBytes { all in
                    fields.withBytes(of: term.value, in: all) { String(decoding: $0, as: UTF8.self) }
                }
                #expect(try history.find([.init(attribute, value)]).contains { $0.sequence == 0 }, "\(attribute)")
            }
        }
        #expect(Set(fields.terms.map(\.attribute)).count >= 11)
        history.close()
    }

    @Test func `pages without a double or a hole while events are recorded`() async throws {
        let history = try World(tailRows: 300).open()
        _ = try await history.record(events(0..<1000), account: account)
        let before = Set(try history.find([]).map(\.sequence))
        let writer = Task {
            for batch in 0..<30 {
                _ = try await history.record(events(10_000 + batch * 50..<10_050 + batch * 50), account: account)
            }
        }
        for direction in [SearchDirection.newestFirst, .oldestFirst] {
            var query = LookupQuery(account: account, times: .min ... .max, direction: direction, limit: 7)
            var seen: [UInt64] = []
            while true {
                let page = try history.lookUp(query)
                seen += page.events.map(\.sequence)
                guard let next = page.next else { break }
                query.after = next
            }
            #expect(Set(seen).count == seen.count)
            #expect(before.isSubset(of: seen))
        }
        try await writer.value
        history.close()
    }
}

@Suite struct `Retention` {
    @Test func `counts from the later of event time and recording and leaves the tree whole`() async throws {
        let world = try World(tailRows: 100)
        var history = try world.open()
        // Old events that were imported today, and events whose clock is far ahead.
        _ = try await history.record(events(0..<100, time: start - 2000 * day), account: account)
        _ = try await history.record(events(100..<200, time: start + 3000 * day), account: account)
        _ = try await history.record(events(200..<300), account: account)
        #expect(try history.find([.init(.eventId, "E-7")], times: (start - 2001 * day)...(start - 1999 * day)).count == 1)
        history.close()
        history = try world.open()
        #expect(history.dropExpired() == 0)
        world.clock.withLock { $0 = start + 89 * day }
        _ = try await history.record(events(300..<500), account: account)
        _ = try await history.record(events(500..<600), account: account)
        _ = try await history.record(events(600..<700), account: account)
        history.close()
        history = try world.open()
        while history.statistics.waitingTails > 0 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(history.dropExpired() == 0)
        world.clock.withLock { $0 = start + 92 * day }
        let first = history.dropExpired()
        #expect(first > 0 && first <= 300, "dropped to \(first)")
        #expect(try history.treeProblem() == nil)
        #expect(try history.tile(level: 0, index: 0, width: 256) != nil)
        #expect(try history.find([.init(.eventId, "E-7")]).isEmpty)
        #expect(try history.find([.init(.eventId, "E-650")]).count == 1)
        let outcome = try await history.record(events(9000..<9010), account: account)
        #expect(outcome.firstSequence == 700)
        history.close()
        let again = try world.open()
        #expect(again.firstSequence == first)
        #expect(try again.treeProblem() == nil)
        again.close()
    }
    @Test func `does not spare events after which nothing was recorded`() async throws {
        let world = try World(tailRows: 100)
        let history = try world.open()
        _ = try await history.record(events(0..<50), account: account)
        world.clock.withLock { $0 = start + 92 * day }
        // Their index is made behind the first call.
        for _ in 0..<100 where history.dropExpired() < 50 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(history.firstSequence == 50)
        #expect(try history.find([.init(.eventId, "E-7")]).isEmpty)
        #expect(try history.treeProblem() == nil)
        #expect(try await history.record(events(60..<61), account: account).firstSequence == 50)
        history.close()
    }
}
