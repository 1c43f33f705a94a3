// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

extension IdentityStore: IdentityPolicies {
    /// What holds now, from memory: of a user its own policies and those of its groups, of a role session the role's.
    ///
    /// Whoever is gone has none.
    public func policies(of caller: Caller) throws -> CallerPolicies {
        let directory = account(caller.accountId)
        switch caller.kind {
        case .ramUser:
            guard let user = directory.users[caller.principalId] else { return CallerPolicies() }
            var attachments = user.attachments
            for group in user.groups.keys.sorted() { attachments += directory.groups[group]?.attachments ?? [] }
            return CallerPolicies(identity: try attachments.map { try directory.named($0) })
        case .assumedRole:
            // A service that acts in a role has no key, and the whole of the role.
            let session = caller.accessKeyId.flatMap { id in sessions.withLock { $0[id] } }
            guard session != nil || caller.accessKeyId == nil,
                let role = directory.roles[session?.roleId ?? caller.session?.roleId ?? ""]
            else { return CallerPolicies() }
            if let service = role.serviceName {
                return CallerPolicies(identity: SystemPolicies.ofServiceLinkedRole(service).map { [$0.named] } ?? [])
            }
            return CallerPolicies(
                identity: try role.attachments.map { try directory.named($0) }, session: try session?.narrowing())
        case .rootAccount, .ingestToken, .service, .anonymous: return CallerPolicies()
        }
    }
}
