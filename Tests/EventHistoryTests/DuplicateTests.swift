// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import EventHistory
import Foundation
import LogEngine
import Testing

@Suite struct `A repeated event` {
    private let a = event("E-1", name: "CreateUser")
    private let b = event("E-1", name: "DeleteUser")

    @Test func `is a duplicate with the same content and a conflict with other content`() async throws {
        let world = try World()
        var history = try world.open()
        for pass in 0..<2 {
            let first = try await history.record([a, b, a, b].joined(separator: "\n"))
            #expect(first.accepted == (pass == 0 ? 2 : 0))
            #expect(first.conflicts == (pass == 0 ? 1 : 0))
            #expect(first.duplicates == (pass == 0 ? 2 : 4))
            for text in [b, a, b, a] { #expect(try await history.record(text).duplicates == 1) }
            #expect(try history.all().count == 2)
            #expect(try history.record(at: 1).flags.contains(.conflict))
            #expect(try !history.record(at: 0).flags.contains(.conflict))
            history.close()
            history = try world.open()
        }
        history.close()
    }

    @Test func `is found in sealed segments and after reopening`() async throws {
        let world = try World(tailRows: 256)
        let history = try world.open()
        for first in stride(from: 0, to: 2000, by: 100) {
            _ = try await history.record(events(first..<first + 100), account: account)
        }
        #expect(try await history.record(events(0..<2000), account: account).duplicates == 2000)
        let other = parse((0..<2000).map { event("E-\($0)", name: "Other") }.joined(separator: "\n"))
        #expect(try await history.record(other, account: account).conflicts == 2000)
        #expect(try await history.record(other, account: account).duplicates == 2000)
        history.close()
        let again = try world.open()
        #expect(try await again.record(other, account: account).duplicates == 2000)
        #expect(try await again.record(events(0..<2000), account: account).duplicates == 2000)
        #expect(again.endSequence == 4000)
        again.close()
    }

    @Test func `is recognised without an id, at another time, and as it was stored`() async throws {
        let history = try World().open()
        let bare = #"{"eventName":"RunInstances","requestParameters":{"n":1}}"#
        #expect(try await history.record(bare, now: start).accepted == 1)
        #expect(try await history.record(bare, now: start + 60_000).duplicates == 1)
        let stored = try #require(try history.all().first)
        #expect(try await history.record(stored).duplicates == 1)
        history.close()
    }

    @Test func `of another account is another event`() async throws {
        let history = try World().open()
        #expect(try await history.record(a, owner: "1").accepted == 1)
        #expect(try await history.record(a, owner: "2").accepted == 1)
        #expect(try await history.record(a, owner: "2").duplicates == 1)
        #expect(try await history.record(a, owner: "1").duplicates == 1)
        #expect(try history.all("1").count == 1)
        #expect(try history.all("2").count == 1)
        history.close()
    }

    @Test func `is found among batches that share a commit`() async throws {
        let history = try World().open()
        let outcomes = try await withThrowingTaskGroup(of: RecordOutcome.self) { group in
            for task in 0..<16 {
                group.addTask { try await history.record(events(task % 2 == 0 ? 0..<50 : 25..<75), account: account) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.reduce(0) { $0 + $1.accepted } == 75)
        #expect(outcomes.reduce(0) { $0 + $1.duplicates } == 16 * 50 - 75)
        #expect(Set(try history.all()).count == 75)
        history.close()
    }
}
