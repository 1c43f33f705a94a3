// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import ArgumentParser
import Foundation

extension PoliciesCommand {
    /// Reads all users, roles and policies and judges them as the service does.
    struct WhoCan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "who-can", abstract: "List the users and roles that may do something.",
            discussion: """
                Judged are the policies of users, of their groups and of roles, for a call from this machine made now. What a \
                bucket's own policy adds, and who may take a role, is not. The account itself (root) may do everything.
                """)
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "Such as actiontrail:StopLogging or oss:GetObject.") var action: String
        @Argument(help: "ARN, such as acs:oss:*:1000000000000001:bucket/key. Default: everything of the service")
        var resource: String?
        @Option(help: "table or json.") var output = OutputForm.table

        func validate() throws {
            guard action.contains(":") else { throw ValidationError("`\(action)` is not SERVICE:OPERATION") }
        }

        func run() async throws {
            let client = try connection.client()
            let account = try await client.call("GetCallerIdentity", of: .tokens)["AccountId"] as? String ?? ""
            let target = resource ?? "acs:\(action.prefix { $0 != ":" }):*:\(account):*"
            let found = try await AttachedPolicies(reading: client, account: account)
            let authorizer = Authorizer(policies: found)
            let request = AccessRequest(action, on: target)
            let here = RequestCircumstances(sourceAddress: "127.0.0.1", isSecureTransport: client.isTLS, at: .now())
            var allowed: [[String: String]] = []
            for caller in found.callers {
                guard case .allowed = try authorizer.decide(caller, [request], in: here) else { continue }
                allowed.append(
                    caller.session.map { ["Type": "role", "Name": $0.roleName] } ?? ["Type": "user", "Name": caller.userName])
            }
            if output == .json { return try printJSON(["Action": action, "Resource": target, "Allowed": allowed]) }
            print("\(action) on \(target):")
            guard !allowed.isEmpty else { return print("nobody but root") }
            for entity in allowed { print("\(entity["Type"] ?? "")  \(entity["Name"] ?? "")") }
        }
    }
}

/// The policies of every user and role of an account, as its API gives them.
private struct AttachedPolicies: IdentityPolicies {
    private(set) var callers: [Caller] = []
    private var policies: [Caller: [NamedPolicy]] = [:]

    init(reading client: APIClient, account: String) async throws {
        var documents: [String: NamedPolicy] = [:]
        func attached(_ operation: String, _ parameter: String, _ name: String) async throws -> [NamedPolicy] {
            var found: [NamedPolicy] = []
            for (policy, type) in APIClient.policies(try await client.call(operation, [(parameter, name)], of: .access)) {
                let key = type + "/" + policy
                if documents[key] == nil {
                    let answer = try await client.call(
                        "GetPolicy", [("PolicyName", policy), ("PolicyType", type)], of: .access)
                    let text = (answer["DefaultPolicyVersion"] as? [String: Any])?["PolicyDocument"] as? String ?? ""
                    documents[key] = NamedPolicy(
                        name: policy, type: type == "System" ? .system : .custom,
                        document: try PolicyDocument(parsing: text, as: .identity))
                }
                if let document = documents[key] { found.append(document) }
            }
            return found
        }
        for user in try await client.pages("ListUsers", container: "Users", item: "User", of: .access) {
            let name = user["UserName"] as? String ?? ""
            let caller = Caller.ramUser(id: user["UserId"] as? String ?? "", name: name, accountId: account, accessKeyId: nil)
            var own = try await attached("ListPoliciesForUser", "UserName", name)
            let groups = try await client.call("ListGroupsForUser", [("UserName", name)], of: .access)
            for group in (groups["Groups"] as? [String: Any])?["Group"] as? [[String: Any]] ?? [] {
                own += try await attached("ListPoliciesForGroup", "GroupName", group["GroupName"] as? String ?? "")
            }
            callers.append(caller)
            policies[caller] = own
        }
        for role in try await client.pages("ListRoles", container: "Roles", item: "Role", of: .access) {
            let name = role["RoleName"] as? String ?? ""
            let session = Caller.Session(
                roleId: role["RoleId"] as? String ?? "", roleName: name, name: "who-can", createdAt: .now(), isMultiFactor: false)
            let caller = Caller.assumedRole(session, accountId: account, accessKeyId: nil)
            callers.append(caller)
            policies[caller] = try await attached("ListPoliciesForRole", "RoleName", name)
        }
    }

    func policies(of caller: Caller) throws -> CallerPolicies { CallerPolicies(identity: policies[caller] ?? []) }
}
