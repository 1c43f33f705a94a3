// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import SampleStory
import Synchronization

/// Measures a running service from outside: recording, lookups, start-up, verification, and then the log service.
///
///     cairn-bench [--events N] [--file NDJSON] [--binary PATH] [--folder DIR]
///     cairn-bench --logs [the same]
///     cairn-bench --guards [--folder DIR]
///
/// Batches of 1,000 lines over 4 connections, the load on the same machine. Absolute times depend on the machine;
/// processor seconds and bytes do so less.
@main
struct Bench {
    var events = 1_000_000
    var file: String?
    var binary = ".build/release/cairn"
    var folder: String?
    var measuresGuards = false
    var measuresOnlyLogs = false

    static func main() async throws {
        var bench = Bench()
        var arguments = CommandLine.arguments.dropFirst().makeIterator()
        while let name = arguments.next() {
            switch name {
            case "--events": bench.events = Int(arguments.next() ?? "") ?? bench.events
            case "--file": bench.file = arguments.next()
            case "--binary": bench.binary = arguments.next() ?? bench.binary
            case "--guards": bench.measuresGuards = true
            case "--logs": bench.measuresOnlyLogs = true
            case "--folder": bench.folder = arguments.next()
            default: throw BenchError("unknown argument \(name)")
            }
        }
        do { try await bench.run() } catch {
            FileHandle.standardError.write(Data("cairn-bench: \(error)\n".utf8))
            exit(1)
        }
    }

    private func run() async throws {
        let folder = self.folder ?? NSTemporaryDirectory() + "cairn-bench-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { if self.folder == nil { try? FileManager.default.removeItem(atPath: folder) } }
        guard !measuresGuards else { return try await GuardBench(folder: folder).run() }
        print("command     \(CommandLine.arguments.joined(separator: " "))")
        print("machine     \(Machine.description)")
        if !measuresOnlyLogs { try measureHistory(folder) }
        try LogBench(events: events, file: file, binary: binary, folder: folder + "/logs").run()
    }

    private func measureHistory(_ folder: String) throws {
        var server = try MeasuredServer(binary: binary, folder: folder + "/data")
        let source = try BatchSource(file: file, events: events, batchLines: Load.batchLines)
        let token = try call("CreateIngestToken", [("Name", "bench")], server)["IngestToken"] as? String ?? ""
        try record(source, token, server)
        let count = source.count
        print(
            "load        \(count) events of \(source.bytes / count) bytes, batches of \(Load.batchLines), \(Load.connections) connections"
        )
        let disk = server.bytes(["history", "tree"])
        print(
            "on disk     \(disk / count) bytes an event: "
                + "journal \(server.bytes(["history/journal"]) / count), segments \(server.bytes(["history/segments"]) / count), "
                + "tree \(server.bytes(["tree"]) / count)")
        let probes = try probes(source.samples)
        try lookUp(probes, server, "warm")
        try lookUpWhileRecording(probes, source.samples, token, server)
        print(String(format: "memory      %.0f MiB at the peak", server.peakMebibytes))
        server.stop(kill: true)
        server = try MeasuredServer(binary: binary, folder: folder + "/data")
        print(String(format: "start-up    %.2f s after kill -9", server.startSeconds))
        server.stop()
        server = try MeasuredServer(binary: binary, folder: folder + "/data")
        print(String(format: "start-up    %.2f s after a clean stop", server.startSeconds))
        try lookUp(probes, server, "cold")
        try verify(server, folder: folder)
        server.stop()
    }

    // MARK: Recording

    private static func put(_ body: [UInt8], _ token: String, _ connection: PlainConnection) throws {
        let head =
            "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \(token)\r\n"
            + "Content-Type: application/x-ndjson\r\nContent-Length: \(body.count)\r\n\r\n"
        let answer = try connection.exchange(head, body)
        guard answer.status == 200 else {
            throw BenchError("HTTP \(answer.status): \(String(decoding: answer.body.prefix(300), as: UTF8.self))")
        }
    }

    private func record(_ source: BatchSource, _ token: String, _ server: MeasuredServer) throws {
        let processorBefore = server.processorSeconds
        let load = try Load.send(source, events: events, to: server, port: server.apiPort) { lines, _, connection in
            try Self.put(lines, token, connection)
        }
        let count = source.count
        print(
            String(
                format: "recorded    %.0f events/s, %.2f processor seconds a million", Double(count) / load.seconds,
                (server.processorSeconds - processorBefore) / Double(count) * 1e6))
        print("lone event  \(load.lone.summary) meanwhile (\(load.lone.count) events)")
        // Indexing and merging go on behind the last answer: they count too.
        try waitUntilIndexed(server)
        let total = server.processorSeconds - processorBefore
        print(String(format: "with index  %.2f processor seconds a million", total / Double(count) * 1e6))
        if let text = load.growth.text { print("growth      \(text)") }
    }

    private func waitUntilIndexed(_ server: MeasuredServer) throws {
        var last = -1.0
        for _ in 0..<300 {
            let connection = try PlainConnection(port: server.apiPort)
            let text = String(
                decoding: try connection.exchange("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").body, as: UTF8.self)
            let isWaiting = !text.contains("cairn_history_waiting_tails 0\n")
            let now = server.processorSeconds
            if !isWaiting && now - last < 0.02 { return }
            last = now
            Thread.sleep(forTimeInterval: 0.25)
        }
    }

    // MARK: Lookups

    private struct Probe {
        var name: String
        var attributes: [(String, String)] = []
        /// Counts by these instead of looking up.
        var groupBy: [String] = []
    }

    /// Values to look for: the rarest and the most frequent of the load.
    private func probes(_ samples: [[UInt8]]) throws -> [Probe] {
        let tally = try SampleTally(samples)
        let services = SampleTally.mostFrequent(tally.services, 4)
        let users = SampleTally.mostFrequent(tally.users, 4)
        let three = services.flatMap { service in
            users.map { [("ServiceName", service), ("User", $0), ("EventRW", "Read")] }
        }
        let rare = SampleTally.rarest(tally.accessKeys, 40)
        let frequent = SampleTally.mostFrequent(tally.names, 5)
        let two = frequent.flatMap { name in rare.prefix(8).map { [("EventName", name), ("EventAccessKeyId", $0)] } }
        return rare.map { Probe(name: "rare access key", attributes: [("EventAccessKeyId", $0)]) }
            + (0..<40).map { Probe(name: "frequent event name", attributes: [("EventName", frequent[$0 % frequent.count])]) }
            + tally.ids.prefix(40).map { Probe(name: "event id", attributes: [("EventId", $0)]) }
            + two.map { Probe(name: "name and key", attributes: $0) }
            + three.map { Probe(name: "service, user and kind", attributes: $0) }
            + (0..<20).map { _ in Probe(name: "newest events") }
            + SampleTally.spread(tally.rareWords, 40).map { Probe(name: "rare word", attributes: [("Text", $0)]) }
            + (0..<10).map { _ in Probe(name: "count by user", groupBy: ["User"]) }
            + (0..<10).map { _ in Probe(name: "errors by name and code", groupBy: ["EventName", "ErrorCode"]) }
    }

    private func lookUp(_ probes: [Probe], _ server: MeasuredServer, _ label: String) throws {
        let connection = try PlainConnection(port: server.apiPort)
        var times: [String: [Double]] = [:]
        var found: [String: Int] = [:]
        var order: [String] = []
        for probe in probes {
            let head = try head(of: probe, server)
            let begin = Date()
            let answer = try connection.exchange(head)
            let milliseconds = Date().timeIntervalSince(begin) * 1000
            guard answer.status == 200 else { throw BenchError("\(probe.name): HTTP \(answer.status)") }
            if times[probe.name] == nil { order.append(probe.name) }
            times[probe.name, default: []].append(milliseconds)
            let body = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
            found[probe.name, default: 0] += ((body?["Events"] ?? body?["Groups"]) as? [Any])?.count ?? 0
        }
        for name in order {
            let sorted = (times[name] ?? []).sorted()
            print(
                String(
                    format: "lookup      %@ %@: median %.2f ms, worst %.2f ms (%d calls, %d results)", label as NSString,
                    name as NSString, sorted[sorted.count / 2], sorted[sorted.count - 1], sorted.count, found[name] ?? 0))
        }
    }

    private func head(of probe: Probe, _ server: MeasuredServer) throws -> String {
        var parameters = [
            ("StartTime", "2020-01-01T00:00:00Z"), ("EndTime", "2030-01-01T00:00:00Z"), ("MaxResults", "50"),
        ]
        for (index, attribute) in probe.attributes.enumerated() {
            parameters += [
                ("LookupAttribute.\(index + 1).Key", attribute.0), ("LookupAttribute.\(index + 1).Value", attribute.1),
            ]
        }
        for (index, name) in probe.groupBy.enumerated() { parameters.append(("GroupBy.\(index + 1)", name)) }
        return try signedHead(probe.groupBy.isEmpty ? "LookupEvents" : "CountEvents", parameters, server)
    }

    /// All kinds of lookups over eight connections, while ten thousand events a second arrive.
    private func lookUpWhileRecording(
        _ probes: [Probe], _ samples: [[UInt8]], _ token: String, _ server: MeasuredServer
    ) throws {
        let seconds = 5.0
        let readers = Crew()
        let times = Times()
        let writer = Crew()
        let written = Atomic<Int>(0)
        // Signed before: a signature may be used once, and making one is not what is measured.
        let heads = Mutex(
            try (0..<200).flatMap { _ in
                try probes.filter(\.groupBy.isEmpty).shuffled().map { try head(of: $0, server) }
            })
        let begin = Date()
        writer.start(server.apiPort) { connection in
            let due = begin.addingTimeInterval(Double(written.load(ordering: .relaxed)) / 10_000)
            Thread.sleep(forTimeInterval: max(0, due.timeIntervalSinceNow))
            try Self.put(FreshEvents.batch(Load.batchLines, like: samples), token, connection)
            written.wrappingAdd(Load.batchLines, ordering: .relaxed)
            return Date().timeIntervalSince(begin) < seconds
        }
        for _ in 0..<8 {
            readers.start(server.apiPort) { connection in
                guard let head = heads.withLock({ $0.popLast() }) else { return false }
                let answer = try times.measure { try connection.exchange(head) }
                guard answer.status == 200 else { throw BenchError("LookupEvents: HTTP \(answer.status)") }
                return Date().timeIntervalSince(begin) < seconds
            }
        }
        try readers.wait()
        let elapsed = Date().timeIntervalSince(begin)
        writer.stop()
        try writer.wait()
        print(
            String(
                format: "mixed       %.0f lookups/s over 8 connections, \(times.summary), while %.0f events/s arrive",
                Double(times.count) / elapsed, Double(written.load(ordering: .relaxed)) / elapsed))
    }

    // MARK: Verification

    private func verify(_ server: MeasuredServer, folder: String) throws {
        let environment = [
            "CAIRN_ACCESS_KEY_ID": MeasuredServer.keyId, "CAIRN_ACCESS_KEY_SECRET": MeasuredServer.secret,
            "CAIRN_ENDPOINT": "http://127.0.0.1:\(server.apiPort)", "CAIRN_OSS_ENDPOINT": "http://127.0.0.1:\(server.ossPort)",
        ]
        func cairn(_ arguments: [String]) throws -> String {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: binary)
            process.arguments = arguments
            process.environment = environment
            let output = Pipe()
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            try process.run()
            let data = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else {
                throw BenchError("cairn \(arguments) failed: \(String(decoding: data, as: UTF8.self))")
            }
            return String(decoding: data, as: UTF8.self)
        }
        _ = try cairn(["bucket", "create", "bench-bucket"])
        _ = try cairn(["trail", "create", "bench-trail", "--bucket", "bench-bucket"])
        let processorBefore = server.processorSeconds
        let begin = Date()
        _ = try cairn(["trail", "backfill", "bench-trail", "--wait"])
        print(
            String(
                format: "delivered   in %.1f s, %.2f processor seconds", Date().timeIntervalSince(begin),
                server.processorSeconds - processorBefore))
        _ = try cairn(["bucket", "download", "bench-bucket", "--to", folder + "/objects"])
        let start = Date()
        let report = try cairn(["verify", folder + "/objects", "--output", "json"])
        let seconds = Date().timeIntervalSince(start)
        let body = try JSONSerialization.jsonObject(with: Data(report.utf8)) as? [String: Any]
        let verified = body?["events"] as? Int ?? 0
        print(String(format: "verified    %d events in %.2f s: %.0f events/s", verified, seconds, Double(verified) / seconds))
    }

    // MARK: Calls

    private func signedHead(_ action: String, _ parameters: [(String, String)], _ server: MeasuredServer) throws -> String {
        let query = WireParameters(parameters.map { WireParameters.Parameter($0.0, $0.1) }).encodedQuery
        let signed = try RPCSigner(accessKeyId: MeasuredServer.keyId, secret: Secret(MeasuredServer.secret)).signed(
            WireRequest(
                method: "POST", rawPath: "/", rawQuery: query,
                headers: [WireHeader("Host", "127.0.0.1:\(server.apiPort)")]), action: action, version: "2020-07-06")
        let headers = signed.headers.map { "\($0.name): \($0.value)\r\n" }.joined()
        return "POST /?\(query) HTTP/1.1\r\n\(headers)Content-Length: 0\r\n\r\n"
    }

    private func call(_ action: String, _ parameters: [(String, String)], _ server: MeasuredServer) throws -> [String: Any] {
        let answer = try PlainConnection(port: server.apiPort).exchange(try signedHead(action, parameters, server))
        guard answer.status == 200 else {
            throw BenchError("\(action): \(String(decoding: answer.body, as: UTF8.self))")
        }
        return try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any] ?? [:]
    }
}
