// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation

extension KeyService {
    /// Names a key; source: kms.md section 4.3.
    ///
    /// - Parameter name: `alias/NAME`.
    public func createAlias(_ name: String, of id: String, account: String, region: String) throws {
        let alias = try KeyRules.alias(name)
        let scope = KeyScope(account: account, region: region)
        try writing.withLock { _ in
            let record = try target(id, scope, .createAlias)
            let present = table.withLock { $0.aliases[scope] ?? [:] }
            guard present[alias] == nil else { throw KeyError.aliasExists(name) }
            guard present.count < limits.aliases else {
                throw KeyError.limitExceeded("aliases in an account and region", limit: limits.aliases)
            }
            try point(alias, at: record.id, scope)
        }
    }

    /// The key that a service of the account uses where none is chosen: it has the reserved alias `alias/acs/SERVICE`, and
    /// is made when it is first asked for.
    ///
    /// - Returns: the key, and whether it was made just now.
    public func defaultKey(
        of service: String, account: String, region: String
    ) throws -> (record: KeyRecord, isNew: Bool) {
        let scope = KeyScope(account: account, region: region)
        let alias = "acs/" + service
        func present() throws(KeyError) -> KeyRecord? {
            guard let id = table.withLock({ $0.aliases[scope]?[alias] }) else { return nil }
            return try cell(id).record
        }
        // Each object asks: only the first one waits for whoever changes keys.
        if let record = try present() { return (record, false) }
        return try writing.withLock { _ in
            if let record = try present() { return (record, false) }
            var record = KeyRecord(
                id: Self.newId(), account: account, region: region, spec: .aes256, usage: .encryptDecrypt, origin: .service,
                createdAt: now)
            record.description = "Default key of \(service)."
            var content = KeyCell.Content(record: record, versions: [], offers: [])
            try addVersion(to: &content, material: SymmetricKey(size: .bits256))
            let made = try insert(content).record
            // A crash here leaves a key without its alias, which nothing hangs on.
            try point(alias, at: made.id, scope)
            return (made, true)
        }
    }

    /// Lets an alias name another key. Only the new key's state counts.
    public func updateAlias(_ name: String, to id: String, account: String, region: String) throws {
        let scope = KeyScope(account: account, region: region)
        try writing.withLock { _ in
            let alias = try changeable(name, scope)
            try point(alias, at: target(id, scope, .edit).id, scope)
        }
    }

    public func deleteAlias(_ name: String, account: String, region: String) throws {
        let scope = KeyScope(account: account, region: region)
        try writing.withLock { _ in
            let alias = try changeable(name, scope)
            try metadata.transact { try $0.delete(KeyStore.path(alias, scope)) }
            table.withLock { $0.aliases[scope]?[alias] = nil }
        }
    }

    /// The id of the key that an alias names.
    public func keyId(ofAlias name: String, account: String, region: String) throws(KeyError) -> String {
        let scope = KeyScope(account: account, region: region)
        let alias = try present(name, scope)
        guard let id = table.withLock({ $0.aliases[scope]?[alias] }) else { throw .aliasNotFound(name) }
        return id
    }

    private func changeable(_ name: String, _ scope: KeyScope) throws(KeyError) -> String {
        let alias = try present(name, scope)
        guard !KeyRules.isReserved(alias: name) else { throw KeyRules.reservedAlias }
        return alias
    }

    private func present(_ name: String, _ scope: KeyScope) throws(KeyError) -> String {
        let alias = String(name.dropFirst(6))
        guard name.hasPrefix("alias/"), table.withLock({ $0.aliases[scope]?[alias] != nil }) else {
            throw .aliasNotFound(name)
        }
        return alias
    }

    /// A key that an alias may name: of the same account and region, in a state that allows it.
    private func target(_ id: String, _ scope: KeyScope, _ action: KeyAction) throws(KeyError) -> KeyRecord {
        let record = try cell(id).record
        guard record.account == scope.account, record.region == scope.region else { throw .keyNotFound(id) }
        if let refusal = action.refusal(in: record.state) { throw refusal }
        return record
    }

    private func point(_ alias: String, at id: String, _ scope: KeyScope) throws {
        try metadata.transact { try $0.put(KeyStore.path(alias, scope), Array(id.utf8)) }
        table.withLock { $0.aliases[scope, default: [:]][alias] = id }
    }
}
