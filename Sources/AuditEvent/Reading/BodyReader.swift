// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

/// Walks over a body from record to record, and decides where to go on after a bad one.
struct BodyReader: ~Copyable {
    private enum Place {
        case values
        /// In a list. `isFirst` until an element was met; `inObject` if an object's member holds the list.
        case elements(isFirst: Bool, inObject: Bool)
        case finished
    }

    private let end: UnsafePointer<UInt8>
    private var at: UnsafePointer<UInt8>
    private var line = 1
    private var elementCount = 0
    private var place = Place.values
    /// Whether the body began with an array, so that further top-level arrays hold events too.
    private var takesArrays = true
    /// Behind a value that broke after running on over lines, up to where it broke, each line stands for itself.
    /// So no byte is read more than a few times.
    private var singleLinesEnd: UnsafePointer<UInt8>
    private let format: EventFormat
    private var listFormat = EventFormat.auto
    private var records: RecordReader
    private var rejected: [RejectedRecord] = []
    private var rejectedArena: [UInt8] = []

    private static let keptBytes = 64 << 10

    init(_ body: UnsafeRawBufferPointer, format: EventFormat, context: ReceivingContext) {
        let bytes = body.bindMemory(to: UInt8.self)
        at = bytes.baseAddress!
        end = at + bytes.count
        singleLinesEnd = at
        self.format = format
        records = RecordReader(context, expecting: bytes.count / 1024 + 1)
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { at += 3 }
    }

    consuming func finish(_ batch: inout ParsedBatch) {
        batch.rejected = rejected
        batch.rejectedArena = rejectedArena
        records.finish(&batch)
    }

    /// Reads on until the body ends, then returns 0, or until `target` gets too small, then returns the room wanted.
    mutating func read(
        into target: UnsafeMutableBufferPointer<UInt8>, used: inout Int, arenaOffset: Int
    ) -> Int {
        let window = ArenaWindow(base: target.baseAddress! - arenaOffset, limit: arenaOffset + target.count)
        records.begin(window, at: arenaOffset)
        var wanted = 0
        while wanted == 0 {
            switch place {
            case .values: wanted = readValue()
            case .elements(let isFirst, let inObject): wanted = readElement(isFirst, inObject)
            case .finished:
                used = records.offset - arenaOffset
                return 0
            }
        }
        used = records.offset - arenaOffset
        return wanted
    }

    // MARK: Values one after another

    private mutating func readValue() -> Int {
        skipGap()
        guard at < end else {
            place = .finished
            return 0
        }
        let first = at.pointee
        if first == UInt8(ascii: "["), takesArrays {
            at += 1
            place = .elements(isFirst: true, inObject: false)
            return 0
        }
        takesArrays = false
        if first == UInt8(ascii: "{"), enterList() { return 0 }

        let wanted = records.roomToScan(end - at)
        guard wanted == 0 else { return wanted }
        guard let stop = records.scan(at, end: at < singleLinesEnd ? nextLine(at) : end) else {
            resynchronise(records.failure)
            return 0
        }
        let newlines = records.newlines
        if let extra = trailingText(stop) {
            let failure = JSONFailure(reason: .trailingText, offset: extra - at)
            reject(.invalidJSON, .json(failure.reason, offset: UInt32(failure.offset)), upTo: nextLine(extra))
            return 0
        }
        switch records.accept(line: line, format: format) {
        case .accepted: at = stop
        case .needsRoom(let room): return room + (end - at)
        case .rejected(let code, let detail):
            reject(code, detail, upTo: stop)
            return 0
        }
        line += newlines
        return 0
    }

    /// What stands behind a value on its line, other than another object.
    private func trailingText(_ stop: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        var next = stop
        while next < end, next.pointee == 0x20 || next.pointee == 0x09 || next.pointee == 0x0D { next += 1 }
        guard next < end else { return nil }
        return next.pointee == 0x0A || next.pointee == UInt8(ascii: "{") ? nil : next
    }

    /// Rejects the value at `at` and finds where to go on.
    private mutating func resynchronise(_ failure: JSONFailure) {
        let code: RejectionCode = failure.reason == .tooDeep ? .nestingTooDeep : .invalidJSON
        let detail = RejectedRecord.Detail.json(failure.reason, offset: UInt32(failure.offset))
        let place = at + failure.offset
        var resume = nextLine(at)
        if resume <= place, at >= singleLinesEnd {
            singleLinesEnd = place
            // The value ran on over lines: either one broken line swallowed good ones, or a pretty-printed
            // object is broken. A line that opens an object at its margin, or is an object, begins anew.
            while resume < end, !beginsAnew(resume) { resume = nextLine(resume) }
        }
        reject(code, detail, upTo: resume)
    }

    private mutating func beginsAnew(_ start: UnsafePointer<UInt8>) -> Bool {
        if start.pointee == UInt8(ascii: "{") { return true }
        let stop = nextLine(start)
        var first = start
        while first < stop, Cursor.isWhitespace(first.pointee) { first += 1 }
        guard first < stop, first.pointee == UInt8(ascii: "{"), var rest = records.check(first, end: stop) else {
            return false
        }
        while rest < stop, Cursor.isWhitespace(rest.pointee) { rest += 1 }
        return rest == stop
    }

    private func nextLine(_ start: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
        var next = start
        while next < end, next.pointee != 0x0A { next += 1 }
        return next < end ? next + 1 : end
    }

    // MARK: Lists

    /// Enters `{"Records":[…` or an `EventList`'s `items`, if that is what begins at `at`.
    private mutating func enterList() -> Bool {
        var next = at + 1
        var isEventList = false
        for member in 0..<4 {
            guard let key = text(&next), expect(":", &next) else { return false }
            if member == 0, key.equals("Records") {
                guard expect("[", &next) else { return false }
                return beginList(next, .cloudtrail)
            }
            if key.equals("items") {
                guard isEventList, expect("[", &next) else { return false }
                return beginList(next, .kubernetes)
            }
            if key.equals("kind") {
                guard let kind = text(&next), kind.equals("EventList") else { return false }
                isEventList = true
            } else if key.equals("apiVersion") {
                guard let version = text(&next), version.starts(with: "audit.k8s.io/") else { return false }
                isEventList = true
            } else if key.equals("metadata") {
                guard let stop = records.check(skipped(next), end: end) else { return false }
                next = stop
            } else {
                return false
            }
            guard expect(",", &next) else { return false }
        }
        return false
    }

    private mutating func beginList(_ start: UnsafePointer<UInt8>, _ format: EventFormat) -> Bool {
        at = start
        listFormat = format
        place = .elements(isFirst: true, inObject: true)
        return true
    }

    /// The inside of the string at `next`, as it stands.
    private func text(_ next: inout UnsafePointer<UInt8>) -> Text? {
        let start = skipped(next)
        guard start < end, start.pointee == UInt8(ascii: "\"") else { return nil }
        var cursor = Cursor(at: start, end: end, destination: nil, origin: 0)
        var hasEscapes = false
        guard cursor.skipString(&hasEscapes) else { return nil }
        next = cursor.at
        return Text(start: start + 1, count: cursor.at - start - 2)
    }

    private func expect(_ mark: Unicode.Scalar, _ next: inout UnsafePointer<UInt8>) -> Bool {
        let start = skipped(next)
        guard start < end, start.pointee == UInt8(ascii: mark) else { return false }
        next = start + 1
        return true
    }

    private func skipped(_ start: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
        var next = start
        while next < end, Cursor.isWhitespace(next.pointee) { next += 1 }
        return next
    }

    private mutating func readElement(_ isFirst: Bool, _ inObject: Bool) -> Int {
        var start = skipped(at)
        if start < end, start.pointee == UInt8(ascii: "]") {
            leaveList(start + 1, inObject)
            return 0
        }
        if !isFirst {
            guard start < end, start.pointee == UInt8(ascii: ",") else {
                abandon(start, start < end ? .expectedCommaOrEnd : .unexpectedEnd)
                return 0
            }
            start = skipped(start + 1)
        }
        guard start < end else {
            abandon(start, .unexpectedEnd)
            return 0
        }
        let wanted = records.roomToScan(end - start)
        guard wanted == 0 else { return wanted }

        var format = format
        if format == .auto, listFormat == .kubernetes { format = .kubernetes }
        let stop = records.scan(start, end: end)
        if let stop {
            switch records.accept(line: elementCount + 1, format: format, fallback: listFormat) {
            case .accepted:
                at = stop
                elementCount += 1
            case .needsRoom(let room): return room + (end - start)
            case .rejected(let code, let detail): rejectElement(start, stop, code, detail)
            }
        } else {
            let failure = records.failure
            let code: RejectionCode = failure.reason == .tooDeep ? .nestingTooDeep : .invalidJSON
            let detail = RejectedRecord.Detail.json(failure.reason, offset: UInt32(failure.offset))
            guard let resume = lexicalEnd(start) else {
                rejectElement(start, end, code, detail)
                place = .finished
                return 0
            }
            rejectElement(start, resume, code, detail)
        }
        place = .elements(isFirst: false, inObject: inObject)
        return 0
    }

    private mutating func rejectElement(
        _ start: UnsafePointer<UInt8>, _ stop: UnsafePointer<UInt8>, _ code: RejectionCode,
        _ detail: RejectedRecord.Detail
    ) {
        elementCount += 1
        keep(start, stop, line: elementCount, code, detail)
        at = stop
    }

    /// Gives up on what is left of a list.
    private mutating func abandon(_ start: UnsafePointer<UInt8>, _ reason: JSONFailure.Reason) {
        rejectElement(start, end, .invalidJSON, .json(reason, offset: 0))
        place = .finished
    }

    private mutating func leaveList(_ start: UnsafePointer<UInt8>, _ inObject: Bool) {
        at = start
        place = .values
        listFormat = .auto
        guard inObject else { return }
        var next = start
        while expect(",", &next) {
            guard text(&next) != nil, expect(":", &next), let stop = records.check(skipped(next), end: end) else {
                abandon(next, .unexpectedByte)
                return
            }
            next = stop
        }
        guard expect("}", &next) else {
            abandon(next, next < end ? .expectedCommaOrEnd : .unexpectedEnd)
            return
        }
        at = next
    }

    /// Where an element that is not JSON ends, judged by its quotes and brackets; nil if the list does not go on.
    private func lexicalEnd(_ start: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        var next = start
        var depth = 0
        while next < end {
            switch next.pointee {
            case UInt8(ascii: "\""):
                next += 1
                while next < end, next.pointee != UInt8(ascii: "\"") {
                    next += next.pointee == UInt8(ascii: "\\") && end - next > 1 ? 2 : 1
                }
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return next.pointee == UInt8(ascii: "]") ? next : nil }
                depth -= 1
            case UInt8(ascii: ",") where depth == 0: return next
            default: break
            }
            if next < end { next += 1 }
        }
        return nil
    }

    // MARK: Bookkeeping

    private mutating func skipGap() {
        while at < end, Cursor.isWhitespace(at.pointee) {
            if at.pointee == 0x0A { line += 1 }
            at += 1
        }
    }

    private mutating func reject(
        _ code: RejectionCode, _ detail: RejectedRecord.Detail, upTo stop: UnsafePointer<UInt8>
    ) {
        keep(at, stop, line: line, code, detail)
        while at < stop {
            if at.pointee == 0x0A { line += 1 }
            at += 1
        }
    }

    private mutating func keep(
        _ start: UnsafePointer<UInt8>, _ stop: UnsafePointer<UInt8>, line: Int, _ code: RejectionCode,
        _ detail: RejectedRecord.Detail
    ) {
        var last = stop
        while last > start, Cursor.isWhitespace(last[-1]) { last -= 1 }
        let bytes = UnsafeBufferPointer(start: start, count: min(last - start, Self.keptBytes))
        guard rejected.count >= EventParser.namedRejections else {
            let first = rejectedArena.count
            rejectedArena.append(contentsOf: bytes)
            rejected.append(
                RejectedRecord(line: line, rejection: code, range: first..<rejectedArena.count, detail: detail))
            return
        }
        let newest = rejected.count - 1
        if rejected[newest].rejection == .tooManyBadRecords,
            rejected[newest].range.count + bytes.count < Self.keptBytes
        {
            rejectedArena.append(0x0A)
            rejectedArena.append(contentsOf: bytes)
            rejected[newest].range = rejected[newest].range.lowerBound..<rejectedArena.count
            rejected[newest].count += 1
        } else {
            let first = rejectedArena.count
            rejectedArena.append(contentsOf: bytes)
            rejected.append(
                RejectedRecord(line: line, rejection: .tooManyBadRecords, range: first..<rejectedArena.count, detail: .none))
        }
    }
}
