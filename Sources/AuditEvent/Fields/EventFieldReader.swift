// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Reads the fields of one stored event after another, in the same memory.
public struct EventFieldReader: ~Copyable {
    // A record of the permitted depth may lie two levels down in `additionalEventData`.
    private var tape = JSONTape(maximumDepth: EventParser.maximumDepth + 2)
    private var scratch = ScratchPad()
    private var slots = RecordSlots()

    public init() {}

    /// Nil if the bytes are not an event that this module could have stored.
    public mutating func read(_ stored: UnsafeRawBufferPointer) -> EventFields? {
        guard let start = stored.bindMemory(to: UInt8.self).baseAddress else { return nil }
        scratch.reset()
        let end = start + stored.count
        guard tape.scan(start, end: end, into: nil, origin: 0) == end, !tape.overflowed else { return nil }
        let record = tape.root(base: start)
        guard record.kind == .object else { return nil }
        slots.fill(from: record, scratch: &scratch)
        guard let time = ActionTrailRecord.time(slots[.eventTime], scratch: &scratch) else { return nil }
        var collector = TermCollector(base: start)
        let identity = IdentitySlots(slots[.userIdentity], scratch: &scratch)
        let found = FieldExtractor(slots, identity: identity, timeMilliseconds: time, into: &collector)
        return EventFields(
            timeMilliseconds: time, isWrite: found.isWrite, isGlobal: found.isGlobal, eventId: found.eventId,
            region: found.region, account: found.account, terms: collector.terms, side: collector.side)
    }
}
