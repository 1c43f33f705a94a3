// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Crypto
import EventHistory
import Foundation
import MerkleLog
import Testing
import Trails

extension Fuzzing {
    @Suite struct `A delivery's digest` {
        /// The body of a digest, which the log signs whatever it says: who verifies trusts not even the log with a crash.
        @Test func `proves what it covers, or a finding is named`() async throws {
            let log = try Log()
            let good = try await log.verify(Array(log.body.utf8))
            #expect(good.isGood && good.proved["1/audit/trail-1"] == [[2, 5]], "\(good.findings)")
            // A sound digest of more events than any memory holds, in an object that is there.
            let claim = log.body.replacing("\"First\":2,", with: "\"First\":0,").replacing(
                "\"End\":6", with: "\"End\":9223372036854775807"
            )
            .replacing("\"Count\":3", with: "\"Count\":4611686018427387904")
            .replacing("[[2,3],[5,5]]", with: "[[0,4611686018427387903]]")
            let made = [log.body, claim].map { Array($0.utf8) }
            try await Fuzzer(name: "delivery-digest", kind: .json, made: made, tries: 1000).run { input in
                let report = try await log.verify(input)
                try demand(report.isGood || !report.findings.isEmpty, "a digest was passed over")
                if report.isGood {
                    // Whatever it is called, it can only prove the events that there are.
                    let runs = report.proved.values.flatMap { $0 }
                    try demand(runs == [[2, 5]] && report.events == 3, "something was proved that is not so: \(runs)")
                }
                return "\(report.digests) \(report.findings.map { "\($0.kind) \($0.detail.prefix(18))" })"
            }
        }

        /// Six events; the trail began at event 2, and event 4 is not its own.
        private struct Log {
            let signer: NoteSigner
            let object: [UInt8]
            let body: String

            static let objectKey = "AliyunLogs/Actiontrail/local-1/events.gz"

            init() throws {
                signer = try NoteSigner(
                    name: "cairn-log/fuzz",
                    privateKey: Curve25519.Signing.PrivateKey(rawRepresentation: [UInt8](repeating: 7, count: 32)))
                let events = (0..<6).map { Array(#"{"eventId":"E-\#($0)","eventName":"n"}"#.utf8) }
                let leaves = events.map { event in
                    MerkleTree.leafHash(entry: event.withUnsafeBytes { EventHistory.commitment(of: $0) })
                }
                var range = CompactRange()
                for leaf in leaves.prefix(2) { range.append(leafHash: leaf) }
                let frontier = range.hashes.map { "\"\($0.base64)\"" }.joined(separator: ",")
                for leaf in leaves.dropFirst(2) { range.append(leafHash: leaf) }
                let delivered = [2, 3, 5].map { events[$0] }
                object = Gzip.compress([0x5B] + Array(delivered.joined(separator: [0x2C])) + [0x5D])
                let note = try Checkpoint(origin: signer.name, size: 6, root: range.root).signed(by: signer).encoded
                let checkpoint = note.replacingOccurrences(of: "\n", with: "\\n")
                let sha256 = Data(SHA256.hash(data: object)).base64EncodedString()
                body =
                    #"{"AccountId":"1","AfterGap":false,"Chain":"trail-1","Checkpoint":"\#(checkpoint)","#
                    + #""DeliveredAt":"2026-01-01T00:00:00Z","End":6,"First":2,"Frontier":[\#(frontier)],"#
                    + #""Objects":[{"Count":3,"Key":"\#(Self.objectKey)","SHA256":"\#(sha256)","Sequences":[[2,3],[5,5]],"#
                    + #""Size":\#(object.count)}],"Omitted":[{"First":4,"Hashes":["\#(leaves[4].base64)"],"Last":4}],"#
                    + #""Trail":"audit","Version":1}"#
            }

            func verify(_ body: [UInt8]) async throws -> DeliveryVerification.Report {
                let sha256 = Data(SHA256.hash(data: body)).base64EncodedString()
                let note = try signer.sign(text: "cairn-digest@v1\nsha256 \(sha256)\n")
                let bytes = Array((note.encoded + "\n").utf8) + body + [0x0A]
                var key = "AliyunLogs/Actiontrail-Digest/local-1/x.digest"
                let digest = try unlessRefused(DigestFault.self) { try DeliveryDigest(verifying: bytes, with: signer.verifier) }
                if let digest, let time = EventTime.milliseconds(digest.DeliveredAt) {
                    // Where it belongs.
                    let day = EventTime.compactText(time)
                    let path = "\(day.prefix(4))/\(day.dropFirst(4).prefix(2))/\(day.dropFirst(6).prefix(2))"
                    key =
                        "AliyunLogs/Actiontrail-Digest/local-1/\(path)/Actiontrail-Digest_\(digest.Trail)_\(digest.Chain)_"
                        + "\(paddedNumber(digest.First))_\(paddedNumber(digest.End)).digest"
                }
                let folder = Folder(files: [key: bytes, Self.objectKey: object])
                return try await DeliveryVerification(source: folder, verifier: signer.verifier).run()
            }
        }

        private struct Folder: DeliveredObjects {
            var files: [String: [UInt8]]

            func keys() async throws -> [String] { Array(files.keys) }
            func content(_ key: String) async throws -> [UInt8] { files[key] ?? [] }
        }
    }
}
