// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Decoded blocks and frames, bounded in bytes, shared by every file of a store.
///
/// Two generations: a hit in the old one moves to the young one; when the young one holds half of the limit, it
/// becomes the old one and the old one goes. Close to least-recently-used, without a list to maintain.
package final class BlockCache: Sendable {
    package struct Key: Hashable {
        var file: UInt64
        var offset: UInt64

        package init(file: UInt64, offset: UInt64) {
            self.file = file
            self.offset = offset
        }
    }

    private struct State {
        var young: [Key: (value: any AnyObject & Sendable, cost: Int)] = [:]
        var old: [Key: (value: any AnyObject & Sendable, cost: Int)] = [:]
        var youngCost = 0

        mutating func insert(_ key: Key, _ value: any AnyObject & Sendable, _ cost: Int, _ limit: Int) {
            if youngCost + cost > limit / 2 {
                old = young
                young = [:]
                youngCost = 0
            }
            young[key] = (value, cost)
            youngCost += cost
        }
    }

    private let state = Mutex(State())
    /// Bytes.
    let limit: Int

    package init(limit: Int) { self.limit = limit }

    package func value<Value: AnyObject & Sendable>(_ key: Key, make: () throws -> (Value, cost: Int)) rethrows -> Value {
        if let hit = lookup(key) as? Value { return hit }
        let (value, cost) = try make()
        state.withLock { $0.insert(key, value, cost, limit) }
        return value
    }

    private func lookup(_ key: Key) -> (any AnyObject & Sendable)? {
        state.withLock { state -> (any AnyObject & Sendable)? in
            if let hit = state.young[key] { return hit.value }
            guard let hit = state.old.removeValue(forKey: key) else { return nil }
            state.insert(key, hit.value, hit.cost, limit)
            return hit.value
        }
    }
}
