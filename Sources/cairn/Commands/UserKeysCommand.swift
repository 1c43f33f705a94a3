// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct UserKeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Access keys of a user.",
        subcommands: [List.self, Create.self, Enable.self, Disable.self, Delete.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the access keys of a user.")
        @OptionGroup var connection: ConnectionOptions
        @Argument var user: String
        @Option(help: "table or json.") var output = OutputForm.table

        func run() async throws {
            let answer = try await connection.client().call("ListAccessKeys", [("UserName", user)], of: .access)
            let keys = (answer["AccessKeys"] as? [String: Any])?["AccessKey"] as? [[String: Any]] ?? []
            if output == .json { return try printJSON(keys) }
            guard !keys.isEmpty else { return print("no access keys") }
            Terminal.table(
                ["ID", "STATUS", "CREATED"],
                keys.map { key in ["AccessKeyId", "Status", "CreateDate"].map { key[$0] as? String ?? "" } })
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create an access key; its secret is written to a file, and given by the service this once.")
        @OptionGroup var connection: ConnectionOptions
        @Argument var user: String
        @Option(help: "File to add it to (JSON, mode 0600).") var to: String

        func run() async throws {
            let file = AccessKeyFile(path: to)
            try file.check()
            let answer = try await connection.client().call("CreateAccessKey", [("UserName", user)], of: .access)
            try file.add(try AccessKeyFile.Key(answer, userName: user))
            print("access key of \(user) in \(to)")
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Enable an access key.")
        @OptionGroup var key: UserKeyTarget

        func run() async throws {
            try await key.call("UpdateAccessKey", [("Status", "Active")])
            print("access key \(key.id) is active")
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Disable an access key: it is refused from now on.")
        @OptionGroup var key: UserKeyTarget

        func run() async throws {
            try await key.call("UpdateAccessKey", [("Status", "Inactive")])
            print("access key \(key.id) is inactive")
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete an access key.")
        @OptionGroup var key: UserKeyTarget

        func run() async throws {
            try await key.call("DeleteAccessKey")
            print("access key \(key.id) deleted")
        }
    }
}

/// An access key of a user.
struct UserKeyTarget: ParsableArguments {
    @OptionGroup var connection: ConnectionOptions
    @Argument var user: String
    @Argument(help: "Id of the access key.") var id: String

    func call(_ operation: String, _ parameters: [(String, String)] = []) async throws {
        _ = try await connection.client().call(
            operation, [("UserName", user), ("UserAccessKeyId", id)] + parameters, of: .access)
    }
}
