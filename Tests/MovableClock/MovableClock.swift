// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import CairnServer
import Foundation
import Logging
import ObjectStorage

/// The service with a clock of retention that a test can move: `cairn-movable-clock serve --data … --clock FILE`, where
/// the file holds a number of seconds. A program of its own, as nothing that is shipped may be able to do this.
///
/// Two more ways for tests to let much happen in little time:
/// - `--history-clock FILE` moves the clock by which events are recorded and expire, and no other;
/// - `CAIRN_TEST_TAIL_ROWS` is the number of events after which a tail becomes a segment, so that a few hundred events are
///   enough for segments to be made, joined and dropped.
@main
enum MovableClock {
    static func main() async throws {
        var flags: [String: String] = [:]
        var words = CommandLine.arguments.dropFirst(2)
        while let name = words.popFirst() { flags[String(name.dropFirst(2))] = words.popFirst() }
        guard let path = flags.removeValue(forKey: "clock") else { fatalError("--clock names no file") }
        let historyPath = flags.removeValue(forKey: "history-clock")
        let environment = ProcessInfo.processInfo.environment
        let settings = try Settings(flags: flags, environment: environment, configuration: nil)
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var service = CairnService(settings: settings, logger: Logger(label: "cairn"), metrics: PrometheusMetrics())
        let system = TimeSources.system
        service.retentionTime = TimeSources(
            wall: { system.wall() + shift(path) }, monotonic: { system.monotonic() + shift(path) }, bootId: system.bootId)
        if let historyPath {
            let time = service.historyTime
            service.historyTime = { time() + shift(historyPath) }
        }
        if let text = environment["CAIRN_TEST_TAIL_ROWS"] {
            guard let rows = Int(text), rows > 0 else { fatalError("CAIRN_TEST_TAIL_ROWS is no number of events") }
            service.tailRows = rows
        }
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
