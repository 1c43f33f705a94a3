// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import TestSupport
import Testing

@Suite struct `The directory of identities` {
    private let registry: Registry
    private let store: IdentityStore
    private let account = Registry.account

    init() throws {
        registry = try Registry()
        store = try registry.open()
    }

    private func user(_ name: String) throws -> UserRecord { try store.createUser(name, UserDetails(), account: account) }

    @Test func `keeps names apart by letters and not by case`() throws {
        _ = try user("Ann")
        #expect(code { _ = try user("ann") } == "EntityAlreadyExists.User")
        #expect(try store.user("ANN", account: account).name == "Ann")
        #expect(code { _ = try store.user("ann", account: "2000000000000002") } == "EntityNotExist.User")
        _ = try user("ben")
        #expect(code { _ = try store.updateUser("ben", newName: "aNN", account: account) { _ in } } == "EntityAlreadyExists.User")
        #expect(try store.updateUser("Ann", newName: "ann", account: account) { _ in }.name == "ann")
        #expect(code { _ = try user("a b") } == "InvalidParameter.UserName.InvalidChars")
        #expect(code { _ = try user(String(repeating: "a", count: 65)) } == "InvalidParameter.UserName.Length")
        let long = UserDetails(comments: String(repeating: "c", count: 129))
        #expect(code { _ = try store.createUser("c", long, account: account) } == "InvalidParameter.Comments.Length")
    }

    @Test func `gives a user two keys that end with it`() throws {
        _ = try user("ann")
        let (first, secret) = try store.createAccessKey(ofUser: "ann", account: account)
        let (second, _) = try store.createAccessKey(ofUser: "ann", account: account)
        #expect(code { _ = try store.createAccessKey(ofUser: "ann", account: account) } == "LimitExceeded.User.AccessKey")
        let key = try #require(try store.accessKey(id: first.id))
        #expect(key.secret.matches(secret.reveal()) && key.isActive && key.owner.userName == "ann")
        try store.setAccessKey(second.id, isActive: false, ofUser: "ann", account: account)
        #expect(try store.accessKey(id: second.id)?.isActive == false)
        #expect(code { try store.deleteUser("ann", account: account) } == "DeleteConflict.User.AccessKey")
        #expect(code { try store.deleteAccessKey(first.id, ofUser: "ben", account: account) } == "EntityNotExist.User")
        _ = try user("ben")
        #expect(code { try store.deleteAccessKey(first.id, ofUser: "ben", account: account) } == "EntityNotExist.User.AccessKey")
        try store.deleteAccessKey(first.id, ofUser: "ann", account: account)
        #expect(try store.accessKey(id: first.id) == nil)
    }

    @Test func `stores no secret that anybody could read`() throws {
        _ = try user("ann")
        let (_, secret) = try store.createAccessKey(ofUser: "ann", account: account)
        let role = try store.createRole(
            "reader", trust: trust(), description: "", maximumSessionSeconds: 3600, account: account)
        let session = try store.beginSession(of: role, name: "s1", seconds: 900, policy: nil)
        _ = try store.createLoginProfile(
            "ann", password: Secret("Tr0ub4dor&3x"), isResetRequired: false, isMultiFactorRequired: false, account: account)
        let (_, seed) = try store.createDevice("ann", account: account)
        for entry in try registry.metadata.entries(prefix: "") {
            let text = String(decoding: entry.value, as: UTF8.self)
            for secret in [secret, session.secret, session.token, Secret("Tr0ub4dor&3x"), seed] {
                #expect(!text.contains(secret.reveal()), "\(entry.key)")
            }
        }
        #expect("\(secret) \(session)".contains(secret.reveal()) == false)
    }

    @Test func `refuses to delete what is in use`() throws {
        _ = try user("ann")
        _ = try store.createGroup("readers", comments: "", account: account)
        try store.addUser("ann", toGroup: "READERS", account: account)
        #expect(code { try store.addUser("ann", toGroup: "readers", account: account) } == "EntityAlreadyExists.User.Group")
        #expect(code { try store.deleteUser("ann", account: account) } == "DeleteConflict.User.Group")
        #expect(code { try store.deleteGroup("readers", account: account) } == "DeleteConflict.Group.User")
        try store.removeUser("ann", fromGroup: "readers", account: account)
        _ = try store.createPolicy("p", text: document("oss:*"), description: "", account: account)
        try store.attach(.custom, "p", to: .user("ann"), account: account)
        #expect(code { try store.deletePolicy("p", cascades: true, account: account) } == "DeleteConflict.Policy.User")
        #expect(code { try store.deleteUser("ann", account: account) } == "DeleteConflict.User.Policy")
        try store.detach(.custom, "p", from: .user("ann"), account: account)
        #expect(code { try store.detach(.custom, "p", from: .user("ann"), account: account) } == "EntityNotExist.User.Policy")
        _ = try store.createVersion(ofPolicy: "p", text: document("oss:Get*"), isDefault: true, rotates: false, account: account)
        #expect(code { try store.deletePolicy("p", cascades: false, account: account) } == "DeleteConflict.Policy.Version")
        #expect(
            code { try store.deleteVersion("v2", ofPolicy: "p", account: account) } == "DeleteConflict.Policy.Version.Default")
        try store.deletePolicy("p", cascades: true, account: account)
        try store.deleteGroup("readers", account: account)
        try store.deleteUser("ann", account: account)
        #expect(store.users(account: account).isEmpty && store.groups(account: account).isEmpty)
    }

    @Test func `never uses the number of a version again`() throws {
        _ = try store.createPolicy("p", text: document("oss:*"), description: "", account: account)
        func add(rotates: Bool = false) throws -> String {
            try store.createVersion(
                ofPolicy: "p", text: document("oss:Get*"), isDefault: false, rotates: rotates, account: account
            ).version.id
        }
        for number in 2...5 { #expect(try add() == "v\(number)") }
        #expect(code { _ = try add() } == "LimitExceeded.Policy.Version")
        try store.deleteVersion("v5", ofPolicy: "p", account: account)
        #expect(try add() == "v6")
        // The oldest goes that is not in force.
        #expect(try add(rotates: true) == "v7")
        #expect(try store.policy("p", account: account).versions.map(\.id) == ["v1", "v3", "v4", "v6", "v7"])
        #expect(
            code { _ = try store.createPolicy("q", text: "{}", description: "", account: account) } == "MalformedPolicyDocument")
        #expect(
            code { _ = try store.createPolicy("AdministratorAccess", text: document("*"), description: "", account: account) }
                == "EntityAlreadyExists.Policy")
    }

    @Test func `tells the policies of a user with those of its groups`() throws {
        let ann = try user("ann")
        _ = try store.createGroup("g", comments: "", account: account)
        try store.addUser("ann", toGroup: "g", account: account)
        _ = try store.createPolicy("p", text: document("oss:*"), description: "", account: account)
        try store.attach(.custom, "p", to: .group("g"), account: account)
        try store.attach(.system, "ReadOnlyAccess", to: .user("ann"), account: account)
        let caller = Caller.ramUser(id: ann.id, name: "ann", accountId: account, accessKeyId: nil)
        #expect(try store.policies(of: caller).identity.map(\.name) == ["ReadOnlyAccess", "p"])
        _ = try store.createVersion(
            ofPolicy: "p", text: document("oss:*", "Deny"), isDefault: true, rotates: false, account: account)
        #expect(try store.policies(of: caller).identity.last?.document.text == document("oss:*", "Deny"))
        try store.removeUser("ann", fromGroup: "g", account: account)
        #expect(try store.policies(of: caller).identity.map(\.name) == ["ReadOnlyAccess"])
    }

    @Test func `ends sessions with their time, with their role, and when told to`() throws {
        func role() throws -> RoleRecord {
            try store.createRole("reader", trust: trust(), description: "", maximumSessionSeconds: 3600, account: account)
        }
        let made = try role()
        let session = try store.beginSession(of: made, name: "s1", seconds: 900, policy: document("oss:Get*"))
        let key = try #require(try registry.open().accessKey(id: session.id))
        #expect(key.sessionToken?.matches(session.token.reveal()) == true && key.secret.matches(session.secret.reveal()))
        #expect(key.owner.userName == "reader:s1" && key.expiresAt?.secondsSince1970 == registry.seconds + 900)
        #expect(try store.policies(of: key.owner).session?.document.text == document("oss:Get*"))
        #expect(try store.endSession(session.id) && store.accessKey(id: session.id) == nil)
        let second = try store.beginSession(of: made, name: "s2", seconds: 900, policy: nil)
        try store.deleteRole("reader", account: account)
        #expect(try store.accessKey(id: second.id) == nil)
        // A role of the same name is another role.
        _ = try role()
        #expect(try store.accessKey(id: second.id) == nil)
        #expect(code { _ = try store.beginSession(of: made, name: "s3", seconds: 900, policy: nil) } == "EntityNotExist.Role")
    }

    @Test func `leaves a linked role to its service`() throws {
        let role = try store.createServiceLinkedRole(
            service: "actiontrail.aliyuncs.com", suffix: nil, description: nil, account: account)
        #expect(role.name == "AliyunServiceRoleForActionTrail" && role.trust.contains("actiontrail.aliyuncs.com"))
        let refused = "NotSupported.ServiceLinkedRole"
        #expect(code { try store.attach(.system, "AdministratorAccess", to: .role(role.name), account: account) } == refused)
        #expect(
            code {
                _ = try store.updateRole(
                    role.name, trust: trust(), description: nil, maximumSessionSeconds: nil, account: account)
            } == refused)
        #expect(code { try store.deleteRole(role.name, account: account) } == refused)
        #expect(
            code { try store.deleteServiceLinkedRole(role.name, isUsed: true, account: account) } == "DeleteConflict.Role.Trail")
        try store.deleteServiceLinkedRole(role.name, isUsed: false, account: account)
        #expect(store.roles(account: account).isEmpty)
    }

    /// What a start finds is what there was, after any changes.
    @Test(arguments: 0..<8) func `is the same after a start`(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let names = ["a", "B", "c.d", "E-f"]
        for _ in 0..<200 {
            let (one, other) = (names.randomElement(using: &random)!, names.randomElement(using: &random)!)
            let policy = "p" + String(Int.random(in: 0..<3, using: &random))
            _ = code {
                switch Int.random(in: 0..<14, using: &random) {
                case 0: _ = try user(one)
                case 1: try store.deleteUser(one, account: account)
                case 2: _ = try store.createGroup(one, comments: other, account: account)
                case 3: try store.deleteGroup(one, account: account)
                case 4: try store.addUser(one, toGroup: other, account: account)
                case 5: try store.removeUser(one, fromGroup: other, account: account)
                case 6: _ = try store.createPolicy(policy, text: document("oss:\(one)"), description: "", account: account)
                case 7: try store.deletePolicy(policy, cascades: true, account: account)
                case 8: try store.attach(.custom, policy, to: .user(one), account: account)
                case 9: try store.detach(.custom, policy, from: .user(one), account: account)
                case 10:
                    _ = try store.createVersion(
                        ofPolicy: policy, text: document("kms:\(one)"), isDefault: true, rotates: true, account: account)
                case 11: _ = try store.createAccessKey(ofUser: one, account: account)
                case 12: _ = try store.updateUser(one, newName: other + "x", account: account) { $0.comments = one }
                default:
                    _ = try store.createRole(
                        one, trust: trust(), description: other, maximumSessionSeconds: 3600, account: account)
                }
            }
        }
        #expect(try describe(store) == describe(registry.open()))
    }

    private func describe(_ store: IdentityStore) throws -> [String] {
        let users = try store.users(account: account).map { user in
            let caller = Caller.ramUser(id: user.id, name: user.name, accountId: account, accessKeyId: nil)
            let policies = try store.policies(of: caller).identity.map { $0.name + $0.document.text }
            let keys = try store.accessKeys(ofUser: user.name, account: account).map(\.id)
            let groups = try store.groups(ofUser: user.name, account: account).map(\.group.name)
            return "\(user.id) \(user.name) \(user.details) \(policies) \(keys) \(groups)"
        }
        let groups = store.groups(account: account).map { "\($0.id) \($0.name) \($0.comments)" }
        let policies = store.policies(account: account).map { "\($0.name) \($0.versions) \($0.defaultVersionId)" }
        return users + groups + policies + store.roles(account: account).map { "\($0.id) \($0.name) \($0.trust)" }
    }
}
