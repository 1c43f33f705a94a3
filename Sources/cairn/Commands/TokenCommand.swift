// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Ingest tokens: they can put events and nothing else.",
        subcommands: [Create.self, List.self, Delete.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Create a token; it is shown this once.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "A name to know it by.") var name: String
        @Option(help: "Days until it lapses; 0 for never.") var expireInDays = 0

        func run() async throws {
            let answer = try await connection.client().call(
                "CreateIngestToken", [("Name", name), ("ExpireInDays", String(expireInDays))])
            print(answer["IngestToken"] as? String ?? "")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the account's tokens.")
        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            let tokens = try await connection.client().call("ListIngestTokens")["IngestTokens"] as? [[String: Any]] ?? []
            guard !tokens.isEmpty else { return print("no ingest tokens") }
            Terminal.table(
                ["ID", "NAME", "STATUS", "CREATED", "EXPIRES"],
                tokens.map { token in
                    ["TokenId", "Name", "Status", "CreateTime", "ExpireTime"].map { token[$0] as? String ?? "never" }
                })
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete a token: it is refused from now on.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "Id of the token.") var id: String

        func run() async throws {
            _ = try await connection.client().call("DeleteIngestToken", [("TokenId", id)])
            print("ingest token \(id) deleted")
        }
    }
}

struct QuarantineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "List records that were rejected, newest first.")
    @OptionGroup var connection: ConnectionOptions
    @Option(help: "At most so many.") var limit = 100
    @Option(help: "table or json; json holds the records, base64.") var output = OutputForm.table

    func run() async throws {
        let answer = try await connection.client().call(
            "ListQuarantinedRecords", [("MaxResults", String(min(max(limit, 1), 1000)))])
        let records = answer["Records"] as? [[String: Any]] ?? []
        if output == .json { return try printJSON(records) }
        guard !records.isEmpty else { return print("nothing in quarantine") }
        Terminal.table(
            ["RECEIVED", "FROM", "LINE", "CODE", "REASON"],
            records.prefix(limit).map { record in
                [
                    record["ReceivedTime"] as? String ?? "", record["SourceIpAddress"] as? String ?? "",
                    "\(record["Line"] as? Int ?? 0)", record["Code"] as? String ?? "", record["Message"] as? String ?? "",
                ]
            })
    }
}
