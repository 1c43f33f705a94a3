// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

extension LogRegistry {
    public func logstore(_ name: String, project: String) throws -> Logstore {
        try cache.logstore(Path.logstore(name, project)) {
            guard let logstore = try metadata.value(Logstore.self, at: Path.logstore(name, project)) else {
                _ = try self.project(project)
                throw LogServiceError.noLogstore(name)
            }
            return logstore
        }
    }

    /// The logstore as it is now, unless it was deleted and another has its name.
    func logstore(_ name: String, project: String, id: String) throws -> Logstore {
        let found = try logstore(name, project: project)
        guard found.id == id else { throw LogServiceError.noLogstore(name) }
        return found
    }

    /// By name.
    public func logstores(project: String) throws -> [Logstore] {
        _ = try self.project(project)
        return try metadata.values(Logstore.self, prefix: Path.logstores(project))
    }

    /// Of all projects; what lies on disk and is not of one of these is left from a deletion.
    public func allLogstores() throws -> [Logstore] { try metadata.values(Logstore.self, prefix: "log/logstores/") }

    public func createLogstore(_ logstore: Logstore) throws {
        try logstore.check()
        guard logstore.shards.map(\.id) == Array(0..<logstore.shards.count), logstore.shardCount == logstore.shards.count,
            [Shard].initialCounts.contains(logstore.shardCount)
        else { throw LogServiceError.logstoreInvalid("shardCount must be between 1 and 100") }
        if let index = logstore.index { _ = try Self.configuration(ofIndex: index) }
        try metadata.transact { transaction in
            guard try Self.project(logstore.project, in: transaction).account == logstore.account else {
                throw LogServiceError.noProject(logstore.project)
            }
            let path = Path.logstore(logstore.name, logstore.project)
            guard try transaction.entry(path) == nil else { throw LogServiceError.logstoreExists(logstore.name) }
            guard try transaction.entries(prefix: Path.logstores(logstore.project)).count < Self.logstoresPerProject else {
                throw LogServiceError.quota("a project has at most \(Self.logstoresPerProject) logstores")
            }
            try transaction.put(logstore, at: path)
        }
    }

    /// Changes a logstore as a client may; what `change` throws refuses it. It runs inside a transaction: it must not call the
    /// registry.
    @discardableResult
    public func updateLogstore(
        _ name: String, project: String, _ change: (inout Logstore) throws -> Void
    ) throws -> Logstore {
        try self.change(name, project) { logstore, _ in
            try Self.checkUnused(logstore)
            let old = logstore
            try change(&logstore)
            try old.checkChange(to: logstore)
        }.logstore
    }

    /// Gives a logstore to a trail, or, with nil, back to its owner.
    ///
    /// - Parameter prepare: makes of it what the trail needs.
    /// - Throws: ``LogServiceError/notForTrail(_:)`` for a logstore that others wrote to.
    public func setTrail(
        _ trail: String?, logstore name: String, project: String, prepare: (inout Logstore) -> Void = { _ in }
    ) throws {
        _ = try change(name, project) { logstore, _ in
            if let trail, let other = logstore.trail, other != trail { throw LogServiceError.usedByTrail(name, other) }
            guard trail == nil || logstore.mayBecomeTrails else { throw LogServiceError.notForTrail(name) }
            logstore.trail = trail
            prepare(&logstore)
            try logstore.check()
        }
    }

    /// Notes that somebody else than a trail writes to a logstore, before it does: from then on no trail may have it.
    func noteOtherLogs(in logstore: Logstore) throws {
        let (name, project) = (logstore.name, logstore.project)
        guard try self.logstore(name, project: project, id: logstore.id).hasOtherLogs != true else { return }
        let path = Path.logstore(name, project)
        defer { cache.drop(path) }
        try metadata.transact { transaction in
            var found = try Self.logstore(name, project, in: transaction)
            guard found.id == logstore.id else { throw LogServiceError.noLogstore(name) }
            // A trail may have taken it since the writer was let in.
            try Self.checkUnused(found)
            found.noteOtherLogs()
            try transaction.put(found, at: path)
        }
    }

    /// Forgets a logstore with its consumer groups.
    ///
    /// - Returns: what it was; its files are to be removed.
    @discardableResult
    public func deleteLogstore(_ name: String, project: String) throws -> Logstore {
        let logstore = try metadata.transact { transaction in
            let logstore = try Self.logstore(name, project, in: transaction)
            try Self.checkUnused(logstore)
            try Self.forget(logstore, in: transaction)
            return logstore
        }
        dropMemory(of: logstore)
        return logstore
    }

    static func logstore(_ name: String, _ project: String, in transaction: Metadata.Transaction) throws -> Logstore {
        guard let logstore = try transaction.value(Logstore.self, at: Path.logstore(name, project)) else {
            _ = try Self.project(project, in: transaction)
            throw LogServiceError.noLogstore(name)
        }
        return logstore
    }

    /// The only way a logstore changes.
    func change<Result>(
        _ name: String, _ project: String, _ body: (inout Logstore, Metadata.Transaction) throws -> Result
    ) throws -> (logstore: Logstore, result: Result) {
        let path = Path.logstore(name, project)
        defer { cache.drop(path) }
        return try metadata.transact { transaction in
            var logstore = try Self.logstore(name, project, in: transaction)
            let result = try body(&logstore, transaction)
            logstore.modifiedAt = seconds
            try transaction.put(logstore, at: path)
            return (logstore, result)
        }
    }

    // MARK: Index

    /// - Parameter isNew: whether there must be none so far, or must be one.
    public func setIndex(_ json: Data, logstore name: String, project: String, isNew: Bool) throws {
        _ = try Self.configuration(ofIndex: json)
        _ = try change(name, project) { logstore, _ in
            try Self.checkUnused(logstore)
            guard isNew || logstore.index != nil else { throw LogServiceError.noIndex }
            guard !isNew || logstore.index == nil else { throw LogServiceError.indexExists }
            logstore.index = json
        }
    }

    public func deleteIndex(logstore name: String, project: String) throws {
        _ = try change(name, project) { logstore, _ in
            try Self.checkUnused(logstore)
            guard logstore.index != nil else { throw LogServiceError.noIndex }
            logstore.index = nil
        }
    }

    /// The index object as GetIndex answers it: as it was sent, with a token list wherever clients look for one.
    public func index(logstore name: String, project: String) throws -> Data {
        guard let json = try logstore(name, project: project).index else { throw LogServiceError.noIndex }
        let document = try IndexDocument(json)
        return document.isCompleted ? try document.encoded() : json
    }

    public static func configuration(ofIndex json: Data) throws(LogServiceError) -> IndexConfiguration {
        try IndexDocument(json).configuration()
    }

    /// What of a logstore's logs can be searched; nil if nothing.
    public func configuration(of logstore: Logstore) throws(LogServiceError) -> IndexConfiguration? {
        try cache.configuration(of: logstore)
    }

    // MARK: Shards

    /// Those of a new logstore.
    public static func initialShards(count: Int, at now: Int64) throws(LogServiceError) -> [Shard] {
        try [Shard].initial(count: count, at: now)
    }

    /// - Parameter key: 32 hexadecimal digits; the middle of the shard's range if nil.
    /// - Returns: the old shard and the two new ones.
    public func splitShard(_ id: Int, at key: String?, logstore: String, project: String) throws -> [Shard] {
        try change(logstore, project) { logstore, _ in
            try Self.checkUnused(logstore)
            return try logstore.shards.split(id, key: key, at: seconds)
        }.result
    }

    /// Merges a shard with the one whose range follows.
    ///
    /// - Returns: the new shard and the two old ones.
    public func mergeShards(_ id: Int, logstore: String, project: String) throws -> [Shard] {
        try change(logstore, project) { logstore, _ in
            try Self.checkUnused(logstore)
            return try logstore.shards.merge(id, at: seconds)
        }.result
    }

    /// Forgets a shard that can only be read, and how far it was.
    ///
    /// - Returns: the shards that are left.
    public func deleteShard(_ id: Int, logstore: String, project: String) throws -> [Shard] {
        try change(logstore, project) { logstore, transaction in
            try Self.checkUnused(logstore)
            try logstore.shards.delete(id)
            for group in try transaction.values(ConsumerGroup.self, prefix: Path.groups(logstore)) {
                try transaction.delete(Path.checkpoint(id, group.name, logstore))
            }
        }.logstore.shards
    }
}
