// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Measures the log service from outside: writing events as logs, then searches and SQL over all of them.
struct LogBench {
    /// Warm calls of one question end after so many seconds, but not before so many calls.
    private static let patience = (seconds: 20.0, calls: 3)
    /// Cold calls of one question, each after a start of the service.
    private static let starts = 3

    let events: Int
    let file: String?
    let binary: String
    let folder: String

    func run() throws {
        let server = try start()
        let requests = LogRequests(port: server.slsPort)
        try requests.create(try PlainConnection(port: server.slsPort))
        let source = try BatchSource(file: file, events: events, batchLines: Load.batchLines)
        let clock = LogClock(count: events)
        let count = try write(source, clock, requests, server)
        print(String(format: "logs memory %.0f MiB at the peak until then", server.peakMebibytes))
        let questions = LogQuestions.all(about: try SampleTally(source.samples), times: clock.times(ofFirst: count))
        var lines = try questions.map { try askWarm($0, requests) }
        try checkCount(count, clock, requests)
        var peak = server.peakMebibytes
        server.stop()
        var openings: [Double] = []
        for (index, questions) in questions.enumerated() {
            for question in SampleTally.spread(questions.all, Self.starts) {
                let server = try start()
                let requests = LogRequests(port: server.slsPort)
                let connection = try PlainConnection(port: server.slsPort)
                let begin = Date()
                try requests.openLogstore(connection)
                openings.append(Date().timeIntervalSince(begin) * 1000)
                lines[index].cold.append(try requests.ask(question, connection))
                peak = max(peak, server.peakMebibytes)
                server.stop()
            }
        }
        printTable(lines)
        print(
            String(
                format: "logs open   median %.0f ms for the first call after a start (%d starts)",
                openings.sorted()[openings.count / 2], openings.count))
        print(String(format: "logs memory %.0f MiB at the peak of all", peak))
    }

    private func start() throws -> MeasuredServer { try MeasuredServer(binary: binary, folder: folder) }

    // MARK: Writing

    /// Batches are encoded, compressed and signed while they are sent: ten million, ready-made, do not fit into memory.
    ///
    /// - Returns: how many logs there are.
    private func write(
        _ source: BatchSource, _ clock: LogClock, _ requests: LogRequests, _ server: MeasuredServer
    ) throws -> Int {
        let processorBefore = server.processorSeconds
        let load = try Load.send(source, events: events, to: server, port: requests.port) { lines, before, connection in
            try requests.put(lines, time: { clock.time(of: before + $0) }, connection)
        }
        let count = source.count + load.lone.count
        func perMillion(_ seconds: Double) -> Double { seconds / Double(count) * 1e6 }
        print(
            """
            logs load   \(source.count) logs of \(source.bytes / source.count) bytes in one JSON field, \
            batches of \(Load.batchLines), lz4, \(Load.connections) connections; their times are even over \(LogClock.days) days
            """)
        print(
            String(
                format: "logs put    %.0f logs/s, %.2f processor seconds a million; making the load takes %.2f itself",
                Double(source.count) / load.seconds, perMillion(server.processorSeconds - processorBefore),
                perMillion(load.ownProcessorSeconds)))
        print("lone log    \(load.lone.summary) meanwhile (\(load.lone.count) logs)")
        // Indexing and merging go on behind the last answer: they count too.
        waitUntilIdle(server)
        print(
            String(
                format: "with index  %.2f processor seconds a million", perMillion(server.processorSeconds - processorBefore)))
        if let text = load.growth.text { print("growth      \(text)") }
        let place = "logstores/\(LogRequests.project)/\(LogRequests.logstore)"
        let id = try FileManager.default.contentsOfDirectory(atPath: server.folder + "/" + place).first ?? ""
        let logstore = place + "/" + id
        let (journal, segments) = (server.bytes([logstore + "/journal"]), server.bytes([logstore + "/segments"]))
        let all = server.bytes(["logstores"])
        print(
            """
            on disk     \(all / count) bytes a log: journal \(journal / count), segments \(segments / count), \
            the rest \((all - journal - segments) / count)
            """)
        return count
    }

    /// Until the server has done next to nothing for two seconds.
    private func waitUntilIdle(_ server: MeasuredServer) {
        var last = server.processorSeconds
        var idle = 0
        for _ in 0..<300 where idle < 2 {
            Thread.sleep(forTimeInterval: 1)
            let now = server.processorSeconds
            idle = now - last < 0.03 ? idle + 1 : 0
            last = now
        }
    }

    // MARK: Asking

    private struct Line {
        var name: String
        var warm: [LogFinding] = []
        /// The first after a start, but for the one that opens the logstore.
        var cold: [LogFinding] = []
    }

    private func askWarm(_ questions: LogQuestions, _ requests: LogRequests) throws -> Line {
        let connection = try PlainConnection(port: requests.port)
        var line = Line(name: questions.name)
        let begin = Date()
        for question in questions.all {
            line.warm.append(try requests.ask(question, connection))
            let isOver = Date().timeIntervalSince(begin) > Self.patience.seconds
            if isOver && line.warm.count >= Self.patience.calls { break }
        }
        return line
    }

    /// Everything that was acknowledged must be there, and once.
    private func checkCount(_ count: Int, _ clock: LogClock, _ requests: LogRequests) throws {
        let question = LogQuestion(text: "* | select count(1) as c", times: clock.times(ofFirst: events))
        let finding = try requests.ask(question, try PlainConnection(port: requests.port))
        guard finding.firstRow["c"] == String(count) else {
            throw BenchError("\(count) logs were written, and counted are \(finding.firstRow["c"] ?? finding.refusal ?? "none")")
        }
    }

    private func printTable(_ lines: [Line]) {
        func left(_ text: String) -> String { text.padding(toLength: 42, withPad: " ", startingAt: 0) }
        func right(_ text: String) -> String { String(repeating: " ", count: max(0, 11 - text.count)) + text }
        func times(_ findings: [LogFinding]) -> (median: String, worst: String) {
            let sorted = findings.map(\.milliseconds).sorted()
            func text(_ value: Double) -> String { String(format: "%.2f ms", value) }
            return (text(sorted[sorted.count / 2]), text(sorted[sorted.count - 1]))
        }
        print(left("") + ["cold median", "warm median", "worst", "calls", "found"].map(right).joined(separator: " "))
        for line in lines {
            let (cold, warm) = (times(line.cold), times(line.warm))
            let found = line.warm.reduce(0) { $0 + $1.count }
            let cells = [cold.median, warm.median, warm.worst, String(line.warm.count), String(found)]
            print(left(line.name) + cells.map(right).joined(separator: " "))
            let all = line.warm + line.cold
            let incomplete = all.count { !$0.isComplete }
            if incomplete > 0 { print("    \(incomplete) answers were incomplete") }
            if let refusal = all.lazy.compactMap(\.refusal).first { print("    \(refusal)") }
        }
    }
}

/// Gives logs their times in order of arrival: the service takes none that are older than a week, so what is ninety days
/// elsewhere is six here.
struct LogClock: Sendable {
    static let days: Int64 = 6

    private let end = Int64(Date().timeIntervalSince1970)
    private let count: Int

    /// - Parameter count: of all logs.
    init(count: Int) { self.count = max(1, count) }

    func time(of number: Int) -> UInt32 {
        let span = Self.days * 86_400
        return UInt32(end - span + Int64(min(number, count)) * span / Int64(count))
    }

    func times(ofFirst number: Int) -> Range<Int64> { Int64(time(of: 0))..<Int64(time(of: number)) + 1 }
}
