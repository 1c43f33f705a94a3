// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Settings of an account: ram.md section 2.2.
extension IdentityStore {
    public func settings(account: String) -> AccountSettings { self.account(account).settings }

    public func setPasswordPolicy(_ policy: PasswordPolicy, account: String) throws {
        guard PasswordPolicy.lengths.contains(policy.minimumLength) else {
            throw DirectoryError.invalid(field: "MinimumPasswordLength", .range)
        }
        try edit(account) { $0.passwordPolicy = policy }
    }

    public func setPreference(_ preference: SecurityPreference, account: String) throws {
        try preference.check()
        try edit(account) { $0.preference = preference }
    }

    /// - Throws: `EntityAlreadyExists.AccountAlias` for an alias of another account.
    public func setAlias(_ alias: String, account: String) throws {
        try DirectoryNames.check(alias, marks: "-", lengths: 3...50, field: "AccountAlias")
        guard !alias.hasPrefix("-"), !alias.hasSuffix("-"), !alias.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw DirectoryError.invalid(field: "AccountAlias", .format)
        }
        let folded = DirectoryNames.folded(alias)
        try change { draft in
            let isTaken = draft.state.accounts.contains { $0.key != account && $0.value.settings.alias == folded }
            guard !isTaken else { throw DirectoryError.alreadyExists(.alias) }
            var settings = draft.account(account).settings
            settings.alias = folded
            draft.put(settings, in: account)
        }
    }

    public func clearAlias(account: String) throws { try edit(account) { $0.alias = nil } }

    private func edit(_ account: String, _ edit: (inout AccountSettings) -> Void) throws {
        try change { draft in
            var settings = draft.account(account).settings
            edit(&settings)
            draft.put(settings, in: account)
        }
    }
}
