// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LogEngine

/// Reading a logstore in order of arrival.
extension LogStore {
    /// Logs looked at for one answer, those of other shards included.
    private static let pullLogs = 1 << 16
    private static let pullBytes = 8 << 20
    /// A group is ended after so many logs.
    private static let groupLogs = 4096
    /// Logs looked at on either side for a context.
    private static let contextLogs: UInt64 = 1 << 14

    func sequence(of cursor: LogCursor) throws -> UInt64 {
        switch cursor {
        case .begin: return try firstKept()
        case .end: return engine.endSequence
        case .receivedAt(let seconds):
            let time = seconds.multipliedReportingOverflow(by: 1000)
            guard !time.overflow else { return try seconds < 0 ? firstKept() : engine.endSequence }
            return try firstLog(receivedFrom: time.partialValue, after: firstKept()).sequence
        }
    }

    /// Milliseconds since 1970; of a cursor at the end, of the last log.
    func receiveTime(of cursor: UInt64) throws -> Int64 {
        let (first, end) = (engine.firstSequence, engine.endSequence)
        guard end > first else { return 0 }
        return try engine.record(at: min(max(cursor, first), end - 1)).recordedAt
    }

    /// - Parameters:
    ///   - shard: the only shard whose logs are wanted.
    ///   - count: groups at most.
    ///   - matches: of logs that are wanted only if they match.
    func pull(
        shard: Int, from: UInt64, to: UInt64?, count: Int, matches: ((LogView) throws -> Bool)?
    ) throws -> PulledLogs {
        let start = max(from, try firstKept())
        let end = min(to ?? .max, engine.endSequence)
        var pulled = PulledLogs(next: max(start, from))
        guard start < end else { return pulled }
        var record = LogRecord()
        var bytes = 0
        var seen = 0
        var receivedAt: Int64 = .min
        /// The first log of a group too many.
        var left: UInt64?
        let next = try forEachReadable(in: start..<end) { stored in
            seen += 1
            let isWanted = try stored.withBytes { buffer in
                guard record.read(buffer), record.shard == shard else { return false }
                pulled.rawLogs += 1
                pulled.rawBytes += buffer.count
                return try matches?(record.view) ?? true
            }
            guard isWanted else { return seen < Self.pullLogs }
            let log = stored.withBytes { _ in record.stored(sequence: stored.sequence, receivedAt: stored.recordedAt) }
            let isNext =
                pulled.groups.last.map { group in
                    group.topic == log.topic && group.source == log.source && group.tags == log.tags
                        && receivedAt == log.receivedAt && group.logs.count < Self.groupLogs
                } ?? false
            if isNext {
                pulled.groups[pulled.groups.count - 1].logs.append(log.log)
            } else {
                guard pulled.groups.count < max(count, 1) else {
                    left = stored.sequence
                    pulled.rawLogs -= 1
                    pulled.rawBytes -= stored.count
                    return false
                }
                pulled.groups.append(LogGroup(logs: [log.log], topic: log.topic, source: log.source, tags: log.tags))
            }
            receivedAt = log.receivedAt
            pulled.last = log.sequence
            bytes += stored.count
            return bytes < Self.pullBytes && seen < Self.pullLogs
        }
        pulled.next = left ?? next
        return pulled
    }

    /// As the engine's, but records that are damaged are passed over: who reads on from a cursor would never get past them.
    func forEachReadable(in range: Range<UInt64>, _ body: (StoredRecord) throws -> Bool) throws -> UInt64 {
        var next = range.lowerBound
        while true {
            do {
                return try engine.forEachRecord(in: next..<range.upperBound) { stored in
                    next = stored.sequence + 1
                    return try body(stored)
                }
            } catch let damage as StoreDamage {
                tell(damage)
                next = try engine.endOfDamage(at: next)
            }
            guard next < range.upperBound else { return range.upperBound }
        }
    }

    // MARK: Context

    static let packTag = "__pack_id__"

    /// Opaque to clients: where a log is.
    static func packMeta(of sequence: UInt64) -> String {
        "0|\(Data(String(sequence).utf8).base64EncodedString())|0|0"
    }

    private static func sequence(ofPackMeta meta: String) -> UInt64? {
        let parts = meta.split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count == 4, let data = Data(base64Encoded: String(parts[1])) else { return nil }
        return UInt64(String(decoding: data, as: UTF8.self))
    }

    /// What the same writer wrote before and after a log: its packs' ids begin alike, up to the last `-`.
    func context(packId: String, packMeta: String, back: Int, forward: Int) throws -> LogContext {
        let invalid = LogServiceError(400, "InvalidParameter", "pack_id or pack_meta is not of a log of this logstore")
        guard (0...100).contains(back), (0...100).contains(forward), back + forward > 0 else {
            throw LogServiceError(
                400, "InvalidParameter", "back_lines and forward_lines are 0 to 100, and one of them is more than 0")
        }
        let (first, end) = (try firstKept(), engine.endSequence)
        guard let start = Self.sequence(ofPackMeta: packMeta), (first..<end).contains(start) else { throw invalid }
        func prefix(_ id: String) -> Substring { id.lastIndex(of: "-").map { id[..<$0] } ?? id[...] }
        let wanted = prefix(packId)
        var record = LogRecord()
        func log(_ stored: StoredRecord) -> StoredLog? {
            stored.withBytes { buffer in
                guard record.read(buffer) else { return nil }
                let log = record.stored(sequence: stored.sequence, receivedAt: stored.recordedAt)
                guard let id = log.tags.last(where: { $0.key == Self.packTag })?.value, prefix(id) == wanted else { return nil }
                return log
            }
        }
        guard let own = log(try engine.record(at: start)) else { throw invalid }
        var context = LogContext()
        context.rows = [(0, row(of: own, withPackMeta: true))]
        var next = start
        while next > first, start - next < Self.contextLogs, context.backLines < back {
            next -= 1
            guard let stored = try readable(next), let earlier = log(stored) else { continue }
            context.backLines += 1
            context.rows.insert((-context.backLines, row(of: earlier, withPackMeta: true)), at: 0)
        }
        guard forward > 0 else { return context }
        _ = try forEachReadable(in: start + 1..<max(start + 1, min(end, start + Self.contextLogs))) { stored in
            if let later = log(stored) {
                context.forwardLines += 1
                context.rows.append((context.forwardLines, row(of: later, withPackMeta: true)))
            }
            return context.forwardLines < forward
        }
        return context
    }

    /// A log as search answers it: all of its fields, and those that every log has.
    func row(of log: StoredLog, withPackMeta: Bool = false) -> [Log.Field] {
        var row: [Log.Field] = []
        row.reserveCapacity(log.log.contents.count + log.tags.count + 5)
        row.append(.init("__time__", String(log.log.time)))
        if let nanoseconds = log.log.nanoseconds { row.append(.init("__time_ns_part__", String(nanoseconds))) }
        row.append(.init("__topic__", log.topic))
        row.append(.init("__source__", log.source))
        for tag in log.tags { row.append(.init("__tag__:" + tag.key, tag.value)) }
        if withPackMeta { row.append(.init("__pack_meta__", Self.packMeta(of: log.sequence))) }
        // Of two with one key the last counts.
        var last: [String: Int] = [:]
        for (index, field) in log.log.contents.enumerated() { last[field.key] = index }
        for (index, field) in log.log.contents.enumerated() where last[field.key] == index { row.append(field) }
        return row
    }
}
