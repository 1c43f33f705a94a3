// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import EventHistory
import Foundation
import LogEngine
import TestSupport
import Testing

@Suite struct `A lookup by text` {
    /// An event as the test remembers it.
    private struct Noted {
        var sequence: UInt64
        var number: Int
        var owner: String
        var id: String
        var words: Set<String>
        var user: String
    }

    private static func note(_ number: Int, _ random: inout SeededGenerator) -> (event: String, noted: Noted) {
        func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
        let words = (0..<1 + pick(5)).map { _ in "w\(pick(300))" }
        let owner = pick(4) == 0 ? "2" : account
        let user = "u\(pick(3))"
        let id = pick(2) == 0 ? UUID().uuidString : "N-\(number)"
        let more =
            #""requestId":"\#(UUID().uuidString)","userIdentity":{"type":"ram-user","userName":"\#(user)"},"#
            + #""requestParameters":{"Note":"\#(words.joined(separator: ", "))","Path":"C:\\dir\\f\#(number)"},"#
            + #""userAgent":"made-up agent that every event has, to make a dictionary of","#
        let text = event(id, time: start + Int64(number / 5) * 1000, more: more)
        return (text, Noted(sequence: 0, number: number, owner: owner, id: id, words: Set(words), user: user))
    }

    @Test func `gives the events that have all words, page by page`() async throws {
        var random = SeededGenerator(state: 12)
        let world = try World(tailRows: 700)
        var history = try world.open()
        var all: [Noted] = []
        while all.count < 4000 {
            var notes: [(event: String, noted: Noted)] = []
            for number in all.count..<all.count + 100 { notes.append(Self.note(number, &random)) }
            for owner in [account, "2"] {
                let mine = notes.filter { $0.noted.owner == owner }
                let outcome = try await history.record(mine.map(\.event).joined(separator: "\n"), owner: owner)
                let first = try #require(outcome.firstSequence)
                for (index, note) in mine.enumerated() {
                    var noted = note.noted
                    noted.sequence = first + UInt64(index)
                    all.append(noted)
                }
            }
        }
        for phase in ["running", "opened again"] {
            for round in 0..<120 {
                let pattern = all[Int.random(in: 0..<all.count, using: &random)]
                let words = (0..<1 + round % 3).map { _ in pattern.words.randomElement(using: &random)! }
                let conditions = round % 4 == 0 ? [LookupQuery.Condition(.user, pattern.user)] : []
                let expected = all.filter {
                    $0.owner == pattern.owner && $0.words.isSuperset(of: words) && (round % 4 != 0 || $0.user == pattern.user)
                }.map(\.sequence).sorted()
                var query = LookupQuery(
                    account: pattern.owner, conditions: conditions, text: words.joined(separator: " ").uppercased(),
                    times: .min ... .max, direction: .oldestFirst, limit: 1 + round % 7)
                var found: [UInt64] = []
                while true {
                    let page = try history.lookUp(query)
                    found += page.events.map(\.sequence)
                    guard let next = page.next else { break }
                    query.after = next
                }
                #expect(found == expected, "\(phase): \(words)")
            }
            // Each event by its id, and by a path as a person writes it.
            for noted in all where noted.sequence % 41 == 0 {
                for text in [noted.id, noted.id.lowercased()] {
                    let query = LookupQuery(account: noted.owner, text: text, times: .min ... .max, limit: 50)
                    #expect(try history.lookUp(query).events.map(\.sequence) == [noted.sequence], "\(phase): \(text)")
                }
            }
            let path = #"C:\dir\F\#(all[0].number)"#
            let query = LookupQuery(account: all[0].owner, text: path, times: .min ... .max, limit: 50)
            #expect(try history.lookUp(query).events.map(\.sequence) == [all[0].sequence], "\(phase): \(path)")
            for text in ["nowhere", "w1 nowhere", "C:dirf0"] {
                let query = LookupQuery(account: account, text: text, times: .min ... .max, limit: 50)
                #expect(try history.lookUp(query).events.isEmpty, "\(phase): \(text)")
            }
            history.close()
            history = try world.open()
        }
        history.close()
        let reports = world.reports.withLock { $0 }
        #expect(reports.isEmpty)
    }
}

@Suite struct `A count of events` {
    private static func line(_ number: Int, _ random: inout SeededGenerator) -> String {
        func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
        let error = pick(3) == 0 ? #""errorCode":"\#(["NoPermission", "Throttling"][pick(2)])","# : ""
        let more =
            #""eventRW":"\#(pick(2) == 0 ? "Read" : "Write")","serviceName":"S\#(pick(3))",\#(error)"#
            + #""userIdentity":{"type":"ram-user","accessKeyId":"AK\#(pick(4))","userName":"u\"\#(pick(6))"},"#
            + #""referencedResources":{"ACS::ECS::Instance":["i-\#(pick(9))","i-\#(pick(9))"],"ACS::ECS::Disk":["d-\#(pick(3))"]},"#
        let time = start + Int64(pick(20)) * 3_600_000
        return event("C-\(number)", name: ["Run", "Stop", "DeleteTrail"][pick(3)], time: time, more: more)
    }

    /// The values of each event, read with the fields of a lookup.
    private static func values(_ record: StoredRecord, _ attribute: LookupAttribute) throws -> Set<String> {
        let bytes = record.bytes
        let fields = try #require(EventFields.extract(bytes))
        return bytes.withUnsafeBytes { all in
            Set(
                fields.terms.filter { $0.attribute == attribute }.map { term in
                    fields.withBytes(of: term.value, in: all) { String(decoding: $0, as: UTF8.self) }
                })
        }
    }

    @Test func `is that of the events a lookup finds`() async throws {
        var random = SeededGenerator(state: 5)
        let world = try World(tailRows: 150)
        let history = try world.open()
        for batch in 0..<14 {
            let owner = batch % 3 == 0 ? "2" : account
            var lines: [String] = []
            for number in 0..<60 { lines.append(Self.line(batch * 60 + number, &random)) }
            try await history.record(lines.joined(separator: "\n"), owner: owner)
        }
        let ways: [[LookupAttribute]] = [
            [.errorCode], [.user], [.resourceName], [.eventName, .errorCode], [.resourceName, .user], [.resourceType, .eventRW],
            [.user, .errorCode], [.eventId], [.roleName], [.sensitiveAction], [.errorCode, .serviceName],
        ]
        let filters: [[LookupQuery.Condition]] = [
            [], [.init(.serviceName, "S1")], [.init(.eventRW, "Write"), .init(.resourceName, "d-2")],
        ]
        for round in 0..<66 {
            let attributes = ways[round % ways.count]
            let owner = round % 4 == 0 ? "2" : account
            let conditions = filters[round % 3]
            let low = start + Int64.random(in: 0..<20, using: &random) * 3_600_000
            let times = round % 2 == 0 ? Int64.min ... .max : low...low + 7 * 3_600_000
            var expected: [[String]: Int] = [:]
            for record in try history.find(conditions, owner: owner, times: times) {
                let values = try attributes.map { try Self.values(record, $0) }
                for first in values[0] {
                    guard values.count == 2 else {
                        expected[[first], default: 0] += 1
                        continue
                    }
                    for second in values[1] { expected[[first, second], default: 0] += 1 }
                }
            }
            let limit = round % 5 == 0 ? 2 : 10_000
            let answer = try history.count(
                CountQuery(account: owner, conditions: conditions, times: times, attributes: attributes, limit: limit))
            #expect(answer.groupCount == expected.count, "\(attributes)")
            #expect(answer.groups.count == min(limit, expected.count), "\(attributes)")
            for group in answer.groups {
                let values = group.values.compactMap { $0 }
                #expect(expected[values] == group.count, "\(attributes): \(values)")
            }
            let sizes = answer.groups.map(\.count)
            let largest = Array(expected.values.sorted { $0 > $1 }.prefix(limit))
            #expect(sizes == largest, "\(attributes)")
        }
        history.close()
        let again = try world.open()
        let all = try again.count(CountQuery(account: account, times: .min ... .max, attributes: [.eventRW], limit: 9))
        let total = all.groups.reduce(0) { $0 + $1.count }
        #expect(total == 9 * 60)
        #expect(try again.count(CountQuery(account: "3", times: .min ... .max, attributes: [.user], limit: 9)).groups.isEmpty)
        again.close()
    }
}
