// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Completes a received ActionTrail event: what it lacks is added, the rest stays byte for byte.
enum ActionTrailRecord {
    struct Completed {
        var count: Int
        var timeMilliseconds: Int64
        var receivedDigest: EventDigest
        var isUnchanged: Bool
    }

    struct Rejection: Error {
        var code: RejectionCode
    }

    /// The time that a string or a number says.
    static func time(_ value: JSONValue?, scratch: inout ScratchPad) -> Int64? {
        guard let value else { return nil }
        switch value.kind {
        case .number: return EventTime.milliseconds(value.content)
        case .string: return EventTime.milliseconds(scratch.text(value))
        default: return nil
        }
    }

    /// Completes the record of `count` bytes at `offset`; afterwards `work.slots` says where its values lie.
    static func complete(
        _ work: inout Workspace, _ window: ArenaWindow, _ offset: Int, _ count: Int
    ) -> Result<Completed, Rejection> {
        guard let name = work.slots[.eventName], name.kind == .string, !name.isEmptyString else {
            return .failure(Rejection(code: .missingEventName))
        }
        let id = work.slots[.eventId] ?? work.slots[.eventID]
        if let id, id.kind != .string { return .failure(Rejection(code: .invalidEventId)) }
        let lacksId = id == nil || id!.isEmptyString
        var time = work.context.nowMilliseconds / 1000 * 1000
        let timeValue = work.slots[.eventTime]
        let lacksTime = timeValue == nil || timeValue!.isEmptyString
        if !lacksTime {
            guard let read = Self.time(timeValue, scratch: &work.scratch) else {
                return .failure(Rejection(code: .invalidEventTime))
            }
            time = read
        }
        let received = EventDigest(hashing: window.bytes(offset, count))
        let lacksAccount = work.slots.present(.recipientAccountId) == nil
        let lacksRegion = work.slots.present(.acsRegion) == nil
        guard lacksId || lacksTime || lacksAccount || lacksRegion else {
            return .success(
                Completed(count: count, timeMilliseconds: time, receivedDigest: received, isUnchanged: true))
        }

        var gap = Gap(window: window, offset: offset, count: count)
        if lacksId {
            let text = DerivedId.text(received, &work.scratch)
            gap.fill(
                .eventId, "eventId", text, replacing: id ?? work.slots.present(.eventId) ?? work.slots.present(.eventID)
            )
        }
        if lacksTime {
            let text = work.scratch.timeText(time)
            gap.fill(.eventTime, "eventTime", text, replacing: timeValue ?? work.slots.present(.eventTime))
        }
        if lacksAccount {
            let owner = work.scratch.text(work.slots[.resourceOwnerID])
            gap.fill(.recipientAccountId, "recipientAccountId", owner.isEmpty ? work.context.accountId : owner)
        }
        if lacksRegion {
            let place = work.scratch.text(work.slots[.resourceRegionID])
            gap.fill(.acsRegion, "acsRegion", place.isEmpty ? work.context.region : place)
        }
        return .success(
            Completed(
                count: gap.close(&work), timeMilliseconds: time, receivedDigest: received, isUnchanged: false))
    }
}

/// What has to be added to a record. Members that are there but empty are replaced where they stand.
private struct Gap {
    private struct Addition {
        var key: RecordKey
        var name: StaticString
        var text: Text
        /// The bytes to replace, as arena offsets; empty to append a member.
        var replaced: Range<Int>
    }

    let window: ArenaWindow
    let offset: Int
    let count: Int
    private var first: Addition?
    private var second: Addition?
    private var third: Addition?
    private var fourth: Addition?

    init(window: ArenaWindow, offset: Int, count: Int) {
        self.window = window
        self.offset = offset
        self.count = count
    }

    mutating func fill(_ key: RecordKey, _ name: StaticString, _ text: Text, replacing value: JSONValue? = nil) {
        var replaced = 0..<0
        if let value {
            let quote = value.kind == .string ? 1 : 0
            replaced = Int(value.node.start) - quote..<Int(value.node.end) + quote
        }
        let addition = Addition(key: key, name: name, text: text, replaced: replaced)
        if first == nil {
            first = addition
        } else if second == nil {
            second = addition
        } else if third == nil {
            third = addition
        } else {
            fourth = addition
        }
    }

    /// Writes the completed record in place and returns its size.
    func close(_ work: inout Workspace) -> Int {
        let replaces = [first, second].contains { $0.map { !$0.replaced.isEmpty } ?? false }
        return replaces ? rewrite(&work) : append(&work)
    }

    private func forEach(_ body: (Addition) -> Void) {
        if let first { body(first) }
        if let second { body(second) }
        if let third { body(third) }
        if let fourth { body(fourth) }
    }

    private func append(_ work: inout Workspace) -> Int {
        var writer = JSONWriter(window.rest(from: offset + count - 1))
        let base = UnsafePointer(window.base)
        forEach { addition in
            writer.key(addition.name)
            let start = writer.at + 1 - window.base
            writer.string(addition.text)
            let end = writer.at - 1 - window.base
            let index = work.tape.appendString(start: start, end: end, hasEscapes: end - start != addition.text.count)
            work.slots.add(addition.key, index: index, record: work.tape.root(base: base))
        }
        writer.byte("}")
        return writer.at - window.base - offset
    }

    private func rewrite(_ work: inout Workspace) -> Int {
        var writer = JSONWriter(window.rest(from: offset + count))
        let target = writer.at
        var copied = offset
        var replacements = [first, second].compactMap { $0 }.filter { !$0.replaced.isEmpty }
        replacements.sort { $0.replaced.lowerBound < $1.replaced.lowerBound }
        for replacement in replacements {
            writer.raw(window.bytes(copied, replacement.replaced.lowerBound - copied))
            writer.string(replacement.text)
            copied = replacement.replaced.upperBound
        }
        writer.raw(window.bytes(copied, offset + count - 1 - copied))
        forEach { addition in
            if addition.replaced.isEmpty {
                writer.key(addition.name)
                writer.string(addition.text)
            }
        }
        writer.byte("}")
        let total = writer.at - target
        let front = window.base + offset
        front.update(from: target, count: total)
        let end = UnsafePointer(front + total)
        let stop = work.tape.scan(UnsafePointer(front), end: end, into: nil, origin: offset)
        precondition(stop == end, "a completed record is JSON")
        work.slots.fill(from: work.tape.root(base: UnsafePointer(window.base)), scratch: &work.scratch)
        return total
    }
}
