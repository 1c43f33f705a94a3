// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Console sign-in of users: ram.md section 2.2.
extension IdentityStore {
    public func createLoginProfile(
        _ name: String, password: Secret, isResetRequired: Bool, isMultiFactorRequired: Bool, account: String
    ) throws -> LoginProfile {
        try change { draft in
            var user = try draft.account(account).user(name)
            guard user.login == nil else { throw DirectoryError.alreadyExists(.loginProfile) }
            try draft.account(account).settings.passwordPolicy.check(password)
            let login = LoginRecord(
                password: try PasswordHash(password, rounds: scryptRounds), changedAt: draft.now,
                isResetRequired: isResetRequired, isMultiFactorRequired: isMultiFactorRequired, createdAt: draft.now)
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
        try change { draft in
            var user = try draft.account(account).user(name)
            guard var login = user.login else { throw DirectoryError.notFound(.loginProfile) }
            let policy = draft.account(account).settings.passwordPolicy
            if let password { try login.set(password, policy, rounds: scryptRounds, at: draft.now) }
            login.isResetRequired = isResetRequired ?? login.isResetRequired
            login.isMultiFactorRequired = isMultiFactorRequired ?? login.isMultiFactorRequired
            user.login = login
            draft.put(user, in: account)
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

    /// - Throws: ``DirectoryError/tooManyAttempts`` as well when the old password was wrong too often.
    public func changePassword(_ name: String, from old: Secret, to new: Secret, account: String) throws {
        try change { draft in
            var user = try draft.account(account).user(name)
            guard var login = user.login else { throw DirectoryError.notFound(.loginProfile) }
            let policy = draft.account(account).settings.passwordPolicy
            try beginAttempt(of: user, policy)
            guard try login.password.matches(old) else { throw DirectoryError.oldPasswordIncorrect }
            attempts.withLock { $0.succeed(user.id) }
            try login.set(new, policy, rounds: scryptRounds, at: draft.now)
            login.isResetRequired = false
            user.login = login
            draft.put(user, in: account)
        }
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

    fileprivate mutating func set(_ new: Secret, _ policy: PasswordPolicy, rounds: Int, at now: Int64) throws {
        try policy.check(new)
        let known = ([password] + former).prefix(policy.reusePrevention)
        guard try !known.contains(where: { try $0.matches(new) }) else { throw DirectoryError.passwordReused }
        former = Array(([password] + former).prefix(max(0, policy.reusePrevention - 1)))
        password = try PasswordHash(new, rounds: rounds)
        changedAt = now
    }
}
