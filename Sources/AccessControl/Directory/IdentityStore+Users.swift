// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Users: ram.md section 2.1.
extension IdentityStore {
    static let usersPerAccount = 1000

    public func createUser(_ name: String, _ details: UserDetails, account: String) throws -> UserRecord {
        try DirectoryNames.checkUser(name)
        try details.check(prefix: "")
        return try change { draft in
            let directory = draft.account(account)
            guard directory.users.named(name) == nil else { throw DirectoryError.alreadyExists(.user) }
            guard directory.users.count < Self.usersPerAccount else { throw DirectoryError.limitExceeded(.user) }
            let user = UserRecord(
                id: "2" + RandomText.make(17, of: RandomText.digits), name: name, details: details, createdAt: draft.now,
                updatedAt: draft.now)
            draft.put(user, in: account)
            return user
        }
    }

    public func user(_ name: String, account: String) throws -> UserRecord { try self.account(account).user(name) }

    /// By name.
    public func users(account: String) -> [UserRecord] { self.account(account).users.sorted }

    /// - Parameter edit: changes the details.
    public func updateUser(
        _ name: String, newName: String?, account: String, _ edit: (inout UserDetails) -> Void
    ) throws -> UserRecord {
        if let newName { try DirectoryNames.checkUser(newName, field: "NewUserName") }
        return try change { draft in
            let directory = draft.account(account)
            var user = try directory.user(name)
            if let newName {
                if let other = directory.users.named(newName), other.id != user.id {
                    throw DirectoryError.alreadyExists(.user)
                }
                user.name = newName
            }
            edit(&user.details)
            try user.details.check(prefix: "New")
            user.updatedAt = draft.now
            draft.put(user, in: account)
            return user
        }
    }

    /// - Throws: `DeleteConflict` as long as the user has keys, groups, policies, a login profile or a device, looked at in
    ///   this order.
    public func deleteUser(_ name: String, account: String) throws {
        try change { draft in
            let user = try draft.account(account).user(name)
            if !draft.state.keys(ofUser: user.id).isEmpty { throw DirectoryError.inUse(.accessKey) }
            if !user.groups.isEmpty { throw DirectoryError.inUse(.membership) }
            if !user.attachments.isEmpty { throw DirectoryError.inUse(.userPolicy) }
            if user.login != nil { throw DirectoryError.inUse(.loginProfile) }
            if draft.account(account).device(ofUser: user.id) != nil { throw DirectoryError.inUse(.userDevice) }
            draft.remove(user, from: account)
        }
    }
}

extension UserDetails {
    fileprivate func check(prefix: String) throws(DirectoryError) {
        try DirectoryNames.checkText(displayName, atMost: 128, field: prefix + "DisplayName")
        try DirectoryNames.checkText(comments, atMost: 128, field: prefix + "Comments")
        try DirectoryNames.checkText(email, atMost: 128, field: prefix + "Email")
        try DirectoryNames.checkText(mobilePhone, atMost: 128, field: prefix + "MobilePhone")
    }
}
