// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the background queue does; every step leaves the store whole, and is tried again after a failure.
extension LogEngine {
    /// Turns full tails into segments, then looks for what can be joined.
    func sealWaitingTails(includingLast: Bool) {
        guard includingLast || !isStopping.load(ordering: .relaxed) else { return }
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
                    background.async(after: settings.retryDelay) { [weak self] in
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
    ///
    /// Retention drops whole segments: what was recorded more than ``Settings/joinSpan`` apart stays apart.
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
            var size = 1 << 10
            var level = 0
            while size * SegmentFormat.mergeFanIn / 2 < segment.summary.rowCount {
                size *= SegmentFormat.mergeFanIn
                level += 1
            }
            return level
        }
        /// From the oldest recording to what retention counts from; a segment that was joined before has grown at its end.
        func span(_ run: ArraySlice<Segment>) -> UInt64 {
            let first = run[run.startIndex].summary
            let recordedAt = (try? frame(holding: first.firstSequence))?.recordedAt ?? first.retentionBasis
            let last = run.map(\.summary.retentionBasis).max() ?? recordedAt
            let difference = last.subtractingReportingOverflow(recordedAt)
            return difference.overflow ? .max : difference.partialValue.magnitude
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
            guard end - start == SegmentFormat.mergeFanIn else {
                start = max(end, start + 1)
                continue
            }
            let run = segments[start..<end]
            if rows <= SegmentFormat.mergeLimit && span(run) <= UInt64(settings.joinSpan) { return Array(run) }
            start += 1
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
        background.sync { [self] in
            // Another engine may have the folder once this one is closed.
            guard !isStopping.load(ordering: .relaxed) else { return firstSequence }
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
    package func makeDictionary() {
        do {
            let end = endSequence
            let first = max(firstSequence, end > UInt64(Tail.rowLimit) ? end - UInt64(Tail.rowLimit) : 0)
            guard end > first else { return }
            // Some neighbours at a time: they share frames.
            let run: UInt64 = 32
            let step = max(run, (end - first) / UInt64(FrameDictionary.bookSample) * run)
            var sample: [[UInt8]] = []
            var bytes = 0
            for start in stride(from: first, to: end, by: UInt64.Stride(step)) where bytes < FrameDictionary.bookBytes {
                for sequence in start..<min(end, start + run) {
                    do { sample.append(try record(at: sequence).bytes) } catch is StoreDamage { continue }
                    bytes += sample[sample.count - 1].count
                }
            }
            // A poor sample would stay for long, and each dictionary is kept as long as a frame may name it.
            guard bytes >= FrameDictionary.firstSample / 16 else { return }
            let book = PhraseBook(from: sample)
            let writer = PhraseWriter(book: book)
            var content: [[UInt8]] = []
            var size = 0
            for body in sample.reversed() where size < FrameDictionary.contentSize {
                content.append(body.withUnsafeBytes { writer.write($0).map { Array($0.bytes) } } ?? body)
                size += content[content.count - 1].count
            }
            // The newest are at the end, where zstd reaches them with the shortest distances.
            try dictionaries.add(book, content.reversed().joined().suffix(FrameDictionary.contentSize))
        } catch { report(.backgroundFailure(what: "make a dictionary", error: error)) }
    }

    /// The first full journal file is a better sample than the first mebibyte; later ones replace it only rarely.
    private func renewDictionaryIfWorthwhile() {
        guard let current = dictionaries.current else { return makeDictionary() }
        if current.id == 1 || current.content.count < FrameDictionary.contentSize / 8 { makeDictionary() }
    }
}
