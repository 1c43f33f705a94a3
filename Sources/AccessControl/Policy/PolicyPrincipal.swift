// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Whom a statement of a resource's policy means. Source: ram.md sections 2.5 and 4, kms.md section 4.8.
enum PolicyPrincipal: Sendable, Hashable {
    /// `*` of a bucket policy: everybody, also without a key.
    case anyone
    /// An account as a whole: its root, and whomever its own policies let.
    case account(String)
    /// A bare number of a bucket policy: an account or one user.
    case id(String)
    /// - Parameter name: lower case; may hold `*` and `?`.
    case user(name: Glob, account: String)
    case role(name: Glob, account: String)
    /// Sessions of a role, as bucket policies name them.
    case session(role: Glob, name: Glob, account: String)
    case service(String)
    /// Whoever signs in through an identity provider; nobody does in this version.
    case federated(String)

    init?(inBucketPolicy text: String) {
        let prefix = "arn:sts::"
        if text == "*" {
            self = .anyone
        } else if text.isAccountNumber {
            self = .id(text)
        } else if text.utf8.starts(with: prefix.utf8) {
            let (account, rest) = String(decoding: text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self).splitAtFirst(
                Ascii.colon)
            let parts = rest?.split(at: Ascii.slash) ?? []
            guard account.isAccountNumber, parts.count == 3, parts[0] == "assumed-role",
                let role = Glob.ofName(parts[1]), let name = Glob.ofName(parts[2])
            else { return nil }
            self = .session(role: role, name: name, account: account)
        } else {
            return nil
        }
    }

    /// - Parameter member: `RAM`, `Service` or `Federated`.
    init?(_ text: String, under member: String) {
        if member == "Service" {
            guard !text.isEmpty, !text.utf8.contains(UInt8(ascii: "*")) else { return nil }
            self = .service(text)
            return
        }
        let parts = text.split(at: Ascii.colon)
        guard parts.count == 5, parts[0] == "acs", parts[1] == "ram", ["", "*"].contains(parts[2]), parts[3].isAccountNumber
        else { return nil }
        let account = parts[3]
        let (kind, name) = parts[4].splitAtFirst(Ascii.slash)
        switch (member, kind, name) {
        case ("Federated", _, let name?) where !name.isEmpty: self = .federated(text)
        case ("RAM", "root", nil), ("RAM", "*", nil): self = .account(account)
        case ("RAM", "user", let name?):
            guard let name = Glob.ofName(name) else { return nil }
            self = .user(name: name, account: account)
        case ("RAM", "role", let name?):
            guard let name = Glob.ofName(name) else { return nil }
            self = .role(name: name, account: account)
        default: return nil
        }
    }
}

extension PolicyPrincipal {
    /// How far a statement about this principal reaches a caller.
    enum Reach: Int, Comparable, Sendable {
        case none
        /// Through its account, which decides for itself whom it lets; see `docs/decisions/0010`.
        case throughAccount
        case direct

        static func < (one: Reach, other: Reach) -> Bool { one.rawValue < other.rawValue }
    }

    func reach(_ caller: Caller) -> Reach {
        switch self {
        case .anyone: return .direct
        case .account(let id): return Self.reach(caller, ofAccount: id)
        case .id(let id):
            if caller.kind == .ramUser, caller.principalId.hasSameBytes(as: id) { return .direct }
            return Self.reach(caller, ofAccount: id)
        case .user(let name, let account):
            return caller.kind == .ramUser && caller.accountId.hasSameBytes(as: account)
                && name.matches(caller.userName.asciiLowercased()) ? .direct : .none
        case .role(let name, let account):
            guard let session = caller.session, caller.accountId.hasSameBytes(as: account) else { return .none }
            return name.matches(session.roleName.asciiLowercased()) ? .direct : .none
        case .session(let role, let name, let account):
            guard let session = caller.session, caller.accountId.hasSameBytes(as: account) else { return .none }
            return role.matches(session.roleName.asciiLowercased()) && name.matches(session.name.asciiLowercased())
                ? .direct : .none
        case .service(let name): return caller.kind == .service && caller.principalId.hasSameBytes(as: name) ? .direct : .none
        case .federated: return .none
        }
    }

    private static func reach(_ caller: Caller, ofAccount id: String) -> Reach {
        switch caller.kind {
        case .rootAccount: caller.accountId.hasSameBytes(as: id) ? .direct : .none
        case .ramUser, .assumedRole: caller.accountId.hasSameBytes(as: id) ? .throughAccount : .none
        case .ingestToken, .service, .anonymous: .none
        }
    }
}

extension String {
    var isAccountNumber: Bool {
        !utf8.isEmpty && utf8.count <= 32 && utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}

extension Glob {
    /// Names of users, roles and sessions compare without regard to case: no two of an account differ in case only.
    fileprivate static func ofName(_ text: String) -> Glob? {
        guard !text.isEmpty, isSearchable(text) else { return nil }
        return Glob(text.asciiLowercased())
    }
}
