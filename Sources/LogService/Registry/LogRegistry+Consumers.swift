// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// Consumer groups; source: sls.md section 8.
extension LogRegistry {
    public func createGroup(_ group: ConsumerGroup, logstore name: String, project: String) throws {
        try group.check()
        try metadata.transact { transaction in
            let logstore = try Self.logstore(name, project, in: transaction)
            let path = Path.group(group.name, logstore)
            guard try transaction.entry(path) == nil else { throw LogServiceError.groupExists(group.name) }
            guard try transaction.entries(prefix: Path.groups(logstore)).count < Self.groupsPerLogstore else {
                throw LogServiceError.tooManyGroups(limit: Self.groupsPerLogstore)
            }
            try transaction.put(group, at: path)
            assignments.withLock { $0[Self.assignmentKey(group.name, logstore)] = ConsumerAssignment(isNew: true) }
        }
    }

    /// By name.
    public func groups(logstore name: String, project: String) throws -> [ConsumerGroup] {
        let logstore = try logstore(name, project: project)
        return try metadata.values(ConsumerGroup.self, prefix: Path.groups(logstore))
    }

    /// - Parameters:
    ///   - timeout: nil leaves it as it is.
    ///   - order: nil leaves it as it is.
    public func updateGroup(_ name: String, timeout: Int?, order: Bool?, logstore: String, project: String) throws {
        let logstore = try self.logstore(logstore, project: project)
        try metadata.transact { transaction in
            var group = try Self.group(name, logstore, in: transaction)
            group.timeout = timeout ?? group.timeout
            group.order = order ?? group.order
            try group.check()
            try transaction.put(group, at: Path.group(name, logstore))
        }
    }

    public func deleteGroup(_ name: String, logstore: String, project: String) throws {
        let logstore = try self.logstore(logstore, project: project)
        try metadata.transact { transaction in
            _ = try Self.group(name, logstore, in: transaction)
            try transaction.delete(Path.group(name, logstore))
            try transaction.deleteAll(prefix: Path.checkpoints(name, logstore))
            assignments.withLock { $0[Self.assignmentKey(name, logstore)] = nil }
        }
    }

    /// A consumer says what it reads, and is told what it shall read.
    ///
    /// - Parameters:
    ///   - held: the shards it reads now.
    ///   - isRead: whether all logs of a shard that can only be read lie before this checkpoint, which is empty if there is
    ///     none. Asked only if the group keeps the order.
    public func heartbeat(
        _ consumer: String, held: [Int], group name: String, logstore: String, project: String,
        isRead: (_ shard: Int, _ checkpoint: String) throws -> Bool
    ) throws -> [Int] {
        guard RegistryName.isConsumer(consumer) else { throw LogServiceError.parameter("consumer is invalid") }
        let logstore = try self.logstore(logstore, project: project)
        let group = try self.group(name, logstore)
        let readable: [Int]
        if group.order {
            let checkpoints = try storedCheckpoints(name, logstore)
            readable = try logstore.shards.inOrder { try isRead($0, checkpoints[$0]?.checkpoint ?? "") }
        } else {
            readable = logstore.shards.map(\.id).sorted()
        }
        return try withAssignment(of: group, logstore) { assignment, timeout in
            try assignment.heartbeat(
                of: consumer, reported: Set(held), readable: readable, all: Set(logstore.shards.map(\.id)), timeout: timeout,
                now: uptime())
        }
    }

    /// By shard; one whose reading has not begun has an empty checkpoint.
    ///
    /// - Parameter shard: nil for all.
    public func checkpoints(
        group name: String, shard: Int?, logstore: String, project: String
    ) throws -> [ConsumerCheckpoint] {
        let logstore = try self.logstore(logstore, project: project)
        _ = try group(name, logstore)
        let shards = logstore.shards.map(\.id).filter { shard == nil || $0 == shard }.sorted()
        if let shard, shards.isEmpty { throw LogServiceError.noShard(shard) }
        let stored = try storedCheckpoints(name, logstore)
        return shards.map { stored[$0] ?? ConsumerCheckpoint(shard: $0) }
    }

    /// One small row of the metadata, on disk when this returns.
    ///
    /// - Parameters:
    ///   - consumer: may be empty if `force` is set.
    ///   - force: whoever holds the shard.
    public func updateCheckpoint(
        _ checkpoint: String, shard: Int, consumer: String, force: Bool, group name: String, logstore: String, project: String
    ) throws {
        guard consumer.isEmpty ? force : RegistryName.isConsumer(consumer) else {
            throw LogServiceError.parameter("consumer is invalid, or missing without forceSuccess")
        }
        guard Self.isCursor(checkpoint) else { throw LogServiceError.checkpointInvalid }
        let logstore = try self.logstore(logstore, project: project)
        guard logstore.shards.contains(where: { $0.id == shard }) else { throw LogServiceError.noShard(shard, status: 404) }
        try metadata.transact { transaction in
            let group = try Self.group(name, logstore, in: transaction)
            if !force {
                try withAssignment(of: group, logstore) { assignment, timeout in
                    try assignment.checkOwner(of: shard, is: consumer, timeout: timeout, now: uptime())
                }
            }
            let value = ConsumerCheckpoint(
                shard: shard, checkpoint: checkpoint, updateTime: Int64(now().timeIntervalSince1970 * 1_000_000),
                consumer: consumer)
            try transaction.put(value, at: Path.checkpoint(shard, name, logstore))
        }
    }

    /// Base64 of a decimal 64-bit number.
    private static func isCursor(_ text: String) -> Bool {
        guard text.utf8.count <= 64, let bytes = Data(base64Encoded: text), !bytes.isEmpty else { return false }
        return bytes.allSatisfy { (0x30...0x39).contains($0) } && UInt64(String(decoding: bytes, as: UTF8.self)) != nil
    }

    private static func assignmentKey(_ group: String, _ logstore: Logstore) -> String { "\(logstore.id)/\(group)" }

    private func withAssignment<Result>(
        of group: ConsumerGroup, _ logstore: Logstore, _ body: (inout ConsumerAssignment, _ timeout: Duration) throws -> Result
    ) throws -> Result {
        try assignments.withLock { all in
            try body(
                &all[Self.assignmentKey(group.name, logstore), default: ConsumerAssignment(isNew: false)],
                .seconds(group.timeout))
        }
    }

    private func storedCheckpoints(_ group: String, _ logstore: Logstore) throws -> [Int: ConsumerCheckpoint] {
        let values = try metadata.values(ConsumerCheckpoint.self, prefix: Path.checkpoints(group, logstore))
        return Dictionary(values.map { ($0.shard, $0) }, uniquingKeysWith: { $1 })
    }

    private func group(_ name: String, _ logstore: Logstore) throws -> ConsumerGroup {
        guard let group = try metadata.value(ConsumerGroup.self, at: Path.group(name, logstore)) else {
            throw LogServiceError.noGroup(name)
        }
        return group
    }

    private static func group(
        _ name: String, _ logstore: Logstore, in transaction: Metadata.Transaction
    ) throws -> ConsumerGroup {
        guard let group = try transaction.value(ConsumerGroup.self, at: Path.group(name, logstore)) else {
            throw LogServiceError.noGroup(name)
        }
        return group
    }
}
