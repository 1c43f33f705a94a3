// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct UsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: "Users, their access keys and their policies.",
        subcommands: [List.self, Create.self, Delete.self, UserKeysCommand.self, Attach.self, Detach.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the users with the policies attached to them.")
        @OptionGroup var connection: ConnectionOptions
        @Option(help: "table or json.") var output = OutputForm.table

        func run() async throws {
            let client = try connection.client()
            var users = try await client.pages("ListUsers", container: "Users", item: "User", of: .access)
            for index in users.indices {
                let name = users[index]["UserName"] as? String ?? ""
                let answer = try await client.call("ListPoliciesForUser", [("UserName", name)], of: .access)
                users[index]["Policies"] = APIClient.policies(answer).map(\.name).sorted()
            }
            if output == .json { return try printJSON(users) }
            guard !users.isEmpty else { return print("no users") }
            Terminal.table(
                ["NAME", "ID", "CREATED", "POLICIES"],
                users.map { user in
                    ["UserName", "UserId", "CreateDate"].map { user[$0] as? String ?? "" }
                        + [(user["Policies"] as? [String] ?? []).joined(separator: ", ")]
                })
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a user; it may do nothing until a policy is attached.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "1 to 64 letters, digits and . _ -") var name: String
        @Option(help: "Name for people.") var displayName: String?
        @Option(help: "What it is for.") var comments: String?

        func run() async throws {
            var parameters = [("UserName", name)]
            if let displayName { parameters.append(("DisplayName", displayName)) }
            if let comments { parameters.append(("Comments", comments)) }
            let answer = try await connection.client().call("CreateUser", parameters, of: .access)
            print("user \(name) created, id \((answer["User"] as? [String: Any])?["UserId"] ?? "?")")
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a user; what it did stays in the history.")
        @OptionGroup var connection: ConnectionOptions
        @Argument var name: String
        @Flag(help: "With its access keys, and out of its groups and policies.") var everything = false

        func run() async throws {
            let client = try connection.client()
            if everything { try await empty(client) }
            _ = try await client.call("DeleteUser", [("UserName", name)], of: .access)
            print("user \(name) deleted")
        }

        private func empty(_ client: APIClient) async throws {
            let user = [("UserName", name)]
            let keys = try await client.call("ListAccessKeys", user, of: .access)["AccessKeys"] as? [String: Any]
            for key in keys?["AccessKey"] as? [[String: Any]] ?? [] {
                _ = try await client.call(
                    "DeleteAccessKey", user + [("UserAccessKeyId", key["AccessKeyId"] as? String ?? "")], of: .access)
            }
            for policy in APIClient.policies(try await client.call("ListPoliciesForUser", user, of: .access)) {
                _ = try await client.call(
                    "DetachPolicyFromUser", user + [("PolicyType", policy.type), ("PolicyName", policy.name)], of: .access)
            }
            let groups = try await client.call("ListGroupsForUser", user, of: .access)["Groups"] as? [String: Any]
            for group in groups?["Group"] as? [[String: Any]] ?? [] {
                _ = try await client.call(
                    "RemoveUserFromGroup", user + [("GroupName", group["GroupName"] as? String ?? "")], of: .access)
            }
        }
    }

    struct Attach: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Attach a policy to a user: it counts from now on.")
        @OptionGroup var attachment: PolicyAttachment

        func run() async throws {
            try await attachment.change("AttachPolicyToUser")
            print("policy \(attachment.policy) attached to \(attachment.user)")
        }
    }

    struct Detach: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Detach a policy from a user.")
        @OptionGroup var attachment: PolicyAttachment

        func run() async throws {
            try await attachment.change("DetachPolicyFromUser")
            print("policy \(attachment.policy) detached from \(attachment.user)")
        }
    }
}

/// A user and a policy.
struct PolicyAttachment: ParsableArguments {
    @OptionGroup var connection: ConnectionOptions
    @Argument var user: String
    @Argument var policy: String
    @Option(help: "Custom or System. Default: whichever has the name, a custom one first") var type: String?

    func change(_ operation: String) async throws {
        let client = try connection.client()
        let type: String
        if let given = self.type { type = given } else { type = try await client.typeOfPolicy(policy) }
        _ = try await client.call(
            operation, [("UserName", user), ("PolicyType", type), ("PolicyName", policy)], of: .access)
    }
}

extension APIClient {
    /// `Custom` or `System`, whichever has a policy of this name.
    func typeOfPolicy(_ name: String) async throws -> String {
        for type in ["Custom", "System"] {
            do {
                _ = try await call("GetPolicy", [("PolicyName", name), ("PolicyType", type)], of: .access)
                return type
            } catch let error as APIError {
                guard error.isNotFound else { throw error }
            }
        }
        throw Failure.no("there is no policy `\(name)`")
    }
}
