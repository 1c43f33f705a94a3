// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import EventHistory
import Foundation
import MerkleLog

/// Where delivered objects are read from: a folder of downloaded objects, or a bucket.
public protocol DeliveredObjects: Sendable {
    /// All keys, in any order.
    func keys() async throws -> [String]
    /// The bytes of one object.
    func content(_ key: String) async throws -> [UInt8]
}

/// Checks delivered objects with nothing but the log's public key.
///
/// For each digest: the signature; its place in its chain; each object's SHA-256; each event's commitment; and that
/// the tree grown from the frontier by exactly these events and the omitted runs has the root that the checkpoint
/// signs. So a missing, changed, doubled or reordered event shows, and is named.
public struct DeliveryVerification: Sendable {
    public struct Finding: Codable, Sendable, Equatable {
        public enum Kind: String, Codable, Sendable {
            case missing, changed, doubled, outOfOrder, unexpected, unreadable
        }
        public var kind: Kind
        /// The object it is about.
        public var key: String
        public var detail: String
    }

    public struct Report: Codable, Sendable, Equatable {
        public var digests = 0
        public var objects = 0
        public var events = 0
        public var bytes = 0
        /// Runs of sequences whose delivery is proved, by chain.
        public var proved: [String: [[UInt64]]] = [:]
        /// Where logging was off, by chain; not a fault.
        public var gaps: [String: [[UInt64]]] = [:]
        /// In order of discovery; the first one is what to look at.
        public var findings: [Finding] = []

        public var isGood: Bool { findings.isEmpty && digests > 0 }

        /// Takes in what was found in a part.
        fileprivate mutating func add(_ part: Report) {
            objects += part.objects
            events += part.events
            bytes += part.bytes
            for (chain, runs) in part.proved { proved[chain, default: []] += runs }
            for (chain, runs) in part.gaps { gaps[chain, default: []] += runs }
            findings += part.findings
        }
    }

    private let verifier: NoteVerifier
    private let source: any DeliveredObjects
    private let prefix: String
    private let progress: @Sendable (Report) -> Void

    /// - Parameter prefix: only keys that begin with it are looked at.
    public init(
        source: any DeliveredObjects, verifier: NoteVerifier, prefix: String = "",
        progress: @escaping @Sendable (Report) -> Void = { _ in }
    ) {
        self.source = source
        self.verifier = verifier
        self.prefix = prefix
        self.progress = progress
    }

    public func run() async throws -> Report {
        var report = Report()
        let keys = try await source.keys().filter { $0.hasPrefix(prefix) }.sorted()
        var chains: [String: [(key: String, digest: DeliveryDigest, sha256: String)]] = [:]
        for key in keys where key.hasSuffix(DeliveryDigest.fileSuffix) {
            let bytes: [UInt8]
            do { bytes = try await source.content(key) } catch {
                report.findings.append(.init(kind: .unreadable, key: key, detail: "\(error)"))
                continue
            }
            do throws(DigestFault) {
                let digest = try DeliveryDigest(verifying: bytes, with: verifier)
                let sha256 = Data(SHA256.hash(data: bytes)).base64EncodedString()
                guard digest.belongs(at: key) else {
                    report.findings.append(
                        .init(
                            kind: .unexpected, key: key,
                            detail:
                                "the digest of events \(digest.First) to \(digest.End - 1) does not belong here: it was moved or copied"
                        ))
                    continue
                }
                chains[digest.AccountId + "/" + digest.Trail + "/" + digest.Chain, default: []].append((key, digest, sha256))
                report.digests += 1
            } catch {
                report.findings.append(.init(kind: .changed, key: key, detail: "the digest \(error)"))
            }
        }
        if report.digests == 0 && report.findings.isEmpty {
            report.findings.append(.init(kind: .missing, key: prefix, detail: "there is no digest: nothing can be proved"))
        }
        var named: [String: (digest: String, chain: String)] = [:]
        var examinations: [Examination] = []
        let present = Set(keys)
        for (chain, digests) in chains.sorted(by: { $0.key < $1.key }) {
            var before: (key: String, digest: DeliveryDigest, sha256: String)?
            for entry in digests.sorted(by: { ($0.digest.First, $0.key) < ($1.digest.First, $1.key) }) {
                var place = Report()
                checkPlace(of: entry, after: before, chain: chain, &place)
                examinations.append(
                    Examination(
                        key: entry.key, digest: entry.digest, chain: chain, place: place,
                        doubled: checkNames(entry.key, entry.digest, chain: chain, &named)))
                before = entry
            }
        }
        try await examine(examinations, present: present, &report)
        let digestFolder = "AliyunLogs/Actiontrail-Digest/"
        for key in keys
        where key.contains("AliyunLogs/Actiontrail/") && named[key] == nil
            || key.contains(digestFolder) && !key.hasSuffix(DeliveryDigest.fileSuffix)
        {
            report.findings.append(
                .init(kind: .unexpected, key: key, detail: "no digest names this object: it was added, or its digest is missing"))
        }
        return report
    }

    private func checkPlace(
        of entry: (key: String, digest: DeliveryDigest, sha256: String),
        after before: (key: String, digest: DeliveryDigest, sha256: String)?, chain: String, _ report: inout Report
    ) {
        let digest = entry.digest
        guard let before else {
            if let previous = digest.Previous, previous.key.hasPrefix(prefix) {
                report.findings.append(
                    .init(
                        kind: .missing, key: previous.key,
                        detail: "the digest before events \(digest.First) to \(digest.End - 1) is missing"))
            }
            return
        }
        if digest.Previous == nil && digest.AfterGap && digest.First >= before.digest.End {
            // The trail delivered to another bucket in between.
            if digest.First > before.digest.End { report.gaps[chain, default: []].append([before.digest.End, digest.First - 1]) }
            return
        }
        guard digest.Previous?.key == before.key, digest.Previous?.sha256 == before.sha256 else {
            if digest.First < before.digest.End {
                report.findings.append(
                    .init(kind: .doubled, key: entry.key, detail: "covers events that `\(before.key)` covers too"))
            } else if digest.Previous?.key == before.key {
                report.findings.append(
                    .init(kind: .changed, key: before.key, detail: "is not the digest that `\(entry.key)` follows"))
            } else {
                report.findings.append(
                    .init(
                        kind: .missing, key: digest.Previous?.key ?? "?",
                        detail: "the digest that `\(entry.key)` follows is missing: it covers events up to \(digest.First)"))
            }
            return
        }
        if digest.First > before.digest.End {
            if digest.AfterGap {
                report.gaps[chain, default: []].append([before.digest.End, digest.First - 1])
            } else {
                report.findings.append(
                    .init(
                        kind: .missing, key: entry.key,
                        detail: "events \(before.digest.End) to \(digest.First - 1) lie between it and `\(before.key)`"))
            }
        } else if digest.First < before.digest.End {
            report.findings.append(
                .init(kind: .doubled, key: entry.key, detail: "covers events that `\(before.key)` covers too"))
        }
    }

    /// A digest whose objects are to be looked at, with what is known of it before.
    private struct Examination: Sendable {
        var key: String
        var digest: DeliveryDigest
        var chain: String
        /// Gaps and findings from its place in the chain.
        var place: Report
        var doubled: [Finding]
    }

    private func checkNames(
        _ key: String, _ digest: DeliveryDigest, chain: String, _ named: inout [String: (digest: String, chain: String)]
    ) -> [Finding] {
        var findings: [Finding] = []
        for object in digest.Objects {
            // A trail that was made anew may have its history delivered again, in a chain of its own.
            if let other = named.updateValue((key, chain), forKey: object.Key), other.chain == chain {
                findings.append(.init(kind: .doubled, key: object.Key, detail: "is named by `\(other.digest)` and by `\(key)`"))
            }
        }
        return findings
    }

    /// Looks at the objects of digests, as many digests at a time as there are processors; reports in order.
    private func examine(_ examinations: [Examination], present: Set<String>, _ report: inout Report) async throws {
        let width = max(1, ProcessInfo.processInfo.activeProcessorCount)
        try await withThrowingTaskGroup(of: (Int, Report).self) { group in
            var started = 0
            func start() {
                guard started < examinations.count else { return }
                let (number, examination) = (started, examinations[started])
                started += 1
                group.addTask { (number, try await examine(examination, present: present)) }
            }
            // What is done before its turn waits: no more are under way than there is room for.
            var waiting: [Int: Report] = [:]
            var next = 0
            for _ in 0..<2 * width { start() }
            while let (number, part) = try await group.next() {
                waiting[number] = part
                while let part = waiting.removeValue(forKey: next) {
                    report.add(part)
                    progress(report)
                    next += 1
                    start()
                }
            }
        }
    }

    private func examine(_ examination: Examination, present: Set<String>) async throws -> Report {
        let (key, digest) = (examination.key, examination.digest)
        var report = Report()
        report.findings = examination.doubled
        var leaves: [(sequence: UInt64, leaf: MerkleHash)] = []
        for object in digest.Objects {
            guard present.contains(object.Key) else {
                report.findings.append(
                    .init(
                        kind: .missing, key: object.Key,
                        detail: "\(object.Count) events, sequences \(Self.text(object.Sequences)), named by `\(key)`"))
                continue
            }
            let bytes: [UInt8]
            do { bytes = try await source.content(object.Key) } catch {
                report.findings.append(.init(kind: .unreadable, key: object.Key, detail: "\(error)"))
                continue
            }
            if let finding = Self.judge(object, bytes, &leaves, &report) { report.findings.append(finding) }
        }
        if report.findings.isEmpty {
            if let finding = checkTree(key, digest, leaves) {
                report.findings.append(finding)
            } else {
                report.proved[examination.chain] = [[digest.First, digest.End - 1]]
            }
        }
        var whole = examination.place
        whole.add(report)
        return whole
    }

    private static func judge(
        _ object: DeliveryDigest.DeliveredObject, _ bytes: [UInt8], _ leaves: inout [(sequence: UInt64, leaf: MerkleHash)],
        _ report: inout Report
    ) -> Finding? {
        func changed(_ detail: String) -> Finding { Finding(kind: .changed, key: object.Key, detail: detail) }
        guard Data(SHA256.hash(data: bytes)).base64EncodedString() == object.SHA256 else {
            return changed("its SHA-256 is not the one its digest signs (\(bytes.count) bytes, \(object.Size) expected)")
        }
        guard let raw = try? bytes.withUnsafeBytes({ try Gzip.expand($0, limit: 256 << 20) }) else {
            return changed("it is not a gzip file")
        }
        // An event has at least a byte: a larger number would only be a claim on memory.
        guard object.Count <= raw.count else { return changed("it holds fewer events than its digest names, \(object.Count)") }
        let sequences = object.Sequences.filter { $0.count == 2 && $0[0] <= $0[1] }.flatMap { Array($0[0]...$0[1]) }
        var count = 0
        let isArray = raw.withUnsafeBytes { buffer in
            JSONArraySplitter.split(buffer) { event in
                if count < sequences.count {
                    leaves.append((sequences[count], MerkleTree.leafHash(entry: EventHistory.commitment(of: event))))
                }
                count += 1
            }
        }
        guard isArray else { return changed("it is not a JSON array") }
        guard count == object.Count, count == sequences.count else {
            return changed("it holds \(count) events, its digest names \(object.Count)")
        }
        report.objects += 1
        report.events += count
        report.bytes += bytes.count
        return nil
    }

    /// Grows the tree from the frontier and compares roots.
    private func checkTree(_ key: String, _ digest: DeliveryDigest, _ leaves: [(sequence: UInt64, leaf: MerkleHash)]) -> Finding?
    {
        func changed(_ detail: String) -> Finding { Finding(kind: .changed, key: key, detail: detail) }
        let frontier = digest.Frontier.compactMap { MerkleHash(base64: $0) }
        guard frontier.count == digest.Frontier.count, var tree = CompactRange(size: digest.First, hashes: frontier),
            let note = try? SignedNote(parsing: digest.Checkpoint),
            let checkpoint = try? Checkpoint(verifying: note, with: verifier, origin: verifier.name)
        else { return changed("its frontier or its checkpoint cannot be read") }
        let ordered = leaves.sorted { $0.sequence < $1.sequence }
        var nextLeaf = 0
        var nextRun = 0
        while tree.size < digest.End {
            if nextLeaf < ordered.count, ordered[nextLeaf].sequence == tree.size {
                tree.append(leafHash: ordered[nextLeaf].leaf)
                nextLeaf += 1
            } else if nextRun < digest.Omitted.count, digest.Omitted[nextRun].First == tree.size,
                digest.Omitted[nextRun].Last >= tree.size, digest.Omitted[nextRun].Last < digest.End
            {
                let run = digest.Omitted[nextRun]
                let cover = MerkleTree.subtreeCover(run.First..<run.Last + 1)
                let hashes = run.Hashes.compactMap { MerkleHash(base64: $0) }
                guard hashes.count == cover.count else { return changed("the omitted run at event \(run.First) cannot be read") }
                for (address, hash) in zip(cover, hashes) {
                    guard (try? tree.append(subtree: hash, level: address.level)) != nil else {
                        return changed("the omitted run at event \(run.First) does not fit the tree")
                    }
                }
                nextRun += 1
            } else {
                return Finding(
                    kind: .missing, key: key, detail: "event \(tree.size) is neither in an object nor said to be left out")
            }
        }
        guard nextLeaf == ordered.count, nextRun == digest.Omitted.count else {
            return Finding(
                kind: .doubled, key: key, detail: "an event is delivered twice, or outside \(digest.First)..<\(digest.End)")
        }
        guard checkpoint.size == digest.End, tree.root == checkpoint.root else {
            return changed("the events do not hash to the signed checkpoint: one was changed or moved before delivery")
        }
        return nil
    }

    private static func text(_ runs: [[UInt64]]) -> String {
        guard let first = runs.first?.first, let last = runs.last?.last else { return "none" }
        return "\(first) to \(last)"
    }
}
