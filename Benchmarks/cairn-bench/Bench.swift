// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Foundation
import SampleStory
import Synchronization

/// Measures a running service from outside: recording, lookups, start-up, verification.
///
///     cairn-bench [--events N] [--file NDJSON] [--binary PATH] [--folder DIR]
///     cairn-bench --guards [--folder DIR]
///
/// Batches of 1,000 lines over 4 connections, the load on the same machine. Absolute times depend on the machine;
/// processor seconds and bytes do so less.
@main
struct Bench {
    static let batchLines = 1000
    static let connections = 4

    var events = 1_000_000
    var file: String?
    var binary = ".build/release/cairn"
    var folder: String?
    var measuresGuards = false

    static func main() async throws {
        var bench = Bench()
        var arguments = CommandLine.arguments.dropFirst().makeIterator()
        while let name = arguments.next() {
            switch name {
            case "--events": bench.events = Int(arguments.next() ?? "") ?? bench.events
            case "--file": bench.file = arguments.next()
            case "--binary": bench.binary = arguments.next() ?? bench.binary
            case "--guards": bench.measuresGuards = true
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
        let (batches, count, bytes) = try load()
        print(
            "load        \(count) events of \(bytes / count) bytes, batches of \(Self.batchLines), \(Self.connections) connections"
        )
        var server = try MeasuredServer(binary: binary, folder: folder + "/data")
        try record(batches, count, server)
        try waitUntilIndexed(server)
        let disk = server.bytes(["history", "tree"])
        print(
            "on disk     \(disk / count) bytes an event: "
                + "journal \(server.bytes(["history/journal"]) / count), segments \(server.bytes(["history/segments"]) / count), "
                + "tree \(server.bytes(["tree"]) / count)")
        print(String(format: "memory      %.0f MiB at the peak", server.peakMebibytes))
        let probes = try probes(batches)
        try lookUp(probes, server, "warm")
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

    // MARK: Load

    private func load() throws -> (batches: [[UInt8]], count: Int, bytes: Int) {
        var batches: [[UInt8]] = []
        var current: [UInt8] = []
        var lines = 0
        var count = 0
        var bytes = 0
        func take(_ line: UnsafeRawBufferPointer.SubSequence) {
            current.append(contentsOf: line)
            lines += 1
            count += 1
            if lines == Self.batchLines {
                bytes += current.count
                batches.append(current)
                current = []
                lines = 0
            }
        }
        func cut(_ chunk: UnsafeRawBufferPointer) {
            var start = 0
            while start < chunk.count, count < events {
                let rest = chunk[start...]
                let end = rest.firstIndex(of: 0x0A).map { $0 + 1 } ?? chunk.count
                take(chunk[start..<end])
                start = end
            }
        }
        if let file {
            guard let data = FileManager.default.contents(atPath: file) else { throw BenchError("cannot read \(file)") }
            data.withUnsafeBytes(cut)
        } else {
            SampleStory(
                seed: 7, eventCount: events, end: Int64(Date().timeIntervalSince1970), accountId: "1000000000000001",
                region: "local-1"
            ).writeLines(to: cut)
        }
        if !current.isEmpty {
            bytes += current.count
            batches.append(current)
        }
        return (batches, count, bytes)
    }

    private func record(_ batches: [[UInt8]], _ count: Int, _ server: MeasuredServer) throws {
        let token = try call("CreateIngestToken", [("Name", "bench")], server)["IngestToken"] as? String ?? ""
        let next = Atomic<Int>(0)
        let failures = Mutex<[String]>([])
        let processorBefore = server.processorSeconds
        let begin = Date()
        let port = server.apiPort
        let threads = (0..<Self.connections).map { _ in
            let done = DispatchSemaphore(value: 0)
            Thread {
                defer { done.signal() }
                do {
                    let connection = try PlainConnection(port: port)
                    while true {
                        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                        guard index < batches.count else { return }
                        let head =
                            "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nAuthorization: Bearer \(token)\r\n"
                            + "Content-Type: application/x-ndjson\r\nContent-Length: \(batches[index].count)\r\n\r\n"
                        let answer = try connection.exchange(head, batches[index])
                        guard answer.status == 200 else {
                            throw BenchError("HTTP \(answer.status): \(String(decoding: answer.body.prefix(300), as: UTF8.self))")
                        }
                    }
                } catch { failures.withLock { $0.append("\(error)") } }
            }.start()
            return done
        }
        for thread in threads { thread.wait() }
        let seconds = Date().timeIntervalSince(begin)
        if let failure = failures.withLock({ $0.first }) { throw BenchError(failure) }
        let processor = server.processorSeconds - processorBefore
        print(
            String(
                format: "recorded    %.0f events/s, %.2f processor seconds a million", Double(count) / seconds,
                processor / Double(count) * 1e6))
        // Indexing and merging go on behind the last answer: they count too.
        try waitUntilIndexed(server)
        let total = server.processorSeconds - processorBefore
        print(String(format: "with index  %.2f processor seconds a million", total / Double(count) * 1e6))
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
        var attributes: [(String, String)]
    }

    /// Values to look for: the rarest and the most frequent of the load.
    private func probes(_ batches: [[UInt8]]) throws -> [Probe] {
        var keys: [String: Int] = [:]
        var names: [String: Int] = [:]
        var ids: [String] = []
        for batch in batches.enumerated() where batch.offset % 20 == 0 {
            for line in batch.element.split(separator: 0x0A).enumerated() where line.offset % 10 == 0 {
                guard let event = try JSONSerialization.jsonObject(with: Data(line.element)) as? [String: Any] else { continue }
                if let name = event["eventName"] as? String { names[name, default: 0] += 1 }
                if let key = (event["userIdentity"] as? [String: Any])?["accessKeyId"] as? String { keys[key, default: 0] += 1 }
                if ids.count < 200, let id = event["eventId"] as? String { ids.append(id) }
            }
        }
        let rare = keys.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.prefix(40).map(\.key)
        let frequent = names.sorted { ($1.value, $1.key) < ($0.value, $0.key) }.prefix(5).map(\.key)
        let two = frequent.flatMap { name in rare.prefix(8).map { [("EventName", name), ("EventAccessKeyId", $0)] } }
        return rare.map { Probe(name: "rare access key", attributes: [("EventAccessKeyId", $0)]) }
            + (0..<40).map { Probe(name: "frequent event name", attributes: [("EventName", frequent[$0 % frequent.count])]) }
            + ids.prefix(40).map { Probe(name: "event id", attributes: [("EventId", $0)]) }
            + two.map { Probe(name: "name and key", attributes: $0) }
            + (0..<20).map { _ in Probe(name: "newest events", attributes: []) }
    }

    private func lookUp(_ probes: [Probe], _ server: MeasuredServer, _ label: String) throws {
        let connection = try PlainConnection(port: server.apiPort)
        var times: [String: [Double]] = [:]
        var found: [String: Int] = [:]
        var order: [String] = []
        for probe in probes {
            var parameters = [
                ("StartTime", "2020-01-01T00:00:00Z"), ("EndTime", "2030-01-01T00:00:00Z"), ("MaxResults", "20"),
            ]
            for (index, attribute) in probe.attributes.enumerated() {
                parameters += [
                    ("LookupAttribute.\(index + 1).Key", attribute.0), ("LookupAttribute.\(index + 1).Value", attribute.1),
                ]
            }
            let head = try signedHead("LookupEvents", parameters, server)
            let begin = Date()
            let answer = try connection.exchange(head)
            let milliseconds = Date().timeIntervalSince(begin) * 1000
            guard answer.status == 200 else { throw BenchError("LookupEvents: HTTP \(answer.status)") }
            if times[probe.name] == nil { order.append(probe.name) }
            times[probe.name, default: []].append(milliseconds)
            let body = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
            found[probe.name, default: 0] += (body?["Events"] as? [Any])?.count ?? 0
        }
        for name in order {
            let sorted = (times[name] ?? []).sorted()
            print(
                String(
                    format: "lookup      %@ %@: median %.2f ms, worst %.2f ms (%d lookups, %d events)", label as NSString,
                    name as NSString, sorted[sorted.count / 2], sorted[sorted.count - 1], sorted.count, found[name] ?? 0))
        }
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
