// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CairnServer
import Foundation
import Logging
import ObjectStorage

/// The service with a clock of retention that a test can move: `cairn-movable-clock serve --data … --clock FILE`, where
/// the file holds a number of seconds. A program of its own, as nothing that is shipped may be able to do this.
@main
enum MovableClock {
    static func main() async throws {
        var flags: [String: String] = [:]
        var words = CommandLine.arguments.dropFirst(2)
        while let name = words.popFirst() { flags[String(name.dropFirst(2))] = words.popFirst() }
        guard let path = flags.removeValue(forKey: "clock") else { fatalError("--clock names no file") }
        let environment = ProcessInfo.processInfo.environment
        let settings = try Settings(flags: flags, environment: environment, configuration: nil)
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var service = CairnService(settings: settings, logger: Logger(label: "cairn"), metrics: PrometheusMetrics())
        let system = TimeSources.system
        service.retentionTime = TimeSources(
            wall: { system.wall() + shift(path) }, monotonic: { system.monotonic() + shift(path) }, bootId: system.bootId)
        try await service.run(environment: environment) { line in
            print(line)
            fflush(nil)
        }
    }

    /// Milliseconds.
    private static func shift(_ path: String) -> Int64 {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return (Int64(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) * 1000
    }
}
