// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation

/// A custom policy with exactly this document in force.
struct PolicyInForce: Safeguard {
    let name: String
    /// The document may name the key, which is made before.
    let preset: (ProtectionSite) throws -> PolicyPreset

    init(_ preset: PolicyPreset) { self.init(name: preset.name) { _ in preset } }

    init(name: String, preset: @escaping (ProtectionSite) throws -> PolicyPreset) {
        self.name = name
        self.preset = preset
    }

    var what: String { "policy \(name)" }
    let wanted = "as made by this version of cairn"
    let evidence = "GetPolicy"

    private var named: [(String, String)] { [("PolicyName", name)] }

    func inspect(_ site: ProtectionSite) async throws -> Finding {
        guard let answer = try await site.ask("GetPolicy", named + [("PolicyType", "Custom")], of: .access) else {
            return .wanting("none")
        }
        let preset = try preset(site)
        let version = answer["DefaultPolicyVersion"] as? [String: Any] ?? [:]
        let id = version["VersionId"] as? String ?? "?"
        if isSame(version["PolicyDocument"] as? String ?? "", preset.document) { return .inPlace("\(id) in force") }
        let description = (answer["Policy"] as? [String: Any])?["Description"] as? String
        guard description == preset.description else {
            throw Failure.no(
                "there is another policy of the name \(preset.name) (\(description ?? "without a description")): who has it would "
                    + "get other rights, so it stays as it is; delete it, or give the trail another name")
        }
        return .wanting("\(id) in force, which says something else")
    }

    func establish(_ site: ProtectionSite, _ finding: Finding) async throws {
        let preset = try preset(site)
        let document = [("PolicyDocument", preset.document)]
        if try await site.ask("GetPolicy", named + [("PolicyType", "Custom")], of: .access) == nil {
            _ = try await site.api.call(
                "CreatePolicy", named + document + [("Description", preset.description)], of: .access)
        } else {
            _ = try await site.api.call(
                "CreatePolicyVersion",
                named + document
                    + [("SetAsDefault", "true"), ("RotateStrategy", "DeleteOldestNonDefaultVersionWhenLimitExceeded")],
                of: .access)
        }
    }

    /// Whether two documents differ in white space and order of keys only.
    private func isSame(_ one: String, _ other: String) -> Bool {
        func canonical(_ text: String) -> Data? {
            guard let value = try? JSONSerialization.jsonObject(with: Data(text.utf8)) else { return nil }
            return try? JSONSerialization.data(withJSONObject: value, options: [.sortedKeys])
        }
        guard let wanted = canonical(other) else { return false }
        return canonical(one) == wanted
    }
}

/// A user for one of the three duties.
struct AdministratorUser: Safeguard {
    let user: String
    let duty: String

    var what: String { "user \(user)" }
    let wanted = "there"
    let evidence = "GetUser"

    func inspect(_ site: ProtectionSite) async throws -> Finding {
        guard let answer = try await site.ask("GetUser", [("UserName", user)], of: .access) else { return .wanting("none") }
        return .inPlace("id " + ((answer["User"] as? [String: Any])?["UserId"] as? String ?? "?"))
    }

    func establish(_ site: ProtectionSite, _ finding: Finding) async throws {
        _ = try await site.api.call(
            "CreateUser", [("UserName", user), ("DisplayName", duty), ("Comments", "Separated duty, made by cairn protect")],
            of: .access)
    }
}

/// An administrator has the policy of its duty and no other, neither itself nor through a group.
struct SeparatedDuty: Safeguard {
    let user: String
    let policy: String

    var what: String { "duty of \(user)" }
    var wanted: String { policy + " only" }
    let evidence = "ListPoliciesForUser, ListGroupsForUser"

    func inspect(_ site: ProtectionSite) async throws -> Finding {
        guard let answer = try await site.ask("ListPoliciesForUser", [("UserName", user)], of: .access) else {
            return .wanting("no user")
        }
        let attached = APIClient.policies(answer)
        let others = attached.filter { $0.type != "Custom" || $0.name != policy }.map { $0.type + "/" + $0.name }
        guard others.isEmpty else {
            throw Failure.no(
                "the user \(user) also has \(others.sorted().joined(separator: ", ")), so its duty is not separated: detach it "
                    + "(cairn users detach \(user) POLICY), or give another name for this administrator")
        }
        let groups = try await site.ask("ListGroupsForUser", [("UserName", user)], of: .access)
        let names = (groups?["Groups"] as? [String: Any])?["Group"] as? [[String: Any]] ?? []
        for group in names.compactMap({ $0["GroupName"] as? String }) {
            let ofGroup = try await site.ask("ListPoliciesForGroup", [("GroupName", group)], of: .access).map(APIClient.policies)
            guard ofGroup?.isEmpty ?? true else {
                throw Failure.no(
                    "the user \(user) is in the group \(group), which has policies of its own, so its duty is not separated: "
                        + "take it out of the group, or give another name for this administrator")
            }
        }
        return attached.isEmpty ? .wanting("no policy") : .inPlace(wanted)
    }

    func establish(_ site: ProtectionSite, _ finding: Finding) async throws {
        _ = try await site.api.call(
            "AttachPolicyToUser", [("PolicyType", "Custom"), ("PolicyName", policy), ("UserName", user)], of: .access)
    }
}

/// An access key whose secret is in the file that was asked for.
struct AdministratorAccessKey: Safeguard {
    let user: String
    let file: AccessKeyFile

    var what: String { "access key of \(user)" }
    var wanted: String { "one whose secret is in \(file.path)" }
    let evidence = "ListAccessKeys"

    func inspect(_ site: ProtectionSite) async throws -> Finding {
        guard let answer = try await site.ask("ListAccessKeys", [("UserName", user)], of: .access) else {
            return .wanting("no user")
        }
        let keys = (answer["AccessKeys"] as? [String: Any])?["AccessKey"] as? [[String: Any]] ?? []
        let known = try file.keys().filter { $0.userName == user }.map(\.accessKeyId)
        let mine = keys.first { known.contains($0["AccessKeyId"] as? String ?? "") && $0["Status"] as? String == "Active" }
        if let id = mine?["AccessKeyId"] as? String { return .inPlace(id) }
        return .wanting(keys.isEmpty ? "none" : "\(keys.count) of which the file has no secret")
    }

    func establish(_ site: ProtectionSite, _ finding: Finding) async throws {
        let answer = try await site.api.call("CreateAccessKey", [("UserName", user)], of: .access)
        try file.add(try AccessKeyFile.Key(answer, userName: user))
    }
}

extension APIClient {
    /// Policies of an answer that lists attachments.
    static func policies(_ answer: [String: Any]) -> [(name: String, type: String)] {
        let list = (answer["Policies"] as? [String: Any])?["Policy"] as? [[String: Any]] ?? []
        return list.map { ($0["PolicyName"] as? String ?? "", $0["PolicyType"] as? String ?? "") }
    }
}
