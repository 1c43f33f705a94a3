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
}
