// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What of a logstore's logs can be searched.
extension LogRegistry {
    /// - Parameter isNew: whether there must be none so far, or must be one.
    public func setIndex(_ json: Data, logstore name: String, project: String, isNew: Bool) throws {
        _ = try Self.configuration(ofIndex: json)
        _ = try change(name, project) { logstore, _ in
            try Self.checkUnused(logstore)
            guard isNew || logstore.index != nil else { throw LogServiceError.noIndex }
            guard !isNew || logstore.index == nil else { throw LogServiceError.indexExists }
            logstore.index = json
            logstore.indexModifiedAt = seconds
        }
    }

    public func deleteIndex(logstore name: String, project: String) throws {
        _ = try change(name, project) { logstore, _ in
            try Self.checkUnused(logstore)
            guard logstore.index != nil else { throw LogServiceError.noIndex }
            logstore.index = nil
        }
    }

    /// What GetIndex answers: ``index(logstore:project:)`` with when it was changed and how long and where logs are kept, unless
    /// the client sent that itself.
    public func describedIndex(logstore name: String, project: String) throws -> Data {
        let document = try IndexDocument(try index(logstore: name, project: project))
        let logstore = try logstore(name, project: project)
        return try document.encoded(with: [
            "lastModifyTime": .integer(Int(logstore.indexModifiedAt ?? logstore.modifiedAt)), "ttl": .integer(logstore.ttl),
            "storage": .text("pg"),
        ])
    }

    /// The index object as it was sent, with a token list wherever clients look for one.
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
}
