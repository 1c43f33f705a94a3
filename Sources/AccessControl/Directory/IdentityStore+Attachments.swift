// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What a policy can be attached to.
public enum PolicyHolder: Sendable, Hashable {
    case user(String)
    case group(String)
    case role(String)
}

/// Who a policy is attached to, with the time of each.
public struct PolicyEntities: Sendable {
    public var users: [(user: UserRecord, attachedAt: Int64)] = []
    public var groups: [(group: GroupRecord, attachedAt: Int64)] = []
    public var roles: [(role: RoleRecord, attachedAt: Int64)] = []
}

/// Attachments: ram.md sections 2.4 and 8.
extension IdentityStore {
    private static let systemPoliciesPerHolder = 20
    private static let customPoliciesPerUser = 10
    private static let customPoliciesPerGroupOrRole = 5

    public func attach(
        _ type: NamedPolicy.PolicyType, _ name: String, to holder: PolicyHolder, account: String
    ) throws {
        try change { draft in
            let directory = draft.account(account)
            var attachments = try directory.attachments(of: holder)
            let name = try directory.canonicalName(ofPolicy: name, type)
            guard !attachments.contains(where: { $0.type == type && $0.name == name }) else {
                throw DirectoryError.alreadyExists(holder.policySubject)
            }
            let limit =
                switch (type, holder) {
                case (.system, _): Self.systemPoliciesPerHolder
                case (.custom, .user): Self.customPoliciesPerUser
                case (.custom, _): Self.customPoliciesPerGroupOrRole
                }
            guard attachments.count(where: { $0.type == type }) < limit else {
                throw DirectoryError.limitExceeded(holder.policySubject)
            }
            attachments.append(PolicyAttachment(type: type, name: name, attachedAt: draft.now))
            try draft.set(attachments, of: holder, account: account)
        }
    }

    public func detach(
        _ type: NamedPolicy.PolicyType, _ name: String, from holder: PolicyHolder, account: String
    ) throws {
        try change { draft in
            let directory = draft.account(account)
            var attachments = try directory.attachments(of: holder)
            let name = try directory.canonicalName(ofPolicy: name, type)
            guard let index = attachments.firstIndex(where: { $0.type == type && $0.name == name }) else {
                throw DirectoryError.notFound(holder.policySubject)
            }
            attachments.remove(at: index)
            try draft.set(attachments, of: holder, account: account)
        }
    }

    /// Those attached directly, in the order in which they were.
    public func attachments(of holder: PolicyHolder, account: String) throws -> [PolicyAttachment] {
        try self.account(account).attachments(of: holder)
    }

    /// - Throws: `EntityNotExist.Policy`.
    public func entities(ofPolicy name: String, _ type: NamedPolicy.PolicyType, account: String) throws -> PolicyEntities {
        let directory = self.account(account)
        return directory.entities(ofPolicy: try directory.canonicalName(ofPolicy: name, type), type)
    }

    /// How many entities each policy is attached to.
    public func attachmentCounts(account: String) -> [NamedPolicy.PolicyType: [String: Int]] {
        let directory = self.account(account)
        var counts: [NamedPolicy.PolicyType: [String: Int]] = [:]
        func count(_ attachments: [PolicyAttachment]) {
            for attachment in attachments { counts[attachment.type, default: [:]][attachment.name, default: 0] += 1 }
        }
        for user in directory.users.records.values { count(user.attachments) }
        for group in directory.groups.records.values { count(group.attachments) }
        for role in directory.roles.records.values { count(role.attachments) }
        return counts
    }

    // MARK: Names as they are kept

    /// The name under which an entity or policy is kept; what was asked for if there is none. Resources of the
    /// authorisation are built with it, for patterns compare case and names do not.
    public func canonicalName(of holder: PolicyHolder, account: String) -> String {
        let directory = self.account(account)
        return switch holder {
        case .user(let name): directory.users.named(name)?.name ?? name
        case .group(let name): directory.groups.named(name)?.name ?? name
        case .role(let name): directory.roles.named(name)?.name ?? name
        }
    }

    public func canonicalName(ofPolicy name: String, _ type: NamedPolicy.PolicyType, account: String) -> String {
        (try? self.account(account).canonicalName(ofPolicy: name, type)) ?? name
    }
}

extension PolicyHolder {
    fileprivate var policySubject: DirectoryError.Subject {
        switch self {
        case .user: .userPolicy
        case .group: .groupPolicy
        case .role: .rolePolicy
        }
    }
}

extension AccountDirectory {
    fileprivate func attachments(of holder: PolicyHolder) throws(DirectoryError) -> [PolicyAttachment] {
        switch holder {
        case .user(let name): try user(name).attachments
        case .group(let name): try group(name).attachments
        case .role(let name): try role(name).attachments
        }
    }

    fileprivate func canonicalName(
        ofPolicy name: String, _ type: NamedPolicy.PolicyType
    ) throws(DirectoryError) -> String {
        switch type {
        case .system:
            guard let policy = SystemPolicies.policy(named: name) else { throw .notFound(.policy) }
            return policy.name
        case .custom: return try policy(name).name
        }
    }

    /// - Parameter name: as it is kept.
    func entities(ofPolicy name: String, _ type: NamedPolicy.PolicyType) -> PolicyEntities {
        func time(_ attachments: [PolicyAttachment]) -> Int64? {
            attachments.first { $0.type == type && $0.name == name }?.attachedAt
        }
        var entities = PolicyEntities()
        for user in users.sorted { if let at = time(user.attachments) { entities.users.append((user, at)) } }
        for group in groups.sorted { if let at = time(group.attachments) { entities.groups.append((group, at)) } }
        for role in roles.sorted { if let at = time(role.attachments) { entities.roles.append((role, at)) } }
        return entities
    }
}

extension DirectoryDraft {
    fileprivate mutating func set(_ attachments: [PolicyAttachment], of holder: PolicyHolder, account: String) throws {
        switch holder {
        case .user(let name):
            var user = try self.account(account).user(name)
            user.attachments = attachments
            put(user, in: account)
        case .group(let name):
            var group = try self.account(account).group(name)
            group.attachments = attachments
            put(group, in: account)
        case .role(let name):
            var role = try self.account(account).role(name)
            guard role.serviceName == nil else { throw DirectoryError.serviceLinked }
            role.attachments = attachments
            put(role, in: account)
        }
    }
}
