// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// What tags of the directory hang on.
public enum TaggedResource: String, Sendable {
    case role
    case policy
}

/// Tags of roles and policies: ram.md section 2.6.
extension IdentityStore {
    public static let tagsPerResource = 20

    /// - Throws: `EntityNotExist` for any of the resources, of which then none is changed.
    public func tag(_ names: [String], _ type: TaggedResource, with tags: [String: String], account: String) throws {
        for (key, value) in tags {
            guard (1...128).contains(key.unicodeScalars.count) else { throw DirectoryError.invalid(field: "Tag.Key", .length) }
            try DirectoryNames.checkText(value, atMost: 256, field: "Tag.Value")
        }
        try editTags(names, type, account: account) { $0.merge(tags) { $1 } }
    }

    /// - Parameter keys: nil for all of them.
    public func untag(_ names: [String], _ type: TaggedResource, keys: [String]?, account: String) throws {
        try editTags(names, type, account: account) { tags in
            if let keys { for key in keys { tags[key] = nil } } else { tags = [:] }
        }
    }

    /// By name of the resource, those without tags left out.
    public func tags(_ type: TaggedResource, account: String) -> [(name: String, tags: [String: String])] {
        let directory = self.account(account)
        return switch type {
        case .role: directory.roles.sorted.filter { !$0.tags.isEmpty }.map { ($0.name, $0.tags) }
        case .policy: directory.policies.sorted.filter { !$0.tags.isEmpty }.map { ($0.name, $0.tags) }
        }
    }

    private func editTags(
        _ names: [String], _ type: TaggedResource, account: String, _ edit: (inout [String: String]) -> Void
    ) throws {
        try change { draft in
            for name in names {
                switch type {
                case .role:
                    var role = try draft.account(account).role(name)
                    edit(&role.tags)
                    try Self.check(role.tags)
                    draft.put(role, in: account)
                case .policy:
                    var policy = try draft.account(account).policy(name)
                    edit(&policy.tags)
                    try Self.check(policy.tags)
                    draft.put(policy, in: account)
                }
            }
        }
    }

    private static func check(_ tags: [String: String]) throws(DirectoryError) {
        guard tags.count <= tagsPerResource else { throw .invalid(field: "Tag", .length) }
    }
}
