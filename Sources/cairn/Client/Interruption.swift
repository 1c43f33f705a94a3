// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

/// The end of a command that would go on for ever.
enum Interruption {
    /// Runs `work` until it ends, or SIGINT or SIGTERM asks for the end, which is no failure. A second one does not wait.
    static func run(_ work: @escaping @Sendable () async throws -> Void) async throws {
        let task = Task(operation: work)
        let sources = [SIGINT, SIGTERM].map { (number: Int32) -> any DispatchSourceSignal in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if task.isCancelled { Foundation.exit(128 + number) }
                task.cancel()
            }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        do { try await task.value } catch {
            guard task.isCancelled else { throw error }
        }
    }
}

extension Terminal {
    /// Writes lines at once. Ends the command quietly when nobody reads them any more.
    static func write(_ lines: [String]) throws {
        guard !lines.isEmpty else { return }
        do { try FileHandle.standardOutput.write(contentsOf: Data((lines.joined(separator: "\n") + "\n").utf8)) } catch {
            throw ExitCode.success
        }
    }
}
