// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import KeyManagement
import Metadata

/// The credentials of this version: the root access key of each account, and ingest tokens, in the metadata.
///
/// Secrets are sealed under a key of the service; of tokens only a hash is kept.
public final class CredentialStore: AccessKeyDirectory, IngestTokenDirectory {
    private struct KeyRow: Codable {
        var id: String
        var sealedSecret: Data
        var accountId: String
        var isActive: Bool
    }

    private struct TokenRow: Codable {
        var id: String
        var secretDigest: Data
        var name: String
        var accountId: String
        var createdAt: Int64
        var expiresAt: Int64?
        var isActive: Bool
    }

    private let metadata: Metadata
    private let key: ServiceKey

    public init(metadata: Metadata, keys: KeyService) throws {
        self.metadata = metadata
        key = try keys.serviceKey("credentials")
    }

    // MARK: Access keys

    public func accessKey(id: String) throws -> AccessKey? {
        guard let row = try metadata.value(KeyRow.self, at: "access-keys/" + id) else { return nil }
        let secret = try key.unseal(row.sealedSecret, context: Data(row.id.utf8))
        return AccessKey(
            id: row.id, secret: Secret(String(decoding: secret, as: UTF8.self)),
            owner: .rootAccount(row.accountId, accessKeyId: row.id), isActive: row.isActive)
    }

    /// Keeps a root access key; the same id again replaces its secret.
    public func putRootKey(id: String, secret: String, accountId: String) throws {
        let sealed = Data(try key.seal(Data(secret.utf8), context: Data(id.utf8)))
        try metadata.transact {
            try $0.put(KeyRow(id: id, sealedSecret: sealed, accountId: accountId, isActive: true), at: "access-keys/" + id)
        }
    }

    public func hasKeys(accountId: String) throws -> Bool {
        try metadata.values(KeyRow.self, prefix: "access-keys/").contains { $0.accountId == accountId }
    }

    // MARK: Ingest tokens

    public func ingestToken(id: String) throws -> IngestTokenRecord? {
        try metadata.value(TokenRow.self, at: "ingest-tokens/" + id).map(Self.record)
    }

    func tokens(accountId: String) throws -> [IngestTokenRecord] {
        try metadata.values(TokenRow.self, prefix: "ingest-tokens/").filter { $0.accountId == accountId }.map(Self.record)
    }

    func put(_ record: IngestTokenRecord) throws {
        let row = TokenRow(
            id: record.id, secretDigest: Data(record.secretDigest), name: record.name, accountId: record.accountId,
            createdAt: record.createdAt.secondsSince1970, expiresAt: record.expiresAt?.secondsSince1970,
            isActive: record.isActive)
        try metadata.transact { try $0.put(row, at: "ingest-tokens/" + record.id) }
    }

    /// - Returns: false if the account has no such token.
    func deleteToken(id: String, accountId: String) throws -> Bool {
        try metadata.transact { transaction in
            guard try transaction.value(TokenRow.self, at: "ingest-tokens/" + id)?.accountId == accountId else { return false }
            try transaction.delete("ingest-tokens/" + id)
            return true
        }
    }

    private static func record(_ row: TokenRow) -> IngestTokenRecord {
        IngestTokenRecord(
            id: row.id, secretDigest: [UInt8](row.secretDigest), name: row.name, accountId: row.accountId,
            createdAt: WireTime(secondsSince1970: row.createdAt),
            expiresAt: row.expiresAt.map(WireTime.init(secondsSince1970:)), isActive: row.isActive)
    }
}

/// Nobody but root has a key in this version, so nobody has policies.
extension CredentialStore: IdentityPolicies {
    public func policies(of caller: Caller) throws -> CallerPolicies { CallerPolicies() }
}
