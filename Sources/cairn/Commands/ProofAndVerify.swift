// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import EventHistory
import Foundation
import MerkleLog
import Trails

struct Proof: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the proof that an event is in the log.",
        discussion: """
            Writes EVENT_ID.tlog-proof (C2SP tlog-proof) and, beside it, EVENT_ID.json with the event's exact bytes; \
            with --embed the event goes into the proof's extra line and one file is enough. Check it anywhere with \
            cairn verify.
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Id of the event.") var eventId: String
    @Flag(help: "Put the event into the proof file.") var embed = false
    @Option(help: "Folder to write to.") var to = "."
    @Flag(help: "Write the proof to standard output, with the event inside.") var stdout = false

    func run() async throws {
        let answer = try await connection.client().call(
            "GetEventProof", [("EventId", eventId), ("EmbedEvent", embed || stdout ? "true" : "false")])
        guard let proof = answer["Proof"] as? String,
            let event = (answer["EventBytes"] as? String).flatMap({ Data(base64Encoded: $0) }),
            let key = answer["VerifierKey"] as? String
        else { throw Failure.no("the service's answer holds no proof") }
        if let count = answer["EventsWithThisId"] as? Int, count > 1 {
            Terminal.complain("\(count) events came with this id; this proves the one recorded first")
        }
        if stdout { return print(proof, terminator: "") }
        let name = String(eventId.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "_" })
        let proofPath = "\(to)/\(name)\(TransparencyProof.fileSuffix)"
        do {
            try FileManager.default.createDirectory(atPath: to, withIntermediateDirectories: true)
            try Data(proof.utf8).write(to: URL(fileURLWithPath: proofPath))
            if !embed { try event.write(to: URL(fileURLWithPath: "\(to)/\(name).json")) }
        } catch { throw Failure.usage("cannot write to `\(to)`: \(error)") }
        print("proof  \(proofPath)")
        if !embed { print("event  \(to)/\(name).json") }
        print("check  cairn verify \(proofPath)\(embed ? "" : " --event \(to)/\(name).json") --key '\(key)'")
    }
}

struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check proofs, checkpoints and delivered objects with the log's public key.",
        discussion: """
            PATH is a .tlog-proof file, a saved checkpoint, or a folder of downloaded objects: all checked offline. \
            With --bucket the objects are read from a bucket instead. The key is what GET /log/key on the api port \
            gives; keep a copy where the service's administrators cannot change it.
            """)

    @OptionGroup var bucketOptions: BucketOptions
    @Argument(help: "A proof, a checkpoint or a folder.") var path: String?
    @Option(help: "Verifier key, or a file with it. Default: $CAIRN_LOG_KEY, else asked from the service.") var key: String?
    @Option(help: "The event's bytes, for a proof that does not hold them.") var event: String?
    @Option(help: "Read delivered objects from this bucket.") var bucket: String?
    @Option(help: "Only keys that begin with this.") var prefix = ""
    @Option(help: "table or json.") var output = OutputForm.table

    func run() async throws {
        let verifier = try await verifier()
        if let bucket {
            return try await verifyObjects(
                BucketObjects(client: try bucketOptions.client(), bucket: bucket, prefix: prefix), verifier,
                what: "bucket \(bucket)")
        }
        guard let path else { throw Failure.usage("give a proof, a checkpoint, a folder, or --bucket") }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure.usage("`\(path)` does not exist")
        }
        if isFolder.boolValue { return try await verifyObjects(FolderObjects(folder: path), verifier, what: path) }
        guard let data = FileManager.default.contents(atPath: path) else { throw Failure.usage("`\(path)` cannot be read") }
        if data.starts(with: Data("c2sp.org/tlog-proof@".utf8)) {
            try verifyProof([UInt8](data), verifier)
        } else {
            try await verifyCheckpoint([UInt8](data), verifier)
        }
    }

    private func verifier() async throws -> NoteVerifier {
        let environment = ProcessInfo.processInfo.environment
        var text = key ?? environment["CAIRN_LOG_KEY"]
        if let path = text, let data = FileManager.default.contents(atPath: path) { text = String(decoding: data, as: UTF8.self) }
        if text == nil {
            let client = try bucketOptions.connection.client()
            let answer = try await client.send(.init(method: "GET", rawPath: "/log/key", headers: [.init("Host", client.host)]))
            guard answer.status == 200 else { throw Failure.unreachable("the service gives no log key; give it with --key") }
            text = String(decoding: answer.body, as: UTF8.self)
            Terminal.complain("using the key that the service itself gives; for proof against its administrators give --key")
        }
        do { return try NoteVerifier(verifierKey: (text ?? "").trimmingCharacters(in: .whitespacesAndNewlines)) } catch {
            throw Failure.usage(
                "the log key `\((key ?? "").prefix(80))` is neither a verifier key nor a file that holds one: \(error)")
        }
    }

    // MARK: Proofs

    private func verifyProof(_ bytes: [UInt8], _ verifier: NoteVerifier) throws {
        let proof: TransparencyProof
        do { proof = try TransparencyProof(parsing: bytes) } catch { throw Failure.no("not a valid proof: \(error)") }
        var content = proof.extra
        if let event {
            guard let data = FileManager.default.contents(atPath: event) else { throw Failure.usage("`\(event)` cannot be read") }
            content = [UInt8](data)
        }
        guard !content.isEmpty else { throw Failure.usage("the proof does not hold the event: give its bytes with --event") }
        let leaf = MerkleTree.leafHash(entry: content.withUnsafeBytes { EventHistory.commitment(of: $0) })
        let verdict = proof.verify(leafHash: leaf, verifier: verifier)
        guard verdict.isValid else { throw Failure.no("NOT PROVED: \(verdict)") }
        let checkpoint = try Checkpoint(text: proof.checkpoint.text)
        let fields = (try? JSONSerialization.jsonObject(with: Data(content))) as? [String: Any] ?? [:]
        if output == .json {
            return try printJSON(
                ["Valid": true, "Index": proof.index, "TreeSize": checkpoint.size, "Origin": checkpoint.origin, "Event": fields])
        }
        print("proved: event \(fields["eventId"] ?? "?") (\(fields["eventName"] ?? "?") at \(fields["eventTime"] ?? "?"))")
        print("        is entry \(proof.index) of the log \(checkpoint.origin) with \(checkpoint.size) entries")
    }

    /// A checkpoint that was kept: is the log of today a continuation of it?
    private func verifyCheckpoint(_ bytes: [UInt8], _ verifier: NoteVerifier) async throws {
        let kept: Checkpoint
        do { kept = try Checkpoint(verifying: try SignedNote(parsing: bytes), with: verifier, origin: verifier.name) } catch {
            throw Failure.no("not a checkpoint signed by \(verifier.name): \(error)")
        }
        let client = try bucketOptions.connection.client()
        let newest = try await client.send(
            .init(method: "GET", rawPath: "/log/checkpoint", headers: [.init("Host", client.host)]))
        guard newest.status == 200, let note = try? SignedNote(parsing: newest.body),
            let shown = try? Checkpoint(verifying: note, with: verifier, origin: verifier.name)
        else { throw Failure.no("NOT CONSISTENT: the service shows no checkpoint signed by \(verifier.name)") }
        guard kept.size <= shown.size else {
            throw Failure.no(
                "NOT CONSISTENT: the log has \(shown.size) entries now, but the kept checkpoint speaks for \(kept.size): "
                    + "entries were taken away, or an older copy was put in its place")
        }
        let answer = try await client.call("GetConsistencyProof", [("From", String(kept.size))])
        guard let text = answer["Checkpoint"] as? String, let hashes = answer["Hashes"] as? [String] else {
            throw Failure.no("the service's answer holds no proof")
        }
        let now = try Checkpoint(verifying: try SignedNote(parsing: text), with: verifier, origin: verifier.name)
        let verdict = MerkleTree.verifyConsistency(
            from: kept.size, to: now.size, proof: hashes.compactMap { MerkleHash(base64: $0) }, fromRoot: kept.root,
            toRoot: now.root)
        guard verdict.isValid else {
            throw Failure.no("NOT CONSISTENT: the log does not continue the kept checkpoint: \(verdict)")
        }
        if output == .json {
            return try printJSON(["Valid": true, "KeptSize": kept.size, "TreeSize": now.size, "Origin": now.origin])
        }
        print("consistent: the log with \(now.size) entries continues the kept one with \(kept.size)")
    }

    // MARK: Delivered objects

    private func verifyObjects(_ source: some DeliveredObjects, _ verifier: NoteVerifier, what: String) async throws {
        let report = try await DeliveryVerification(
            source: source, verifier: verifier, prefix: prefix,
            progress: { Terminal.progress("\($0.objects) objects, \($0.events) events") }
        ).run()
        Terminal.endProgress()
        if output == .json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(report), as: UTF8.self))
        } else {
            show(report, what)
        }
        if !report.isGood { throw ExitCode(1) }
    }

    private func show(_ report: DeliveryVerification.Report, _ what: String) {
        if report.isGood {
            print("verified: \(what): \(report.events) events in \(report.objects) objects, \(report.digests) digests")
            for (chain, runs) in report.proved.sorted(by: { $0.key < $1.key }) {
                let total = runs.reduce(0) { $0 + $1[1] - $1[0] + 1 }
                print(
                    "          \(chain): log entries \(runs[0][0]) to \(runs[runs.count - 1][1]), \(total) accounted for, none missing"
                )
            }
            print("          what came after these entries is not judged: compare with a kept checkpoint, or cairn trail status")
            for (chain, runs) in report.gaps.sorted(by: { $0.key < $1.key }) {
                for run in runs { print("          \(chain): logging was off for log entries \(run[0]) to \(run[1])") }
            }
        } else {
            print("NOT VERIFIED: \(what)")
            for finding in report.findings.prefix(20) {
                print("  \(finding.kind.rawValue): \(finding.key)\n    \(finding.detail)")
            }
            if report.findings.count > 20 { print("  ... and \(report.findings.count - 20) more (--output json shows all)") }
        }
    }
}
