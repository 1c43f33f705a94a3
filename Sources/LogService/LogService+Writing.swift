// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Writing logs.
extension LogService {
    /// Makes logs durable, all or none.
    ///
    /// - Parameter hashKey: 32 hexadecimal digits; the shard whose range has it takes the logs. Without, shards take turns.
    public func put(_ group: LogGroup, into logstore: Logstore, hashKey: String? = nil) async throws {
        if !group.logs.isEmpty { try registry.noteOtherLogs(in: logstore) }
        try await write(to: logstore, hashKey) { store, shard in try await store.append(group, shard: shard) }
    }

    /// Makes those logs of a trail's delivery durable that are not stored yet: sending again never doubles.
    ///
    /// - Parameters:
    ///   - positions: one a log, ascending.
    ///   - stream: names the delivery; it waits for the answer before it calls again.
    public func deliver(
        _ group: LogGroup, positions: [UInt64], stream: String, into logstore: Logstore
    ) async throws {
        try await write(to: logstore, nil) { store, shard in
            try await store.append(group, shard: shard, positions: positions, stream: stream)
        }
    }

    /// The position of the last log that is stored of a delivery.
    public func lastPosition(stream: String, in logstore: Logstore) async throws -> UInt64? {
        try await store(logstore).streams.last(stream)
    }

    private func write(
        to logstore: Logstore, _ hashKey: String?, _ append: (LogStore, Int) async throws -> Void
    ) async throws {
        let store = try await store(logstore)
        while true {
            let turn = turn.wrappingAdd(1, ordering: .relaxed).newValue
            let shard = try current(logstore).shards.choose(hashKey: hashKey, turn: turn)
            store.beginWriting(to: shard)
            defer { store.endWriting(to: shard) }
            // A shard that was split since takes nothing any more: what reads it may have been told that it is at its end.
            guard try current(logstore).shards.contains(where: { $0.id == shard && $0.isWritable }) else { continue }
            return try await append(store, shard)
        }
    }

    private func current(_ logstore: Logstore) throws -> Logstore {
        try registry.logstore(logstore.name, project: logstore.project, id: logstore.id)
    }
}
