// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct WhoAmI: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "whoami", abstract: "Show whose access key is used (GetCallerIdentity).")
    @OptionGroup var connection: ConnectionOptions
    @Option(help: "table or json.") var output = OutputForm.table

    func run() async throws {
        let client = try connection.client()
        var identity = try await client.call("GetCallerIdentity", of: .tokens)
        identity["AccessKeyId"] = client.accessKeyId
        if output == .json { return try printJSON(identity) }
        for field in ["IdentityType", "AccountId", "UserId", "RoleId", "PrincipalId", "Arn", "AccessKeyId"] {
            guard let value = identity[field] as? String, !value.isEmpty else { continue }
            print(field.padding(toLength: 14, withPad: " ", startingAt: 0) + value)
        }
    }
}
