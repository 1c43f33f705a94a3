// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Crypto
import Foundation
import MerkleLog

/// What a delivery says of itself: which events it covers, in which objects, and how they hang in the log.
///
/// ```
/// cairn-digest@v1
/// sha256 <base64 of the SHA-256 of the body>
///
/// — <log name> <signature>
///
/// <body: one JSON object>
/// ```
/// The head is a signed note by the log's key. With the events of the objects, the roots of what was left out and the
/// frontier of the tree at `First`, anyone can compute the root at `End` and compare it with the signed checkpoint:
/// nothing is missing, nothing was changed. Source: docs/formats/digest.md.
public struct DeliveryDigest: Codable, Sendable, Equatable {
    public struct DeliveredObject: Codable, Sendable, Equatable {
        public var Key: String
        /// Base64 of the SHA-256 of the object's bytes.
        public var SHA256: String
        public var Size: Int
        public var Count: Int
        /// Runs of sequences, first and last included, in the order of the events inside.
        public var Sequences: [[UInt64]]
    }

    /// A run of events that were not this trail's, as roots of the perfect subtrees that tile it.
    public struct OmittedRun: Codable, Sendable, Equatable {
        public var First: UInt64
        public var Last: UInt64
        public var Hashes: [String]
    }

    public var Version = 1
    public var Trail: String
    public var AccountId: String
    /// Digests of one chain follow one another: `trail-<id>` or `job-<id>`.
    public var Chain: String
    public var Previous: DigestLink?
    /// True where logging was off, or events had been delivered before, between the previous digest and this one.
    public var AfterGap: Bool
    /// Events First ..< End were looked at.
    public var First: UInt64
    public var End: UInt64
    public var DeliveredAt: String
    /// The compact range of the tree at First: roots of its perfect subtrees, largest first.
    public var Frontier: [String]
    public var Objects: [DeliveredObject]
    public var Omitted: [OmittedRun]
    /// The signed checkpoint at End.
    public var Checkpoint: String

    static let headLine = "cairn-digest@v1"
    public static let fileSuffix = ".digest"

    /// The bytes of the digest object, signed.
    func encoded(sign: (String) throws -> SignedNote) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = try encoder.encode(self)
        let note = try sign("\(Self.headLine)\nsha256 \(Data(Crypto.SHA256.hash(data: body)).base64EncodedString())\n")
        return Array((note.encoded + "\n").utf8) + body + [0x0A]
    }

    /// Reads a digest object and checks its signature.
    ///
    /// - Throws: ``DigestFault``.
    public init(verifying bytes: [UInt8], with verifier: NoteVerifier) throws(DigestFault) {
        // The body is the first line that begins with a brace.
        guard let start = bytes.firstRange(of: Array("\n\n{".utf8))?.lowerBound, bytes.last == 0x0A else { throw .malformed }
        let head = bytes[...start]
        let body = bytes[(start + 2)...].dropLast()
        do {
            let note = try SignedNote(parsing: Array(head))
            try verifier.verify(note)
            let hash = Data(Crypto.SHA256.hash(data: body)).base64EncodedString()
            guard note.text == "\(Self.headLine)\nsha256 \(hash)\n" else { throw DigestFault.bodyChanged }
            self = try JSONDecoder().decode(Self.self, from: Data(body))
            guard isSound else { throw DigestFault.malformed }
        } catch let fault as DigestFault { throw fault } catch let error as LogTextError {
            throw .notSigned("\(error)")
        } catch { throw .malformed }
    }

    /// Whether its numbers can be: who verifies does not trust even the log's signature with a crash.
    private var isSound: Bool {
        guard Version == 1, First < End, End <= CompactRange.maximumSize else { return false }
        return Objects.allSatisfy { object in
            var left = UInt64(max(object.Count, 0))
            for run in object.Sequences {
                guard run.count == 2, First <= run[0], run[0] <= run[1], run[1] < End, run[1] - run[0] < left else {
                    return false
                }
                left -= run[1] - run[0] + 1
            }
            return left == 0 && object.Count > 0
        }
    }

    /// The end of the key that a digest has by its content.
    static func keySuffix(trail: String, chain: String, range: Range<UInt64>, deliveredAt: Int64) -> String {
        func padded(_ number: UInt64) -> String {
            let digits = String(number)
            return String(repeating: "0", count: 20 - digits.utf8.count) + digits
        }
        let date = DeliveryBuilder.datePath(EventTime.compactText(deliveredAt))
        let numbers = "\(padded(range.lowerBound))_\(padded(range.upperBound))"
        return "\(date)/Actiontrail-Digest_\(trail)_\(chain)_\(numbers)\(fileSuffix)"
    }

    /// Whether an object of this key is where such a digest belongs.
    func belongs(at key: String) -> Bool {
        guard let time = EventTime.milliseconds(DeliveredAt) else { return false }
        return key.hasSuffix(Self.keySuffix(trail: Trail, chain: Chain, range: First..<End, deliveredAt: time))
    }

    init(
        trail: String, accountId: String, chain: String, previous: DigestLink?, afterGap: Bool, range: Range<UInt64>,
        deliveredAt: String, frontier: [String], objects: [DeliveredObject], omitted: [OmittedRun], checkpoint: String
    ) {
        Trail = trail
        AccountId = accountId
        Chain = chain
        Previous = previous
        AfterGap = afterGap
        First = range.lowerBound
        End = range.upperBound
        DeliveredAt = deliveredAt
        Frontier = frontier
        Objects = objects
        Omitted = omitted
        Checkpoint = checkpoint
    }
}

public enum DigestFault: Error, Equatable, CustomStringConvertible {
    case malformed
    case bodyChanged
    case notSigned(String)

    public var description: String {
        switch self {
        case .malformed: "is not a digest"
        case .bodyChanged: "was changed: its body does not have the SHA-256 that was signed"
        case .notSigned(let reason): "is not signed by the log: \(reason)"
        }
    }
}
