// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Groups: ram.md section 2.3.
extension IdentityStore {
    static let groupsPerAccount = 50
    static let groupsPerUser = 5

    public func createGroup(_ name: String, comments: String, account: String) throws -> GroupRecord {
        try DirectoryNames.checkGroup(name)
        try DirectoryNames.checkText(comments, atMost: 128, field: "Comments")
        return try change { draft in
            let directory = draft.account(account)
            guard directory.groups.named(name) == nil else { throw DirectoryError.alreadyExists(.group) }
            guard directory.groups.count < Self.groupsPerAccount else { throw DirectoryError.limitExceeded(.group) }
            let group = GroupRecord(
                id: "g-" + RandomText.make(16, of: RandomText.lowercase), name: name, comments: comments,
                createdAt: draft.now, updatedAt: draft.now)
            draft.put(group, in: account)
            return group
        }
    }

    public func group(_ name: String, account: String) throws -> GroupRecord { try self.account(account).group(name) }

    /// By name.
    public func groups(account: String) -> [GroupRecord] { self.account(account).groups.sorted }

    public func updateGroup(
        _ name: String, newName: String?, newComments: String?, account: String
    ) throws -> GroupRecord {
        if let newName { try DirectoryNames.checkGroup(newName, field: "NewGroupName") }
        if let newComments { try DirectoryNames.checkText(newComments, atMost: 128, field: "NewComments") }
        return try change { draft in
            let directory = draft.account(account)
            var group = try directory.group(name)
            if let newName {
                if let other = directory.groups.named(newName), other.id != group.id {
                    throw DirectoryError.alreadyExists(.group)
                }
                group.name = newName
            }
            group.comments = newComments ?? group.comments
            group.updatedAt = draft.now
            draft.put(group, in: account)
            return group
        }
    }

    /// - Throws: `DeleteConflict` as long as it has members or policies.
    public func deleteGroup(_ name: String, account: String) throws {
        try change { draft in
            let directory = draft.account(account)
            let group = try directory.group(name)
            if directory.users.records.values.contains(where: { $0.groups[group.id] != nil }) {
                throw DirectoryError.inUse(.groupUser)
            }
            if !group.attachments.isEmpty { throw DirectoryError.inUse(.groupPolicy) }
            draft.remove(group, from: account)
        }
    }

    public func addUser(_ name: String, toGroup groupName: String, account: String) throws {
        try change { draft in
            let directory = draft.account(account)
            var user = try directory.user(name)
            let group = try directory.group(groupName)
            guard user.groups[group.id] == nil else { throw DirectoryError.alreadyExists(.membership) }
            guard user.groups.count < Self.groupsPerUser else { throw DirectoryError.limitExceeded(.membership) }
            user.groups[group.id] = draft.now
            draft.put(user, in: account)
        }
    }

    public func removeUser(_ name: String, fromGroup groupName: String, account: String) throws {
        try change { draft in
            let directory = draft.account(account)
            var user = try directory.user(name)
            let group = try directory.group(groupName)
            guard user.groups.removeValue(forKey: group.id) != nil else { throw DirectoryError.notFound(.membership) }
            draft.put(user, in: account)
        }
    }

    /// Members by name, with the time at which each joined.
    public func users(ofGroup name: String, account: String) throws -> [(user: UserRecord, joinedAt: Int64)] {
        let directory = self.account(account)
        let group = try directory.group(name)
        return directory.users.sorted.compactMap { user in user.groups[group.id].map { (user, $0) } }
    }

    /// By name, with the time at which the user joined each.
    public func groups(ofUser name: String, account: String) throws -> [(group: GroupRecord, joinedAt: Int64)] {
        let directory = self.account(account)
        let user = try directory.user(name)
        return directory.groups.sorted.compactMap { group in user.groups[group.id].map { (group, $0) } }
    }
}
