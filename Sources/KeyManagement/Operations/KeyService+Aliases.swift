// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

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

    /// Lets an alias name another key. Only the new key's state counts.
    public func updateAlias(_ name: String, to id: String, account: String, region: String) throws {
        let scope = KeyScope(account: account, region: region)
        try writing.withLock { _ in
            let alias = try present(name, scope)
            try point(alias, at: target(id, scope, .edit).id, scope)
        }
    }

    public func deleteAlias(_ name: String, account: String, region: String) throws {
        let scope = KeyScope(account: account, region: region)
        try writing.withLock { _ in
            let alias = try present(name, scope)
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
