// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct PoliciesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policies", abstract: "Policies: who may do what.",
        subcommands: [List.self, Show.self, Create.self, Delete.self, Presets.self, WhoCan.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the policies.")
        @OptionGroup var connection: ConnectionOptions
        @Option(help: "Custom or System. Default: both") var type: String?
        @Option(help: "table or json.") var output = OutputForm.table

        func run() async throws {
            let policies = try await connection.client().pages(
                "ListPolicies", type.map { [("PolicyType", $0)] } ?? [], container: "Policies", item: "Policy", of: .access)
            if output == .json { return try printJSON(policies) }
            guard !policies.isEmpty else { return print("no policies") }
            Terminal.table(
                ["NAME", "TYPE", "VERSION", "ATTACHED", "DESCRIPTION"],
                policies.map { policy in
                    [
                        policy["PolicyName"] as? String ?? "", policy["PolicyType"] as? String ?? "",
                        policy["DefaultVersion"] as? String ?? "", "\(policy["AttachmentCount"] as? Int ?? 0)",
                        policy["Description"] as? String ?? "",
                    ]
                })
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a policy's document in force, and who has it.")
        @OptionGroup var connection: ConnectionOptions
        @Argument var name: String
        @Option(help: "Custom or System. Default: whichever has the name, a custom one first") var type: String?
        @Option(help: "table or json; table is the document for people.") var output = OutputForm.table

        func run() async throws {
            let client = try connection.client()
            let type: String
            if let given = self.type { type = given } else { type = try await client.typeOfPolicy(name) }
            let policy = [("PolicyName", name), ("PolicyType", type)]
            let answer = try await client.call("GetPolicy", policy, of: .access)
            let entities = try await client.call("ListEntitiesForPolicy", policy, of: .access)
            let text = (answer["DefaultPolicyVersion"] as? [String: Any])?["PolicyDocument"] as? String ?? ""
            let document = try? JSONSerialization.jsonObject(with: Data(text.utf8))
            var attached: [String: [String]] = [:]
            for (list, item) in [("Users", "User"), ("Groups", "Group"), ("Roles", "Role")] {
                attached[list] = ((entities[list] as? [String: Any])?[item] as? [[String: Any]] ?? []).compactMap {
                    $0[item + "Name"] as? String
                }
            }
            if output == .json {
                return try printJSON(
                    answer.merging(["Document": document ?? text, "AttachedTo": attached]) { first, _ in first })
            }
            if let document { try printJSON(document) } else { print(text) }
            for (list, names) in attached.sorted(by: { $0.key < $1.key }) where !names.isEmpty {
                print("\(list.lowercased()): \(names.sorted().joined(separator: ", "))")
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Create a custom policy.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "1 to 128 letters, digits and -") var name: String
        @Argument(help: "File with the document, JSON; - for standard input.") var file: String
        @Option(help: "What it is for.") var description: String?

        func run() async throws {
            let data = file == "-" ? try FileHandle.standardInput.readToEnd() : FileManager.default.contents(atPath: file)
            guard let data else { throw Failure.usage("`\(file)` cannot be read") }
            var parameters = [("PolicyName", name), ("PolicyDocument", String(decoding: data, as: UTF8.self))]
            if let description { parameters.append(("Description", description)) }
            _ = try await connection.client().call("CreatePolicy", parameters, of: .access)
            print("policy \(name) created; attach it with: cairn users attach USER \(name)")
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a custom policy with all its versions; it must be attached to nobody.")
        @OptionGroup var connection: ConnectionOptions
        @Argument var name: String

        func run() async throws {
            _ = try await connection.client().call(
                "DeletePolicy", [("PolicyName", name), ("CascadingDelete", "true")], of: .access)
            print("policy \(name) deleted")
        }
    }
}
