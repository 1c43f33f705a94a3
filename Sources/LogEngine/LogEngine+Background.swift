// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the background queue does; every step leaves the store whole, and is tried again after a failure.
extension LogEngine {
    /// Turns full tails into segments, oldest first.
    func sealWaitingTails(includingLast: Bool) {
        while true {
            let tail = view.withLock { view in
                view.tails.count > 1 || (includingLast && view.tails.first.map { $0.count > 0 } ?? false)
                    ? view.tails[0] : nil
            }
            guard let tail else { break }
            if isStopping.load(ordering: .relaxed) && !includingLast { return }
            do {
                try beforeSealing(tail.endSequence)
                let segment = try openSegment(try segmentBuilder.build(from: tail))
                let wasLast = view.withLock { view in
                    view.segments.append(segment)
                    view.tails.removeFirst()
                    guard view.tails.isEmpty else { return false }
                    view.tails.append(Tail(firstSequence: segment.summary.endSequence, fieldCount: settings.fieldCount))
                    return true
                }
                if !wasLast { freeTails.signal() }
            } catch {
                report(.backgroundFailure(what: "index records \(tail.firstSequence)...", error: error))
                if includingLast { return }
                background.asyncAfter(deadline: .now() + 2) { self.sealWaitingTails(includingLast: false) }
                return
            }
        }
        guard !includingLast else { return }
        renewDictionaryIfWorthwhile()
        mergeSegments()
    }

    /// Joins eight neighbours of about one size, again and again, up to the format's limit.
    private func mergeSegments() {
        while !isStopping.load(ordering: .relaxed), let run = nextMerge() {
            do {
                let merged = try openSegment(try segmentBuilder.merge(run))
                view.withLock { view in
                    guard let at = view.segments.firstIndex(where: { $0 === run[0] }) else { return }
                    view.segments.replaceSubrange(at..<at + run.count, with: [merged])
                }
                // A crash before this leaves both; the next opening keeps the larger one.
                for segment in run { try disk.remove(segment.path) }
            } catch {
                report(.backgroundFailure(what: "join segments", error: error))
                return
            }
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
            while end < segments.count, level(segments[end]) == level(segments[start]), end - start < SegmentFormat.mergeFanIn {
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
            let dropped = view.withLock { view in
                let count = view.segments.prefix { $0.summary.retentionBasis < cutoff }.count
                defer { view.segments.removeFirst(count) }
                return Array(view.segments.prefix(count))
            }
            let first = firstSequence
            let journals = view.withLock { view in
                let count = max(0, (view.journals.firstIndex { ($0.endSequence ?? .max) > first } ?? view.journals.count))
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
            guard end > first else { return }
            var content: [UInt8] = []
            let total = end - first
            var step: UInt64 = 1
            if let sample = try? record(at: first) {
                step = max(1, total / max(1, UInt64(FrameDictionary.rawSize / max(sample.count, 1))))
            }
            var next = first
            while next < end && content.count < FrameDictionary.rawSize {
                try record(at: next).withBytes { content.append(contentsOf: $0) }
                next += step
            }
            content = Array(content.prefix(FrameDictionary.rawSize))
            try dictionaries.add(content)
        } catch { report(.backgroundFailure(what: "make a dictionary", error: error)) }
    }

    /// The first full journal file is a better sample than the first mebibyte; later ones replace it only rarely.
    private func renewDictionaryIfWorthwhile() {
        guard let current = dictionaries.current else { return makeDictionary() }
        if current.id == 1 { makeDictionary() }
    }
}
