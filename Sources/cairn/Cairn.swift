// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

/// Which question does this room answer? *How does a person start it, look things up, verify, import?*
///
/// Exit codes: 0 fine; 1 the answer is no; 2 usage; 3 cannot reach, or not allowed.
@main
struct Cairn: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cairn", abstract: "A self-hosted audit trail: record, look up, deliver, prove.",
        version: "0.1.0",
        subcommands: [
            Serve.self, Put.self, Lookup.self, Count.self, Query.self, Tail.self, TrailCommand.self, Proof.self, Verify.self,
            Bucket.self, KeysCommand.self, UsersCommand.self, PoliciesCommand.self, WhoAmI.self, Protect.self, TokenCommand.self,
            QuarantineCommand.self, Sample.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
        } catch let failure as Failure {
            Terminal.complain(failure.message)
            Foundation.exit(failure.code)
        } catch let error as APIError {
            Terminal.complain(error.failure.message)
            Foundation.exit(error.failure.code)
        } catch {
            let code = exitCode(for: error)
            if code == .success || code == .validationFailure || error is ExitCode || error is CleanExit {
                let message = fullMessage(for: error)
                if !message.isEmpty {
                    code == .success ? print(message) : FileHandle.standardError.write(Data((message + "\n").utf8))
                }
                Foundation.exit(code == .validationFailure ? 2 : code.rawValue)
            }
            Terminal.complain("\(error)")
            Foundation.exit(3)
        }
    }
}

/// An end with a reason for people and a code for programs.
struct Failure: Error {
    var code: Int32
    var message: String

    static func no(_ message: String) -> Failure { Failure(code: 1, message: message) }
    static func usage(_ message: String) -> Failure { Failure(code: 2, message: message) }
    static func unreachable(_ message: String) -> Failure { Failure(code: 3, message: message) }
}

enum Terminal {
    static let isInteractive = isatty(STDERR_FILENO) == 1

    static func complain(_ message: String) {
        FileHandle.standardError.write(Data("cairn: \(harmless(message))\n".utf8))
    }

    /// Without control characters but line feeds: text that others wrote must not move the cursor or hide a line.
    static func harmless(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 == "\n" || $0.properties.generalCategory != .control }))
    }

    /// A line that replaces itself on a terminal, and is not written anywhere else.
    static func progress(_ message: String) {
        guard isInteractive else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(message)".utf8))
    }

    static func endProgress() { progress("") }

    /// Columns as wide as their widest value; the last one is left as it is.
    static func table(_ header: [String], _ rows: [[String]]) {
        let all = [header] + rows.map { $0.map { harmless($0).replacingOccurrences(of: "\n", with: " ") } }
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        for row in all {
            let cells = row.enumerated().map { index, cell in
                index == row.count - 1 ? cell : cell.padding(toLength: widths[index], withPad: " ", startingAt: 0)
            }
            print(cells.joined(separator: "  "))
        }
    }
}
