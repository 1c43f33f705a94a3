// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Metadata

/// Access keys: ram.md section 2.1.
extension IdentityStore: AccessKeyDirectory {
    private static let keysPerUser = 2

    public func accessKey(id: String) throws -> AccessKey? {
        if id.utf8.starts(with: TemporaryKey.idPrefix.utf8) { return try temporaryKey(id: id) }
        guard let row = keyRow(id) else { return nil }
        let owner: Caller
        if let userId = row.userId {
            // Nobody's key is no key.
            guard let user = account(row.accountId).users[userId] else { return nil }
            owner = .ramUser(id: userId, name: user.name, accountId: row.accountId, accessKeyId: id)
        } else {
            owner = .rootAccount(row.accountId, accessKeyId: id)
        }
        let secret = try key.unseal(row.sealedSecret, context: row.context)
        return AccessKey(
            id: id, secret: Secret(String(decoding: secret, as: UTF8.self)), owner: owner, isActive: row.isActive)
    }

    /// Keeps a root access key; the same id again replaces its secret.
    public func putRootKey(id: String, secret: String, accountId: String) throws {
        var row = AccessKeyRow(id: id, sealedSecret: Data(), accountId: accountId, isActive: true)
        row.sealedSecret = Data(try key.seal(Data(secret.utf8), context: row.context))
        try change { $0.put(row) }
    }

    public func hasRootKey(accountId: String) -> Bool {
        snapshot.keys.values.contains { $0.accountId == accountId && $0.userId == nil }
    }

    /// - Returns: the new key with its secret, which is never told again.
    public func createAccessKey(ofUser name: String, account: String) throws -> (record: AccessKeyRecord, secret: Secret) {
        try change { draft in
            let user = try draft.account(account).user(name)
            guard draft.state.keys(ofUser: user.id).count < Self.keysPerUser else {
                throw DirectoryError.limitExceeded(.accessKey)
            }
            let secret = Secret(RandomText.make(30))
            var row = AccessKeyRow(
                id: "LTAI5t" + RandomText.make(18), sealedSecret: Data(), accountId: account, isActive: true,
                userId: user.id, createdAt: draft.now)
            row.sealedSecret = Data(try key.seal(Data(secret.bytes), context: row.context))
            draft.put(row)
            return (row.record, secret)
        }
    }

    /// Oldest first.
    public func accessKeys(ofUser name: String, account: String) throws -> [AccessKeyRecord] {
        let snapshot = snapshot
        return try snapshot.keys(ofUser: snapshot.account(account).user(name).id).map(\.record)
    }

    public func setAccessKey(_ id: String, isActive: Bool, ofUser name: String, account: String) throws {
        try change { draft in
            var row = try draft.key(id, ofUser: name, account: account)
            row.isActive = isActive
            draft.put(row)
        }
    }

    public func deleteAccessKey(_ id: String, ofUser name: String, account: String) throws {
        try change { draft in
            _ = try draft.key(id, ofUser: name, account: account)
            draft.removeKey(id)
        }
        uses.withLock { $0.forget(id) }
    }

    /// Unix seconds; nil for a key that was never used.
    public func lastUse(ofAccessKey id: String, ofUser name: String, account: String) throws -> Int64? {
        let draft = DirectoryDraft(snapshot, now: seconds)
        _ = try draft.key(id, ofUser: name, account: account)
        return uses.withLock { $0[id] }
    }

    /// Notes that a request signed with the key was accepted. In memory; see ``saveKeyUses()``.
    public func noteUse(ofAccessKey id: String) {
        guard keyRow(id)?.userId != nil else { return }
        let now = seconds
        uses.withLock { $0.note(id, at: now) }
    }

    /// Writes what was noted since the last time; called now and then, and at the end.
    public func saveKeyUses() throws {
        let changed = uses.withLock { $0.takeChanged() }
        guard !changed.isEmpty else { return }
        do {
            try metadata.transact { for (id, time) in changed { try $0.put(time, at: "access-key-uses/" + id) } }
        } catch {
            uses.withLock { $0.keep(changed.keys) }
            throw error
        }
    }
}

extension DirectoryDraft {
    fileprivate func key(_ id: String, ofUser name: String, account: String) throws(DirectoryError) -> AccessKeyRow {
        let user = try self.account(account).user(name)
        guard let row = state.keys[id], row.userId == user.id else { throw .notFound(.accessKey) }
        return row
    }
}

extension AccessKeyRow {
    /// What the secret is bound to: it opens in the row of its own key and owner alone.
    var context: Data { Data((userId.map { "\(id)\n\(accountId)/\($0)" } ?? id).utf8) }

    var record: AccessKeyRecord { AccessKeyRecord(id: id, isActive: isActive, createdAt: createdAt ?? 0) }
}

/// When keys were last used.
struct KeyUses: Sendable {
    private var times: [String: Int64] = [:]
    private var changed: Set<String> = []

    init(_ metadata: Metadata) throws {
        let prefix = "access-key-uses/"
        for entry in try metadata.entries(prefix: prefix) {
            times[String(entry.key.dropFirst(prefix.count))] = Int64(String(decoding: entry.value, as: UTF8.self))
        }
    }

    subscript(id: String) -> Int64? { times[id] }

    mutating func note(_ id: String, at time: Int64) {
        guard times[id] != time else { return }
        times[id] = time
        changed.insert(id)
    }

    mutating func forget(_ id: String) {
        times[id] = nil
        changed.remove(id)
    }

    mutating func takeChanged() -> [String: Int64] {
        defer { changed = [] }
        return times.filter { changed.contains($0.key) }
    }

    mutating func keep(_ ids: some Sequence<String>) { changed.formUnion(ids) }
}
