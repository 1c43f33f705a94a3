// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Synchronization

/// Remembers which nonces have been spent, for at least one window, within a bounded memory.
///
/// Each access key has a ledger of its own with two generations. Nonces go into the younger one; when that is a window
/// old it becomes the elder, and the former elder, now all past the window, is dropped. So a nonce is remembered for
/// one to two windows, and nothing is ever dropped before its time. When a key has filled its ledger, or all keys
/// together the store, new nonces are refused until a generation has run out: a flood slows its own key down, it
/// neither opens the door to replays nor touches what another key has spent.
///
/// A nonce is kept as 128 bits of its SHA-256, so memory does not depend on what clients send: about 32 bytes each,
/// 128 MB for a full store of the standard size. That size allows one key some 280 requests a second without end.
///
/// The store does not outlive the process. A request captured just before a restart can be replayed once after it,
/// within its 15 minutes; the idempotent event ids of ingest and TLS are what stands against that.
public final class NonceStore: Sendable {
    public enum Outcome: Sendable, Hashable {
        case fresh
        case used
        case full
    }

    public let windowSeconds: Int64
    public let capacity: Int
    public let capacityPerKey: Int

    private let state = Mutex(State())

    /// - Parameters:
    ///   - windowSeconds: how long a nonce is remembered at least. Twice the allowed skew: a request may come dated 15
    ///     minutes ahead, and stays fresh until 15 minutes behind (actiontrail.md section 3.3).
    ///   - capacity: nonces remembered at most, of all keys together.
    ///   - capacityPerKey: nonces remembered at most of one key; a quarter of the whole unless told otherwise.
    public init(windowSeconds: Int64 = 30 * 60, capacity: Int = 4_000_000, capacityPerKey: Int? = nil) {
        self.windowSeconds = windowSeconds
        self.capacity = capacity
        self.capacityPerKey = capacityPerKey ?? max(1, capacity / 4)
    }

    /// Spends a nonce of a key. To be called only once the signature is known to be good, or strangers could spend it.
    public func spend(_ nonce: String, of accessKeyId: String, at time: WireTime) -> Outcome {
        let print = Self.fingerprint(nonce)
        return state.withLock { state in
            state.forgetIdleKeys(at: time, window: windowSeconds)
            var ledger = state.ledgers.removeValue(forKey: accessKeyId) ?? Ledger(youngerSince: time)
            defer { state.ledgers[accessKeyId] = ledger }
            state.count -= ledger.turn(at: time, window: windowSeconds)
            if ledger.contains(print) { return .used }
            if ledger.count >= capacityPerKey || state.count >= capacity { return .full }
            ledger.younger.insert(print)
            state.count += 1
            return .fresh
        }
    }

    /// How many nonces are remembered at present.
    public var count: Int { state.withLock { $0.count } }

    private static func fingerprint(_ nonce: String) -> UInt128 {
        SHA256.hash(data: Array(nonce.utf8)).prefix(16).reduce(0) { $0 << 8 | UInt128($1) }
    }
}

private struct State {
    var ledgers: [String: Ledger] = [:]
    /// The nonces in all ledgers.
    var count = 0
    private var nextSweep: WireTime?

    /// Once a window, drops what keys that no longer call have left behind.
    mutating func forgetIdleKeys(at time: WireTime, window: Int64) {
        if let nextSweep, time < nextSweep { return }
        nextSweep = time + window
        for id in Array(ledgers.keys) {
            count -= ledgers[id]?.turn(at: time, window: window) ?? 0
            if ledgers[id]?.count == 0 { ledgers[id] = nil }
        }
    }
}

private struct Ledger {
    var younger: Set<UInt128> = []
    var elder: Set<UInt128> = []
    /// No nonce of the younger generation was spent before this.
    var youngerSince: WireTime

    init(youngerSince: WireTime) {
        self.youngerSince = youngerSince
    }

    var count: Int { younger.count + elder.count }

    func contains(_ print: UInt128) -> Bool {
        younger.contains(print) || elder.contains(print)
    }

    /// Moves the generations on if it is time. Returns how many nonces were dropped.
    mutating func turn(at time: WireTime, window: Int64) -> Int {
        guard youngerSince + window <= time else { return 0 }
        let before = count
        // Two windows without a turn: even the youngest nonce is a window old.
        elder = youngerSince + 2 * window <= time ? [] : younger
        younger = []
        youngerSince = time
        return before - count
    }
}
