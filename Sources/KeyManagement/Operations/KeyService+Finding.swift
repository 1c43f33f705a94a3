// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

extension KeyService {
    /// The key that a caller names.
    ///
    /// - Parameters:
    ///   - account: of the caller; an ARN may name a key of another account.
    ///   - region: keys of other regions are not found.
    public func find(_ name: String, account: String, region: String) throws(KeyError) -> KeyRecord {
        try find(KeyName(parsing: name), as: name, account: account, region: region)
    }

    public func find(_ name: KeyName, as text: String, account: String, region: String) throws(KeyError) -> KeyRecord {
        let scope: KeyScope
        let id: String
        switch name {
        case .id(let named): (scope, id) = (KeyScope(account: account, region: region), named)
        case .arn(region, let account, let named): (scope, id) = (KeyScope(account: account, region: region), named)
        case .arn: throw .keyNotFound(text)
        case .alias(let alias):
            scope = KeyScope(account: account, region: region)
            id = try target(of: alias, in: scope)
        case .aliasARN(region, let account, let alias):
            scope = KeyScope(account: account, region: region)
            id = try target(of: alias, in: scope)
        case .aliasARN: throw .aliasNotFound(text)
        }
        let record = try cell(id).record
        guard record.account == scope.account, record.region == scope.region else { throw .keyNotFound(text) }
        return record.shown(at: now)
    }

    /// The key that a ciphertext was made with, whoever it belongs to.
    ///
    /// - Throws: ``KeyError/invalid(_:_:)`` for what is no ciphertext, ``KeyError/keyNotFound(_:)`` for one of a key
    ///   that is not in this region, or is gone.
    public func find(sealing ciphertext: Data, region: String) throws(KeyError) -> KeyRecord {
        let version = try Ciphertext(ciphertext).version
        guard let record = table.withLock({ $0.versions[version] })?.record, record.region == region else {
            throw .keyNotFound(version.uuidString.lowercased())
        }
        return record
    }

    private func target(of alias: String, in scope: KeyScope) throws(KeyError) -> String {
        guard let id = table.withLock({ $0.aliases[scope]?[alias] }) else { throw .aliasNotFound("alias/" + alias) }
        return id
    }

    /// Keys of an account and region, newest first.
    public func keys(account: String, region: String) -> [KeyRecord] {
        table.withLock { Array($0.customers.values) }.map(\.record)
            .filter { $0.account == account && $0.region == region }
            .map { $0.shown(at: now) }
            .sorted { ($1.createdAt, $0.id) < ($0.createdAt, $1.id) }
    }

    /// Aliases of an account and region, by name; those of one key if it is given.
    public func aliases(account: String, region: String, of keyId: String? = nil) -> [KeyAlias] {
        let names = table.withLock { $0.aliases[KeyScope(account: account, region: region)] ?? [:] }
        return names.filter { keyId == nil || $0.value == keyId }.sorted { $0.key < $1.key }.map { alias, id in
            KeyAlias(name: "alias/" + alias, arn: "acs:kms:\(region):\(account):alias/\(alias)", keyId: id)
        }
    }

    /// Versions of a key, newest first.
    public func versions(of id: String) throws(KeyError) -> [KeyVersion] {
        try cell(id).content.versions.reversed().map(\.version)
    }

    /// - Throws: ``KeyError/versionNotFound(_:)``.
    public func version(_ version: String, of id: String) throws(KeyError) -> KeyVersion {
        guard let uuid = UUID(uuidString: version), let found = try cell(id).content.versions.first(where: { $0.id == uuid })
        else {
            throw .versionNotFound(version)
        }
        return found.version
    }
}
