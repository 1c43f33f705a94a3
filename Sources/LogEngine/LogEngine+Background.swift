// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the background queue does; every step leaves the store whole, and is tried again after a failure.
extension LogEngine {
    /// Turns full tails into segments, then looks for what can be joined.
    func sealWaitingTails(includingLast: Bool) {
        setAsideDamagedSegments()
        let before = firstUnsealedSequence
        guard sealTails(includingLast: includingLast), !includingLast else { return }
        if firstUnsealedSequence > before { renewDictionaryIfWorthwhile() }
        mergeSegments()
    }

    /// Oldest first.
    ///
    /// - Returns: false if it failed or has to stop; it is then tried again later.
    private func sealTails(includingLast: Bool) -> Bool {
        while true {
            let tail = view.withLock { view in
                view.tails.count > 1 || (includingLast && view.tails.first.map { $0.count > 0 } ?? false)
                    ? view.tails[0] : nil
            }
            guard let tail else { return true }
            if isStopping.load(ordering: .relaxed) && !includingLast { return false }
            do {
                try beforeSealing(tail.endSequence)
                let segment = try openSegment(try segmentBuilder.build(from: tail))
                view.withLock { view in
                    view.segments.append(segment)
                    view.tails.removeFirst()
                    guard view.tails.isEmpty else { return }
                    view.tails.append(Tail(firstSequence: segment.summary.endSequence, fieldCount: settings.fieldCount))
                }
                tailSealed.signal()
            } catch {
                report(.backgroundFailure(what: "index records \(tail.firstSequence)...", error: error))
                if !includingLast && !isRetrying.exchange(true, ordering: .relaxed) {
                    background.asyncAfter(deadline: .now() + .milliseconds(settings.retryDelay)) { [weak self] in
                        guard let self else { return }
                        isRetrying.store(false, ordering: .relaxed)
                        sealWaitingTails(includingLast: false)
                    }
                }
                return false
            }
        }
    }

    /// Joins eight neighbours of about one size, again and again, up to the format's limit.
    private func mergeSegments() {
        while !isStopping.load(ordering: .relaxed), let run = nextMerge() {
            do {
                let name = try segmentBuilder.merge(run) {
                    // Joining takes long; recording waits for full tails.
                    guard !isStopping.load(ordering: .relaxed), sealTails(includingLast: false) else { throw MergePostponed() }
                }
                let merged = try openSegment(name)
                view.withLock { view in
                    guard let at = view.segments.firstIndex(where: { $0 === run[0] }) else { return }
                    view.segments.replaceSubrange(at..<at + run.count, with: [merged])
                }
                // A crash before this leaves both; the next opening keeps the larger one.
                for segment in run { try disk.remove(segment.path) }
            } catch is MergePostponed {
                return
            } catch {
                report(.backgroundFailure(what: "join segments", error: error))
                guard error is StoreDamage, run.contains(where: { $0.foundDamage != nil }) else { return }
                setAsideDamagedSegments()
            }
        }
    }

    private struct MergePostponed: Error {}

    /// Renames segments in which damage was found: they serve on as well as they can, and the next opening makes
    /// them again from the journal.
    func setAsideDamagedSegments() {
        for segment in view.withLock({ $0.segments }) {
            guard let damage = segment.foundDamage else { continue }
            do {
                guard try disk.size(of: segment.path) != nil else { continue }
                report(.damage(damage))
                try disk.rename(segment.path, to: segment.path + ".damaged")
                try disk.syncDirectory(settings.folder + "/segments")
            } catch { report(.backgroundFailure(what: "set a damaged segment aside", error: error)) }
        }
    }

    private func nextMerge() -> [Segment]? {
        let segments = view.withLock { $0.segments }
        func level(_ segment: Segment) -> Int {
            var size = Tail.rowLimit
            var level = 0
            while size * SegmentFormat.mergeFanIn / 2 < segment.summary.rowCount {
                size *= SegmentFormat.mergeFanIn
                level += 1
            }
            return level
        }
        var start = segments.startIndex
        while start < segments.count {
            var end = start
            var rows = 0
            while end < segments.count, segments[end].foundDamage == nil, level(segments[end]) == level(segments[start]),
                end - start < SegmentFormat.mergeFanIn
            {
                rows += segments[end].summary.rowCount
                end += 1
            }
            if end - start == SegmentFormat.mergeFanIn && rows <= SegmentFormat.mergeLimit { return Array(segments[start..<end]) }
            start = max(end, start + 1)
        }
        return nil
    }

    // MARK: Retention

    /// Drops whole segments, oldest first, whose every record is older than `cutoff`, with the journal files that
    /// hold nothing else.
    ///
    /// - Returns: the first sequence still held.
    @discardableResult
    public func dropRecords(olderThan cutoff: Int64) -> UInt64 {
        background.sync {
            setAsideDamagedSegments()
            let count = view.withLock { view in view.segments.prefix { $0.summary.retentionBasis < cutoff }.count }
            guard count > 0 else { return firstSequence }
            let dropped = view.withLock { Array($0.segments.prefix(count)) }
            let first = dropped[count - 1].summary.endSequence
            do { try keepFloor(first) } catch {
                report(.backgroundFailure(what: "drop old records", error: error))
                return firstSequence
            }
            // A file that begins at `first` may be the one a commit is writing its first frames to.
            let journals = view.withLock { view in
                view.segments.removeFirst(count)
                let count = view.journals.prefix { $0.firstSequence < first && ($0.endSequence ?? .max) <= first }.count
                defer { view.journals.removeFirst(count) }
                return Array(view.journals.prefix(count))
            }
            do {
                // Segments first: an index without its records would promise what cannot be read.
                for segment in dropped { try disk.remove(segment.path) }
                for journal in journals { try disk.remove(journal.path) }
            } catch { report(.backgroundFailure(what: "drop old records", error: error)) }
            return first
        }
    }

    // MARK: Dictionaries

    /// Makes a dictionary of records spread evenly over the newest ones held, and uses it from now on.
    func makeDictionary() {
        do {
            let end = endSequence
            let first = max(firstSequence, end > UInt64(Tail.rowLimit) ? end - UInt64(Tail.rowLimit) : 0)
            func sample(_ sequence: UInt64) throws -> StoredRecord? {
                do { return try record(at: sequence) } catch is StoreDamage { return nil }
            }
            guard end > first else { return }
            var content: [UInt8] = []
            let total = end - first
            var step: UInt64 = 1
            // One record says little of the others' size.
            let sizes = try (0..<16).compactMap { try sample(first + total * UInt64($0) / 16)?.storedCount }
            if !sizes.isEmpty {
                let average = max(1, sizes.reduce(0, +) / sizes.count)
                step = max(1, total * UInt64(average) / UInt64(FrameDictionary.rawSize))
            }
            var next = first
            while next < end && content.count < FrameDictionary.rawSize {
                try sample(next)?.withStoredBytes { content.append(contentsOf: $0) }
                next += step
            }
            // A poor sample would stay for long, and each dictionary is kept as long as a frame may name it.
            guard content.count >= FrameDictionary.rawSize / 16 else { return }
            content = Array(content.prefix(FrameDictionary.rawSize))
            if let current = dictionaries.current {
                guard current.id == 1 || content.count >= 2 * current.content.count else { return }
            }
            try dictionaries.add(content)
        } catch { report(.backgroundFailure(what: "make a dictionary", error: error)) }
    }

    /// The first full journal file is a better sample than the first mebibyte; later ones replace it only rarely.
    private func renewDictionaryIfWorthwhile() {
        guard let current = dictionaries.current else { return makeDictionary() }
        if current.id == 1 || current.content.count < FrameDictionary.rawSize / 2 { makeDictionary() }
    }
}
