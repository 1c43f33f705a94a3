// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Turns one record of a body into an event, or says why not.
struct RecordReader: ~Copyable {
    enum Outcome {
        case accepted
        case rejected(RejectionCode, RejectedRecord.Detail)
        /// Nothing was done: the window needs this much for the record.
        case needsRoom(Int)
    }

    private var work: Workspace
    private var collector: TermCollector
    private var events: [ParsedEvent] = []
    private var window: ArenaWindow
    /// Where the next event's bytes go.
    private(set) var offset = 0

    init(_ context: ReceivingContext, expecting count: Int) {
        work = Workspace(context)
        // Pointed at real memory by `begin`, before anything is read.
        let nowhere = UnsafeMutablePointer<UInt8>(bitPattern: 16)!
        window = ArenaWindow(base: nowhere, limit: 0)
        collector = TermCollector(base: nowhere)
        events.reserveCapacity(count)
        collector.terms.reserveCapacity(count * 10)
    }

    mutating func begin(_ window: ArenaWindow, at offset: Int) {
        self.window = window
        self.offset = offset
        collector.base = UnsafePointer(window.base)
    }

    consuming func finish(_ batch: inout ParsedBatch) {
        batch.events = events
        batch.terms = collector.terms
        batch.side = collector.side
    }

    var failure: JSONFailure { work.tape.failure }
    var newlines: Int { work.tape.newlines }

    /// 0 if a record of `count` bytes can be scanned, else the room wanted.
    func roomToScan(_ count: Int) -> Int {
        window.limit - offset > count ? 0 : count + 4096
    }

    /// Checks a value and puts it, without white space, where the next event goes.
    mutating func scan(_ start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        work.tape.scan(start, end: end, into: window.base + offset, origin: offset)
    }

    /// Checks a value only.
    mutating func check(_ start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        work.tape.scan(start, end: end, into: nil, origin: 0)
    }

    /// Makes an event of the value scanned last.
    ///
    /// - Parameter fallback: the format of the list it lies in, for a record that shows none.
    mutating func accept(line: Int, format named: EventFormat, fallback: EventFormat = .auto) -> Outcome {
        let count = work.tape.minifiedCount
        guard count <= EventParser.maximumEventBytes, !work.tape.overflowed else {
            return .rejected(.eventTooLarge, .none)
        }
        let record = work.tape.root(base: UnsafePointer(window.base))
        guard record.kind == .object else { return .rejected(.notAnObject, .none) }
        work.scratch.reset()
        work.slots.fill(from: record, scratch: &work.scratch)

        var format = named == .auto ? FormatDetection.format(of: work.slots, scratch: &work.scratch) : named
        if format == .auto { format = fallback }
        guard format != .auto else { return .rejected(.unrecognizedFormat, .none) }
        if let key = work.slots.repeatedKey(in: format) { return .rejected(.duplicateKey, .key(key)) }
        return format == .actiontrail ? accept(actionTrail: count, line) : translate(format, count, line)
    }

    private mutating func accept(actionTrail count: Int, _ line: Int) -> Outcome {
        let extra = 512 + (work.context.accountId.count + work.context.region.count) * 6
        guard window.limit - offset >= 3 * count + extra else { return .needsRoom(3 * count + extra) }
        switch ActionTrailRecord.complete(&work, window, offset, count) {
        case .failure(let rejection): return .rejected(rejection.code, .none)
        case .success(let completed):
            return record(
                count: completed.count, time: completed.timeMilliseconds, received: completed.receivedDigest,
                isUnchanged: completed.isUnchanged, line)
        }
    }

    private mutating func translate(_ format: EventFormat, _ count: Int, _ line: Int) -> Outcome {
        let identity = IdentitySlots(work.slots[.userIdentity], scratch: &work.scratch)
        if let key = identity.repeatedKey { return .rejected(.duplicateKey, .identityKey(key)) }
        work.draft.reset()
        let rejection =
            switch format {
            case .cloudtrail: CloudTrailAdapter.fill(&work.draft, &work.scratch, work.slots, work.context)
            case .kubernetes: KubernetesAdapter.fill(&work.draft, &work.scratch, work.slots, work.context)
            default: CloudEventsAdapter.fill(&work.draft, &work.scratch, work.slots, work.context)
            }
        if let rejection { return .rejected(rejection, .none) }
        // The record itself, its parameters, and every text at most four times, escaped no longer than received.
        let bound = 7 * count + 8192 + work.draft.resources.count * 160
        guard window.limit - offset >= bound else { return .needsRoom(bound) }

        let received = EventDigest(hashing: window.bytes(offset, count))
        if work.draft.eventId.isEmpty { work.draft.eventId = DerivedId.text(received, &work.scratch) }
        let time = work.draft.timeMilliseconds ?? work.context.nowMilliseconds
        work.draft.eventTime = work.scratch.timeText(time)
        var writer = JSONWriter(window.rest(from: offset + count))
        let start = writer.at
        work.draft.writeFields(&writer)
        let head = writer.at - start
        work.draft.writeSource(&writer, format, record: window.bytes(offset, count))
        let total = writer.at - start
        (window.base + offset).update(from: start, count: total)

        // The fields are read back from the front, closed for the moment, without the source record behind them.
        let front = window.base + offset
        front[head] = UInt8(ascii: "}")
        let end = UnsafePointer(front + head + 1)
        let stop = work.tape.scan(UnsafePointer(front), end: end, into: nil, origin: offset)
        front[head] = UInt8(ascii: ",")
        precondition(stop == end, "an adapter writes JSON")
        work.slots.fill(from: work.tape.root(base: UnsafePointer(window.base)), scratch: &work.scratch)
        guard let written = ActionTrailRecord.time(work.slots[.eventTime], scratch: &work.scratch) else {
            return .rejected(.invalidEventTime, .none)
        }
        return self.record(count: total, time: written, received: received, isUnchanged: false, line)
    }

    private mutating func record(
        count: Int, time: Int64, received: EventDigest, isUnchanged: Bool, _ line: Int
    ) -> Outcome {
        let identity = IdentitySlots(work.slots[.userIdentity], scratch: &work.scratch)
        if let key = identity.repeatedKey { return .rejected(.duplicateKey, .identityKey(key)) }
        let firstTerm = collector.terms.count
        let fields = FieldExtractor(work.slots, identity: identity, timeMilliseconds: time, into: &collector)
        events.append(
            ParsedEvent(
                range: offset..<offset + count,
                digest: isUnchanged ? received : EventDigest(hashing: window.bytes(offset, count)),
                receivedDigest: received, timeMilliseconds: time, isWrite: fields.isWrite, isGlobal: fields.isGlobal,
                eventId: fields.eventId, region: fields.region, account: fields.account,
                termRange: firstTerm..<collector.terms.count, line: line))
        offset += count
        return .accepted
    }
}
