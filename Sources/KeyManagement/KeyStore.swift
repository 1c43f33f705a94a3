// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// Where keys lie in the metadata; source: docs/formats/keys.md.
enum KeyStore {
    static let records = "keys/records/"
    static let versions = "keys/versions/"
    static let aliases = "keys/aliases/"
    static let imports = "keys/imports/"
    /// Of the first version of Cairn: one sealed key a purpose.
    static let oldServiceKeys = "keys/service/"

    static func path(_ alias: String, _ scope: KeyScope) -> String { aliases + scope.account + "/" + scope.region + "/" + alias }

    /// Writes what differs from `before`.
    static func put(
        _ content: KeyCell.Content, over before: KeyCell.Content?, in transaction: Metadata.Transaction
    ) throws {
        let id = content.record.id
        if content.record != before?.record { try transaction.put(content.record, at: records + id) }
        for version in content.versions where before?.versions.contains(version) != true {
            try transaction.put(version, at: versions + id + "/" + version.id.uuidString)
        }
        for offer in content.offers where before?.offers.contains(offer) != true {
            try transaction.put(offer, at: imports + id + "/" + offer.tokenHash)
        }
        let kept = Set(content.offers.map(\.tokenHash))
        for offer in before?.offers ?? [] where !kept.contains(offer.tokenHash) {
            try transaction.delete(imports + id + "/" + offer.tokenHash)
        }
    }

    static func delete(_ content: KeyCell.Content, aliases: [String], in transaction: Metadata.Transaction) throws {
        let record = content.record
        for version in content.versions { try transaction.delete(versions + record.id + "/" + version.id.uuidString) }
        for offer in content.offers { try transaction.delete(imports + record.id + "/" + offer.tokenHash) }
        for alias in aliases {
            try transaction.delete(path(alias, KeyScope(account: record.account, region: record.region)))
        }
        try transaction.delete(records + record.id)
    }

    static func load(_ metadata: Metadata) throws -> KeyService.Table {
        var table = KeyService.Table()
        var sealed = try grouped(SealedVersion.self, versions, metadata)
        var offers = try grouped(ImportOffer.self, imports, metadata)
        for entry in try metadata.entries(prefix: records) {
            let record = try decode(KeyRecord.self, entry)
            let content = KeyCell.Content(
                record: record, versions: (sealed.removeValue(forKey: record.id) ?? []).sorted { $0.number < $1.number },
                offers: (offers.removeValue(forKey: record.id) ?? []).sorted { $0.expiresAt < $1.expiresAt })
            let cell = KeyCell(content)
            if let purpose = record.purpose {
                table.service[purpose] = cell
            } else {
                table.customers[record.id] = cell
                for version in content.versions { table.versions[version.id] = cell }
            }
        }
        for entry in try metadata.entries(prefix: aliases) {
            let parts = entry.key.dropFirst(aliases.count).split(separator: "/", maxSplits: 2).map(String.init)
            guard parts.count == 3 else { throw KeyError.damaged(key: entry.key) }
            table.aliases[KeyScope(account: parts[0], region: parts[1]), default: [:]][parts[2]] =
                String(decoding: entry.value, as: UTF8.self)
        }
        return table
    }

    /// Values by the key id in their path.
    private static func grouped<Value: Decodable>(
        _ type: Value.Type, _ prefix: String, _ metadata: Metadata
    ) throws -> [String: [Value]] {
        try Dictionary(
            grouping: metadata.entries(prefix: prefix), by: { String($0.key.dropFirst(prefix.count).prefix { $0 != "/" }) }
        ).mapValues { try $0.map { try decode(type, $0) } }
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ entry: Metadata.Entry) throws -> Value {
        do { return try JSONDecoder().decode(type, from: Data(entry.value)) } catch { throw KeyError.damaged(key: entry.key) }
    }
}
