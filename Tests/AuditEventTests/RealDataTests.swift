// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Foundation
import TestSupport
import Testing

/// Events that clouds wrote, kept outside the project.
enum SharedData {
    static let folder = SharedFolder.url.appending(path: "data")

    static var isPresent: Bool { FileManager.default.fileExists(atPath: folder.path) }

    static func lines(of name: String) throws -> [UInt8] {
        let file = folder.appending(path: name)
        guard name.hasSuffix(".gz") else { return Array(try Data(contentsOf: file)) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/gzip")
        process.arguments = ["-dc", file.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Array(data)
    }
}

@Suite(.enabled(if: SharedData.isPresent, "the shared data folder is not beside the package; set CAIRN_SHARED"))
struct `Real events` {
    struct File: Sendable, CustomTestStringConvertible {
        var name: String
        var events: Int
        var format: EventFormat
        var testDescription: String { name }
    }

    static let files = [
        File(name: "cloudtrail/fixtures-cribl.ndjson.gz", events: 44, format: .cloudtrail),
        File(name: "cloudtrail/fixtures-panther.ndjson.gz", events: 283, format: .cloudtrail),
        File(name: "cloudtrail/invictus.ndjson.gz", events: 1743, format: .cloudtrail),
        File(name: "cloudtrail/opensearch.ndjson.gz", events: 520, format: .cloudtrail),
        File(name: "cloudtrail/sans504.ndjson.gz", events: 17949, format: .cloudtrail),
        File(name: "cloudtrail/small-captures.ndjson.gz", events: 174, format: .cloudtrail),
        File(name: "other/k8s-audit.ndjson.gz", events: 134, format: .kubernetes),
        File(name: "actiontrail-samples.ndjson", events: 31, format: .actiontrail),
        File(name: "actiontrail-thirdparty-synthetic.ndjson", events: 10, format: .actiontrail),
    ]

    @Test(arguments: files)
    func `are recorded whole and found again`(file: File) throws {
        let body = try SharedData.lines(of: file.name)
        let lines = body.split(separator: 0x0A)
        let batch = EventParser().parse(body, format: .auto, context: here)
        var codes: [String: Int] = [:]
        for rejected in batch.rejected { codes[rejected.code, default: 0] += 1 }
        print("\(file.name): \(batch.events.count) accepted, \(batch.terms.count) terms, rejected \(codes)")
        #expect(batch.events.count + batch.rejected.count == file.events)
        #expect(batch.events.count == file.events)

        for (index, event) in batch.events.enumerated() {
            let stored = Array(batch.bytes(of: event))
            let received = Array(lines[event.line - 1])
            let object = try #require(try JSONSerialization.jsonObject(with: Data(stored)) as? [String: Any])
            let original = try #require(try JSONSerialization.jsonObject(with: Data(received)) as? [String: Any])
            let minified = try JSONTape.minify(received)
            if file.format == .actiontrail {
                #expect(stored.starts(with: minified.dropLast()))
            } else {
                #expect(object.text("additionalEventData.sourceFormat") == file.format.rawValue)
                let data = object["additionalEventData"] as? [String: Any]
                #expect(data?["sourceRecord"] as? NSDictionary == original as NSDictionary)
                #expect(stored.dropLast(2).suffix(minified.count) == minified[...])
            }
            #expect(event.digest == EventDigest(hashing: stored))
            #expect(event.receivedDigest == EventDigest(hashing: minified))
            let fields = try #require(EventFields.extract(stored))
            #expect(fields.allTerms(in: stored) == batch.allTerms(index), "\(file.name):\(event.line)")
            #expect(fields.timeMilliseconds == event.timeMilliseconds)
            #expect(fields.isWrite == event.isWrite && fields.isGlobal == event.isGlobal)
            #expect(object.text("eventName") ?? object.text("EventName") == batch.values(.eventName, index).first)
        }
    }

    @Test func `of other kinds are refused with a code`() throws {
        for name in ["azure-activity", "gcp-audit", "github-audit", "okta-system"] {
            let batch = EventParser().parse(
                try SharedData.lines(of: "other/\(name).ndjson.gz"), format: .auto, context: here)
            var codes: [String: Int] = [:]
            for rejected in batch.rejected { codes[rejected.code, default: 0] += 1 }
            print("\(name): \(batch.events.count) accepted, rejected \(codes)")
            #expect(
                batch.rejected.allSatisfy { $0.rejection == .unrecognizedFormat || $0.rejection == .missingEventName })
        }
    }
}
