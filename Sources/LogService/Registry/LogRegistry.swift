// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata
import Synchronization

/// What is known of projects and logstores: everything about them but the logs, kept in the metadata.
///
/// Whatever a client did wrong is thrown as a ``LogServiceError``.
public final class LogRegistry: Sendable {
    public static let projectsPerAccount = 50
    public static let logstoresPerProject = 200
    public static let groupsPerLogstore = 30
    public static let documentsPerProject = 100

    let metadata: Metadata
    let now: @Sendable () -> Date
    /// Time since the registry was opened. Unlike the clock it never jumps, and a sleep of the machine does not count: both
    /// would take living consumers for dead.
    let uptime: @Sendable () -> Duration
    let cache = LogstoreCache()
    /// Who reads what, by ``assignmentKey(_:_:)``. Lost with the process; consumers tell it again.
    let assignments = Mutex<[String: ConsumerAssignment]>([:])

    public init(
        metadata: Metadata, now: @escaping @Sendable () -> Date, uptime: (@Sendable () -> Duration)? = nil
    ) {
        self.metadata = metadata
        self.now = now
        let start = SuspendingClock.now
        self.uptime = uptime ?? { SuspendingClock.now - start }
    }

    /// Keys of the metadata.
    enum Path {
        static func project(_ name: String) -> String { "log/projects/\(name)" }
        static func logstores(_ project: String) -> String { "log/logstores/\(project)/" }
        static func logstore(_ name: String, _ project: String) -> String { logstores(project) + name }
        static func groups(_ logstore: Logstore) -> String { "log/groups/\(logstore.project)/\(logstore.name)/" }
        static func group(_ name: String, _ logstore: Logstore) -> String { groups(logstore) + name }
        static func checkpoints(_ logstore: Logstore) -> String { "log/checkpoints/\(logstore.project)/\(logstore.name)/" }
        static func checkpoints(_ group: String, _ logstore: Logstore) -> String { checkpoints(logstore) + "\(group)/" }
        static func checkpoint(_ shard: Int, _ group: String, _ logstore: Logstore) -> String {
            checkpoints(group, logstore) + String(shard)
        }
        static func documents(_ kind: LogDocument.Kind, _ project: String) -> String { "log/\(kind.rawValue)/\(project)/" }
    }

    var seconds: Int64 { Int64(now().timeIntervalSince1970) }

    // MARK: Projects

    public func project(_ name: String) throws -> Project {
        guard let project = try metadata.value(Project.self, at: Path.project(name)) else {
            throw LogServiceError.noProject(name)
        }
        return project
    }

    public func projects(account: String) throws -> [Project] {
        try metadata.values(Project.self, prefix: Path.project("")).filter { $0.account == account }
    }

    public func createProject(_ project: Project) throws {
        try project.check()
        try metadata.transact { transaction in
            let all = try transaction.values(Project.self, prefix: Path.project(""))
            guard !all.contains(where: { $0.name == project.name }) else { throw LogServiceError.projectExists(project.name) }
            guard all.filter({ $0.account == project.account }).count < Self.projectsPerAccount else {
                throw LogServiceError.quota("an account has at most \(Self.projectsPerAccount) projects")
            }
            try transaction.put(project, at: Path.project(project.name))
        }
    }

    /// Changes a project in place; what `change` throws refuses it. It runs inside a transaction: it must not call the registry.
    @discardableResult
    public func updateProject(_ name: String, _ change: (inout Project) throws -> Void) throws -> Project {
        try metadata.transact { transaction in
            let old = try Self.project(name, in: transaction)
            var new = old
            try change(&new)
            guard (new.name, new.account, new.region, new.createdAt) == (old.name, old.account, old.region, old.createdAt)
            else { throw LogServiceError.parameter("name, owner and region of a project can not be changed") }
            try new.check()
            new.modifiedAt = seconds
            try transaction.put(new, at: Path.project(name))
            return new
        }
    }

    /// Forgets a project and all that is in it.
    ///
    /// - Returns: its logstores, whose files are to be removed.
    @discardableResult
    public func deleteProject(_ name: String) throws -> [Logstore] {
        let logstores = try metadata.transact { transaction in
            _ = try Self.project(name, in: transaction)
            let logstores = try transaction.values(Logstore.self, prefix: Path.logstores(name))
            for logstore in logstores {
                try Self.checkUnused(logstore)
                try Self.forget(logstore, in: transaction)
            }
            for kind in LogDocument.Kind.allCases { try transaction.deleteAll(prefix: Path.documents(kind, name)) }
            try transaction.delete(Path.project(name))
            return logstores
        }
        for logstore in logstores { dropMemory(of: logstore) }
        return logstores
    }

    static func project(_ name: String, in transaction: Metadata.Transaction) throws -> Project {
        guard let project = try transaction.value(Project.self, at: Path.project(name)) else {
            throw LogServiceError.noProject(name)
        }
        return project
    }

    static func checkUnused(_ logstore: Logstore) throws(LogServiceError) {
        if let trail = logstore.trail { throw .usedByTrail(logstore.name, trail) }
    }

    /// Deletes all entries of a logstore.
    static func forget(_ logstore: Logstore, in transaction: Metadata.Transaction) throws {
        try transaction.delete(Path.logstore(logstore.name, logstore.project))
        try transaction.deleteAll(prefix: Path.groups(logstore))
        try transaction.deleteAll(prefix: Path.checkpoints(logstore))
    }

    func dropMemory(of logstore: Logstore) {
        cache.drop(Path.logstore(logstore.name, logstore.project))
        assignments.withLock { all in all = all.filter { !$0.key.hasPrefix("\(logstore.id)/") } }
    }
}

extension Metadata.Transaction {
    /// In pieces, so that memory does not grow with what is deleted.
    func deleteAll(prefix: String) throws {
        while true {
            let entries = try entries(prefix: prefix, limit: 1000)
            guard !entries.isEmpty else { return }
            for entry in entries { try delete(entry.key) }
        }
    }
}
