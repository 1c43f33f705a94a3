// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB

/// Which question does this room answer? *What small things must survive?* Trails, keys, users, cursors: a
/// key-value store with revisions and transactions, so that a cluster's store can take its place one day.
///
/// Keys are paths such as `trails/1000000000000001/audit`; values are bytes, mostly JSON. Each transaction is one
/// revision, and is on disk (`synchronous=FULL`) when ``transact(_:)`` returns.
public final class Metadata: Sendable {
    public struct Entry: Sendable, Equatable {
        public var key: String
        public var value: [UInt8]
        /// The transaction that last changed it; grows over the whole store.
        public var revision: Int64
    }

    private let database: DatabaseQueue

    /// Opens or makes the store.
    ///
    /// - Parameter path: a file, or nil for a store in memory (tests).
    public init(path: String?) throws {
        var configuration = Configuration()
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
        }
        database = try path.map { try DatabaseQueue(path: $0, configuration: configuration) } ?? DatabaseQueue()
        if let path {
            // SQLite makes its files with the process's umask; secrets are sealed, names are not.
            for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix) {
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path + suffix)
            }
        }
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 entries") { database in
            try database.execute(
                sql: """
                    CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID;
                    CREATE TABLE revision (last INTEGER NOT NULL);
                    INSERT INTO revision VALUES (0);
                    """)
        }
        try migrator.migrate(database)
    }

    public func entry(_ key: String) throws -> Entry? {
        try database.read { try Transaction(database: $0, revision: 0).entry(key) }
    }

    /// Entries whose key begins with `prefix`, by key in byte order.
    ///
    /// - Parameter after: only keys past this one.
    public func entries(prefix: String, after: String = "", limit: Int = .max) throws -> [Entry] {
        try database.read {
            try Transaction(database: $0, revision: 0).entries(prefix: prefix, after: after, limit: limit)
        }
    }

    /// Runs `body` alone; all of its changes happen, or none if it throws.
    @discardableResult
    public func transact<Result>(_ body: (Transaction) throws -> Result) throws -> Result {
        try database.write { database in
            try database.execute(sql: "UPDATE revision SET last = last + 1")
            let revision = try Int64.fetchOne(database, sql: "SELECT last FROM revision") ?? 0
            return try body(Transaction(database: database, revision: revision))
        }
    }

    /// What can be done inside one transaction.
    public struct Transaction {
        let database: Database
        public let revision: Int64

        public func entry(_ key: String) throws -> Entry? {
            try Row.fetchOne(database, sql: "SELECT key, value, revision FROM entries WHERE key = ?", arguments: [key])
                .map(Entry.init)
        }

        public func entries(prefix: String, after: String = "", limit: Int = .max) throws -> [Entry] {
            try Row.fetchAll(
                database,
                sql: """
                    SELECT key, value, revision FROM entries WHERE key >= ? AND key > ? AND key < ?
                    ORDER BY key LIMIT ?
                    """,
                arguments: [prefix, after, prefix + "\u{10FFFF}", limit]
            ).map(Entry.init)
        }

        public func put(_ key: String, _ value: [UInt8]) throws {
            try database.execute(
                sql: "INSERT OR REPLACE INTO entries (key, value, revision) VALUES (?, ?, ?)",
                arguments: [key, Data(value), revision])
        }

        public func delete(_ key: String) throws {
            try database.execute(sql: "DELETE FROM entries WHERE key = ?", arguments: [key])
        }
    }
}

extension Metadata.Entry {
    init(_ row: Row) {
        key = row[0]
        value = [UInt8](row[1] as Data)
        revision = row[2]
    }
}
