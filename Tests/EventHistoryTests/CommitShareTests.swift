// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import EventHistory
import LogEngine
import TestSupport
import Testing

@Suite struct `A commit` {
    private struct Request: Equatable {
        var number: Int
        var rows: Int
        var isSmall: Bool
    }

    private func take(_ waiting: inout [Request]) -> [Request] {
        CommitShare.take(from: &waiting, rows: \.rows) { $0.isSmall }
    }

    @Test func `takes small requests first, and large ones as far as they do not delay it`() {
        var waiting = [
            Request(number: 0, rows: 1000, isSmall: false), Request(number: 1, rows: 1000, isSmall: false),
            Request(number: 2, rows: 1000, isSmall: false), Request(number: 3, rows: 1, isSmall: true),
        ]
        #expect(take(&waiting).map(\.number) == [3, 0, 1])
        #expect(take(&waiting).map(\.number) == [2])
        #expect(take(&waiting).isEmpty)
    }

    @Test func `takes a request however large, whatever goes before it`() {
        var waiting = [Request(number: 0, rows: CommitShare.requestRows, isSmall: false)]
        waiting += (1...40_000).map { Request(number: $0, rows: 1, isSmall: true) }
        let taken = take(&waiting)
        #expect(taken.contains { $0.number == 0 })
        #expect(taken.reduce(0) { $0 + $1.rows } <= LogEngine.commitRowLimit)
        #expect(take(&waiting).count == CommitShare.requestRows)
    }

    @Test(arguments: 0..<20) func `leaves no request behind and keeps the order of each kind`(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        var waiting: [Request] = []
        var taken: [Request] = []
        var next = 0
        while next < 400 || !waiting.isEmpty {
            for _ in 0..<Int.random(in: 0...12, using: &generator) where next < 400 {
                let isSmall = Bool.random(using: &generator)
                let most = isSmall ? 8 : CommitShare.requestRows
                waiting.append(Request(number: next, rows: Int.random(in: 1...most, using: &generator), isSmall: isSmall))
                next += 1
            }
            let oldestLarge = waiting.first { !$0.isSmall }
            let commit = take(&waiting)
            #expect(commit.reduce(0) { $0 + $1.rows } <= LogEngine.commitRowLimit)
            #expect(oldestLarge.map { commit.contains($0) } ?? true)
            taken += commit
        }
        #expect(taken.count == 400)
        for isSmall in [true, false] {
            let numbers = taken.filter { $0.isSmall == isSmall }.map(\.number)
            #expect(numbers == numbers.sorted())
        }
    }
}
