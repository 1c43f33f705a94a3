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
    static func identity(_ path: String, disk: any Disk, key: any DataKeyWrapper, holdsRecords: Bool) throws -> SipHash {
        let nonce = FileEnvelope.onlyNonce
        if let bytes = try disk.readAll(path, limit: 1 << 16) {
            do {
                let envelope = try FileEnvelope(reading: bytes, magic: identityMagic, key: key)
                let plain = try envelope.open(bytes[envelope.header.count...], nonce: nonce, authenticating: [])
                return try plain.withUnsafeBytes { buffer throws(FormatError) in
                    var reader = ByteReader(buffer)
                    return SipHash(try reader.get(UInt64.self), try reader.get(UInt64.self))
                }
            } catch let error as FormatError { throw StoreDamage(path: path, offset: 0, reason: error) }
        }
        guard !holdsRecords else {
            // Another key would make every hash in the segments meaningless.
            throw StoreDamage(path: path, offset: 0, reason: .truncated)
        }
        var random = SystemRandomNumberGenerator()
        var writer = ByteWriter()
        writer.put(random.next())
        writer.put(random.next())
        let envelope = try FileEnvelope(magic: identityMagic, key: key)
        try disk.replace(path, with: envelope.header + envelope.seal(writer.bytes, nonce: nonce, authenticating: []))
        return try identity(path, disk: disk, key: key, holdsRecords: true)
    }

    // MARK: Where retention has got to

    static let floorMagic: StaticString = "CRNFLOR1"

    /// Makes it durable that records before `sequence` are gone, before their files go: an opening after a crash in
    /// between neither indexes them again nor gives out their sequences a second time.
    func keepFloor(_ sequence: UInt64) throws {
        let envelope = try FileEnvelope(magic: Self.floorMagic, key: key)
        var writer = ByteWriter()
        writer.put(sequence)
        let sealed = envelope.seal(writer.bytes, nonce: segmentNonce(block: 0), authenticating: [])
        try disk.replace(settings.folder + "/floor", with: envelope.header + sealed)
    }

    private func readFloor() throws -> UInt64 {
        let path = settings.folder + "/floor"
        // Nothing else may be left that knows where the sequences are.
        let isAlone = try ["/journal", "/segments"].allSatisfy { try disk.list(settings.folder + $0).isEmpty }
        guard let bytes = try disk.readAll(path, limit: 1 << 16) else { return 0 }
        do {
            let envelope = try FileEnvelope(reading: bytes, magic: Self.floorMagic, key: key)
            let plain = try envelope.open(bytes[envelope.header.count...], nonce: segmentNonce(block: 0), authenticating: [])
            return try plain.withUnsafeBytes { buffer throws(FormatError) in
                var reader = ByteReader(buffer)
                return try reader.get(UInt64.self)
            }
        } catch let error as FormatError {
            let damage = StoreDamage(path: path, offset: 0, reason: error)
            guard !isAlone else { throw damage }
            // It only says what may be forgotten.
            report(.damage(damage))
            return 0
        }
    }

    func recover(_ indexer: (StoredRecord, TermHasher, inout RowFacts) throws -> Void) throws {
        let floor = try readFloor()
        var segments = try openSegments(floor: floor)
        var journals = try openJournals(floor: floor)
        // Segments index nothing that was not durable in the journal.
        let end = try findEnd(&journals, atLeast: max(floor, segments.last?.summary.endSequence ?? 0))
        view.withLock { $0.journals = journals }
        commits.withLock { $0.nextSequence = end }
        committedEnd.store(end, ordering: .releasing)

        // A run of segments from the oldest record on; where one is missing or damaged, its records are indexed again.
        let oldest = min(segments.first?.summary.firstSequence ?? .max, journals.first?.firstSequence ?? end)
        let start = max(floor, oldest)
        var position = start
        var ordered: [Segment] = []
        while position < end {
            if let next = segments.first, next.summary.firstSequence == position {
                ordered.append(segments.removeFirst())
                position = next.summary.endSequence
                continue
            }
            let gapEnd = min(segments.first?.summary.firstSequence ?? end, end)
            // What follows the last segment goes to tails, as many as memory is meant to hold.
            if segments.isEmpty && (end - position) / UInt64(settings.tailRows) <= Self.waitingTailLimit { break }
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
    private func openSegments(floor: UInt64) throws -> [Segment] {
        let folder = settings.folder + "/segments"
        var found: [Segment] = []
        var covered: UInt64 = 0
        let names = try disk.list(folder)
        for name in names where name.hasSuffix(".tmp") { try disk.remove(folder + "/" + name) }
        for name in names where name.hasSuffix(".damaged") {
            // Kept for whoever wants to look, but not past its records' time.
            if let range = SegmentFormat.range(ofFile: String(name.dropLast(".damaged".count))), range.upperBound <= floor {
                try disk.remove(folder + "/" + name)
            }
        }
        let ranges = names.compactMap { name in SegmentFormat.range(ofFile: name).map { (name, $0) } }
            .sorted { ($0.1.lowerBound, $1.1.upperBound) < ($1.1.lowerBound, $0.1.upperBound) }
        for (name, range) in ranges {
            // Taken over by a larger one, dropped by retention, or left by a join that failed at its last step and whose
            // parts retention then dropped: never two segments for one record, none for what is gone.
            if range.lowerBound < max(covered, floor) {
                try disk.remove(folder + "/" + name)
                continue
            }
            do {
                let segment = try openSegment(name)
                guard segment.summary.firstSequence == range.lowerBound, segment.summary.endSequence == range.upperBound
                else { throw StoreDamage(path: segment.path, offset: 0, reason: .badMagic) }
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

    private func openJournals(floor: UInt64) throws -> [JournalFile] {
        let folder = settings.folder + "/journal"
        let names = try disk.list(folder)
        for name in names where name.hasSuffix(JournalFormat.tornSuffix) {
            // Kept for whoever wants to look, but not past its records' time.
            if let first = JournalFormat.firstSequence(ofFile: String(name.dropLast(JournalFormat.tornSuffix.count))),
                first < floor
            {
                try disk.remove(folder + "/" + name)
            }
        }
        let firsts = names.compactMap(JournalFormat.firstSequence(ofFile:)).sorted()
        var files: [JournalFile] = []
        for (index, first) in firsts.enumerated() {
            let path = folder + "/" + JournalFormat.fileName(firstSequence: first)
            let end = index + 1 < firsts.count ? firsts[index + 1] : nil
            if let end, end <= floor {
                try disk.remove(path)
                continue
            }
            do {
                let file = try JournalFile(
                    path: path, firstSequence: first, endSequence: end, disk: disk, key: key, cache: cache,
                    number: nextFileNumber())
                if let damage = file.headerDamage { report(.damage(damage)) }
                files.append(file)
            } catch  where index == firsts.count - 1 && isUnfinishedHeader(error) {
                // A crash while the file was being made: nothing was acknowledged in it.
                report(.tornTail(path: path, bytes: try disk.size(of: path) ?? 0))
                try disk.remove(path)
            }
        }
        return files
    }

    /// The first sequence that nothing durable speaks of: the end of the newest file, or more if `least` is.

    private func isUnfinishedHeader(_ error: any Error) -> Bool {
        if let damage = error as? StoreDamage { return [.truncated, .badMagic, .badChecksum].contains(damage.reason) }
        return (error as? DiskError)?.code == .truncated
    }

    /// Walks the newest file to its last whole frame and returns the sequence after it.
    private func findEnd(_ journals: inout [JournalFile], atLeast least: UInt64) throws -> UInt64 {
        guard let last = journals.last else { return least }
        // The next file's name, where its header was torn, and the segments know of an end too.
        let least = max(least, last.endSequence ?? 0)
        if let (_, end) = try last.readIndex() {
            last.adopt(nil, endSequence: max(end, least))
            return max(end, least)
        }
        // A killed process may have left frames that it had not synced. They count from now on: whoever sends them again is
        // told that they are known, and checkpoints speak of them.
        let written = try disk.openForAppending(last.path)
        try written.sync()
        written.close()
        var walk = try last.walk()
        if walk.wholeEnd >= least && last.headerDamage == nil && walk.wholeFrames < walk.frames.count {
            // The last commit is there as a whole or not at all.
            walk.frames.removeLast(walk.frames.count - walk.wholeFrames)
            walk.damaged.removeLast(walk.damaged.count - walk.wholeDamaged)
            walk.endSequence = walk.wholeEnd
            walk.tornBytes = try last.size - walk.wholeLength
        }
        for damage in walk.damaged { report(.damage(damage)) }
        let end = max(walk.endSequence, least)
        if walk.tornBytes > 0 && last.headerDamage == nil {
            if end > walk.endSequence {
                report(.damage(StoreDamage(path: last.path, offset: try last.size - walk.tornBytes, reason: .notAuthentic)))
            } else {
                report(.tornTail(path: last.path, bytes: walk.tornBytes))
            }
        }
        last.adopt(walk.frames, endSequence: end)
        if end == last.firstSequence {
            // The next file will have this one's name. Bytes that were there are kept for whoever wants to look.
            if walk.tornBytes > 0 {
                try disk.rename(last.path, to: last.path + JournalFormat.tornSuffix)
            } else {
                try disk.remove(last.path)
            }
            journals.removeLast()
        }
        return end
    }

    private func index(_ range: Range<UInt64>, _ indexer: (StoredRecord, TermHasher, inout RowFacts) throws -> Void) throws
        -> Tail
    {
        let tail = Tail(firstSequence: range.lowerBound, fieldCount: settings.fieldCount)
        var next = range.lowerBound
        while next < range.upperBound {
            let frame: DecodedFrame
            do { frame = try self.frame(holding: next) } catch let damage as StoreDamage {
                let damageEnd = try endOfDamage(at: next)
                guard damageEnd - next <= Self.damageLimit else { throw LogEngineError.missingRecords(next..<damageEnd) }
                report(.damage(damage))
                let end = min(damageEnd, range.upperBound)
                let time = try recordingTime(from: damageEnd)
                tail.append(placeholders(next..<end, time: time), words: [], account: 0, recordedAt: time)
                next = end
                continue
            }
            var facts = RowFacts()
            let start = Int(next - frame.firstSequence)
            let end = min(frame.count, start + Int(range.upperBound - next))
            let hasher = hasher(account: frame.account)
            for row in start..<end { try indexer(frame.record(row), hasher, &facts) }
            let words = frame.words(of: start..<end, hasher: wordHasher)
            tail.append(
                facts, words: [(end - start, words)], account: accountHash(frame.account), recordedAt: frame.recordedAt)
            next += UInt64(end - start)
        }
        return tail
    }

    /// More records in one place are not missing: what says so is wrong.
    private static let damageLimit: UInt64 = 1 << 24

    /// Rows that stand for records which cannot be read: found by nothing, but counted, so that sequences stay true.
    private func placeholders(_ range: Range<UInt64>, time: Int64) -> RowFacts {
        var facts = RowFacts()
        for _ in range { facts.endRow(time: time, uniqueHash: 0) }
        return facts
    }

    /// When records before `sequence` were made durable at the latest: damaged ones are kept as long as if it had been
    /// then, for somebody may still repair them.
    private func recordingTime(from sequence: UInt64) throws -> Int64 {
        var next = sequence
        while next < endSequence {
            do { return try frame(holding: next).recordedAt } catch is StoreDamage { next = try endOfDamage(at: next) }
        }
        return Int64(Date().timeIntervalSince1970 * 1000)
    }

    /// The first record behind a damaged one that may be read again.
    public func endOfDamage(at sequence: UInt64) throws -> UInt64 {
        guard let journal = journal(holding: sequence) else {
            throw LogEngineError.missingRecords(sequence..<(sequence + 1))
        }
        if journal.headerDamage == nil, let next = try journal.nextFrame(after: sequence) { return next }
        return max(journal.endSequence ?? 0, sequence + 1)
    }
}
