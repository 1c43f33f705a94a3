// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0
//
// # AuditEvent
//
// **What is an event?** This room turns the decoded body of a request into events ready to be recorded, and reads out of
// a stored event what it can be looked up by. It is pure: no files, no clock, no network.
//
// - `EventParser.parse(body, format:context:)` gives a `ParsedBatch`: the bytes to store in one arena, a `ParsedEvent` for
//   each, its `Term`s as slices of those bytes, and what was rejected with line, code and message.
// - `EventFields.extract(stored)` reads the same terms again from stored bytes, to check candidates at lookup and for the
//   filters of trails.
// - `EventTime` reads and writes times, `LookupAttribute` names what can be looked up (its numbers are stored on disk).
//
// ```swift
// let context = ReceivingContext(accountId: "1000000000000001", region: "local-1", nowMilliseconds: now)
// let batch = EventParser().parse(body, format: .auto, context: context)
// for event in batch.events { record(batch.bytes(of: event), event.digest) }
// for rejected in batch.rejected { quarantine(rejected.line, rejected.code, rejected.message, batch.bytes(of: rejected)) }
// ```
//
// ## Rules worth knowing
//
// - Stored bytes are the received JSON without insignificant white space; keys, order, numbers and escapes stay as they
//   came. `eventId`, `eventTime`, `recipientAccountId`, `acsRegion` are appended when missing; an empty `eventId` or
//   `eventTime` is replaced where it stands. A missing `eventId` is derived from the SHA-256 of the received bytes.
// - `digest` is SHA-256 of the stored bytes, `receivedDigest` of the received record without white space: a retry has the
//   same `receivedDigest` even if the time of receipt was filled in.
// - CloudTrail, Kubernetes audit and CloudEvents records become ActionTrail events. The record itself lies whole in
//   `additionalEventData.sourceRecord`.
// - A line that is not an event costs nobody else their event: reading goes on at the next line, in an array at the next
//   element. After a broken value that ran on over several lines it goes on at the next line that opens an object at its
//   margin or is an object.
// - `SensitiveActions` holds our own list of events that `SensitiveAction` finds.
//
// ## Map
//
// | folder | facet |
// |---|---|
// | (top) | what other rooms see |
// | `JSON` | one-pass checking, minifying and indexing (`JSONTape`), navigation, writing |
// | `Reading` | from body to records, from record to event |
// | `Fields` | known keys, terms, read or write, sensitive actions |
// | `Adapters` | a file for each foreign schema, and the draft they fill |
