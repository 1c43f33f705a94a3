// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DurableFiles
import Foundation
import KeyManagement

/// Opening a store after any end, clean or not.
extension LogEngine {
    static let identityMagic: StaticString = "CRNIDNT1"

    /// The store's hash key, made once.
    static func identity(_ path: String, disk: any Disk, key: ServiceKey) throws -> SipHash {
        let nonce = try AES.GCM.Nonce(data: [UInt8](repeating: 0, count: 12))
        if let bytes = try disk.readAll(path, limit: 4096) {
            do {
                let envelope = try FileEnvelope(reading: bytes, magic: identityMagic, key: key)
                let plain = try envelope.open(bytes[envelope.header.count...], nonce: nonce, authenticating: [])
                return try plain.withUnsafeBytes { buffer throws(FormatError) in
                    var reader = ByteReader(buffer)
                    return SipHash(try reader.get(UInt64.self), try reader.get(UInt64.self))
                }
            } catch let error as FormatError { throw StoreDamage(path: path, offset: 0, reason: error) }
        }
        var random = SystemRandomNumberGenerator()
        var writer = ByteWriter()
        writer.put(random.next())
        writer.put(random.next())
        let envelope = try FileEnvelope(magic: identityMagic, key: key)
        try disk.replace(path, with: envelope.header + envelope.seal(writer.bytes, nonce: nonce, authenticating: []))
        return try identity(path, disk: disk, key: key)
    }

    func recover(_ indexer: (StoredRecord, TermHasher, inout RowFacts) throws -> Void) throws {
        var segments = try openSegments()
        var journals = try openJournals()
        let end = try findEnd(&journals)
        view.withLock { $0.journals = journals }
        commits.withLock { $0.nextSequence = end }

        // A run of segments from the oldest record on; where one is missing or damaged, its records are indexed again.
        let start = min(segments.first?.summary.firstSequence ?? .max, journals.first?.firstSequence ?? end)
        var position = start
        var ordered: [Segment] = []
        while position < end {
            if let next = segments.first, next.summary.firstSequence == position {
                ordered.append(segments.removeFirst())
                position = next.summary.endSequence
                continue
            }
            let gapEnd = min(segments.first?.summary.firstSequence ?? end, end)
            if gapEnd == end && segments.isEmpty { break }
            let tail = try index(position..<min(gapEnd, position + UInt64(settings.tailRows)), indexer)
            let name = try segmentBuilder.build(from: tail)
            ordered.append(try openSegment(name))
            position = tail.endSequence
        }
        view.withLock { $0.segments = ordered }
        var tails: [Tail] = []
        while position < end {
            let tail = try index(position..<min(end, position + UInt64(settings.tailRows)), indexer)
            tails.append(tail)
            position = tail.endSequence
        }
        let waiting = tails
        view.withLock { view in
            view.tails = waiting
            if waiting.last.map({ $0.count >= settings.tailRows }) ?? true {
                view.tails.append(Tail(firstSequence: end, fieldCount: settings.fieldCount))
            }
        }
        for _ in 0..<max(view.withLock { $0.tails.count } - 1, 0) { _ = freeTails.wait(timeout: .now()) }
        background.async { self.sealWaitingTails(includingLast: false) }
    }

    var segmentBuilder: SegmentBuilder {
        SegmentBuilder(folder: settings.folder + "/segments", uniqueField: settings.uniqueField, disk: disk, key: key)
    }

    func openSegment(_ name: String) throws -> Segment {
        try Segment(
            path: settings.folder + "/segments/" + name, disk: disk, key: key, cache: cache, number: nextFileNumber())
    }

    /// Segments by first sequence, without those that a larger one has taken over.
    private func openSegments() throws -> [Segment] {
        let folder = settings.folder + "/segments"
        var found: [Segment] = []
        var covered: UInt64 = 0
        let names = try disk.list(folder)
        for name in names where name.hasSuffix(".tmp") { try disk.remove(folder + "/" + name) }
        let ranges = names.compactMap { name in SegmentFormat.range(ofFile: name).map { (name, $0) } }
            .sorted { ($0.1.lowerBound, $1.1.upperBound) < ($1.1.lowerBound, $0.1.upperBound) }
        for (name, range) in ranges {
            if !found.isEmpty && range.upperBound <= covered {
                try disk.remove(folder + "/" + name)
                continue
            }
            do {
                let segment = try openSegment(name)
                found.append(segment)
                covered = range.upperBound
            } catch let damage as StoreDamage {
                // The records are in the journal: the index is made again. The damaged file is kept beside it.
                report(.damage(damage))
                try disk.rename(folder + "/" + name, to: folder + "/" + name + ".damaged")
                try disk.syncDirectory(folder)
            }
        }
        return found
    }

    private func openJournals() throws -> [JournalFile] {
        let folder = settings.folder + "/journal"
        let firsts = try disk.list(folder).compactMap(JournalFormat.firstSequence(ofFile:)).sorted()
        var files: [JournalFile] = []
        for (index, first) in firsts.enumerated() {
            let path = folder + "/" + JournalFormat.fileName(firstSequence: first)
            do {
                files.append(
                    try JournalFile(
                        path: path, firstSequence: first, endSequence: index + 1 < firsts.count ? firsts[index + 1] : nil,
                        disk: disk, key: key, number: nextFileNumber()))
            } catch where index == firsts.count - 1 && isUnfinishedHeader(error) {
                // A crash while the file was being made: nothing was acknowledged in it.
                report(.tornTail(path: path, bytes: try disk.size(of: path) ?? 0))
                try disk.remove(path)
            }
        }
        return files
    }

    private func isUnfinishedHeader(_ error: any Error) -> Bool {
        if let damage = error as? StoreDamage { return [.truncated, .badMagic, .badChecksum].contains(damage.reason) }
        return (error as? DiskError)?.code == .truncated
    }

    /// Walks the newest file to its last whole frame and returns the sequence after it.
    private func findEnd(_ journals: inout [JournalFile]) throws -> UInt64 {
        guard let last = journals.last else { return 0 }
        let walk = try last.walk { location in
            do {
                _ = try last.readFrame(at: location, dictionaries: dictionaries)
                return true
            } catch let damage as StoreDamage where damage.path == last.path { return false }
        }
        for damage in walk.damaged { report(.damage(damage)) }
        if walk.tornBytes > 0 { report(.tornTail(path: last.path, bytes: walk.tornBytes)) }
        last.adopt(walk.frames, endSequence: walk.endSequence)
        if walk.frames.isEmpty {
            // The next file will have this one's name.
            try disk.remove(last.path)
            journals.removeLast()
        }
        return walk.endSequence
    }

    private func index(_ range: Range<UInt64>, _ indexer: (StoredRecord, TermHasher, inout RowFacts) throws -> Void) throws -> Tail {
        let tail = Tail(firstSequence: range.lowerBound, fieldCount: settings.fieldCount)
        var next = range.lowerBound
        while next < range.upperBound {
            let frame: DecodedFrame
            do { frame = try self.frame(holding: next) } catch let damage as StoreDamage {
                report(.damage(damage))
                let end = min(try endOfDamage(at: next), range.upperBound)
                tail.append(placeholders(next..<end), account: 0, recordedAt: 0)
                next = end
                continue
            }
            var facts = RowFacts()
            let start = Int(next - frame.firstSequence)
            let end = min(frame.count, start + Int(range.upperBound - next))
            let hasher = hasher(account: frame.account)
            for row in start..<end { try indexer(frame.record(row), hasher, &facts) }
            tail.append(facts, account: accountHash(frame.account), recordedAt: frame.recordedAt)
            next += UInt64(end - start)
        }
        return tail
    }

    /// Rows that stand for records which cannot be read: found by nothing, but counted, so that sequences stay true.
    private func placeholders(_ range: Range<UInt64>) -> RowFacts {
        var facts = RowFacts()
        for _ in range { facts.endRow(time: 0, uniqueHash: 0) }
        return facts
    }

    private func endOfDamage(at sequence: UInt64) throws -> UInt64 {
        guard let journal = journal(holding: sequence) else {
            throw LogEngineError.missingRecords(sequence..<(sequence + 1))
        }
        return try journal.nextFrame(after: sequence) ?? journal.endSequence ?? sequence + 1
    }
}
