// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AuditEvent
import Foundation

struct Count: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Count events by who, what, or any other attribute.",
        discussion: """
            For example: who was refused, and what. `cairn count --by User --by ErrorCode --start 1d`.
            Attributes: \(LookupAttribute.allCases.map(\.wireName).joined(separator: ", ")). Without --start, the last 7 days.
            """)

    @OptionGroup var connection: ConnectionOptions
    @Option(help: "An attribute, or two.") var by: [String]
    @OptionGroup var filter: EventFilter
    @Option(help: "At most so many groups, the largest.") var limit = 20
    @Option(help: "table or json.") var output = OutputForm.table

    func run() async throws {
        guard (1...2).contains(by.count) else { throw Failure.usage("--by is given once or twice") }
        guard (1...1000).contains(limit) else { throw Failure.usage("--limit is from 1 to 1000") }
        for name in by { try EventFilter.check(name) }
        let answer = try await connection.client().call(
            "CountEvents",
            try filter.parameters + by.enumerated().map { ("GroupBy.\($0 + 1)", $1) } + [("MaxResults", String(limit))])
        let groups = answer["Groups"] as? [[String: Any]] ?? []
        guard output == .table else {
            for group in groups {
                let data = try JSONSerialization.data(withJSONObject: group, options: [.sortedKeys, .withoutEscapingSlashes])
                print(String(decoding: data, as: UTF8.self))
            }
            return
        }
        guard !groups.isEmpty else { return print("no events") }
        Terminal.table(
            ["COUNT"] + by.map { $0.uppercased() },
            groups.map { group in
                ["\(group["Count"] as? Int ?? 0)"] + by.map { Terminal.harmless(group[$0] as? String ?? "(damaged)") }
            })
        let total = answer["GroupCount"] as? Int ?? groups.count
        if total > groups.count { print("... \(total - groups.count) more; ask with a higher --limit") }
    }
}
