// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

struct IngestTokenRow: Codable, Sendable {
    var id: String
    var secretDigest: Data
    var name: String
    var accountId: String
    var createdAt: Int64
    var expiresAt: Int64?
    var isActive: Bool

    var record: IngestTokenRecord {
        IngestTokenRecord(
            id: id, secretDigest: [UInt8](secretDigest), name: name, accountId: accountId,
            createdAt: WireTime(secondsSince1970: createdAt), expiresAt: expiresAt.map(WireTime.init(secondsSince1970:)),
            isActive: isActive)
    }
}

extension IdentityStore: IngestTokenDirectory {
    public func ingestToken(id: String) throws -> IngestTokenRecord? { tokenRow(id)?.record }

    /// By id.
    public func ingestTokens(account: String) -> [IngestTokenRecord] {
        snapshot.tokens.values.filter { $0.accountId == account }.sorted { $0.id < $1.id }.map(\.record)
    }

    public func put(_ record: IngestTokenRecord) throws {
        let row = IngestTokenRow(
            id: record.id, secretDigest: Data(record.secretDigest), name: record.name, accountId: record.accountId,
            createdAt: record.createdAt.secondsSince1970, expiresAt: record.expiresAt?.secondsSince1970,
            isActive: record.isActive)
        try change { $0.put(row) }
    }

    /// - Returns: false if the account has no such token.
    public func deleteIngestToken(id: String, account: String) throws -> Bool {
        try change { draft in
            guard draft.state.tokens[id]?.accountId == account else { return false }
            draft.removeToken(id)
            return true
        }
    }
}
