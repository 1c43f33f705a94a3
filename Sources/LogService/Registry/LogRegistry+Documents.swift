// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// Dashboards and saved searches.
extension LogRegistry {
    /// By name.
    public func documents(_ kind: LogDocument.Kind, project: String) throws -> [LogDocument] {
        _ = try self.project(project)
        let prefix = Path.documents(kind, project)
        return try metadata.entries(prefix: prefix).map {
            LogDocument(name: String($0.key.dropFirst(prefix.count)), json: Data($0.value))
        }
    }

    public func document(_ kind: LogDocument.Kind, _ name: String, project: String) throws -> Data {
        guard let entry = try metadata.entry(Path.documents(kind, project) + name) else {
            _ = try self.project(project)
            throw kind.missing(name)
        }
        return Data(entry.value)
    }

    /// Keeps a document under the name it says.
    public func createDocument(_ kind: LogDocument.Kind, _ json: Data, project: String) throws {
        let document = try LogDocument(kind, json)
        let prefix = Path.documents(kind, project)
        try metadata.transact { transaction in
            _ = try Self.project(project, in: transaction)
            guard try transaction.entry(prefix + document.name) == nil else { throw kind.taken(document.name) }
            guard try transaction.entries(prefix: prefix).count < Self.documentsPerProject else {
                throw LogServiceError.quota("a project has at most \(Self.documentsPerProject) \(kind.rawValue)")
            }
            try transaction.put(prefix + document.name, [UInt8](json))
        }
    }

    /// - Throws: `ParameterInvalid` if the document says another name.
    public func updateDocument(_ kind: LogDocument.Kind, _ name: String, _ json: Data, project: String) throws {
        let document = try LogDocument(kind, json, named: name)
        try change(kind, name, project) { transaction, path in try transaction.put(path, [UInt8](document.json)) }
    }

    public func deleteDocument(_ kind: LogDocument.Kind, _ name: String, project: String) throws {
        try change(kind, name, project) { transaction, path in try transaction.delete(path) }
    }

    private func change(
        _ kind: LogDocument.Kind, _ name: String, _ project: String,
        _ body: (Metadata.Transaction, _ path: String) throws -> Void
    ) throws {
        try metadata.transact { transaction in
            _ = try Self.project(project, in: transaction)
            let path = Path.documents(kind, project) + name
            guard try transaction.entry(path) != nil else { throw kind.missing(name) }
            try body(transaction, path)
        }
    }
}
