// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Roles: ram.md section 2.5.
extension IdentityStore {
    static let rolesPerAccount = 1000
    static let sessionSeconds = 3600...43_200

    public func createRole(
        _ name: String, trust: String, description: String, maximumSessionSeconds: Int, account: String
    ) throws -> RoleRecord {
        try DirectoryNames.checkRole(name)
        try Self.check(trust, as: .trust, field: "AssumeRolePolicyDocument")
        try Self.check(description, maximumSessionSeconds, prefix: "")
        return try change { draft in
            let directory = draft.account(account)
            guard directory.roles.named(name) == nil else { throw DirectoryError.alreadyExists(.role) }
            guard directory.roles.count < Self.rolesPerAccount else { throw DirectoryError.limitExceeded(.role) }
            return draft.addRole(
                name, trust: trust, description: description, seconds: maximumSessionSeconds, service: nil, account: account)
        }
    }

    /// Makes the role that a service works in, over the quota if need be.
    public func createServiceLinkedRole(
        service: String, suffix: String?, description: String?, account: String
    ) throws -> RoleRecord {
        guard let template = ServiceLinkedRole.ofService(service) else { throw DirectoryError.unknownService }
        guard suffix == nil else { throw DirectoryError.invalid(field: "CustomSuffix", .format) }
        let description = description ?? template.description
        try Self.check(description, Self.sessionSeconds.lowerBound, prefix: "")
        return try change { draft in
            guard draft.account(account).roles.named(template.roleNamePrefix) == nil else {
                throw DirectoryError.alreadyExists(.role)
            }
            return draft.addRole(
                template.roleNamePrefix, trust: template.trust.text, description: description,
                seconds: Self.sessionSeconds.lowerBound, service: service, account: account)
        }
    }

    public func role(_ name: String, account: String) throws -> RoleRecord { try self.account(account).role(name) }

    /// By name.
    public func roles(account: String) -> [RoleRecord] { self.account(account).roles.sorted }

    public func updateRole(
        _ name: String, trust: String?, description: String?, maximumSessionSeconds: Int?, account: String
    ) throws -> RoleRecord {
        if let trust { try Self.check(trust, as: .trust, field: "NewAssumeRolePolicyDocument") }
        try Self.check(description ?? "", maximumSessionSeconds ?? Self.sessionSeconds.lowerBound, prefix: "New")
        return try change { draft in
            var role = try draft.account(account).role(name)
            guard role.serviceName == nil else { throw DirectoryError.serviceLinked }
            role.trust = trust ?? role.trust
            role.description = description ?? role.description
            role.maximumSessionSeconds = maximumSessionSeconds ?? role.maximumSessionSeconds
            role.updatedAt = draft.now
            draft.put(role, in: account)
            return role
        }
    }

    /// Its sessions die with it.
    ///
    /// - Throws: `DeleteConflict.Role.Policy` as long as it has policies.
    public func deleteRole(_ name: String, account: String) throws {
        try change { draft in
            let role = try draft.account(account).role(name)
            guard role.serviceName == nil else { throw DirectoryError.serviceLinked }
            if !role.attachments.isEmpty { throw DirectoryError.inUse(.rolePolicy) }
            draft.remove(role, from: account)
        }
    }

    /// - Parameter isUsed: whether its service still needs it.
    public func deleteServiceLinkedRole(_ name: String, isUsed: Bool, account: String) throws {
        try change { draft in
            let role = try draft.account(account).role(name)
            guard role.serviceName != nil else { throw DirectoryError.notFound(.role) }
            if isUsed { throw DirectoryError.inUse(.roleTrail) }
            draft.remove(role, from: account)
        }
    }

    private static func check(_ description: String, _ seconds: Int, prefix: String) throws(DirectoryError) {
        try DirectoryNames.checkText(description, atMost: 1024, field: prefix + "Description")
        guard sessionSeconds.contains(seconds) else { throw .invalid(field: prefix + "MaxSessionDuration", .range) }
    }
}

extension DirectoryDraft {
    fileprivate mutating func addRole(
        _ name: String, trust: String, description: String, seconds: Int, service: String?, account: String
    ) -> RoleRecord {
        let role = RoleRecord(
            id: "3" + RandomText.make(17, of: RandomText.digits), name: name, accountId: account, description: description,
            trust: trust, maximumSessionSeconds: seconds, createdAt: now, updatedAt: now, serviceName: service)
        put(role, in: account)
        return role
    }
}
