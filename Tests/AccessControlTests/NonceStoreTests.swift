// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import TestSupport
import Testing

@Suite struct `The nonce store` {
    @Test func `tells keys apart`() {
        let store = NonceStore()
        #expect(store.spend("n", of: "a", at: .noon) == .fresh)
        #expect(store.spend("n", of: "b", at: .noon) == .fresh)
        #expect(store.spend("n", of: "a", at: .noon) == .used)
    }

    @Test func `refuses when a key has spent its share, and lets other keys go on`() {
        let store = NonceStore(windowSeconds: 10, capacity: 5, capacityPerKey: 2)
        let outcomes = (0..<3).map { store.spend("\($0)", of: "flood", at: .noon) }
        #expect(outcomes == [.fresh, .fresh, .full])
        #expect(store.spend("0", of: "calm", at: .noon) == .fresh)
        #expect(store.spend("0", of: "flood", at: .noon) == .used, "a full ledger still remembers")
        #expect(store.spend("3", of: "flood", at: .noon + 19) == .full, "nothing is dropped before its time")
        #expect(store.spend("3", of: "flood", at: .noon + 30) == .fresh)
    }

    @Test func `refuses when all keys together have filled it, until a generation has run out`() {
        let store = NonceStore(windowSeconds: 10, capacity: 3, capacityPerKey: 2)
        for (nonce, key) in [("1", "a"), ("2", "a"), ("1", "b")] {
            #expect(store.spend(nonce, of: key, at: .noon) == .fresh)
        }
        #expect(store.spend("1", of: "c", at: .noon + 9) == .full)
        #expect(store.count == 3)
        #expect(store.spend("1", of: "c", at: .noon + 20) == .fresh, "keys that no longer call are forgotten")
        #expect(store.count == 1)
    }

    @Test func `remembers for a window at least and two at most, whatever the rhythm`() {
        for seed in 0..<50 {
            var generator = SeededGenerator(state: UInt64(seed))
            let store = NonceStore(windowSeconds: 100, capacity: 10_000)
            var spentAt: [String: WireTime] = [:]
            var now = WireTime.noon
            for _ in 0..<500 {
                now = now + Int64.random(in: 0...40, using: &generator)
                let nonce = "\(Int.random(in: 0..<20, using: &generator))"
                let outcome = store.spend(nonce, of: "k", at: now)
                if let before = spentAt[nonce] {
                    let age = now.secondsSince1970 - before.secondsSince1970
                    if age < 100 { #expect(outcome == .used, "seed \(seed), age \(age)") }
                    if age > 240 { #expect(outcome == .fresh, "seed \(seed), age \(age)") }
                } else {
                    #expect(outcome == .fresh)
                }
                if outcome == .fresh { spentAt[nonce] = now }
            }
        }
    }

    @Test func `lets one of many at once through`() async {
        let store = NonceStore()
        let fresh = await withTaskGroup(of: Int.self) { group in
            for task in 0..<64 {
                group.addTask {
                    (0..<100).count { store.spend("\($0)", of: "k", at: .noon + Int64(task % 2)) == .fresh }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(fresh == 100)
    }
}
