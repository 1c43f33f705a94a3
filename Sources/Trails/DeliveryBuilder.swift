// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import Crypto
import EventHistory
import Foundation
import LogEngine
import MerkleLog

/// Turns a run of recorded events into objects and a digest; pure but for reading the history.
///
/// The same run gives the same names and bytes, whenever it is built.
struct DeliveryBuilder {
    struct Object {
        var key: String
        var content: [UInt8]
        var count: Int
    }

    struct Result {
        var objects: [Object]
        var digestObjects: [DeliveryDigest.DeliveredObject]
        var omitted: [DeliveryDigest.OmittedRun]
        var eventCount: Int
    }

    /// Raw bytes of events in one step, and so in memory.
    static let rawLimit = 16 << 20
    static let countLimit = 50_000

    let trail: Trail
    let history: EventHistory

    /// Looks ahead from `first` and says where one step ends: by size, by number, or at `end`.
    ///
    /// - Returns: the end, and whether anything in between is the trail's.
    func planEnd(from first: UInt64, to end: UInt64) throws -> (end: UInt64, hasEvents: Bool) {
        var raw = 0
        var count = 0
        let stopped = try history.forEachRecord(in: first..<end) { record in
            if trail.selection(of: record) != nil {
                raw += record.count
                count += 1
            }
            return raw < Self.rawLimit && count < Self.countLimit
        }
        return (stopped, count > 0)
    }

    private struct Group {
        var content: [UInt8] = [UInt8(ascii: "[")]
        var newest = Int64.min
        var count = 0
        var runs: [[UInt64]] = []
    }

    private struct GroupKey: Hashable, Comparable {
        var region: String
        var day: Int64

        static func < (left: Self, right: Self) -> Bool {
            left.region != right.region ? left.region < right.region : left.day < right.day
        }
    }

    /// - Parameter digestStart: where the digest begins; events before `plan.first` were none of the trail's.
    func build(_ plan: DeliveryPlan, digestStart: UInt64) throws -> Result {
        var groups: [GroupKey: Group] = [:]
        var omitted: [Range<UInt64>] = digestStart < plan.first ? [digestStart..<plan.first] : []
        var eventCount = 0
        let reached = try history.forEachRecord(in: plan.first..<plan.end) { record in
            guard let (fields, region) = trail.selection(of: record) else {
                if let last = omitted.last, last.upperBound == record.sequence {
                    omitted[omitted.count - 1] = last.lowerBound..<record.sequence + 1
                } else {
                    omitted.append(record.sequence..<record.sequence + 1)
                }
                return true
            }
            let day = Int64((Double(fields.timeMilliseconds) / 86_400_000).rounded(.down))
            let key = GroupKey(region: fields.isGlobal || region.isEmpty ? trail.homeRegion : Self.pathPart(region), day: day)
            var group = groups.removeValue(forKey: key) ?? Group()
            if group.count > 0 { group.content.append(UInt8(ascii: ",")) }
            record.withBytes { group.content.append(contentsOf: $0) }
            group.count += 1
            group.newest = max(group.newest, fields.timeMilliseconds)
            if let last = group.runs.last, last[1] + 1 == record.sequence {
                group.runs[group.runs.count - 1][1] = record.sequence
            } else {
                group.runs.append([record.sequence, record.sequence])
            }
            groups[key] = group
            eventCount += 1
            return true
        }
        guard reached == plan.end else { throw LogEngineError.missingRecords(reached..<plan.end) }
        var result = Result(objects: [], digestObjects: [], omitted: [], eventCount: eventCount)
        for (key, group) in groups.sorted(by: { $0.key < $1.key }) {
            let content = Gzip.compress(group.content + [UInt8(ascii: "]")])
            let name = objectKey(region: key.region, newest: group.newest, count: group.count, content: content)
            result.objects.append(Object(key: name, content: content, count: group.count))
            result.digestObjects.append(
                .init(
                    Key: name, SHA256: Data(SHA256.hash(data: content)).base64EncodedString(), Size: content.count,
                    Count: group.count, Sequences: group.runs))
        }
        result.omitted = try omitted.map { run in
            .init(
                First: run.lowerBound, Last: run.upperBound - 1, Hashes: try history.subtrees(of: run).map(\.base64))
        }
        return result
    }

    // MARK: Names

    private var root: String { trail.ossKeyPrefix.isEmpty ? "" : trail.ossKeyPrefix + "/" }

    /// A region is part of a path: whatever an event says, it stays one folder.
    private static func pathPart(_ region: String) -> String {
        let part = String(region.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "_" }.prefix(64))
        // A name of dots is not a folder but a way out of one.
        return part.allSatisfy { $0 == "." } ? part.replacing(".", with: "_") : part
    }

    private func objectKey(region: String, newest: Int64, count: Int, content: [UInt8]) -> String {
        let time = EventTime.compactText(newest)
        let md5 = Insecure.MD5.hash(data: content).map { String(format: "%02x", $0) }.joined()
        return root + "AliyunLogs/Actiontrail/\(region)/\(Self.datePath(time))/"
            + "Actiontrail_\(region)_\(time)_1002_\(count)_\(content.count)_\(md5).gz"
    }

    func digestKey(chain: String, range: Range<UInt64>, plannedAt: Date) -> String {
        root + "AliyunLogs/Actiontrail-Digest/\(trail.homeRegion)/"
            + DeliveryDigest.keySuffix(
                trail: trail.name, chain: chain, range: range, deliveredAt: Int64(plannedAt.timeIntervalSince1970 * 1000))
    }

    /// `YYYY/MM/DD` of `YYYYMMDDHHMMSS`.
    static func datePath(_ compact: String) -> String {
        "\(compact.prefix(4))/\(compact.dropFirst(4).prefix(2))/\(compact.dropFirst(6).prefix(2))"
    }
}
