// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Custom policies and their versions: ram.md section 2.4.
extension IdentityStore {
    static let policiesPerAccount = 1500
    static let versionsPerPolicy = 5

    public func createPolicy(
        _ name: String, text: String, description: String, account: String
    ) throws -> PolicyRecord {
        try DirectoryNames.checkPolicy(name)
        try DirectoryNames.checkText(description, atMost: 1024, field: "Description")
        try Self.check(text, as: .identity, field: "PolicyDocument")
        return try change { draft in
            let directory = draft.account(account)
            guard directory.policies.named(name) == nil, SystemPolicies.policy(named: name) == nil else {
                throw DirectoryError.alreadyExists(.policy)
            }
            guard directory.policies.count < Self.policiesPerAccount else { throw DirectoryError.limitExceeded(.policy) }
            let policy = PolicyRecord(
                name: name, description: description, versions: [.init(number: 1, text: text, createdAt: draft.now)],
                defaultNumber: 1, lastNumber: 1, createdAt: draft.now, updatedAt: draft.now)
            draft.put(policy, in: account)
            return policy
        }
    }

    public func policy(_ name: String, account: String) throws -> PolicyRecord { try self.account(account).policy(name) }

    /// By name.
    public func policies(account: String) -> [PolicyRecord] { self.account(account).policies.sorted }

    public func setDescription(_ description: String, ofPolicy name: String, account: String) throws -> PolicyRecord {
        try DirectoryNames.checkText(description, atMost: 1024, field: "NewDescription")
        return try editPolicy(name, account: account) { $0.description = description }
    }

    /// - Parameter rotates: makes room for the new version by dropping the oldest one that is not in force.
    public func createVersion(
        ofPolicy name: String, text: String, isDefault: Bool, rotates: Bool, account: String
    ) throws -> (version: PolicyRecord.Version, isDefault: Bool) {
        try Self.check(text, as: .identity, field: "PolicyDocument")
        return try change { draft in
            var policy = try draft.account(account).policy(name)
            if policy.versions.count >= Self.versionsPerPolicy {
                guard rotates, let oldest = policy.versions.firstIndex(where: { $0.number != policy.defaultNumber }) else {
                    throw DirectoryError.limitExceeded(.policyVersion)
                }
                policy.versions.remove(at: oldest)
            }
            policy.lastNumber += 1
            let version = PolicyRecord.Version(number: policy.lastNumber, text: text, createdAt: draft.now)
            policy.versions.append(version)
            if isDefault { policy.defaultNumber = version.number }
            policy.updatedAt = draft.now
            draft.put(policy, in: account)
            return (version, isDefault)
        }
    }

    public func setDefaultVersion(_ id: String, ofPolicy name: String, account: String) throws {
        _ = try editPolicy(name, account: account) { policy throws(DirectoryError) in
            policy.defaultNumber = try policy.version(id).number
        }
    }

    public func deleteVersion(_ id: String, ofPolicy name: String, account: String) throws {
        _ = try editPolicy(name, account: account) { policy throws(DirectoryError) in
            let version = try policy.version(id)
            guard version.number != policy.defaultNumber else { throw .inUse(.defaultVersion) }
            policy.versions.removeAll { $0.number == version.number }
        }
    }

    /// - Parameter cascades: versions other than the default one go with it; attachments never do.
    public func deletePolicy(_ name: String, cascades: Bool, account: String) throws {
        try change { draft in
            let directory = draft.account(account)
            let policy = try directory.policy(name)
            let holders = directory.entities(ofPolicy: policy.name, .custom)
            if !holders.users.isEmpty { throw DirectoryError.inUse(.policyUser) }
            if !holders.groups.isEmpty { throw DirectoryError.inUse(.policyGroup) }
            if !holders.roles.isEmpty { throw DirectoryError.inUse(.policyRole) }
            if policy.versions.count > 1, !cascades { throw DirectoryError.inUse(.policyVersion) }
            draft.remove(policy, from: account)
        }
    }

    private func editPolicy(
        _ name: String, account: String, _ edit: (inout PolicyRecord) throws(DirectoryError) -> Void
    ) throws -> PolicyRecord {
        try change { draft in
            var policy = try draft.account(account).policy(name)
            try edit(&policy)
            policy.updatedAt = draft.now
            draft.put(policy, in: account)
            return policy
        }
    }

    static func check(_ text: String, as kind: PolicyDocument.Kind, field: String) throws(DirectoryError) {
        guard (1...kind.maximumLength).contains(text.unicodeScalars.count) else { throw .invalid(field: field, .length) }
        do { _ = try PolicyDocument(parsing: text, as: kind) } catch { throw .malformedPolicy(reason: "\(error)") }
    }
}

extension PolicyRecord {
    /// - Parameter id: such as `v2`.
    public func version(_ id: String) throws(DirectoryError) -> Version {
        guard let version = versions.first(where: { $0.id == id }) else { throw .notFound(.policyVersion) }
        return version
    }
}
