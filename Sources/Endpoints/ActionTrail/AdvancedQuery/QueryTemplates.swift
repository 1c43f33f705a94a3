// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// A query that somebody kept under a name.
struct QueryTemplate: Codable {
    var id: String
    var name: String
    var query: String
    /// As the client said: a search alone, as opposed to one with SQL.
    var isSimple: Bool
    var createdAt: Int64
}

/// A query that somebody ran on the console.
struct PastQuery: Codable {
    var id: String
    var query: String
    var isSimple: Bool
    /// Milliseconds since 1970.
    var ranAt: Int64
}

/// The templates and past queries of all accounts, kept in the metadata.
struct QueryTemplates {
    static let limit = 1000
    /// Past queries kept of an account, the newest.
    static let pastLimit = 100

    let metadata: Metadata

    private static func templatesPath(_ account: String) -> String { "query-templates/\(account)/" }
    private static func pastPath(_ account: String) -> String { "past-queries/\(account)/" }

    /// 22 characters that nobody can guess, in base64url.
    static func newId(_ prefix: String) -> String {
        let bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        let text = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
        return prefix + text.prefix(22)
    }

    /// Oldest first.
    func templates(account: String) throws -> [QueryTemplate] {
        try metadata.values(QueryTemplate.self, prefix: Self.templatesPath(account)).sorted {
            ($0.createdAt, $0.id) < ($1.createdAt, $1.id)
        }
    }

    func template(_ id: String, account: String) throws -> QueryTemplate {
        guard let template = try metadata.value(QueryTemplate.self, at: Self.templatesPath(account) + id) else {
            throw Self.notFound
        }
        return template
    }

    func create(_ template: QueryTemplate, account: String) throws {
        try metadata.transact { transaction in
            let path = Self.templatesPath(account)
            guard try transaction.entries(prefix: path, limit: Self.limit).count < Self.limit else {
                throw RPCError(
                    403, "MaximumNumberOfTemplatesExceeded", "An account has at most \(Self.limit) query templates.")
            }
            try transaction.put(template, at: path + template.id)
        }
    }

    func update(
        _ id: String, account: String, _ change: (inout QueryTemplate) throws -> Void
    ) throws -> QueryTemplate {
        try metadata.transact { transaction in
            let path = Self.templatesPath(account) + id
            guard var template = try transaction.value(QueryTemplate.self, at: path) else { throw Self.notFound }
            try change(&template)
            try transaction.put(template, at: path)
            return template
        }
    }

    func delete(_ id: String, account: String) throws {
        try metadata.transact { transaction in
            let path = Self.templatesPath(account) + id
            guard try transaction.entry(path) != nil else { throw Self.notFound }
            try transaction.delete(path)
        }
    }

    /// Newest first.
    func pastQueries(account: String) throws -> [PastQuery] {
        try metadata.values(PastQuery.self, prefix: Self.pastPath(account)).sorted { ($0.ranAt, $0.id) > ($1.ranAt, $1.id) }
    }

    /// Keeps a query, and forgets the oldest beyond the limit.
    func keep(_ query: PastQuery, account: String) throws {
        try metadata.transact { transaction in
            let path = Self.pastPath(account)
            let others = try transaction.values(PastQuery.self, prefix: path).sorted { $0.ranAt > $1.ranAt }
            for old in others.dropFirst(Self.pastLimit - 1) { try transaction.delete(path + old.id) }
            try transaction.put(query, at: path + query.id)
        }
    }

    func forget(_ id: String, account: String) throws {
        try metadata.transact { transaction in
            let path = Self.pastPath(account) + id
            guard try transaction.entry(path) != nil else {
                throw RPCError(404, "QueryHistoryNotFound", "The account has no such query in its history.")
            }
            try transaction.delete(path)
        }
    }

    private static var notFound: RPCError {
        RPCError(404, "TemplateNotFound", "The account has no query template with this id.")
    }
}
