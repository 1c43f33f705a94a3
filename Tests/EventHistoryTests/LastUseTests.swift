// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import DurableFiles
import EventHistory
import LogEngine
import TestSupport
import Testing

@Suite struct `The last uses of values` {
    private struct Noted {
        var key: String
        var service: String
        var name: String
        var address: String
        var resources: [String]
        var position: LogPosition
    }

    private static func line(_ number: Int, _ random: inout SeededGenerator) -> (event: String, noted: Noted) {
        func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
        // Many share a time, and many come late.
        let noted = Noted(
            key: "AK\(pick(3))", service: "S\(pick(2))", name: "N\(pick(40))", address: "203.0.113.\(pick(7))",
            resources: (0..<1 + pick(4)).map { _ in "i-\(pick(60))" },
            position: LogPosition(time: start + Int64(number / 30 - pick(8)) * 1000, sequence: 0))
        let list = noted.resources.map { "\"\($0)\"" }.joined(separator: ",")
        let more =
            #""serviceName":"\#(noted.service)","sourceIpAddress":"\#(noted.address)","#
            + #""userIdentity":{"type":"ram-user","accessKeyId":"\#(noted.key)","userName":"u"},"#
            + #""referencedResources":{"ACS::ECS::Instance":[\#(list)]},"#
        return (event("L-\(number)", name: noted.name, time: noted.position.time, more: more), noted)
    }

    private static func values(_ noted: Noted, _ attribute: LookupAttribute) -> [String] {
        switch attribute {
        case .eventName: [noted.name]
        case .sourceIpAddress: [noted.address]
        case .serviceName: [noted.service]
        default: noted.resources
        }
    }

    private static func position(_ use: LastUse) -> LogPosition {
        LogPosition(time: use.time, sequence: use.event.sequence)
    }

    /// Pages of a list, one after the other.
    private static func walk(_ history: EventHistory, _ query: LastUseQuery) throws -> [LastUse] {
        var query = query
        var uses: [LastUse] = []
        while true {
            let page = try history.lastUses(query)
            #expect(page.uses.count <= query.limit && page.damaged.isEmpty)
            uses += page.uses
            guard let next = page.next else { return uses }
            query.after = next
        }
    }

    @Test func `are those of a plain loop, page by page`() async throws {
        var random = SeededGenerator(state: 21)
        let world = try World(tailRows: 170)
        var history = try world.open()
        var all: [Noted] = []
        for batch in 0..<20 {
            let lines = (0..<60).map { Self.line(batch * 60 + $0, &random) }
            let outcome = try await history.record(lines.map(\.event).joined(separator: "\n"))
            let first = try #require(outcome.firstSequence)
            for (index, line) in lines.enumerated() {
                var noted = line.noted
                noted.position.sequence = first + UInt64(index)
                all.append(noted)
            }
        }
        // Another account's events are no use of the key.
        try await history.record(
            event("other", time: start + day, more: #""serviceName":"S0","userIdentity":{"accessKeyId":"AK0"},"#), owner: "2")
        for phase in ["running", "opened again"] {
            for attribute in [LookupAttribute.eventName, .sourceIpAddress, .resourceName, .serviceName] {
                for (key, limit) in [("AK0", 1), ("AK1", 7), ("AK2", 1000)] {
                    var newest: [String: LogPosition] = [:]
                    for noted in all where noted.key == key && (noted.service == "S1" || attribute == .serviceName) {
                        for value in Self.values(noted, attribute) {
                            newest[value] = max(newest[value] ?? noted.position, noted.position)
                        }
                    }
                    let conditions =
                        [LookupQuery.Condition(.accessKeyId, key)]
                        + (attribute == .serviceName ? [] : [.init(.serviceName, "S1")])
                    let uses = try Self.walk(
                        history,
                        LastUseQuery(account: account, conditions: conditions, attribute: attribute, limit: limit))
                    let label = "\(phase): \(attribute) of \(key)"
                    #expect(uses.count == newest.count && Set(uses.map(\.value)) == Set(newest.keys), "\(label)")
                    for use in uses {
                        #expect(newest[use.value] == Self.position(use), "\(label): \(use.value)")
                    }
                    let order = uses.map(Self.position)
                    #expect(zip(order, order.dropFirst()).allSatisfy { $0 >= $1 }, "\(label)")
                }
            }
            history.close()
            history = try world.open()
        }
        // Up to a time: what came later is not seen.
        let end = start + 10_000
        let uses = try Self.walk(
            history,
            LastUseQuery(
                account: account, conditions: [.init(.accessKeyId, "AK1")], times: .min...end, attribute: .eventName, limit: 3))
        for use in uses {
            let expected = all.filter { $0.key == "AK1" && $0.name == use.value && $0.position.time <= end }.map(\.position).max()
            #expect(expected == Self.position(use))
        }
        #expect(uses.count == Set(all.filter { $0.key == "AK1" && $0.position.time <= end }.map(\.name)).count)
        let nobody = LastUseQuery(account: account, conditions: [.init(.accessKeyId, "AK9")], attribute: .eventName, limit: 3)
        #expect(try history.lastUses(nobody).uses.isEmpty)
        history.close()
    }

    @Test func `do not read what is older than the first page`() async throws {
        let world = try World(tailRows: 64)
        var history = try world.open()
        // Hour by hour, each with names of its own: every few hours are a segment.
        for hour in 0..<40 {
            let lines = (0..<32).map { number in
                event(
                    "H-\(hour)-\(number)", name: "N\(hour)-\(number % 4)", time: start + Int64(hour) * 3_600_000,
                    more: #""userIdentity":{"accessKeyId":"AK"},"#)
            }
            try await history.record(lines.joined(separator: "\n"))
        }
        history.close()
        history = try world.open()
        let folder = "data/history/segments"
        let segments = try world.disk.list(folder).count
        try #require(segments > 4)
        let touched = Shared<Set<String>>([])
        world.disk.setFault { operation, path in
            if operation == .read, path.hasPrefix(folder) { touched.withLock { _ = $0.insert(path) } }
            return nil
        }
        let query = LastUseQuery(account: account, conditions: [.init(.accessKeyId, "AK")], attribute: .eventName, limit: 6)
        let page = try history.lastUses(query)
        #expect(Set(page.uses.map(\.value)).isSubset(of: (38..<40).flatMap { hour in (0..<4).map { "N\(hour)-\($0)" } }))
        #expect(page.uses.count == 6 && page.next != nil)
        #expect(touched.withLock { $0.count } < segments / 2)
        #expect(try Self.walk(history, query).count == 160)
        world.disk.setFault(nil)
        history.close()
    }
}
