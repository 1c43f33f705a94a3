// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

extension PoliciesCommand {
    struct Presets: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the policies of the three separated administrators that cairn brings along.",
            discussion: "cairn protect creates and attaches them. Works without a service.")
        @Argument(help: "Print the document of this one.") var name: String?
        @Option(help: "table or json.") var output = OutputForm.table

        func run() throws {
            let presets = Duty.allCases.map(\.preset)
            if let name {
                guard let preset = presets.first(where: { $0.name == name }) else {
                    throw Failure.no("there is no preset `\(name)`; they are \(presets.map(\.name).joined(separator: ", "))")
                }
                return try printJSON(try JSONSerialization.jsonObject(with: Data(preset.document.utf8)))
            }
            if output == .json {
                return try printJSON(
                    try presets.map { preset in
                        [
                            "PolicyName": preset.name, "Description": preset.description,
                            "Document": try JSONSerialization.jsonObject(with: Data(preset.document.utf8)),
                        ]
                    })
            }
            Terminal.table(["NAME", "FOR"], presets.map { [$0.name, $0.description] })
        }
    }
}
