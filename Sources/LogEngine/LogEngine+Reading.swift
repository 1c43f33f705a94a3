// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Reading records by their sequence.
extension LogEngine {
    func journal(holding sequence: UInt64) -> JournalFile? {
        view.withLock { view in
            var low = 0
            var high = view.journals.count
            while low < high {
                let middle = (low + high) / 2
                if view.journals[middle].firstSequence <= sequence { low = middle + 1 } else { high = middle }
            }
            return low == 0 ? nil : view.journals[low - 1]
        }
    }

    func frame(holding sequence: UInt64) throws -> DecodedFrame {
        guard let journal = journal(holding: sequence) else { throw LogEngineError.missingRecords(sequence..<(sequence + 1)) }
        return try frame(holding: sequence, in: journal)
    }

    private func frame(holding sequence: UInt64, in journal: JournalFile) throws -> DecodedFrame {
        guard let location = try journal.location(of: sequence) else {
            throw LogEngineError.missingRecords(sequence..<(sequence + 1))
        }
        let frame = try cache.value(BlockCache.Key(file: journal.number, offset: location.offset)) {
            let frame = try journal.readFrame(at: location, dictionaries: dictionaries)
            return (frame, cost: frame.cost)
        }
        guard sequence - frame.firstSequence < UInt64(frame.count) else {
            // The frame that should follow is damaged and was left out of the index.
            throw StoreDamage(path: journal.path, offset: location.offset + UInt64(location.length), reason: .notAuthentic)
        }
        return frame
    }

    /// - Throws: ``StoreDamage`` if the record's frame is damaged, ``LogEngineError/missingRecords(_:)`` if it is not
    ///   held.
    public func record(at sequence: UInt64) throws -> StoredRecord {
        guard let journal = journal(holding: sequence) else { throw LogEngineError.missingRecords(sequence..<(sequence + 1)) }
        // No frame begins at such an offset.
        return try cache.value(BlockCache.Key(file: journal.number, offset: 1 << 63 | sequence)) {
            let frame = try frame(holding: sequence, in: journal)
            let kept = KeptRecord(frame.record(Int(sequence - frame.firstSequence)))
            return (kept, cost: kept.cost)
        }.record
    }

    /// Records from `sequence` on, in order, until `body` returns false or the end is reached.
    ///
    /// - Returns: the sequence after the last one handed over.
    public func forEachRecord(in range: Range<UInt64>, _ body: (StoredRecord) throws -> Bool) throws -> UInt64 {
        var next = range.lowerBound
        let end = min(range.upperBound, endSequence)
        while next < end {
            let frame = try frame(holding: next)
            while next < end, next - frame.firstSequence < UInt64(frame.count) {
                guard try body(frame.record(Int(next - frame.firstSequence))) else { return next + 1 }
                next += 1
            }
        }
        return next
    }

    /// Sequences of records that may have this unique key, over everything held.
    ///
    /// In the common case, a new key, this touches memory only: the tails' tables and the segments' filter pages in
    /// the cache.
    public func sequences(uniqueHash: UInt64) throws -> [UInt64] {
        let (segments, tails) = view.withLock { ($0.segments, $0.tails) }
        var found: [UInt64] = []
        for tail in tails { found += tail.sequences(uniqueHash: uniqueHash) }
        let key = SegmentFormat.termKey(field: settings.uniqueField, hash: uniqueHash)
        for segment in segments {
            do { found += try segment.sequences(uniqueKey: key) } catch is StoreDamage {
                // A damaged index must not stop recording. The segment remembers it: it is reported, and made again when
                // the store is next opened.
            }
        }
        return found
    }

    /// As ``sequences(uniqueHash:)`` for many keys at once: the rows that need a closer look.
    public func possiblyKnown(_ facts: RowFacts) throws -> [Int] {
        let (segments, tails) = view.withLock { ($0.segments, $0.tails) }
        var isKnown = [Bool](repeating: false, count: facts.count)
        for tail in tails { tail.mark(known: facts.uniqueHashes, in: &isKnown) }
        let keys = facts.uniqueHashes.map { SegmentFormat.termKey(field: settings.uniqueField, hash: $0) }
        for segment in segments { try segment.mark(possiblyKnown: keys, in: &isKnown) }
        return isKnown.indices.filter { isKnown[$0] }
    }

    /// The first sequence that no segment covers.
    public var firstUnsealedSequence: UInt64 { view.withLock { $0.tails[0].firstSequence } }
}
