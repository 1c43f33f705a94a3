// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import KeyManagement
import Metadata
import Synchronization

/// The directory of every account: users, groups, roles, policies, access keys, sessions and ingest tokens.
///
/// All of it is in memory and read from there; a change is on disk before anyone sees it. Secrets stay sealed under a
/// key of the service until they are used; of ingest tokens only a hash is kept. Limits (ram.md section 8) bound it all.
public final class IdentityStore: Sendable {
    let metadata: Metadata
    let key: ServiceKey
    let now: @Sendable () -> Date
    /// Held by whoever changes something, over the write to disk.
    private let writing = Mutex<Void>(())
    private let state: Mutex<DirectoryState>
    let sessions: Mutex<SessionTable>
    let uses: Mutex<KeyUses>
    let attempts = Mutex(SignInAttempts())
    let scryptRounds: Int

    /// - Throws: if the metadata cannot be read.
    public convenience init(metadata: Metadata, keys: KeyService, now: @escaping @Sendable () -> Date = { Date() }) throws {
        try self.init(metadata: metadata, keys: keys, scryptRounds: PasswordHash.standardRounds, now: now)
    }

    /// - Parameter scryptRounds: of new passwords; tests take few.
    package init(
        metadata: Metadata, keys: KeyService, scryptRounds: Int, now: @escaping @Sendable () -> Date = { Date() }
    ) throws {
        self.metadata = metadata
        self.scryptRounds = scryptRounds
        self.now = now
        key = try keys.serviceKey("credentials")
        state = Mutex(try Self.load(metadata))
        sessions = Mutex(try SessionTable(metadata))
        uses = Mutex(try KeyUses(metadata))
    }

    var seconds: Int64 { Int64(now().timeIntervalSince1970) }

    var snapshot: DirectoryState { state.withLock { $0 } }

    func account(_ id: String) -> AccountDirectory { state.withLock { $0.account(id) } }

    func keyRow(_ id: String) -> AccessKeyRow? { state.withLock { $0.keys[id] } }

    func tokenRow(_ id: String) -> IngestTokenRow? { state.withLock { $0.tokens[id] } }

    /// Runs `body` alone; what it changes is on disk and then seen, all of it, or nothing if it throws.
    func change<Result>(_ body: (inout DirectoryDraft) throws -> Result) throws -> Result {
        try writing.withLock { _ in
            var draft = DirectoryDraft(snapshot, now: seconds)
            let result = try body(&draft)
            try metadata.transact { transaction in for write in draft.writes { try write(transaction) } }
            state.withLock { $0 = draft.state }
            return result
        }
    }

    private static func load(_ metadata: Metadata) throws -> DirectoryState {
        var state = DirectoryState()
        for row in try metadata.values(AccessKeyRow.self, prefix: "access-keys/") { state.keys[row.id] = row }
        for row in try metadata.values(IngestTokenRow.self, prefix: "ingest-tokens/") { state.tokens[row.id] = row }
        let decoder = JSONDecoder()
        for entry in try metadata.entries(prefix: "identities/") {
            let parts = entry.key.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 4 else { throw DirectoryError.damaged("entry \(entry.key)") }
            var account = state.account(parts[1])
            let value = Data(entry.value)
            switch parts[2] {
            case UserRecord.folder: account.users.put(try decoder.decode(UserRecord.self, from: value))
            case GroupRecord.folder: account.groups.put(try decoder.decode(GroupRecord.self, from: value))
            case RoleRecord.folder: account.roles.put(try decoder.decode(RoleRecord.self, from: value))
            case PolicyRecord.folder: account.put(try decoder.decode(PolicyRecord.self, from: value))
            case MultiFactorDevice.folder: account.devices.put(try decoder.decode(MultiFactorDevice.self, from: value))
            case AccountSettings.folder: account.settings = try decoder.decode(AccountSettings.self, from: value)
            default: throw DirectoryError.damaged("entry \(entry.key)")
            }
            state.accounts[parts[1]] = account
        }
        return state
    }
}
