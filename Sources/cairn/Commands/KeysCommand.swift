// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Customer keys, and the root of trust that holds them.",
        discussion: "KEY is an id, an ARN, or an alias such as alias/archive.",
        subcommands: [
            List.self, Create.self, Describe.self, Enable.self, Disable.self, Rotation.self, Protection.self,
            ScheduleDeletion.self, CancelDeletion.self, Root.self,
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the keys of the account.")
        @OptionGroup var connection: ConnectionOptions
        @Option(help: "table or json.") var output = OutputForm.table

        func run() async throws {
            let client = try connection.client()
            let aliases = try await client.aliases()
            var keys: [KeyMetadata] = []
            for id in try await client.keyIds() {
                // One may have gone since the list was made.
                if let key = try await client.key(id) { keys.append(key) }
            }
            if output == .json {
                return try printJSON(
                    keys.map { key in key.fields.merging(["Aliases": aliases[key.id] ?? []]) { first, _ in first } })
            }
            guard !keys.isEmpty else { return print("no keys") }
            Terminal.table(
                ["KEY", "STATE", "SPEC", "ROTATION", "PROTECTED", "CREATED", "ALIASES"],
                keys.map { key in
                    [
                        key.id, key.state, key.spec, key.rotation, key.isProtectedFromDeletion ? "yes" : "no", key.createdAt,
                        (aliases[key.id] ?? []).sorted().joined(separator: ", "),
                    ]
                })
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Create a key; prints its id.")
        @OptionGroup var connection: ConnectionOptions
        @Option(help: "Alias, such as alias/archive.") var alias: String?
        @Option(help: "What it is for.") var description = ""
        @Option(help: "Aliyun_AES_256, RSA_2048, RSA_3072, EC_P256, EC_P256K …") var spec = "Aliyun_AES_256"
        @Option(help: "ENCRYPT/DECRYPT or SIGN/VERIFY. Default: as the spec has it") var usage: String?
        @Option(help: "Days between rotations, 7 to 730; 0 for none.") var rotationDays = 0
        @Flag(help: "Protect it from deletion.") var protected = false

        func run() async throws {
            let client = try connection.client()
            var parameters = [("KeySpec", spec), ("Description", description)]
            if let usage { parameters.append(("KeyUsage", usage)) }
            if rotationDays > 0 {
                parameters += [("EnableAutomaticRotation", "true"), ("RotationInterval", "\(rotationDays)d")]
            }
            let answer = try await client.call("CreateKey", parameters, of: .keys)
            guard let key = (answer["KeyMetadata"] as? [String: Any]).map(KeyMetadata.init) else {
                throw Failure.no("the service gave no key")
            }
            print(key.id)
            if protected {
                _ = try await client.call(
                    "SetDeletionProtection", [("ProtectedResourceArn", key.arn), ("EnableDeletionProtection", "true")], of: .keys)
            }
            if let alias {
                _ = try await client.call("CreateAlias", [("AliasName", alias), ("KeyId", key.id)], of: .keys)
            }
        }
    }

    struct Describe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a key.")
        @OptionGroup var target: KeyTarget
        @Option(help: "table or json.") var output = OutputForm.table

        func run() async throws {
            let (_, key) = try await target.find()
            if output == .json { return try printJSON(key.fields) }
            for (name, value) in key.fields.sorted(by: { $0.key < $1.key }) where "\(value)" != "" {
                print(name.padding(toLength: 32, withPad: " ", startingAt: 0) + Terminal.harmless("\(value)"))
            }
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Enable a key.")
        @OptionGroup var target: KeyTarget

        func run() async throws {
            let (client, key) = try await target.find()
            _ = try await client.call("EnableKey", [("KeyId", key.id)], of: .keys)
            print("key \(key.id) is enabled")
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Disable a key: what it protects cannot be read until it is enabled again.")
        @OptionGroup var target: KeyTarget

        func run() async throws {
            let (client, key) = try await target.find()
            _ = try await client.call("DisableKey", [("KeyId", key.id)], of: .keys)
            print("key \(key.id) is disabled: what it protects cannot be read")
        }
    }

    struct Rotation: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Rotate a key's material automatically, or not.")
        @OptionGroup var target: KeyTarget
        @Option(help: "Days between rotations, 7 to 730.") var days = 365
        @Flag(help: "Do not rotate automatically.") var off = false

        func run() async throws {
            let (client, key) = try await target.find()
            let policy =
                off
                ? [("EnableAutomaticRotation", "false")]
                : [("EnableAutomaticRotation", "true"), ("RotationInterval", "\(days)d")]
            _ = try await client.call("UpdateRotationPolicy", [("KeyId", key.id)] + policy, of: .keys)
            print("key \(key.id): rotation \(try await client.key(key.id)?.rotation ?? "?")")
        }
    }

    struct Protection: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Protect a key from deletion, or not any more.")
        @OptionGroup var target: KeyTarget
        @Flag(help: "Take the protection away.") var off = false

        func run() async throws {
            let (client, key) = try await target.find()
            _ = try await client.call(
                "SetDeletionProtection",
                [("ProtectedResourceArn", key.arn), ("EnableDeletionProtection", off ? "false" : "true")], of: .keys)
            print("key \(key.id) is \(off ? "not protected" : "protected") from deletion")
        }
    }

    struct ScheduleDeletion: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have a key deleted: at the end of its days nothing that it protects can be read ever again.")
        @OptionGroup var target: KeyTarget
        @Option(help: "Days in which it can still be cancelled, 7 to 366.") var days = 30

        func run() async throws {
            let (client, key) = try await target.find()
            _ = try await client.call(
                "ScheduleKeyDeletion", [("KeyId", key.id), ("PendingWindowInDays", String(days))], of: .keys)
            let date = try await client.key(key.id)?.fields["DeleteDate"] as? String ?? "?"
            print("key \(key.id) will be deleted at \(date); until then: cairn keys cancel-deletion \(key.id)")
        }
    }

    struct CancelDeletion: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Keep a key that was to be deleted.")
        @OptionGroup var target: KeyTarget

        func run() async throws {
            let (client, key) = try await target.find()
            _ = try await client.call("CancelKeyDeletion", [("KeyId", key.id)], of: .keys)
            print("key \(key.id) stays: \(try await client.key(key.id)?.state ?? "?")")
        }
    }
}

/// A key that exists.
struct KeyTarget: ParsableArguments {
    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Id, ARN, or alias such as alias/archive.") var key: String

    /// Most operations take no alias (kms.md section 3.1), so the id is looked up first.
    func find() async throws -> (client: APIClient, key: KeyMetadata) {
        let client = try connection.client()
        guard let found = try await client.key(key) else { throw Failure.no("there is no key `\(key)`") }
        return (client, found)
    }
}
