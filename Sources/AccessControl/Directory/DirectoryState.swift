// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// Records of one type in one account, found by id and by name.
struct DirectoryTable<Record: DirectoryRecord>: Sendable {
    private(set) var records: [String: Record] = [:]
    private var ids: [String: String] = [:]

    var count: Int { records.count }

    subscript(id: String) -> Record? { records[id] }

    func named(_ name: String) -> Record? { ids[DirectoryNames.folded(name)].flatMap { records[$0] } }

    /// By name, in byte order of the folded names.
    var sorted: [Record] { ids.sorted { $0.key < $1.key }.compactMap { records[$0.value] } }

    mutating func put(_ record: Record) {
        if let old = records[record.id] { ids[DirectoryNames.folded(old.name)] = nil }
        records[record.id] = record
        ids[DirectoryNames.folded(record.name)] = record.id
    }

    mutating func remove(_ record: Record) {
        records[record.id] = nil
        ids[DirectoryNames.folded(record.name)] = nil
    }
}

/// Everything of one account.
struct AccountDirectory: Sendable {
    var users = DirectoryTable<UserRecord>()
    var groups = DirectoryTable<GroupRecord>()
    var roles = DirectoryTable<RoleRecord>()
    var policies = DirectoryTable<PolicyRecord>()
    var devices = DirectoryTable<MultiFactorDevice>()
    var settings = AccountSettings()
    /// Default versions of the custom policies, read; one that cannot be read is missing here.
    var documents: [String: PolicyDocument] = [:]

    func user(_ name: String) throws(DirectoryError) -> UserRecord {
        guard let user = users.named(name) else { throw .notFound(.user) }
        return user
    }

    func group(_ name: String) throws(DirectoryError) -> GroupRecord {
        guard let group = groups.named(name) else { throw .notFound(.group) }
        return group
    }

    func role(_ name: String) throws(DirectoryError) -> RoleRecord {
        guard let role = roles.named(name) else { throw .notFound(.role) }
        return role
    }

    func policy(_ name: String) throws(DirectoryError) -> PolicyRecord {
        guard let policy = policies.named(name) else { throw .notFound(.policy) }
        return policy
    }

    mutating func put(_ policy: PolicyRecord) {
        policies.put(policy)
        documents[policy.id] = policy.defaultVersion.flatMap { try? PolicyDocument(parsing: $0.text, as: .identity) }
    }

    /// - Throws: ``DirectoryError/damaged(_:)`` rather than leave out a policy that may hold a Deny.
    func named(_ attachment: PolicyAttachment) throws(DirectoryError) -> NamedPolicy {
        switch attachment.type {
        case .system:
            guard let policy = SystemPolicies.policy(named: attachment.name) else {
                throw .damaged("system policy \(attachment.name)")
            }
            return policy.named
        case .custom:
            guard let document = documents[DirectoryNames.folded(attachment.name)] else {
                throw .damaged("policy \(attachment.name)")
            }
            return NamedPolicy(name: attachment.name, type: .custom, document: document)
        }
    }
}

/// What is kept of an access key that lasts; root's have no user.
struct AccessKeyRow: Codable, Sendable {
    var id: String
    var sealedSecret: Data
    var accountId: String
    var isActive: Bool
    var userId: String?
    var createdAt: Int64?
}

struct DirectoryState: Sendable {
    var accounts: [String: AccountDirectory] = [:]
    var keys: [String: AccessKeyRow] = [:]
    var tokens: [String: IngestTokenRow] = [:]

    func account(_ id: String) -> AccountDirectory { accounts[id] ?? AccountDirectory() }

    func keys(ofUser id: String) -> [AccessKeyRow] {
        keys.values.filter { $0.userId == id }.sorted { ($0.createdAt ?? 0, $0.id) < ($1.createdAt ?? 0, $1.id) }
    }
}

/// A change of the directory: the state as it is to become, and the entries of the metadata that make it last.
struct DirectoryDraft {
    private(set) var state: DirectoryState
    private(set) var writes: [(Metadata.Transaction) throws -> Void] = []
    let now: Int64

    init(_ state: DirectoryState, now: Int64) {
        self.state = state
        self.now = now
    }

    func account(_ id: String) -> AccountDirectory { state.account(id) }

    static func path<Record: DirectoryRecord>(_ account: String, _ record: Record) -> String {
        "identities/\(account)/\(Record.folder)/\(record.id)"
    }

    private mutating func write(_ record: some DirectoryRecord, in account: String) {
        let path = Self.path(account, record)
        writes.append { try $0.put(record, at: path) }
    }

    private mutating func erase(_ record: some DirectoryRecord, in account: String) {
        let path = Self.path(account, record)
        writes.append { try $0.delete(path) }
    }

    mutating func put(_ user: UserRecord, in account: String) {
        state.accounts[account, default: AccountDirectory()].users.put(user)
        write(user, in: account)
    }

    mutating func put(_ group: GroupRecord, in account: String) {
        state.accounts[account, default: AccountDirectory()].groups.put(group)
        write(group, in: account)
    }

    mutating func put(_ role: RoleRecord, in account: String) {
        state.accounts[account, default: AccountDirectory()].roles.put(role)
        write(role, in: account)
    }

    mutating func put(_ policy: PolicyRecord, in account: String) {
        state.accounts[account, default: AccountDirectory()].put(policy)
        write(policy, in: account)
    }

    mutating func put(_ device: MultiFactorDevice, in account: String) {
        state.accounts[account, default: AccountDirectory()].devices.put(device)
        write(device, in: account)
    }

    mutating func put(_ settings: AccountSettings, in account: String) {
        state.accounts[account, default: AccountDirectory()].settings = settings
        writes.append { try $0.put(settings, at: "identities/\(account)/\(AccountSettings.folder)/account") }
    }

    mutating func put(_ key: AccessKeyRow) {
        state.keys[key.id] = key
        writes.append { try $0.put(key, at: "access-keys/" + key.id) }
    }

    mutating func put(_ token: IngestTokenRow) {
        state.tokens[token.id] = token
        writes.append { try $0.put(token, at: "ingest-tokens/" + token.id) }
    }

    mutating func remove(_ user: UserRecord, from account: String) {
        state.accounts[account]?.users.remove(user)
        erase(user, in: account)
    }

    mutating func remove(_ group: GroupRecord, from account: String) {
        state.accounts[account]?.groups.remove(group)
        erase(group, in: account)
    }

    mutating func remove(_ role: RoleRecord, from account: String) {
        state.accounts[account]?.roles.remove(role)
        erase(role, in: account)
    }

    mutating func remove(_ policy: PolicyRecord, from account: String) {
        state.accounts[account]?.policies.remove(policy)
        state.accounts[account]?.documents[policy.id] = nil
        erase(policy, in: account)
    }

    mutating func remove(_ device: MultiFactorDevice, from account: String) {
        state.accounts[account]?.devices.remove(device)
        erase(device, in: account)
    }

    mutating func removeKey(_ id: String) {
        state.keys[id] = nil
        writes.append { transaction in
            try transaction.delete("access-keys/" + id)
            try transaction.delete("access-key-uses/" + id)
        }
    }

    mutating func removeToken(_ id: String) {
        state.tokens[id] = nil
        writes.append { try $0.delete("ingest-tokens/" + id) }
    }
}
