// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Why a sign-in is refused. The first is all that a stranger learns.
public enum SignInRefusal: Error, Sendable, Hashable {
    /// User, password or code is not right, or the user cannot sign in.
    case wrong
    case tooManyAttempts
    /// The address is none of the account's.
    case address
    case multiFactorRequired
    case expired
    case resetRequired
}

/// Signing in with a password, and a one-time password where the user has a device.
extension IdentityStore {
    /// - Parameters:
    ///   - name: `NAME@ACCOUNT` with the account's id or alias, or either followed by `.onaliyun.com`.
    ///   - code: of the user's device; nil if none was given.
    /// - Returns: the user as a caller without an access key, and whether a device was shown.
    /// - Throws: ``SignInRefusal``, or what the disk says.
    public func signIn(
        _ name: String, password: Secret, code: String?, from address: String
    ) throws -> (caller: Caller, isMultiFactor: Bool) {
        guard let (user, login, account) = signingIn(name) else {
            // As slow as for a user that is there.
            _ = try PasswordHash(password, rounds: scryptRounds)
            throw SignInRefusal.wrong
        }
        let settings = settings(account: account)
        do { try beginAttempt(of: user, settings.passwordPolicy) } catch { throw SignInRefusal.tooManyAttempts }
        guard try login.password.matches(password) else { throw SignInRefusal.wrong }
        guard settings.preference.admits(address) else { throw SignInRefusal.address }
        let isMultiFactor = try useCode(code, of: user, account: account)
        guard isMultiFactor || !login.isMultiFactorRequired else { throw SignInRefusal.multiFactorRequired }
        attempts.withLock { $0.succeed(user.id) }
        let policy = settings.passwordPolicy
        let age = seconds - login.changedAt
        guard policy.maximumAgeDays == 0 || age < Int64(policy.maximumAgeDays) * 86_400 else {
            throw policy.hardExpiry ? SignInRefusal.expired : .resetRequired
        }
        guard !login.isResetRequired else { throw SignInRefusal.resetRequired }
        try change { draft in
            guard var now = draft.account(account).users[user.id] else { throw SignInRefusal.wrong }
            now.lastLoginAt = draft.now
            draft.put(now, in: account)
        }
        return (.ramUser(id: user.id, name: user.name, accountId: account, accessKeyId: nil), isMultiFactor)
    }

    private func signingIn(_ name: String) -> (UserRecord, LoginRecord, String)? {
        let parts = name.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        var place = DirectoryNames.folded(String(parts[1]) ?? "")
        if place.hasSuffix(".onaliyun.com") { place.removeLast(".onaliyun.com".count) }
        let accounts = snapshot.accounts
        guard let account = accounts[place] != nil ? place : accounts.first(where: { $0.value.settings.alias == place })?.key,
            let user = accounts[account]?.users.named(String(parts[0]) ?? ""), let login = user.login
        else { return nil }
        return (user, login, account)
    }

    /// - Returns: false if the user has no device.
    private func useCode(_ code: String?, of user: UserRecord, account: String) throws -> Bool {
        guard self.account(account).device(ofUser: user.id) != nil else { return false }
        guard let code else { throw SignInRefusal.multiFactorRequired }
        return try change { draft in
            guard var device = draft.account(account).device(ofUser: user.id) else { return false }
            let seed = try key.unseal(device.sealedSeed, context: device.context)
            guard let step = OneTimePassword.step(of: code, seed: seed, at: draft.now, after: device.usedStep) else {
                throw SignInRefusal.wrong
            }
            device.usedStep = step
            draft.put(device, in: account)
            return true
        }
    }
}
