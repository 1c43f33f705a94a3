// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import DurableFiles
import LogEngine
import TestSupport
import Testing

/// Does random things to a log engine and to a ``NaiveLog``, and compares them after each.
///
/// Its seed decides everything but the moments at which the engine's background queue gets its turn; half of the programs
/// wait for it after each step.
final class RandomProgram {
    private let seed: UInt64
    private let maker: RecordMaker
    private let waitsForBackground: Bool
    /// Most records of one commit.
    private let commitLimit: Int
    private var random: Seeded
    private var settings: LogEngine.Settings

    private var disk: MemoryDisk
    private var store: Store
    private var log = NaiveLog()
    private var now: Int64 = 1_700_000_000_000
    /// Commits that failed since the last that did not: one of them may be there after all, whole, once the store is
    /// opened again.
    private var unanswered: [[NaiveLog.Row]] = []
    private var searches: [OpenSearch] = []
    /// Lookups page by page, and how far they have got.
    private var pages: [Question] = []
    private var newKeys = 0
    private var wrongSuspects = 0
    private var label = ""

    init(seed: UInt64) throws {
        var random = Seeded(seed)
        maker = RecordMaker(&random)
        var settings = Store.settings()
        settings.tailRows = [1, 5, 12, 12, 30, 64, 200][random.below(7)]
        settings.cacheBytes = [1, 20_000, 1 << 20][random.below(3)]
        settings.journalFileBytes = [2000, 30_000, 256 << 20][random.below(3)]
        settings.tailAge = [700, 86_400_000, 86_400_000][random.below(3)]
        settings.joinSpan = [500, 7 * 86_400_000, 7 * 86_400_000][random.below(3)]
        commitLimit = [6, 30, 30, 130][random.below(4)]
        waitsForBackground = random.below(2) == 0
        let disk = MemoryDisk()
        store = try Store(disk: disk, settings: settings)
        self.disk = disk
        self.settings = settings
        self.random = random
        self.seed = seed
    }

    func run(steps: Int) throws {
        for step in 0..<steps {
            try self.step(step)
            if waitsForBackground { store.settle() }
            try compareSome()
        }
        begin(steps, "the end")
        store.settle()
        try compareAll()
        try open(disk)
    }

    private func begin(_ step: Int, _ what: String) { label = "CAIRN_MODEL_SEED=\(seed), step \(step), \(what)" }

    private func step(_ number: Int) throws {
        // Clocks stand still, jump and are set back.
        now += Int64(random.below(3) * random.below(60))
        switch random.below(40) {
        case 0: now += Int64(random.below(3)) * 86_400_000
        case 1: now -= Int64(random.below(20_000))
        default: break
        }
        switch random.below(100) {
        case 0..<44:
            begin(number, "commit")
            try commit()
        case 44..<49:
            begin(number, "commit to a failing disk")
            try commitToFailingDisk()
        case 49..<63:
            begin(number, "sudden end")
            try endSuddenly()
        case 63..<70:
            begin(number, "reopen")
            try reopen()
        case 70..<79:
            begin(number, "retention")
            try dropOld()
        case 79..<85:
            begin(number, "open a search")
            if searches.count == 3 { searches.removeFirst() }
            var search = try OpenSearch(maker.question(now: now, log: log, &random), in: store, as: log)
            try search.goOn(random.below(5), as: log, label)
            searches.append(search)
        case 85..<92:
            begin(number, "go on with searches")
            for index in searches.indices { try searches[index].goOn(random.below(80), as: log, label) }
            searches.removeAll { $0.isOver }
        default:
            begin(number, "settle")
            store.settle()
        }
    }

    // MARK: Recording

    private func newRows() -> [NaiveLog.Row] {
        let count = 1 + random.below(random.below(3) == 0 ? commitLimit : 6)
        return (0..<count).map { maker.row(number: log.rows.count + $0, now: now, log: log, &random) }
    }

    private func batches(_ rows: [NaiveLog.Row]) -> [LogEngine.Batch] {
        var batches: [LogEngine.Batch] = []
        var rest = rows[...]
        while let account = rest.first?.record.account {
            let run = rest.prefix { $0.record.account == account }.prefix(1 + random.below(40))
            rest = rest.dropFirst(run.count)
            let hasher = store.engine.hasher(account: account)
            var facts = RowFacts()
            var frames: [PreparedFrame] = []
            var payload = store.engine.newFrame(account: account)
            for row in run {
                row.bytes.withUnsafeBytes { payload.append($0, flags: row.flags, receivedDigest: row.digest) }
                row.record.index(hasher, &facts)
                guard payload.isFull || random.below(8) == 0 else { continue }
                frames.append(payload.prepared())
            }
            if payload.count > 0 { frames.append(payload.prepared()) }
            batches.append(LogEngine.Batch(account: account, frames: frames, facts: facts))
        }
        return batches
    }

    private func commit() throws {
        let rows = newRows()
        try compareSuspects(rows)
        let first = try store.engine.commit(batches(rows), recordedAt: now)
        try #require(first == UInt64(log.rows.count), "\(label)")
        log.rows += rows
        unanswered = []
    }

    private func commitToFailingDisk() throws {
        let rows = newRows()
        let prepared = batches(rows)
        let start = random.below(8)
        let ways = `A failing disk`.Way.allCases
        let plan = FaultPlan(failing: start..<start + [1, 1, 4][random.below(3)], ways[random.below(ways.count)].fault)
        store.settle()
        disk.setFault { operation, path in path.contains("/journal") ? plan.fault(operation) : nil }
        defer { disk.setFault(nil) }
        do {
            let first = try store.engine.commit(prepared, recordedAt: now)
            try #require(first == UInt64(log.rows.count), "\(label)")
            log.rows += rows
            unanswered = []
        } catch is DiskError {
            unanswered.append(rows)
        }
    }

    /// The engine's suspects have to be all that are known, and hardly anything else.
    private func compareSuspects(_ rows: [NaiveLog.Row]) throws {
        var facts = RowFacts()
        for row in rows { row.record.index(store.engine.hasher(account: row.record.account), &facts) }
        let suspects = Set(try store.engine.possiblyKnown(facts))
        for (index, row) in rows.enumerated() {
            let isKnown = !log.sequences(account: row.record.account, unique: row.record.unique).isEmpty
            if isKnown {
                try #require(suspects.contains(index), "\(label): \(row.record.unique) is known")
            } else {
                newKeys += 1
                if suspects.contains(index) { wrongSuspects += 1 }
            }
        }
        try #require(wrongSuspects <= 2 + newKeys / 50, "\(label): \(wrongSuspects) of \(newKeys)")
    }

    // MARK: Forgetting

    /// Ranges of the segments, from their names.
    private func segments() throws -> [Range<Int>] {
        let names = try disk.list("h/segments").filter { $0.hasSuffix(".segment") }
        let ranges = names.map { name -> Range<Int> in
            let parts = name.dropLast(".segment".count).split(separator: "-")
            return Int(parts[0])!..<Int(parts[1])!
        }
        return ranges.sorted { $0.lowerBound < $1.lowerBound }
    }

    private func cutoff() -> Int64 {
        guard !log.held.isEmpty, random.below(8) > 0 else { return [now, .min, now + 3 * 86_400_000][random.below(3)] }
        // At the very edge of what a record near the beginning allows.
        let row = log.rows[log.first + random.below(min(log.held.count, 150))]
        return row.retentionBasis + Int64(random.below(3))
    }

    private func dropOld() throws {
        store.settle()
        let held = try segments()
        var next = log.first
        for segment in held {
            try #require(segment.lowerBound == next, "\(label): segments \(held), first \(log.first)")
            next = segment.upperBound
        }
        let cutoff = cutoff()
        let expected = log.firstHeld(olderThan: cutoff, segments: held)
        let first = Int(store.engine.dropRecords(olderThan: cutoff))
        try #require(first == expected, "\(label): older than \(cutoff), segments \(held)")
        try #require(try segments() == held.filter { $0.lowerBound >= first }, "\(label)")
        if first > log.first {
            let names = try disk.list("h/journal").filter { $0.hasSuffix(".journal") }
            let starts = names.map { Int($0.dropLast(".journal".count))! }
            for (index, start) in starts.enumerated() where start < first {
                let end = index + 1 < starts.count ? starts[index + 1] : log.rows.count
                try #require(end > first, "\(label): the journal file of \(start)..<\(end) is left")
            }
        }
        log.first = first
    }

    // MARK: Ending and beginning again

    private func reopen() throws {
        if random.below(2) == 0 { store.engine.close() } else { store.settle() }
        try open(disk)
    }

    /// The power goes, or the process, at some write of something; what is left is opened.
    private func endSuddenly() throws {
        if random.below(2) == 0 { store.settle() }
        let cause = random.below(3) == 0 ? SuddenEnd.Cause.kill : .powerLoss(seed: random.next())
        let end = SuddenEnd(of: disk, atWrite: 1 + random.below([4, 12, 60][random.below(3)]), by: cause)
        let wholeLog = log
        let wasUnanswered = unanswered
        var attempt: [NaiveLog.Row] = []
        var isReopening = false
        switch random.below(8) {
        case 0..<4:
            attempt = newRows()
            let first = try store.engine.commit(batches(attempt), recordedAt: now)
            end.answered()
            try #require(first == UInt64(log.rows.count), "\(label)")
            log.rows += attempt
            unanswered = []
            if random.below(2) == 0 { store.settle() }
        case 4: try dropOld()
        case 5:
            isReopening = true
            store.engine.close()
            try open(disk)
            store.settle()
        case 6: store.engine.close()
        default: store.settle()
        }
        disk.setFault(nil)
        guard let left = end.left else { return try open(cause.left(of: disk), isSudden: true) }
        if isReopening || (!attempt.isEmpty && !end.wasAnswered) {
            log.rows = wholeLog.rows
            unanswered = wasUnanswered + (attempt.isEmpty ? [] : [attempt])
        }
        // Retention has either made its step durable or not.
        try open(left, isSudden: true, orFirst: wholeLog.first)
    }

    /// - Parameter orFirst: the first sequence that may be held too.
    private func open(_ disk: MemoryDisk, isSudden: Bool = false, orFirst: Int? = nil) throws {
        searches = []
        if random.below(3) == 0 { settings.tailRows = [1, 5, 12, 33, 64, 200][random.below(6)] }
        if !isSudden {
            // Two engines must not work on one disk.
            store.settle()
        }
        self.disk = disk
        store = try Store(disk: disk, settings: settings)
        try requireNoTrouble()
        let engine = store.engine
        let extra = Int(engine.endSequence) - log.rows.count
        try #require(extra >= 0, "\(label): \(-extra) acknowledged records are lost")
        if extra > 0 {
            let stored = try (log.rows.count..<log.rows.count + extra).map { try engine.record(at: UInt64($0)) }
            let found = unanswered.first { rows in
                rows.count == extra && zip(rows, stored).allSatisfy { $0.isSame(as: $1) }
            }
            let rows = try #require(found, "\(label): \(extra) records that nobody committed")
            log.rows += rows
        }
        unanswered = []
        if let orFirst, engine.firstSequence == UInt64(orFirst) { log.first = orFirst }
        try compareAll()
    }

    private func requireNoTrouble() throws {
        for report in store.reports {
            if case .tornTail = report { continue }
            Issue.record("\(label): \(report)")
            throw Trouble()
        }
    }

    private struct Trouble: Error {}

    // MARK: Comparing

    private func compareCounts() throws {
        let engine = store.engine
        try #require(engine.endSequence == UInt64(log.rows.count), "\(label)")
        try #require(engine.firstSequence == UInt64(log.first), "\(label)")
        try #require(engine.statistics.records == UInt64(log.held.count), "\(label)")
        try #require(engine.firstUnsealedSequence >= UInt64(log.first), "\(label)")
        try requireNoTrouble()
    }

    private func compare(_ question: Question, limit: Int) throws {
        let expected = log.answer(to: question).prefix(limit)
        let found = try store.search(question.query(for: store), limit: limit)
        try #require(found == Array(expected), "\(label): \(question), limit \(limit)")
    }

    /// - Parameter fields: of two, the second has one value a record at most.
    private func compareGroups(_ question: Question, by fields: [UInt8]) throws {
        let expected = log.counts(of: question, by: fields)
        let counted = try store.engine.count(question.query(for: store), by: fields)
        let groups = try counted.largest(.max)
        let isSameNumber = counted.groupCount == expected.count && groups.count == expected.count
        try #require(isSameNumber, "\(label): \(groups.count) groups of \(expected.count) by \(fields): \(question)")
        let hasher = store.engine.hasher(account: question.account)
        var left = expected
        for group in groups {
            // Some record of the group says what its values are.
            let example = log.rows[Int(group.example)]
            let values = zip(fields, group.keys).compactMap { field, key in
                example.terms.first {
                    $0.field == field && GroupCounts.isKey(key, of: hasher.hash(field: field, value: $0.value))
                }?.value
            }
            let count = left.removeValue(forKey: values)
            try #require(count == group.count, "\(label): \(values) by \(fields): \(question)")
            try #require(log.held.contains(Int(group.example)) && example.record.account == question.account, "\(label)")
        }
        let sizes = groups.map(\.count)
        let largest = try counted.largest(2).map(\.count)
        let isInOrder = sizes == sizes.sorted { $0 > $1 } && largest == Array(sizes.prefix(2))
        try #require(isInOrder, "\(label): \(sizes)")
    }

    private static let groupings: [[UInt8]] = [
        [SampleRecord.colour], [SampleRecord.tag], [SampleRecord.unique], [SampleRecord.tag, SampleRecord.colour],
        [SampleRecord.colour, SampleRecord.unique], [SampleRecord.unique, SampleRecord.colour],
    ]

    private func compareKey(of sequence: Int) throws {
        let record = log.rows[sequence].record
        let hash = store.engine.hasher(account: record.account).hash(field: SampleRecord.unique, value: record.unique)
        let expected = log.sequences(account: record.account, unique: record.unique)
        let found = try store.engine.sequences(uniqueHash: hash)
        try #require(found.sorted() == expected, "\(label): \(record.unique) of \(record.account)")
    }

    private func compareRecords(_ range: Range<Int>, stopAfter: Int = .max) throws {
        var next = range.lowerBound
        let stop = min(range.upperBound, stopAfter == .max ? range.upperBound : range.lowerBound + stopAfter)
        let end = try store.engine.forEachRecord(in: UInt64(range.lowerBound)..<UInt64(range.upperBound)) { stored in
            try #require(stored.sequence == UInt64(next), "\(label)")
            try #require(log.rows[next].isSame(as: stored), "\(label): record \(next)")
            next += 1
            return next < stop
        }
        try #require(next == stop && end == UInt64(stop), "\(label)")
    }

    private func compareSome() throws {
        try compareCounts()
        for _ in 0..<2 {
            try compare(
                maker.question(now: now, log: log, &random), limit: [1, 2, 7, 64, 65, .max, .max][random.below(7)])
        }
        try turnPages()
        try compareGroups(
            maker.question(now: now, log: log, &random), by: Self.groupings[random.below(Self.groupings.count)])
        guard !log.held.isEmpty else { return }
        let sequence = log.first + random.below(log.held.count)
        let stored = try store.engine.record(at: UInt64(sequence))
        try #require(stored.sequence == UInt64(sequence) && log.rows[sequence].isSame(as: stored), "\(label): \(sequence)")
        try compareKey(of: sequence)
        if sequence + 1 < log.rows.count {
            let end = sequence + 1 + random.below(log.rows.count - sequence)
            try compareRecords(sequence..<end, stopAfter: random.below(3) == 0 ? 1 + random.below(20) : .max)
        }
        // What is gone may still lie in a file beside what is not, but is never another record.
        if log.first > 0 {
            let gone = random.below(log.first)
            do {
                let stored = try store.engine.record(at: UInt64(gone))
                try #require(log.rows[gone].isSame(as: stored), "\(label): record \(gone), dropped")
            } catch is LogEngineError {}
        }
    }

    private func turnPages() throws {
        if pages.count < 3 { pages.append(maker.question(now: now, log: log, &random)) }
        let index = random.below(pages.count)
        let limit = 1 + random.below(12)
        try compare(pages[index], limit: limit)
        let found = try store.search(pages[index].query(for: store), limit: limit)
        if let last = found.last, random.below(20) > 0 { pages[index].after = last } else { pages.remove(at: index) }
    }

    private func compareAll() throws {
        try compareCounts()
        try compareRecords(log.held)
        for account in maker.accounts {
            for direction in [SearchDirection.oldestFirst, .newestFirst] {
                try compare(Question(account: account, direction: direction), limit: .max)
            }
        }
        for _ in 0..<6 { try compare(maker.question(now: now, log: log, &random), limit: .max) }
        for fields in Self.groupings { try compareGroups(maker.question(now: now, log: log, &random), by: fields) }
        for _ in 0..<min(log.held.count, 10) { try compareKey(of: log.first + random.below(log.held.count)) }
    }
}
