// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import LogEngine

/// What a log is, told by an array and plain loops: the measure of ``RandomProgram``.
struct NaiveLog {
    struct Row {
        var record: SampleRecord
        var recordedAt: Int64
        var flags: RecordFlags
        var digest: (UInt64, UInt64)?
        let bytes: [UInt8]
        let terms: [(field: UInt8, value: String)]

        init(record: SampleRecord, recordedAt: Int64, flags: RecordFlags = [], digest: (UInt64, UInt64)? = nil) {
            self.record = record
            self.recordedAt = recordedAt
            self.flags = flags
            self.digest = digest
            bytes = record.bytes
            terms = record.terms
        }

        /// A record's own time counts at most one day past its recording.
        var retentionBasis: Int64 { max(recordedAt, min(record.time, recordedAt + 86_400_000)) }

        func isSame(as stored: StoredRecord) -> Bool {
            stored.bytes == bytes && stored.count == bytes.count && stored.account == record.account
                && stored.recordedAt == recordedAt && stored.flags == flags && stored.receivedDigest?.0 == digest?.0
                && stored.receivedDigest?.1 == digest?.1
        }
    }

    /// Every record ever acknowledged; a record's place is its sequence.
    var rows: [Row] = []
    /// The first that retention has left.
    var first = 0

    var held: Range<Int> { first..<rows.count }

    func position(_ sequence: Int) -> LogPosition {
        LogPosition(time: rows[sequence].record.time, sequence: UInt64(sequence))
    }

    func matches(_ question: Question, sequence: Int) -> Bool {
        let row = rows[sequence]
        guard row.record.account == question.account, question.times.contains(row.record.time) else { return false }
        for term in question.terms where !row.terms.contains(where: { $0 == term }) { return false }
        guard let after = question.after else { return true }
        let position = position(sequence)
        return question.direction == .oldestFirst ? after < position : position < after
    }

    func answer(to question: Question) -> [LogPosition] {
        let found = held.filter { matches(question, sequence: $0) }.map(position)
        return found.sorted { question.direction == .oldestFirst ? $0 < $1 : $1 < $0 }
    }

    /// How many records of a question there are of each value of a field, or of each two values of two; its place does not
    /// matter.
    func counts(of question: Question, by fields: [UInt8]) -> [[String]: Int] {
        var question = question
        question.after = nil
        var counts: [[String]: Int] = [:]
        for sequence in held where matches(question, sequence: sequence) {
            let values = fields.map { field in Set(rows[sequence].terms.filter { $0.field == field }.map(\.value)) }
            for first in values[0] {
                guard values.count == 2 else {
                    counts[[first], default: 0] += 1
                    continue
                }
                for second in values[1] { counts[[first, second], default: 0] += 1 }
            }
        }
        return counts
    }

    /// Sequences of the records held that have this account and unique key.
    func sequences(account: String, unique: String) -> [UInt64] {
        held.filter { rows[$0].record.unique == unique && rows[$0].record.account == account }.map(UInt64.init)
    }

    /// Where retention has to stop: whole segments go, oldest first, whose every record is older.
    func firstHeld(olderThan cutoff: Int64, segments: [Range<Int>]) -> Int {
        var first = self.first
        for segment in segments where segment.lowerBound == first {
            guard rows[segment].allSatisfy({ $0.retentionBasis < cutoff }) else { break }
            first = segment.upperBound
        }
        return first
    }
}
