// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AuditEvent
import Foundation

struct Put: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Record events from files, or from standard input with -.",
        discussion: """
            Files hold a JSON event a line, a JSON array, CloudTrail's {"Records": [...]} or a Kubernetes EventList; \
            gzip and zstd files are expanded. Sending a file again records nothing twice.
            """)

    @OptionGroup var connection: ConnectionOptions
    @Option(help: "auto, actiontrail, cloudtrail, kubernetes or cloudevents.") var format = "auto"
    @Option(help: "Ingest token, instead of an access key. Default: $CAIRN_INGEST_TOKEN") var token: String?
    @Option(help: "table or json.") var output = OutputForm.table
    @Argument(help: "Files, or - for standard input.") var files: [String]

    private static let batchBytes = 4 << 20

    func run() async throws {
        guard EventFormat(rawValue: format) != nil else {
            throw Failure.usage("--format is one of \(EventFormat.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let environment = ProcessInfo.processInfo.environment
        let token = token ?? environment["CAIRN_INGEST_TOKEN"]
        let client =
            token == nil
            ? try connection.client()
            : try APIClient(
                endpoint: connection.endpoint ?? environment["CAIRN_ENDPOINT"] ?? "http://127.0.0.1:8420", accessKeyId: "",
                secret: .init(""))
        var total = Total()
        for file in files {
            var line = 0
            try await forEachBatch(of: file) { batch, lines in
                try await send(batch, client, token, file: file, firstLine: line, &total)
                line += lines
                Terminal.progress("\(file): \(total.accepted + total.duplicates) events")
            }
        }
        Terminal.endProgress()
        report(total)
        if total.accepted + total.duplicates == 0 { throw ExitCode(1) }
    }

    private struct Total {
        var accepted = 0
        var duplicates = 0
        var conflicts = 0
        var rejected = 0
        var treeSize = 0
    }

    private func report(_ total: Total) {
        switch output {
        case .json:
            print(
                """
                {"Accepted":\(total.accepted),"Duplicates":\(total.duplicates),"Conflicts":\(total.conflicts),\
                "Rejected":\(total.rejected),"TreeSize":\(total.treeSize)}
                """)
        case .table:
            var text = "\(total.accepted) recorded, \(total.duplicates) known already, \(total.rejected) rejected"
            if total.conflicts > 0 { text += ", \(total.conflicts) with an id that came with other content before" }
            print(text + "; the log holds \(total.treeSize) events")
        }
    }

    private func send(
        _ batch: [UInt8], _ client: APIClient, _ token: String?, file: String, firstLine: Int, _ total: inout Total
    ) async throws {
        var attempt = 0
        while true {
            let answer = try await client.put(batch, format: format, token: token)
            guard answer.status == 200 || answer.status == 400,
                let body = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any], body["Accepted"] != nil
            else {
                // What was refused for want of room may be sent again: nothing is doubled.
                if [429, 503].contains(answer.status), attempt < 10 {
                    attempt += 1
                    try await Task.sleep(for: .milliseconds(200 * attempt))
                    continue
                }
                throw APIError(answer, operation: "put \(file)")
            }
            total.accepted += body["Accepted"] as? Int ?? 0
            total.duplicates += body["Duplicates"] as? Int ?? 0
            total.conflicts += body["Conflicts"] as? Int ?? 0
            total.treeSize = body["TreeSize"] as? Int ?? total.treeSize
            let rejected = body["Rejected"] as? [[String: Any]] ?? []
            total.rejected += body["RejectedCount"] as? Int ?? rejected.count
            Terminal.endProgress()
            for line in rejected {
                let number = (line["Line"] as? Int ?? 0) + firstLine
                Terminal.complain("\(file):\(number): \(line["Code"] ?? ""): \(line["Message"] ?? "")")
            }
            return
        }
    }

    /// Cuts NDJSON at line ends into batches of some megabytes; anything else goes whole.
    private func forEachBatch(of file: String, _ body: (_ batch: [UInt8], _ lines: Int) async throws -> Void) async throws {
        let handle: FileHandle
        if file == "-" {
            handle = .standardInput
        } else {
            guard let opened = FileHandle(forReadingAtPath: file) else { throw Failure.usage("`\(file)` cannot be read") }
            handle = opened
        }
        var rest: [UInt8] = []
        var isLines: Bool?
        while true {
            let chunk = try handle.read(upToCount: Self.batchBytes) ?? Data()
            rest += chunk
            if isLines == nil, CompressedFile.isCompressed(rest) {
                rest += try handle.readToEnd() ?? Data()
                try await cut(try CompressedFile.expand(rest)[...], isLast: true, body)
                return
            }
            isLines = isLines ?? Self.looksLikeLines(rest)
            if chunk.isEmpty {
                if !rest.isEmpty { try await cut(rest[...], isLast: true, body) }
                return
            }
            guard isLines ?? false else { continue }
            let left = try await cut(rest[...], isLast: false, body)
            rest = Array(left)
        }
    }

    /// The first line ends with its object: a document over several lines does not.
    private static func looksLikeLines(_ bytes: [UInt8]) -> Bool? {
        guard let end = bytes.firstIndex(of: 0x0A) else { return nil }
        let line = bytes[..<end].drop { $0 <= 0x20 }
        guard line.first == UInt8(ascii: "{") else { return line.isEmpty ? nil : false }
        return line.last { $0 > 0x20 } == UInt8(ascii: "}")
    }

    @discardableResult
    private func cut(
        _ bytes: ArraySlice<UInt8>, isLast: Bool, _ body: (_ batch: [UInt8], _ lines: Int) async throws -> Void
    ) async throws -> ArraySlice<UInt8> {
        var rest = bytes
        let isLines = Self.looksLikeLines(Array(bytes.prefix(8 << 20))) ?? false
        while rest.count >= Self.batchBytes, isLines {
            let window = rest.prefix(Self.batchBytes)
            guard let end = window.lastIndex(of: 0x0A) ?? rest.firstIndex(of: 0x0A) else { break }
            let batch = Array(rest[...end])
            try await body(batch, batch.lazy.filter { $0 == 0x0A }.count)
            rest = rest[(end + 1)...]
        }
        guard isLast else { return rest }
        if !rest.isEmpty { try await body(Array(rest), 0) }
        return []
    }
}

enum OutputForm: String, ExpressibleByArgument, CaseIterable { case table, json }
