// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

import AuditEvent
import LogEngine

/// How an event becomes a row of the engine: its time, its terms, its id as the unique key.
enum EventIndex {
    static func append(_ event: ParsedEvent, of batch: ParsedBatch, hasher: TermHasher, to facts: inout RowFacts) {
        var unique: UInt64 = 0
        for term in batch.terms(of: event) {
            let hash = batch.withTermBytes(term) { hasher.hash(field: term.attribute.rawValue, value: $0) }
            if term.attribute == .eventId { unique = hash }
            facts.append(term: .init(field: term.attribute.rawValue, hash: hash))
        }
        facts.endRow(time: event.timeMilliseconds, uniqueHash: unique)
    }

    /// The same facts from the stored bytes, for records that are indexed again.
    ///
    /// What cannot be read as an event stays held and provable by its sequence: it must not keep the store shut.
    static func append(_ record: StoredRecord, hasher: TermHasher, to facts: inout RowFacts) {
        record.withBytes { bytes in
            guard let fields = EventFields.extract(bytes) else {
                return facts.endRow(time: record.recordedAt, uniqueHash: 0)
            }
            var unique: UInt64 = 0
            for term in fields.terms {
                let hash = fields.withBytes(of: term.value, in: bytes) {
                    hasher.hash(field: term.attribute.rawValue, value: $0)
                }
                if term.attribute == .eventId { unique = hash }
                facts.append(term: .init(field: term.attribute.rawValue, hash: hash))
            }
            facts.endRow(time: fields.timeMilliseconds, uniqueHash: unique)
        }
    }
}
