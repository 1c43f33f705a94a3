// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Console sign-in of users: ram.md section 2.2.
extension IdentityStore {
    public func createLoginProfile(
        _ name: String, password: Secret, isResetRequired: Bool, isMultiFactorRequired: Bool, account: String
    ) throws -> LoginProfile {
        guard try self.account(account).user(name).login == nil else { throw DirectoryError.alreadyExists(.loginProfile) }
        try settings(account: account).passwordPolicy.check(password)
        // Not while others wait: it takes its time.
        let hash = try PasswordHash(password, rounds: scryptRounds)
        return try change { draft in
            var user = try draft.account(account).user(name)
            guard user.login == nil else { throw DirectoryError.alreadyExists(.loginProfile) }
            let login = LoginRecord(
                password: hash, changedAt: draft.now, isResetRequired: isResetRequired,
                isMultiFactorRequired: isMultiFactorRequired, createdAt: draft.now)
            user.login = login
            draft.put(user, in: account)
            return login.profile(of: user)
        }
    }

    public func loginProfile(_ name: String, account: String) throws -> LoginProfile {
        let user = try self.account(account).user(name)
        guard let login = user.login else { throw DirectoryError.notFound(.loginProfile) }
        return login.profile(of: user)
    }

    /// What is nil stays as it is.
    public func updateLoginProfile(
        _ name: String, password: Secret?, isResetRequired: Bool?, isMultiFactorRequired: Bool?, account: String
    ) throws {
        let before = try login(ofUser: name, account: account)
        let hash = try password.map { try newHash($0, over: before, account: account) }
        try edit(before, ofUser: name, account: account) { login, draft in
            if let hash { login.set(hash, draft.account(account).settings.passwordPolicy, at: draft.now) }
            login.isResetRequired = isResetRequired ?? login.isResetRequired
            login.isMultiFactorRequired = isMultiFactorRequired ?? login.isMultiFactorRequired
        }
    }

    public func deleteLoginProfile(_ name: String, account: String) throws {
        try change { draft in
            var user = try draft.account(account).user(name)
            guard user.login != nil else { throw DirectoryError.notFound(.loginProfile) }
            user.login = nil
            draft.put(user, in: account)
        }
    }

    /// - Throws: ``DirectoryError/tooManyAttempts`` as well when it failed too often, for whatever reason.
    public func changePassword(_ name: String, from old: Secret, to new: Secret, account: String) throws {
        let before = try login(ofUser: name, account: account)
        try beginAttempt(of: try user(name, account: account), settings(account: account).passwordPolicy)
        guard try before.password.matches(old) else { throw DirectoryError.oldPasswordIncorrect }
        let hash = try newHash(new, over: before, account: account)
        let user = try edit(before, ofUser: name, account: account) { login, draft in
            login.set(hash, draft.account(account).settings.passwordPolicy, at: draft.now)
            login.isResetRequired = false
        }
        attempts.withLock { $0.succeed(user.id) }
    }

    private func login(ofUser name: String, account: String) throws -> LoginRecord {
        guard let login = try user(name, account: account).login else { throw DirectoryError.notFound(.loginProfile) }
        return login
    }

    /// Changes a login that is still the one that was looked at: hashes are computed in between, outside the lock.
    ///
    /// - Throws: `Throttling.User` if it was changed meanwhile.
    @discardableResult
    private func edit(
        _ before: LoginRecord, ofUser name: String, account: String,
        _ edit: (inout LoginRecord, DirectoryDraft) -> Void
    ) throws -> UserRecord {
        try change { draft in
            var user = try draft.account(account).user(name)
            guard var login = user.login else { throw DirectoryError.notFound(.loginProfile) }
            guard login.password == before.password else { throw DirectoryError.tooManyAttempts }
            edit(&login, draft)
            user.login = login
            draft.put(user, in: account)
            return user
        }
    }

    private func newHash(_ new: Secret, over login: LoginRecord, account: String) throws -> PasswordHash {
        let policy = settings(account: account).passwordPolicy
        try policy.check(new)
        let known = ([login.password] + login.former).prefix(policy.reusePrevention)
        guard try !known.contains(where: { try $0.matches(new) }) else { throw DirectoryError.passwordReused }
        return try PasswordHash(new, rounds: scryptRounds)
    }

    func beginAttempt(of user: UserRecord, _ policy: PasswordPolicy) throws(DirectoryError) {
        let now = seconds
        let isAllowed = attempts.withLock { $0.begin(user.id, atMost: policy.maximumAttempts, at: now) }
        guard isAllowed else { throw .tooManyAttempts }
    }
}

extension LoginRecord {
    fileprivate func profile(of user: UserRecord) -> LoginProfile {
        LoginProfile(
            userName: user.name, isResetRequired: isResetRequired, isMultiFactorRequired: isMultiFactorRequired,
            createdAt: createdAt)
    }

    fileprivate mutating func set(_ hash: PasswordHash, _ policy: PasswordPolicy, at now: Int64) {
        former = Array(([password] + former).prefix(max(0, policy.reusePrevention - 1)))
        password = hash
        changedAt = now
    }
}
